"""One page over all reports in a folder, built from their manifests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from analysis.errors import PeriodError
from analysis.period import Period
from analysis.publish.html import css, environment
from analysis.publish.stage import waiting_for, write_whole
from analysis.publish.words import amount, day, period_name

_LINKS = (("HTML", "report.html"), ("PDF", "report.pdf"), ("Excel", "tables.xlsx"))


@dataclass(frozen=True)
class Issue:
    """One report for one period."""

    report: str
    title: str
    language: str
    variant: str
    period: Period
    links: tuple[tuple[str, str], ...]
    figures: tuple[tuple[str, str], ...]
    """Definition and value of each key figure."""

    @property
    def period_name(self) -> str:
        """The period as it is written."""
        return period_name(self.period, self.language)

    @property
    def known_to(self) -> str:
        """The last day known."""
        return day(self.period.end, self.language)


@dataclass(frozen=True)
class Broken:
    """A folder whose manifest cannot be read, and why."""

    folder: str
    problem: str


def rebuild(out: Path, *, progress: Callable[[str], None] = lambda line: None) -> Path:
    """Write ``index.html`` over all reports in the folder ``out`` and return its path.

    The newest period comes first. A folder without a readable manifest is named on the page and to ``progress``.
    Raises PublishError where the page cannot be written.
    """
    with waiting_for(out, "index"):
        found = list(_issues(out))
        issues = [issue for issue in found if isinstance(issue, Issue)]
        broken = [issue for issue in found if isinstance(issue, Broken)]
        for one in broken:
            progress(f"left out of the index: {one.folder}: {one.problem}")
        page = out / "index.html"
        write_whole(page, _render(issues, broken))
    return page


def _issues(out: Path) -> Iterator[Issue | Broken]:
    folders = {path.parent for depth in ("*/*", "*/*/*") for path in out.glob(f"{depth}/report.*")}
    folders |= {path.parent for depth in ("*/*", "*/*/*") for path in out.glob(f"{depth}/manifest.json")}
    for folder in sorted(folders):
        place = folder.relative_to(out)
        if any(part.startswith(".") for part in place.parts):
            continue
        try:
            yield _read(folder, place)
        except FileNotFoundError:
            yield Broken(place.as_posix(), "there is no manifest.json")
        except (OSError, ValueError, PeriodError) as error:
            yield Broken(place.as_posix(), f"manifest.json cannot be read ({error})")
        except (KeyError, TypeError, AttributeError) as error:
            yield Broken(place.as_posix(), f"manifest.json lacks a part ({error})")


def _read(folder: Path, place: Path) -> Issue:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return Issue(
        report=place.parts[0],
        title=str(manifest["title"]),
        language=_known_language(manifest["language"]),
        variant="/".join(place.parts[2:]),
        period=Period.parse(manifest["period"]),
        links=tuple((name, quote(f"{place.as_posix()}/{file}")) for name, file in _LINKS if (folder / file).is_file()),
        figures=tuple(_key_figures(folder, manifest)),
    )


def _known_language(language: str) -> str:
    if language not in ("de", "en"):
        raise ValueError(f"{language!r} is no language of ours")
    return language


def _key_figures(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    file = folder / "figures.json"
    if not manifest["key_figures"] or not file.is_file():
        return
    figures = {figure["id"]: figure for figure in json.loads(file.read_text(encoding="utf-8"))}
    for figure in (figures[key] for key in manifest["key_figures"] if key in figures):
        written = amount(figure["value"], figure["unit"], manifest["language"], manifest["currency"])
        yield str(figure["definition"]), written


def _render(issues: list[Issue], broken: list[Broken]) -> str:
    newest_first = sorted(issues, key=lambda issue: (issue.period.end, issue.period.start), reverse=True)
    by_report = sorted(newest_first, key=lambda issue: (issue.report, -issue.period.end.toordinal(), issue.variant))
    groups = [(group[0].title, group) for group in (list(g) for _, g in groupby(by_report, lambda one: one.report))]
    language = newest_first[0].language if newest_first else "de"
    template = environment(language).get_template("index.html.j2")
    return template.render(language=language, groups=groups, broken=broken, css=css("fonts", "page.css", "index.css"))
