"""``llmkit label agreement``: how far people agree."""

from __future__ import annotations

from llmkit.cli.options import Json, JudgeName


def agreement(name: JudgeName, json: Json = False) -> None:
    """Print how far people agree on a judge's items: κ, Fleiss' κ, α, AC1, majority and Dawid–Skene."""
    from llmkit.cli.console import out, print_json, say
    from llmkit.judges.labels import read_labels
    from llmkit.judges.load import load_judge
    from llmkit.judges.people import agreement as agreed
    from llmkit.reports.label_documents import agreement_document
    from llmkit.reports.labels import agreement_report

    judge = load_judge(name, locked=False)
    labels = read_labels(judge)
    for note in labels.notes:
        say(note)
    found = agreed(labels, judge)
    if json:
        print_json(agreement_document(found))
    else:
        out().print(agreement_report(found))
