"""A small firm's and a small shop's files, and their reports."""

from __future__ import annotations

import shutil
from pathlib import Path

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
