"""How many processors this process may use."""

import os

import pytest

from llmkit.providers import cpus


@pytest.fixture
def eight(monkeypatch):
    monkeypatch.setattr(cpus.os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)


@pytest.mark.parametrize(("quota", "usable"), [("250000 100000", 2), ("50000 100000", 1), ("max 100000", 8), ("?", 8)])
def test_a_container_s_quota_bounds_the_mask(tmp_path, eight, quota, usable):
    (tmp_path / "cpu.max").write_text(quota + "\n")
    assert cpus.usable_cpus(tmp_path) == usable


@pytest.mark.parametrize(("quota", "usable"), [("300000", 3), ("-1", 8)])
def test_the_older_interface_is_read_too(tmp_path, eight, quota, usable):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert cpus.usable_cpus(tmp_path) == usable


def test_without_a_quota_the_mask_counts(tmp_path, eight):
    assert cpus.usable_cpus(tmp_path / "none") == 8


def test_without_a_mask_all_processors_count(tmp_path, monkeypatch):
    monkeypatch.delattr(cpus.os, "sched_getaffinity", raising=False)
    assert cpus.usable_cpus(tmp_path / "none") == os.cpu_count()
