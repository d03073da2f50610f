"""What labels can show at best, before any call."""

import json
from dataclasses import dataclass, field

import jsonschema
from rich.console import Console

from llmkit.calibrations import Best
from llmkit.reports.outlook import outlook_document, outlook_schema, print_outlook


@dataclass(frozen=True)
class Asked:
    best: Best
    parts: dict = field(default_factory=lambda: {"search": 120, "test": 50})
    worst_case_usd: float | None = 0.5
    unknown: str | None = None
    notes: tuple = ()


POOR = Best("provisional", {"fail": 4}, {"pass": 10, "fail": 24}, "10 fail in the test part cannot show TNR ≥ 0.80")
GOOD = Best("calibrated", {}, {}, "50 pass and 50 fail in the test part are enough")


def said(asked):
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115 - closed below
    with console.file:
        print_outlook("relevance", asked, console)
        return console.export_text()


def test_it_says_what_more_labels_would_show():
    assert said(Asked(POOR, notes=("r1 is labelled twice",))) == (
        "At best PROVISIONAL  relevance  what these labels can show\n"
        "  10 fail in the test part cannot show TNR ≥ 0.80\n"
        "  a judge without a mistake needs 4 more of fail\n"
        "  a judge that is right 95 times of 100 needs 10 more of pass, 24 more of fail, to be calibrated four times of"
        " five\n"
        "  note: r1 is labelled twice\n"
        "  at most 170 calls (search 120, test 50), worst case $0.5000\n"
    )


def test_where_the_labels_do_nothing_more_is_asked_of_people():
    assert "needs" not in said(Asked(GOOD))


def test_a_cost_that_is_unknown_says_why():
    assert "worst case unknown: no price of x/y" in said(Asked(GOOD, worst_case_usd=None, unknown="no price of x/y"))


def test_the_document_fits_its_schema():
    found = json.loads(json.dumps(outlook_document("relevance", Asked(POOR, worst_case_usd=float("inf")))))
    jsonschema.validate(found, outlook_schema())
    assert found["worst_case_usd"] is None
    assert found["calls"] == {"search": 120, "test": 50}
