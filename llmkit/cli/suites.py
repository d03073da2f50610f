"""``llmkit suites``: the suites that come with llmkit, and one suite in full."""

from __future__ import annotations

from typing import Annotated

import typer

from llmkit.cli.complete import complete_suite
from llmkit.cli.options import Data, FewShot, FewShotData, Json, Map, fields
from llmkit.errors import UsageError


def suites(
    suite: Annotated[
        str | None,
        typer.Argument(
            help="One suite to show in full: a name, NAME:VARIANT, or a file.",
            metavar="[SUITE]",
            autocompletion=complete_suite,
            show_default=False,
        ),
    ] = None,
    data: Data = None,
    map_: Map = None,
    few_shot: FewShot = None,
    few_shot_data: FewShotData = None,
    json: Json = False,
) -> None:
    """List the built-in suites, or show one: its data, prompt, scorers and variants. Fetches nothing.

    With --data, the prompt is shown as the first row of that file sends it.
    """
    from llmkit.cli.console import out, print_json
    from llmkit.reports.catalogue import card_document, catalogue_document, print_catalogue, print_suite
    from llmkit.suites.catalogue import card, entries

    if suite is None:
        if any(each is not None for each in (data, map_, few_shot, few_shot_data)):
            raise UsageError("--data and --few-shot show the prompt of one suite", hint="Name it: llmkit suites NAME")
        found = entries()
        if json:
            print_json(catalogue_document(found))
        else:
            print_catalogue(found, out())
        return
    one = card(suite, data=data, few_shot=few_shot, few_shot_data=few_shot_data, fields=fields(map_))
    if json:
        print_json(card_document(one))
    else:
        print_suite(one, out())
