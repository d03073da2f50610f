"""``llmkit judge show``: one judge in full, or what it would be asked about an item."""

from __future__ import annotations

from typing import Annotated

import typer

from llmkit.cli.options import Json, JudgeName
from llmkit.errors import UnknownNameError


def show(
    name: JudgeName,
    item: Annotated[
        str | None,
        typer.Option(help="Show what would be asked about this labelled item, and nothing else.", metavar="ID"),
    ] = None,
    json: Json = False,
) -> None:
    """Show a judge: its definition, what was measured of it, and whether it still is that. Makes no call."""
    from llmkit.cli.console import out, print_json
    from llmkit.judges.card import card_of
    from llmkit.judges.load import judge_path
    from llmkit.reports.judge_card import card_document, print_card

    if item is not None:
        _request(name, item, as_json=json)
        return
    card = card_of(judge_path(name))
    if json:
        print_json(card_document(card))
    else:
        print_card(card, out())


def _request(name: str, item: str, *, as_json: bool) -> None:
    from llmkit.cli.console import out, print_json
    from llmkit.judges.labels import read_labels
    from llmkit.judges.load import load_judge
    from llmkit.judges.request import request_for
    from llmkit.reports.judge_card import messages_document, print_messages

    judge = load_judge(name)
    labels = read_labels(judge)
    known = {subject.id: subject for subject in (*(each.subject for each in labels.items), *labels.unlabelled)}
    if item not in known:
        raise UnknownNameError("item", item, known)
    messages = request_for(judge, known[item]).messages
    if as_json:
        print_json(messages_document(messages))
    else:
        print_messages(messages, out())
