"""A start's stages, from the lines of vLLM 0.32's log."""

import pytest

from llmkit.providers.vllm.stages import stage_of
from tests.providers.vllm.test_failures import HEALTHY


def test_a_healthy_start_shows_its_stages_in_order():
    shown = [stage for line in HEALTHY.splitlines() if (stage := stage_of(line)) is not None]
    assert shown == ["reading the configuration", "loading weights", "making the cache"]


@pytest.mark.parametrize(
    ("line", "stage"),
    [
        ("INFO [default_loader.py:501] Loading weights took 0.84 seconds", "weights are loaded"),
        (
            "\rLoading safetensors checkpoint shards:  75% Completed | 3/4 [00:09<00:03,  3.02s/it]",
            "loading weights, 3/4 files",
        ),
        ("INFO [gpu_model_runner.py:5071] Loading drafter model...", "loading the draft model"),
        ("INFO [model_runner.py:13] Warming up model for the compilation...", "compiling"),
        ("INFO [backends.py:1167] Dynamo bytecode transform time: 3.14 s", "compiling"),
        ("INFO [backends.py:399] Compiling a graph for compile range (1, 8192) takes 7.10 s", "compiling"),
        ("Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  10%|# | 7/67", "capturing CUDA graphs"),
        ("INFO [gpu_model_runner.py:6582] Graph capturing finished in 9 secs, took 0.61 GiB", "capturing CUDA graphs"),
        ("INFO [kv_cache_utils.py:2327] GPU KV cache size: 46,592 tokens", "making the cache"),
    ],
)
def test_a_line_shows_its_stage(line, stage):
    assert stage_of(line) == stage


@pytest.mark.parametrize("line", ["", "Enforce eager set, disabling torch.compile, CUDAGraphs", "Loaded plugin\x00"])
def test_most_lines_show_none(line):
    assert stage_of(line) is None
