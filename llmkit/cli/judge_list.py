"""``llmkit judge list``: the project's judges, and what each may be called."""

from __future__ import annotations

from llmkit.cli.options import Json


def list_(json: Json = False) -> int:
    """List the project's judges: status, kind, model, labels, lock. Makes no call.

    Exits 4 where a judge's file cannot be loaded, after listing the others.
    """
    from llmkit.cli.console import out, print_json, say
    from llmkit.errors import LlmkitError
    from llmkit.judges.card import all_files, card_of
    from llmkit.reports.judge_card import cards_document, print_cards

    cards, broken = [], {}
    for path in all_files():
        try:
            cards.append(card_of(path))
        except LlmkitError as error:
            broken[str(path)] = str(error)
    if json:
        print_json(cards_document(cards, broken))
    elif cards:
        print_cards(cards, out())
    elif not broken:
        say("there are no judges here; make one: llmkit judge new NAME")
    for why in broken.values():
        say(why)
    return 4 if broken else 0
