"""The NPS scales on which surveys were asked: one is reported, answers on another are never averaged with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

Scale = tuple[int, int]


@dataclass(frozen=True)
class SurveyScales:
    """The scale of each survey, where they differ, and the survey with the latest answer, whose scale is kept."""

    declared: Mapping[str, Scale]
    latest: str | None

    @property
    def kept(self) -> Scale:
        """The scale reported."""
        return self.declared[self.latest] if self.latest else min(self.declared.values())

    @property
    def others(self) -> list[str]:
        """Surveys that were asked on another scale."""
        return [survey for survey, scale in self.declared.items() if scale != self.kept]

    def on_one(self, surveys: ir.Table) -> ir.Table:
        """Return the rows with nps missing where it was asked on another scale."""
        if not self.others:
            return surveys
        nps = surveys["nps"]
        return surveys.mutate(nps=surveys["survey"].isin(self.others).ifelse(ibis.null(nps.type()), nps))

    def without_others(self, surveys: ir.Table) -> ir.Table:
        """Return the rows without those of surveys on another scale."""
        return surveys.filter(surveys["survey"].notin(self.others).fill_null(True)) if self.others else surveys

    def answers_on_others(self, surveys: ir.Table) -> int:
        """Count the answers to nps on another scale."""
        if not self.others:
            return 0
        return int(surveys.filter(surveys["survey"].isin(self.others))["nps"].count().execute())
