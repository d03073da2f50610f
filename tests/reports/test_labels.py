"""Labels at a terminal."""

from __future__ import annotations

import io
import json

from rich.console import Console, RenderableType

from llmkit.agreements import Agreement, Annotator
from llmkit.judgements import Rate
from llmkit.reports.label_documents import agreement_document, annotators_document
from llmkit.reports.labels import MOST_DIFFERING, Page, agreement_report, annotators_report
from llmkit.types import Interval


def shown(what: RenderableType, width: int = 100) -> str:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(what)
    return out.getvalue()


def agreed(**changed: object) -> Agreement:
    given: dict[str, object] = {
        "judge": "tone",
        "items": 30,
        "overlapping": 30,
        "annotators": ("ana", "bob"),
        "kappas": {("ana", "bob"): Rate(0.8, 30, Interval(0.6, 1.0, "fleiss-cohen-everitt"))},
        "fleiss": None,
        "alpha": Rate(0.81, 30, Interval(0.6, 0.9, "bca")),
        "ac1": None,
        "majority": {"pass": 20, "fail": 9},
        "ties": 1,
        "dawid_skene": {"pass": 21, "fail": 9},
        "differing": ("i1",),
        "level": "nominal",
    }
    return Agreement(**{**given, **changed})  # type: ignore[arg-type]


def person(name: str, **changed: object) -> Annotator:
    given: dict[str, object] = {
        "n": 40, "agreement": Rate(0.9, 40, Interval(0.8, 0.95, "wilson")), "gold": None, "skill": 0.9,
        "p_value": 0.5, "p_adjusted": 1.0, "flagged": False, "seconds": None,
    }  # fmt: skip
    return Annotator(name=name, **{**given, **changed})  # type: ignore[arg-type]


def test_every_coefficient_has_its_interval_and_n() -> None:
    text = shown(agreement_report(agreed()))
    assert "0.81 [0.60, 0.90] n=30" in text
    assert "0.80 [0.60, 1.00] n=30" in text
    assert "no majority" in text
    assert "unequal numbers of labels" in text


def test_a_scale_of_grades_is_called_weighted() -> None:
    text = shown(agreement_report(agreed(level="ordinal", ac1=Rate(0.7, 30))))
    assert "AC2, quadratic" in text
    assert "[no interval]" in text


def test_nothing_to_compare_is_said() -> None:
    assert "no item has two labels" in shown(agreement_report(agreed(overlapping=0)))


def test_many_differences_are_cut_short() -> None:
    text = shown(agreement_report(agreed(differing=tuple(f"i{n}" for n in range(MOST_DIFFERING + 5)))))
    assert "and 5 more: --json" in text


def test_who_is_worse_is_flagged_and_unknown_is_no_zero() -> None:
    found = [person("ana"), person("bad", flagged=True, p_adjusted=1e-9, gold=Rate(0.2, 40), seconds=3.0)]
    lines = shown(annotators_report("tone", found), width=160).splitlines()
    assert next(line for line in lines if "bad" in line).rstrip().endswith("worse")
    assert next(line for line in lines if "ana" in line).rstrip().endswith("–")
    assert "1 of 2 provably worse" in "".join(lines)


def test_names_and_texts_are_not_obeyed() -> None:
    evil = "a\x1b[31mb"
    assert "\x1b" not in shown(annotators_report(evil, [person(evil)]))
    assert "\x1b" not in shown(Page(evil, [(evil, evil)], [(evil, evil)], evil))


def test_an_empty_answer_is_said_to_be_empty() -> None:
    assert "(empty)" in shown(Page("1 of 2", [("The answer to judge", " ")], [("p", "pass")]))


def test_the_documents_are_json() -> None:
    document = json.loads(json.dumps([agreement_document(agreed()), annotators_document("tone", [person("ana")])]))
    assert document[0]["kappas"][0]["annotators"] == ["ana", "bob"]
    assert document[0]["human_ceiling"] is None
    assert document[1]["annotators"][0]["gold"] is None
