"""Begins a process in a sandbox: loads the modules that came with it, and calls one of them.

Compiled code is loaded where the sandbox's Python is this one's like; text elsewhere (a container's, say).
"""

import marshal
import sys

with open("parts", "rb") as file:  # noqa: PTH123 - pathlib takes longer to load than all the rest
    magic, modules, start = marshal.load(file)  # noqa: S302 - written by llmkit, for this process alone
same = magic == sys.modules["_frozen_importlib_external"].MAGIC_NUMBER
for name, source, code in modules:
    module = sys.modules[name] = type(sys)(name)
    exec(marshal.loads(code) if same else compile(source, name, "exec"), module.__dict__)  # noqa: S102, S302
sys.modules[start].start()
