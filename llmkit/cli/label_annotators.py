"""``llmkit label annotators``: how each person does."""

from __future__ import annotations

from llmkit.cli.options import Json, JudgeName


def annotators(name: JudgeName, json: Json = False) -> None:
    """Print who labelled, the best first, by gold items and by the others; who is provably worse is flagged."""
    from llmkit.cli.console import out, print_json, say
    from llmkit.judges.labels import read_labels
    from llmkit.judges.load import load_judge
    from llmkit.judges.people import annotators as examined
    from llmkit.reports.label_documents import annotators_document
    from llmkit.reports.labels import annotators_report

    judge = load_judge(name, locked=False)
    labels = read_labels(judge)
    for note in labels.notes:
        say(note)
    found = examined(labels, judge)
    if json:
        print_json(annotators_document(judge.name, found))
    else:
        out().print(annotators_report(judge.name, found))
