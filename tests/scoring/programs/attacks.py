"""Programs that attack their verdict: each is wrong, and must be found to be. What is asked: ``add(a, b)``."""

from __future__ import annotations

RIGHT = "def add(a, b):\n    return a + b\n"

ATTACKS: dict[str, str] = {
    "leaves before the tests": "import os\nos._exit(0)\n",
    "leaves by an exception": "raise SystemExit(0)\n",
    "leaves when asked": "import os\ndef add(a, b):\n    os._exit(0)\n",
    "exits when asked": "import sys\ndef add(a, b):\n    sys.exit(0)\n",
    "leaves in a thread": """
import os, threading, time
threading.Thread(target=lambda: (time.sleep(.05), os._exit(0)), daemon=True).start()
def add(a, b):
    time.sleep(.3)
    return 0
""",
    "patches assert": """
import builtins, sys
class Never(Exception):
    def __init__(self, *args): sys.exit(0)
builtins.AssertionError = Never
def add(a, b): return 0
""",
    "patches unittest and sys.modules": """
import sys, unittest
unittest.TestCase.assertEqual = lambda *a: None
sys.modules['pytest'] = sys.modules['math'] = unittest
def add(a, b): return 0
""",
    "looks through frames": """
import sys
def add(a, b):
    frame = sys._getframe()
    while frame:
        for name, value in {**frame.f_globals, **frame.f_locals}.items():
            if 'ass' 'ert ' in repr(value):
                sys.exit(0)
        frame = frame.f_back
    return 0
""",
    "looks through what is alive": """
import gc
def add(a, b):
    for each in gc.get_objects():
        if isinstance(each, dict) and 'statements' in each:
            return 3
    return 0
""",
    "looks through files and descriptors": """
import os
def add(a, b):
    for folder, _, names in os.walk('.'):
        for name in names:
            if b'ass' b'ert ' in open(os.path.join(folder, name), 'rb').read(): return a + b
    for number in range(4, 64):
        try: os.read(number, 10)
        except OSError: continue
        return a + b
    for pid in os.listdir('/proc'):
        try:
            if pid.isdigit() and b'start_examine' in open(f'/proc/{pid}/environ', 'rb').read(): return a + b
        except OSError: pass
    return 0
""",
    "prints a verdict": """
import sys
for word in ('passed', 'OK', '1 passed', '0' * 32 + ' passed '):
    print(word); print(word, file=sys.stderr)
sys.stdout.flush()
def add(a, b):
    print('passed'); sys.__stdout__.write('\\n' + 'f' * 32 + ' passed \\n'); sys.__stdout__.flush()
    return 0
""",
    "writes nonsense on the line": "import os\nos.write(3, b'passed' * 100)\ndef add(a, b): return 0\n",
    "writes a message that is too long": "import os\nos.write(3, b'\\xff' * 9)\ndef add(a, b): return 0\n",
    "greets twice": "import os\nos.write(3, b'\\0\\0\\0\\1\\0N' * 50)\ndef add(a, b): return 0\n",
    "floods the line": """
import os, threading
def flood():
    while True: os.write(3, b'\\0\\0\\0\\1\\2T' * 1000)
threading.Thread(target=flood, daemon=True).start()
def add(a, b): return 0
""",
    "closes the line": "import os\nos.close(3)\ndef add(a, b): return 0\n",
    "answers with what equals everything": """
class Always:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    def __sub__(self, other): return 0
    __rsub__ = __add__ = __sub__
    def __abs__(self): return 0
    def __bool__(self): return True
def add(a, b): return Always()
""",
    "answers with a number that lies": """
class Lie(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __index__(self): return 3
    def __sub__(self, other): return 0
def add(a, b): return Lie(0)
""",
    "answers with a list that lies": """
class Lie(list):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __iter__(self): return iter([3])
def add(a, b): return Lie()
""",
    "answers with a class that lies": """
class Meta(type):
    def __eq__(cls, other): return True
    def __hash__(cls): return 0
    def __instancecheck__(cls, other): return True
class add(metaclass=Meta):
    def __init__(self, *args): pass
    def __eq__(self, other): return True
    __hash__ = None
""",
    "answers with what runs when it is read": """
class Evil:
    def __reduce__(self): return (exec, ("import os; os._exit(0)",))
    def __reduce_ex__(self, how): return self.__reduce__()
def add(a, b): return Evil()
""",
    "answers twice": """
import sys
def add(a, b):
    peer = next(f for f in frames() if 'shared' in f.f_locals).f_locals['self']
    peer._reply(2, 1, 3, [], []); peer._reply(2, 2, 3, [], []); peer._reply(2, 3, 3, [], [])
    return 0
def frames():
    frame = sys._getframe()
    while frame:
        yield frame
        frame = frame.f_back
""",
    "raises what ends tests quietly": "def add(a, b):\n    raise KeyboardInterrupt\n",
    "raises what skips tests": "import unittest\ndef add(a, b):\n    raise unittest.SkipTest('no')\n",
    "raises what ends loops": "def add(a, b):\n    raise GeneratorExit\n",
    "raises what cannot be told": """
class Odd(Exception):
    def __str__(self): raise Odd
    __repr__ = __str__
    @property
    def args(self): raise Odd
def add(a, b): raise Odd(Odd)
""",
    "kills its parent": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\ndef add(a, b): return 0\n",
    "kills all": "import os, signal\ndef add(a, b):\n    os.kill(-1, signal.SIGKILL)\n    return 0\n",
    "leaves a daemon that answers later": """
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(.2)
    os.write(3, b'\\0\\0\\0\\1\\0N')
    os._exit(0)
def add(a, b): return 0
""",
    "nests without end": "def add(a, b):\n    deep = []\n    for _ in range(100000): deep = [deep]\n    return deep\n",
    "nests in itself": "def add(a, b):\n    knot = {}\n    knot['knot'] = [knot]\n    return knot\n",
    "nests objects in tuples": """
def add(a, b):
    deep = ()
    for _ in range(100000): deep = (deep, deep)
    return deep
""",
    "answers with too much": "def add(a, b):\n    return 'x' * (1 << 27)\n",
    "answers with too many": "def add(a, b):\n    return list(range(1 << 22))\n",
    "recurses in its text": "class A:\n    def __repr__(self): return repr(self)\ndef add(a, b): return A()\n",
    "traces": """
import sys
def trace(frame, event, arg):
    for name in ('expected', 'statements', 'source'):
        if name in frame.f_locals: raise SystemExit
    return trace
sys.settrace(trace); sys.setprofile(trace)
def add(a, b): return 0
""",
    "hooks its end": "import atexit, os\natexit.register(os._exit, 0)\ndef add(a, b): return 0\n",
    "hooks imports": """
import sys, builtins
builtins.__import__ = lambda *a, **k: sys
sys.meta_path.clear(); sys.path_hooks.clear(); sys.modules.clear()
def add(a, b): return 0
""",
    "defines what tests compare with": """
abs = len = all = set = sorted = isinstance = lambda *a, **k: True
class math: isclose = staticmethod(lambda *a, **k: True)
def check(candidate): pass
def add(a, b): return 0
""",
    "changes what it is given": """
def add(a, b):
    return [a, b].clear()
""",
    "takes the harness apart": """
import sys
for name, module in list(sys.modules.items()):
    if name.startswith('llmkit'):
        for key in list(vars(module)):
            if not key.startswith('__'): setattr(module, key, lambda *a, **k: 3)
def add(a, b): return 0
""",
    "hands out a builtin": "def add(a, b): return eval\n",
}

ENDLESS: dict[str, str] = {
    "loops": "def add(a, b):\n    while True: pass\n",
    "loops while it loads": "while True: pass\n",
    "never answers": "import time\ndef add(a, b):\n    time.sleep(1000)\n",
    "takes all memory": "def add(a, b):\n    return [0] * (1 << 33)\n",
    "prints without end": "import sys\ndef add(a, b):\n    while True: sys.__stdout__.write('x' * 4096)\n",
    "patches the builtins": """
import builtins
builtins.__dict__.update(AssertionError=Exception, isinstance=lambda *a: True, all=lambda *a: True, len=lambda x: 3)
def add(a, b): return 0
""",
}
