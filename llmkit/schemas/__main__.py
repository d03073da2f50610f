"""``python -m llmkit.schemas``: write the schemas anew after a model changed."""

import sys

from llmkit.schemas import FOLDER
from llmkit.schemas.generate import write

for written in write(FOLDER):
    sys.stdout.write(f"{written.name}\n")
