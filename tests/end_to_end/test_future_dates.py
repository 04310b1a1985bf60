"""Dates that lie ahead: they enter no figure, and where nothing else is on record the run says so in one sentence."""

from __future__ import annotations

import json

import pytest
from calls import call, edit

CONTRACTS = "customer_id,start,ended_on\n" + "".join(f"K{number:03d},2027-02-01,\n" for number in range(1, 41))


def figures(reports):
    return json.loads((reports / "laden" / "2026-08" / "figures.json").read_text(encoding="utf-8"))


def test_orders_of_the_future_enter_no_figure_and_choose_no_period(shop, good_report):
    with (shop / "orders.csv").open("a", encoding="utf-8") as file:
        file.write("K001;31.12.2099;99999,00\n" * 40)
    done = call("run", shop / "shop.yml")
    assert done.code == 0, done.err
    assert "transactions: 40 rows dated after 2026-09-28 stand apart from the rest" in done.out
    assert figures(shop / "reports") == figures(good_report)


def test_contracts_that_begin_after_the_orders_are_left_out_as_if_there_were_none(shop):
    (shop / "contracts.csv").write_text(CONTRACTS, encoding="utf-8")
    edit(shop, "shop.yml", ("chapters:", "  contracts: {path: contracts.csv}\nchapters:"))
    done = call("run", shop / "shop.yml", "--period", "2026-08", "--chapter", "churn_drivers")
    assert done.code == 0, done.err
    page = (shop / "reports" / "laden" / "2026-08" / "report.html").read_text(encoding="utf-8")
    assert "Dieses Kapitel entfällt, denn in den Daten fehlt: Verträge (contracts)." in page


@pytest.mark.parametrize(
    ("contracts", "begins", "message"),
    [
        (
            CONTRACTS,
            "2024-01-01",
            "no period is complete yet in the data, which run from 2027-02-01 to 2027-02-01. "
            "Name a period between them with --period, or load newer files.",
        ),
        (
            "customer_id,start,ended_on\nK1,2025-01-01,\nK2,2026-03-31,\n",
            "2031-01-01",
            "sources.contracts: begins says 2031-01-01, which lies after the period 2026-Q1, for that ends on "
            "2026-03-31. Correct begins, or name a later period with --period.",
        ),
    ],
)
def test_what_begins_after_all_data_is_refused_in_a_sentence(tmp_path, contracts, begins, message):
    (tmp_path / "contracts.csv").write_text(contracts, encoding="utf-8")
    source = f"  contracts: {{path: contracts.csv, begins: {begins}}}\n"
    (tmp_path / "p.yml").write_text(f"report: p\nperiod: quarter\nsources:\n{source}", encoding="utf-8")
    done = call("run", tmp_path / "p.yml")
    assert (done.code, done.err) == (3, f"stammkunde: {message}\n")
