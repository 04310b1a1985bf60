"""The engines of the chapters: a share of the memory, and a folder to spill into that does not stay."""

from __future__ import annotations

import os

import ibis
import pytest

from analysis.intake import engine


def test_an_engine_that_reads_spills_beside_the_snapshot_and_leaves_nothing(tmp_path):
    settings = engine.reading(tmp_path)
    connection = ibis.duckdb.connect(**{**settings, "memory_limit": "100MB"})
    assert list(tmp_path.iterdir()) == []
    connection.raw_sql("CREATE TABLE many AS SELECT repeat(hash(i)::VARCHAR, 3) AS text FROM range(4_000_000) t(i)")
    assert [str(spilled) for spilled in tmp_path.iterdir()] == [settings["temp_directory"]]
    connection.disconnect()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("container", "mib"), [("max\n", 8 * 1024), ("2147483648\n", 2 * 1024), (None, 8 * 1024)])
def test_an_engine_that_reads_takes_a_fifth_of_the_memory_there_is(tmp_path, monkeypatch, container, mib):
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2 * 2**20}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    limit = tmp_path / "memory.max"
    if container is not None:
        limit.write_text(container)
    monkeypatch.setattr(engine, "_CGROUP_LIMIT", limit)
    assert engine.reading(tmp_path)["memory_limit"] == f"{mib // 5}MiB"


def test_what_killed_engines_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / ".work-1").mkdir()
    (tmp_path / ".work-1" / "duckdb_temp_storage_DEFAULT-0.tmp").touch()
    (tmp_path / "tables").mkdir()
    engine.remove_spilled(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]
