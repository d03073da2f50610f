"""Stands in for ``docker``: insists on each option that isolates, and runs the command in bubblewrap in its place.

``FOLDER run …``, ``FOLDER image inspect …`` and ``FOLDER kill NAME`` alone; a container is a file of its
name in the folder.
"""

import json
import os
import signal
import sys
from pathlib import Path

from llmkit.sandbox.places import DEVICES, above, places

FLAGS = {"--rm", "--interactive", "--read-only"}
FIXED = {
    "--pull": "never",
    "--network": "none",
    "--ipc": "none",
    "--user": "65534:65534",
    "--cap-drop": "ALL",
    "--security-opt": "no-new-privileges",
    "--cpus": "1",
    "--log-driver": "none",
    "--hostname": "sandbox",
    "--workdir": "/",
    "--entrypoint": "python3",
}
OPEN = {"--name", "--tmpfs", "--pids-limit", "--memory", "--memory-swap"}


def parse(arguments):
    flags, values = set(), {}
    while arguments[0].startswith("--"):
        option = arguments.pop(0)
        if option in FLAGS:
            flags.add(option)
        elif option in FIXED or option in OPEN:
            values[option] = arguments.pop(0)
        else:
            sys.exit(f"unknown flag: {option}")
    missing = (FLAGS - flags) | (FIXED.keys() | OPEN) - values.keys()
    wrong = {option for option, value in FIXED.items() if values.get(option) != value}
    if missing or wrong:
        sys.exit(f"refused: missing {sorted(missing)}, wrong {sorted(wrong)}")
    return values, arguments.pop(0), arguments


def run(folder, arguments):
    values, image, command = parse(arguments)
    if image == "no-such-image":
        sys.exit(f"docker: Error response from daemon: No such image: {image}")
    (folder / values["--name"]).write_text(json.dumps({"pid": os.getpid(), "options": values}), encoding="utf-8")
    scratch, _, bounds = values["--tmpfs"].partition(":")
    size = next(part.removeprefix("size=") for part in bounds.split(",") if part.startswith("size="))
    options = ["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--as-pid-1", "--new-session"]
    options += ["--die-with-parent", "--cap-drop", "ALL", "--clearenv", "--perms", "0755", "--tmpfs", "/dev"]
    for device in DEVICES:
        options += ["--dev-bind", device, device]
    options += ["--perms", "1777", "--size", size, "--tmpfs", scratch]
    for path in above(places().binds):
        options += ["--perms", "0755", "--dir", path]
    for path in places().binds:
        options += ["--ro-bind", path, path]
    for target, path in places().links:
        options += ["--symlink", target, path]
    options += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]
    os.execvp("bwrap", ["bwrap", *options, "--", places().python, *command])


def kill(folder, name):
    path = folder / name
    if not path.exists():
        sys.exit(f"Error response from daemon: No such container: {name}")
    os.kill(json.loads(path.read_text(encoding="utf-8"))["pid"], signal.SIGKILL)


if __name__ == "__main__":
    folder, verb, *rest = sys.argv[1:]
    if verb == "run":
        run(Path(folder), rest)
    elif verb == "image":
        if rest[-1] != "mine:1":
            sys.exit(f"Error response from daemon: No such image: {rest[-1]}")
        sys.stdout.write("sha256:0123456789abcdef\n")
    elif verb == "kill":
        kill(Path(folder), *rest)
    else:
        sys.exit(f"unknown command: {verb}")
