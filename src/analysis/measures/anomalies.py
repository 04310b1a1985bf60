"""What in the answers themselves says that the scale declared is not the one that was asked."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import ibis.expr.types as ir
import pandas as pd

from analysis.measures import answers as counted
from analysis.measures.answers import Scale
from analysis.measures.frames import Rows

ENOUGH = 200
"""Answers among which a 9, a 10 and both ends of the scale are to be expected."""


def scale_anomalies(answers: Rows, *, scale: Scale, outside: Mapping[int, int] = MappingProxyType({})) -> pd.DataFrame:
    """Name what does not fit the declared NPS scale; unlike the measures, this takes answers off the scale too.

    - ``zero on a scale from 1``: a 0 was given where none can be chosen;
    - ``no 9`` and ``no 10``: not one among 200 answers or more;
    - ``index for value``: the answers seem to be the positions of the choices, not their values: they run from 1 to
      11 on a scale from 0 to 10, or from 0 to 9 on one from 1 to 10.

    Columns in: nps (missing where not answered; what is no whole number from 0 to 11 is passed over). ``outside``
    counts answers off the scale, by answer, that were left out of the table before.

    Columns out: anomaly, answers (how many show it; for a missing 9 or 10 all answers), n (answers in all). One row an
    anomaly found, in the order above.

    Raises MeasureError where the scale is neither (0, 10) nor (1, 10) or the column is absent or not numeric.
    Source: none; rules of the kit.

    >>> scale_anomalies(pd.DataFrame({"nps": [0, 7, 9]}), scale=(1, 10))
                      anomaly  answers  n
    0  zero on a scale from 1        1  3
    """
    counted.check_nps_scale("scale_anomalies", scale)
    table = counted.checked("scale_anomalies", answers, "nps", ())
    points = _reduce_points(table).execute().set_index("rating")["n"]
    counts = points.add(pd.Series(outside, dtype="float64"), fill_value=0)
    there = counts.reindex(range(12), fill_value=0).astype("int64")
    n = int(there.sum())
    enough = n >= ENOUGH
    shifted = there[11] if scale[0] == 0 else there[0]
    is_index = shifted > 0 and n >= ENOUGH and there[0 if scale[0] == 0 else 10] == 0
    found = {
        "zero on a scale from 1": there[0] if scale[0] == 1 else 0,
        "no 9": n if enough and there[9] == 0 else 0,
        "no 10": n if enough and there[10] == 0 else 0,
        "index for value": shifted if is_index else 0,
    }
    rows = [(name, int(count), n) for name, count in found.items() if count]
    return pd.DataFrame(rows, columns=["anomaly", "answers", "n"])


def _reduce_points(answers: ir.Table) -> ir.Table:
    rated = counted.rated(answers, answers["nps"], (), one_per_customer=False)
    near = rated.filter(rated["_rating"].isin(range(12)))
    return near.aggregate(by=near["_rating"].name("rating"), n=near.count())
