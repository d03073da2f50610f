"""The machine's GPUs, as an nvidia-smi on the path says."""

import os
import sys

import pytest

from llmkit.providers.vllm import gpus as module
from llmkit.providers.vllm.gpus import MIB, Holder, gpus, holders

CARDS = "0, GPU-aaaa-1, NVIDIA H100, 81559, 81000\n1, GPU-bbbb-2, NVIDIA H100, 81559, 500\n"


@pytest.fixture
def smi(tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")

    def says(text, end=""):
        script = tmp_path / "nvidia-smi"
        script.write_text(f"#!/bin/sh\ncat <<'END'\n{text}END\n{end}\n")
        script.chmod(0o755)

    return says


def test_cards_are_read(smi):
    smi(CARDS)
    assert [(card.index, card.uuid, card.name, card.total, card.free) for card in gpus()] == [
        (0, "GPU-aaaa-1", "NVIDIA H100", 81559 * MIB, 81000 * MIB),
        (1, "GPU-bbbb-2", "NVIDIA H100", 81559 * MIB, 500 * MIB),
    ]


def test_a_card_that_does_not_say_its_memory_is_left_out(smi):
    smi("0, GPU-aaaa-1, NVIDIA GB10, [N/A], [N/A]\n" + CARDS.splitlines()[1] + "\n")
    assert [card.index for card in gpus()] == [1]


def test_one_that_fails_or_talks_otherwise_says_none(smi):
    smi(CARDS, "exit 9")
    assert gpus() == ()
    smi("No devices were found\n")
    assert gpus() == ()


def test_one_that_hangs_is_not_waited_for(smi, monkeypatch):
    monkeypatch.setattr(module, "ASKED_S", 0.1)
    smi(CARDS, f"exec {sys.executable} -c 'import signal; signal.pause()'")
    assert gpus() == ()


def test_without_one_there_are_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus() == ()


@pytest.mark.parametrize(
    ("visible", "indices"),
    [("1,0", [1, 0]), ("GPU-bbbb-2", [1]), ("GPU-b", [1]), ("GPU-", []), ("", []), ("0,7,1", [0]), ("-1", [])],
)
def test_only_visible_cards_count(smi, monkeypatch, visible, indices):
    smi(CARDS)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [card.index for card in gpus()] == indices


def test_who_holds_the_most_comes_first(smi):
    smi(CARDS)
    first = gpus()[0]
    smi("GPU-aaaa-1, 7, 100\nGPU-bbbb-2, 8, 900\nGPU-aaaa-1, 9, 300\nGPU-aaaa-1, 10, [N/A]\n")
    assert holders(first) == (Holder(9, 300 * MIB), Holder(7, 100 * MIB))


def test_main_memory_is_known_here():
    assert (module.main_memory() or 0) > 0


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine of files: its path → what it holds."""
    monkeypatch.setattr(module, "MACHINE", tmp_path)

    def holds(files):
        for name, text in ({"proc/meminfo": "MemTotal: 9000 kB\nMemAvailable: 4000 kB\n"} | files).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

    return holds


def group(limit, used, stat="", *, at="", old=False):
    folder = f"sys/fs/cgroup/{'memory/' if old else ''}{at}"
    names = ("limit_in_bytes", "usage_in_bytes") if old else ("max", "current")
    return {
        f"{folder}memory.{names[0]}": f"{limit}\n", f"{folder}memory.{names[1]}": f"{used}\n",
        f"{folder}memory.stat": stat,
    }  # fmt: skip


def test_main_memory_is_what_the_kernel_has_available(machine):
    machine({})
    assert module.main_memory() == 4000 * 1024


@pytest.mark.parametrize(
    ("files", "left"),
    [
        (group(1000, 400), 600),
        (group("max", 400), 4000 * 1024),
        (group(10**9, 400), 4000 * 1024),
        (group(1000, 900, "anon 200\nactive_file 300\ninactive_file 400\n"), 800),
        (group(1000, 1001), 0),
        (group(1000, 400, old=True), 600),
        (group(1000, 900, "active_file 9\ntotal_active_file 300\ntotal_inactive_file 400\n", old=True), 800),
        ({"proc/self/cgroup": "0::/a/b\n"} | group("max", 9) | group(700, 9, at="a/") | group(900, 9, at="a/b/"), 691),
        ({"proc/self/cgroup": "3:cpu:/x\n5:memory:/a\n"} | group(1000, 900, at="a/", old=True), 100),
        ({"proc/self/cgroup": "0::/../elsewhere\n"}, 4000 * 1024),
    ],
    ids=["limit", "none", "above", "read before", "beyond", "old", "old, read", "group above", "old, own", "unseen"],
)  # fmt: skip
def test_a_control_group_may_leave_less(machine, files, left):
    machine(files)
    assert module.main_memory() == left


def test_where_nothing_is_told_main_memory_is_unknown(machine):
    assert module.main_memory() is None
