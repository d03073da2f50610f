"""Begins a process in a sandbox: loads the modules that came with it, and calls one of them.

Compiled code is loaded where the sandbox's Python is this one's like; text elsewhere (a container's, say). What the
modules import for their annotations' sake alone is left out: it would take longer to load than all the rest.
"""

import marshal
import sys


class Blank:
    """Anything of the modules that are left out: it has every attribute, takes every argument, and is false."""

    def __getattr__(self, name: str) -> "Blank":
        return self

    def __getitem__(self, key: object) -> "Blank":
        return self

    def __call__(self, *args: object) -> "Blank":  # noqa: D102
        return self

    def __bool__(self) -> bool:
        return False


BLANK = ("__future__", "typing", "collections.abc")

with open("parts", "rb") as file:  # noqa: PTH123 - so would pathlib
    magic, modules, start = marshal.load(file)  # noqa: S302 - written by llmkit, for this process alone
same = magic == sys.modules["_frozen_importlib_external"].MAGIC_NUMBER
real = {name: sys.modules[name] for name in BLANK if name in sys.modules}
sys.modules.update(dict.fromkeys(BLANK, Blank()))  # type: ignore[arg-type]
for name, source, code in modules:
    module = sys.modules[name] = type(sys)(name)
    exec(marshal.loads(code) if same else compile(source, name, "exec"), module.__dict__)  # noqa: S102, S302
for name in BLANK:
    del sys.modules[name]
sys.modules.update(real)
sys.modules[start].start()
