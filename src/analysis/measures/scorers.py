"""The two models that score a risk, on the same columns: logistic regression and gradient boosting."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from analysis.measures.inference import Floats

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Kind: TypeAlias = Literal["logistic", "boosting"]

_RARE = 0.01
"""Share of rows below which the texts of a column are pooled."""


@dataclass(frozen=True)
class Scorer:
    """A fitted model and the columns it reads."""

    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    pipeline: Pipeline = field(repr=False)

    def predict(self, rows: pd.DataFrame) -> Floats:
        """Return the probability of the outcome of each row."""
        with _one_thread():
            found: Floats = self.pipeline.predict_proba(_prepared(rows, self.numbers, self.texts))[:, 1]
        return found


def fitted(kind: Kind, rows: pd.DataFrame, outcome: str, columns: Sequence[str], *, seed: int) -> Scorer:
    """Fit a model of the outcome (0 or 1) on numbers, truth values and texts; a missing text is a level of its own.

    Logistic regression has a ridge penalty (C = 1) on standardised columns, so it has an answer even where columns
    separate the outcome; a missing number takes the median, and a column says so.

    >>> rows = pd.DataFrame({"plan": ["a", "b"] * 50, "left": [0, 1] * 50})
    >>> [fitted(kind, rows, "left", ["plan"], seed=0).predict(rows)[:2].round(1).tolist() for kind in _MODELS]
    [[0.1, 0.9], [0.0, 1.0]]
    """
    from sklearn.pipeline import make_pipeline

    numbers = tuple(name for name in columns if pd.api.types.is_numeric_dtype(rows[name]))
    texts = tuple(name for name in columns if name not in numbers)
    pipeline = make_pipeline(_columns(numbers, texts), _MODELS[kind](seed))
    with _one_thread():
        pipeline.fit(_prepared(rows, numbers, texts), rows[outcome])
    return Scorer(numbers, texts, pipeline)


def _one_thread() -> AbstractContextManager[object]:
    """Keep boosting to one thread: several wait for one another, on a busy machine for many times its own work."""
    # scikit-learn's own dependency, without types
    limits: AbstractContextManager[object] = import_module("threadpoolctl").threadpool_limits(1, user_api="openmp")
    return limits


def _logistic(_seed: int) -> object:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, max_iter=1000)


def _boosting(seed: int) -> object:
    from sklearn.ensemble import HistGradientBoostingClassifier

    # small trees, learnt slowly: where few leave, the library's own setting learns the customers by heart
    settings = {"max_leaf_nodes": 8, "learning_rate": 0.05, "early_stopping": False}
    return HistGradientBoostingClassifier(**settings, random_state=seed)


_MODELS = {"logistic": _logistic, "boosting": _boosting}


def _columns(numbers: tuple[str, ...], texts: tuple[str, ...]) -> object:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    filled = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    levels = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=_RARE, sparse_output=False)
    return ColumnTransformer(
        [("numbers", make_pipeline(filled, StandardScaler()), list(numbers)), ("texts", levels, list(texts))]
    )


def _prepared(rows: pd.DataFrame, numbers: tuple[str, ...], texts: tuple[str, ...]) -> pd.DataFrame:
    values = {name: rows[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in numbers}
    words = {name: rows[name].astype("object").where(rows[name].notna(), "").astype(str) for name in texts}
    return pd.DataFrame({**values, **words}, index=rows.index)
