"""A small firm's and a small shop's files, and their reports."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from calls import ORDERS, PARAMS, call

from analysis import pilot


@pytest.fixture(scope="session")
def firm(tmp_path_factory) -> Path:
    """The pilot company with 1,500 customers; read only."""
    folder = tmp_path_factory.mktemp("firm")
    pilot.write_pilot(folder, customers=1500)
    return folder


@pytest.fixture(scope="session")
def published(firm, tmp_path_factory) -> Path:
    """The folder of the firm's report, built once."""
    out = tmp_path_factory.mktemp("reports")
    done = call("run", firm / "params.yml", "--out", out)
    assert done.code == 0, done.err
    return out / "kundenbericht" / "2026-Q3"


@pytest.fixture
def shop(tmp_path) -> Path:
    """A shop with orders only, in a folder of its own that a test may spoil."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "orders.csv").write_text(ORDERS, encoding="utf-8")
    (folder / "shop.yml").write_text(PARAMS, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def good_report(tmp_path_factory) -> Path:
    """A reports folder with the shop's good report of August, built once; read only."""
    folder = tmp_path_factory.mktemp("good")
    (folder / "orders.csv").write_text(ORDERS, encoding="utf-8")
    (folder / "shop.yml").write_text(PARAMS, encoding="utf-8")
    done = call("run", folder / "shop.yml")
    assert done.code == 0, done.err
    return folder / "reports"


@pytest.fixture
def shop_with_report(shop, good_report) -> Path:
    """The shop, with its last good report in place."""
    shutil.copytree(good_report, shop / "reports")
    return shop


@pytest.fixture(scope="module")
def reported(tmp_path_factory) -> Callable[..., tuple[pd.DataFrame, str]]:
    """Return what writes rows.csv beside the parameters that name it, runs them and gives figures and page."""

    def run(rows: pd.DataFrame, params: str, *settings: str) -> tuple[pd.DataFrame, str]:
        folder = tmp_path_factory.mktemp("odd")
        rows.to_csv(folder / "rows.csv", index=False)
        (folder / "klein.yml").write_text(params, encoding="utf-8")
        done = call("run", folder / "klein.yml", "--json", *settings)
        assert done.code == 0, done.out
        built = Path(done.json["folder"])
        found = pd.DataFrame(json.loads((built / "figures.json").read_text(encoding="utf-8")))
        return found, (built / "report.html").read_text(encoding="utf-8")

    return run
