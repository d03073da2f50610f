"""A worker that speaks the protocol and holds no model: ``python -m tests.providers.vllm.stand_in FD``.

What it does is said in the ``model`` of its arguments: ``ready``, ``fails`` (with a log), ``hangs``, ``crashes``.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time

from llmkit.providers.vllm.lines import Lines


async def main(descriptor):
    os.set_inheritable(descriptor, False)
    lines = await Lines.over(socket.socket(fileno=descriptor))
    start = (await lines.receive())["start"]
    how = start["arguments"]["model"]
    kept = [descriptor] if how == "forks" else []  # as a forked child keeps what its parent has open
    sleeps = [sys.executable, "-c", "import time; time.sleep(600)"]
    child = subprocess.Popen(sleeps, pass_fds=kept)  # as vLLM has its own
    print(f"child {child.pid}", flush=True)  # noqa: T201
    if how == "crashes":
        print("Segmentation fault", flush=True)  # noqa: T201
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "fails":
        print("ERROR the root of it all", flush=True)  # noqa: T201
        lines.send({"failed": "RuntimeError: it cannot be"})
        await lines.drain()
        end(child, 1)
    if how == "hangs":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    lines.send({"ready": {"max_model_len": 8, "environment": dict(os.environ), "start": start}})
    held = {}
    while (message := await lines.receive()) is not None and "stop" not in message:
        if "abort" in message:
            if held:
                lines.send({"id": held.pop("teller"), "document": {"aborted": message["abort"]}})
            continue
        number, path, body = message["id"], message["path"], message["body"]
        if path.endswith("echo"):
            lines.send({"id": number, "document": body})
        elif path == "refuse":
            lines.send({"id": number, "error": {"code": body["code"], "message": body["message"]}})
        elif path == "tell_aborted":
            held["teller"] = number
        elif path == "die":
            lines.send({"failed": "EngineDeadError: it died"})
            await lines.drain()
            end(child, 0)
    if how == "stays":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    end(child, 0)


def end(child, code):
    child.kill()
    child.wait()
    os._exit(code)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
