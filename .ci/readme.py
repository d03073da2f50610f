"""Print one of the README's two set-up commands: ``readme.py quickstart`` or ``readme.py test``."""

import re
import sys
from pathlib import Path

text = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
commands = re.findall(r"^```sh\n(python3 -m venv .*)\n```$", text, flags=re.MULTILINE)
if len(commands) != 2:
    sys.exit(f"the README has {len(commands)} set-up commands, not two")
print(commands[{"quickstart": 0, "test": 1}[sys.argv[1]]])
