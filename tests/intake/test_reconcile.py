"""Nothing is lost: every row of a file, however broken, is accepted or left out for one reason, on its own line."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CELLS = st.sampled_from(
    [
        "1",
        "2",
        "K3",
        "",
        "2026-01-05",
        "2026-02-30",
        "gestern",
        "1,5",
        "-2",
        "zwölf",
        "a\nb",
        "c\r\nd",
        'e"f',
        "g;h",
        " ",
    ]
)
RECORDS = st.lists(st.lists(CELLS, min_size=0, max_size=6), min_size=1, max_size=25)


def as_csv(records, line_end):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator=line_end)
    writer.writerow(["Kunde", "Datum", "Umsatz", "Wert"])
    writer.writerow(["0", "2026-01-05", "1,5", "x"])
    writer.writerows(records)
    return text.getvalue()


def lines_of(records, line_end):
    """Return the line on which each record begins, counted from what was written."""
    line, lines = 3, []
    for record in records:
        lines.append(line)
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=";", lineterminator=line_end).writerow(record)
        line += text.getvalue().count("\n")
    return lines


@given(records=RECORDS, line_end=st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_row_is_accepted_or_left_out_for_one_reason(bench_in, read_rows, read_quarantine, records, line_end):
    with tempfile.TemporaryDirectory() as folder:
        built = bench_in(Path(folder)).orders(as_csv(records, line_end), decimal=",")
        record = built.records["transactions"]
        listed = read_quarantine(built, "transactions")
        accepted = read_rows(built, "transactions")
    assert record.read == 1 + sum(bool(cells) for cells in records)
    assert record.accepted == len(accepted)
    assert record.read == record.accepted + sum(record.quarantined.values()) + sum(record.dropped.values())
    assert sum(row[4] == "row" for row in listed) == sum(record.quarantined.values())
    begun = {str(line): cells for line, cells in zip(lines_of(records, line_end), records, strict=True)}
    for line, _, _, reason, _ in listed:
        width = len(begun[line])
        while width > 4 and not begun[line][width - 1]:
            width -= 1  # separators at the end of a line are no fields
        assert (reason == "too few fields") == (width < 4)
        assert (reason == "too many fields") == (width > 4)
