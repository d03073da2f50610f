"""Labels replies of the example `cities` as someone who knows the answer would: the right city, and nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(data: Path, items: Path, labels: Path) -> None:
    """Write one label an item."""
    rows = [json.loads(line) for line in data.read_text("utf-8").splitlines()]
    city = {row["id"]: row["city"] for row in rows}
    with labels.open("w", encoding="utf-8") as out:
        for line in items.read_text("utf-8").splitlines():
            item = json.loads(line)
            right = item["answer"].strip(" .\n").casefold() == city[item["id"]].casefold()
            out.write(json.dumps({"id": item["id"], "label": "pass" if right else "fail", "annotator": "ana"}) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
