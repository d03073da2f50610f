"""JSON Schemas of the files that users write, for editors: ``suite``, ``prompt``, ``config``, ``judge`` and ``search``.

They are made from the models that read the files: ``python -m llmkit.schemas``.
"""

from pathlib import Path

FOLDER = Path(__file__).parent

__all__ = ["FOLDER"]
