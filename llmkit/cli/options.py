"""Options that several commands share, so that they read and mean the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmkit.cli.complete import complete_format, complete_judge, complete_model, complete_suite, complete_validator
from llmkit.errors import UsageError
from llmkit.text import shorten

MOST_EPOCHS = 1000  # what a suite may say, too; its module's import would cost more than the help takes

Suites = Annotated[
    list[str],
    typer.Argument(help="Suite files, or names of built-in suites.", metavar="SUITE...", autocompletion=complete_suite),
]
Param = Annotated[
    list[str] | None, typer.Option("-M", "--param", help="A model parameter or provider option.", metavar="KEY=VALUE")
]
Data = Annotated[str | None, typer.Option(help="Read this file instead of the suite's data.", metavar="FILE")]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        help="A field that the suite reads, and the one of the data that it is: subject=topic. Or {{a template}}.",
        metavar="NAME=FIELD",
    ),
]
FewShot = Annotated[
    int | None,
    typer.Option(min=0, max=100, help="Show N examples in each prompt.", metavar="N"),
]
FewShotData = Annotated[str | None, typer.Option(help="Take the examples from this file.", metavar="FILE")]
TokenizerName = Annotated[
    str | None,
    typer.Option(
        "--tokenizer",
        help="What counts the lengths of needle suites: model, hf:OWNER/NAME, a tokenizer.json, characters:4.",
        metavar="NAME",
    ),
]
Epochs = Annotated[int | None, typer.Option(min=1, max=MOST_EPOCHS, help="Ask each sample N times.", metavar="N")]
PassK = Annotated[
    str | None,
    typer.Option(
        "--pass-k", help="pass@k and pass^k for these k: 1,10. Those beyond the epochs are left out.", metavar="K,…"
    ),
]
Model = Annotated[
    str | None,
    typer.Option("-m", "--model", help="provider/model.", metavar="MODEL", autocompletion=complete_model),
]
Form = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="json:schema.json, pydantic:pkg.mod:User, choice:yes,no, regex:'…', …; see `llmkit format list`.",
        metavar="NAME:ARGUMENT",
        autocompletion=complete_format,
    ),
]
Validators = Annotated[
    list[str] | None,
    typer.Option(
        "--validator",
        help="What else must hold: a registered name, or package.module:function.",
        metavar="NAME",
        autocompletion=complete_validator,
    ),
]
Variables = Annotated[
    list[str] | None, typer.Option("-V", "--var", help="A variable of the prompt.", metavar="NAME=VALUE")
]
Repair = Annotated[
    bool, typer.Option("--repair", help="Also guess what a broken answer means; each guess is recorded.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
StoreFolder = Annotated[Path | None, typer.Option("--store", help="Folder of the store.", metavar="PATH")]
MaxCost = Annotated[float | None, typer.Option(min=0, help="Hard cap in dollars.", metavar="USD")]
Concurrency = Annotated[
    int | None, typer.Option(min=1, help="Calls at once; by default it adapts to the server.", metavar="N")
]
JudgeName = Annotated[
    str,
    typer.Argument(
        help="A judge: judges/NAME.yaml, or a path.", metavar="NAME", autocompletion=complete_judge, show_default=False
    ),
]


def fields(pairs: list[str] | None) -> dict[str, str]:
    """Read the pairs of ``--map``.

    Raises:
        UsageError: One is no ``NAME=FIELD``, or a name stands twice.
    """
    found: dict[str, str] = {}
    for pair in pairs or ():
        name, equals, text = (part.strip() for part in pair.partition("="))
        if not (name and equals and text):
            raise UsageError(f"{shorten(pair)!r} maps nothing", where="--map", hint="Write NAME=FIELD: subject=topic")
        if name in found:
            raise UsageError(f"{name!r} is mapped twice", where="--map")
        found[name] = text
    return found


def whole_numbers(text: str | None) -> tuple[int, ...] | None:
    """Read the k's of ``--pass-k``.

    Raises:
        UsageError: They are no whole numbers from 1 on, with commas between them.
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdecimal() and 1 <= int(part[:9]) <= MOST_EPOCHS for part in parts):
        raise UsageError(f"{shorten(text)!r} are no k's", where="--pass-k", hint=f"Write 1,10: from 1 to {MOST_EPOCHS}")
    return tuple(sorted({int(part) for part in parts}))
