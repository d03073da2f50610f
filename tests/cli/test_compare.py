"""``llmkit compare`` from the command line, and the end of an evaluation of several models."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from llmkit.reports.comparison_document import comparison_schema
from llmkit.reports.document import document_schema
from tests.cli.conftest import ROWS, Cli


@pytest.fixture(autouse=True)
def runs(project: Path, cli: Cli) -> tuple[str, str]:
    """A run with three right answers, and one of a model that knows Peru but not France."""
    right = {"fr": "Lyon", "pe": "Lima"}
    answers = [{"match": r["country"], "text": right.get(r["id"], r["capital"])} for r in ROWS]
    (project / "others.jsonl").write_text("".join(json.dumps(a) + "\n" for a in answers))
    with (project / "llmkit.toml").open("a") as toml:
        toml.write('[models."scripted/other"]\nfile = "others.jsonl"\n')
    found = [cli("eval", "capitals.yaml", "-m", f"scripted/{m}", "--json").json["runs"][0] for m in ("oracle", "other")]
    return found[0]["run_id"], found[1]["run_id"]


def test_it_says_who_won_what_and_how_sure_that_is(cli: Cli, runs: tuple[str, str]) -> None:
    said = cli("compare", *runs)
    assert said.code == 0
    assert said.out.startswith(f"a  {runs[0]}  capitals · scripted/oracle\nb  {runs[1]}  capitals · scripted/other\n")
    assert "b won 1, lost 1, tied 2 · n=4" in said.out
    assert "0.750 → 0.750" in said.out
    assert "no difference shown" in said.out
    assert "capitals · exact_match by continent" in said.out
    assert said.err == ""


def test_the_flips_come_with_their_answers_and_the_command_that_shows_one(cli: Cli, runs: tuple[str, str]) -> None:
    said = cli("compare", *runs)
    loss, gain = said.out.index("fr  exact_match 1 → 0"), said.out.index("pe  exact_match 0 → 1")
    assert loss < gain
    assert "asked  Capital of France?" in said.out
    command = said.out[said.out.index(f"llmkit runs show {runs[1]}") :].splitlines()[0].split()
    assert "Lyon" in cli(*command[1:]).out


def test_flips_can_be_limited_and_left_out(cli: Cli, runs: tuple[str, str]) -> None:
    assert len(cli("compare", *runs, "--flips", "1", "--json").json["flips"]) == 2
    none = cli("compare", *runs, "--flips", "0")
    assert "Flipped" not in none.out
    assert cli("compare", *runs, "--flips", "0", "--json").json["flipped"] == 2


def test_json_is_one_document_that_keeps_to_its_schema(cli: Cli, runs: tuple[str, str]) -> None:
    said = cli("compare", "latest~1", "latest", "--json", "--seed", "5", "--confidence", ".9")
    jsonschema.validate(said.json, comparison_schema())
    assert (said.json["a"]["run_id"], said.json["b"]["run_id"]) == runs
    assert (said.json["seed"], said.json["confidence"]) == (5, 0.9)
    assert said.json["metrics"]["exact_match"]["confidence"] == 0.9
    assert said.err == ""


def test_the_same_seed_gives_the_same_bytes(cli: Cli, runs: tuple[str, str]) -> None:
    assert cli("compare", *runs, "--json").out == cli("compare", *runs, "--json").out


def test_markdown_goes_to_a_file_beside_the_table(cli: Cli, project: Path, runs: tuple[str, str]) -> None:
    said = cli("compare", *runs, "--markdown", "out.md")
    assert said.out.startswith("a  ")
    assert (project / "out.md").read_text().startswith("- a: scripted/oracle on capitals")


def test_markdown_goes_to_standard_output_in_place_of_the_table(cli: Cli, runs: tuple[str, str]) -> None:
    said = cli("compare", *runs, "--markdown", "-")
    assert said.out.startswith("- a: scripted/oracle on capitals")
    assert "\na  " not in said.out


def test_markdown_and_json_together_are_a_file_and_a_document(cli: Cli, project: Path, runs: tuple[str, str]) -> None:
    assert cli("compare", *runs, "--json", "--markdown", "out.md").json["pairs"] == 4
    assert (project / "out.md").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--json", "--markdown", "-"), "both want standard output"),
        (("--markdown", "no/such/out.md"), "no/such/out.md: cannot be written: No such file or directory"),
        (("--confidence", "95"), "--confidence lies between 0 and 1, not 95. Write .95 for 95 %"),
        (("--metric", "exct_match"), "unknown metric 'exct_match'. Did you mean 'exact_match'?"),
        (("--flips", "-1"), "--flips"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    cli: Cli, runs: tuple[str, str], arguments: tuple[str, ...], said: str
) -> None:
    found = cli("compare", *runs, *arguments)
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert found.err.count("\n") == 1


def test_runs_that_are_not_there_are_said(cli: Cli) -> None:
    said = cli("compare", "latest", "20200101")
    assert (said.code, said.err) == (2, "llmkit: unknown run '20200101'. " + said.err.partition(". ")[2])
    assert "no run 'latest~7': the store has 2" in cli("compare", "latest", "latest~7").err


def test_incomparable_runs_are_refused_with_what_differs_and_forced_with_the_same(
    cli: Cli, project: Path, runs: tuple[str, str]
) -> None:
    suite = (project / "capitals.yaml").read_text()
    (project / "loose.yaml").write_text(suite.replace("[exact_match]", "[{exact_match: {ignore_case: true}}]"))
    cli("eval", "loose.yaml")
    said = cli("compare", runs[0], "latest")
    assert (said.code, said.out) == (2, "")
    assert "are not comparable: exact_match: signature: case:mixed ≠ case:" in said.err
    assert "--force" in said.err
    forced = cli("compare", runs[0], "latest", "--force")
    assert forced.code == 0
    assert "FORCED: these runs are not comparable: exact_match: signature: case:mixed ≠ case:" in forced.out
    assert cli("compare", runs[0], "latest", "--force", "--json").json["forced"]
    assert "**FORCED**" in cli("compare", runs[0], "latest", "--force", "--markdown", "-").out


def test_an_exported_file_is_compared_with_a_stored_run(cli: Cli, project: Path, runs: tuple[str, str]) -> None:
    cli("runs", "export", runs[0], "-o", "a.jsonl")
    stored, found = cli("compare", *runs, "--json").json, cli("compare", "a.jsonl", runs[1], "--json").json
    assert found["a"] == {**stored["a"], "name": "a.jsonl", "stored": False}
    assert found["metrics"] == stored["metrics"]
    assert "file a.jsonl" in cli("compare", "a.jsonl", runs[1]).out


def test_an_evaluation_of_two_models_ends_with_their_comparison(cli: Cli) -> None:
    said = cli("eval", "capitals.yaml", "-m", "scripted/oracle", "-m", "scripted/other")
    assert said.code == 0
    assert "differ in model: scripted/oracle → scripted/other" in said.out
    assert "b won 1, lost 1, tied 2 · n=4" in said.out
    assert said.out.count("Signatures") == 1


def test_each_further_model_is_compared_with_the_first_suite_by_suite(cli: Cli, project: Path) -> None:
    (project / "again.yaml").write_text(
        (project / "capitals.yaml").read_text().replace("name: capitals", "name: again")
    )
    models = ("scripted/oracle", "scripted/other", "scripted/echo")
    said = cli("eval", "capitals.yaml", "again.yaml", *(part for m in models for part in ("-m", m)), "--json")
    jsonschema.validate(said.json, document_schema())
    compared = [(c["b"]["suite"], c["a"]["model"], c["b"]["model"]) for c in said.json["comparisons"]]
    assert sorted(compared) == [
        (suite, models[0], other) for suite in ("again", "capitals") for other in sorted(models[1:])
    ]


def test_one_model_is_compared_with_nothing(cli: Cli) -> None:
    assert "comparisons" not in cli("eval", "capitals.yaml", "--json").json


def test_a_model_that_answered_nothing_has_failures_and_no_figures(cli: Cli, project: Path) -> None:
    (project / "others.jsonl").write_text(json.dumps({"match": "Capital", "fault": "auth"}) + "\n")
    said = cli("eval", "capitals.yaml", "-m", "scripted/oracle", "-m", "scripted/other", "--json", "--no-cache")
    assert said.code == 4
    assert len(said.json["runs"]) == 2
    (found,) = said.json["comparisons"]
    assert (found["b"]["status"], found["b"]["failed"], found["pairs"]) == ("failed", 4, 4)
    metric = found["metrics"]["exact_match"]
    assert (metric["n"], metric["failed_b"], metric["difference"]) == (0, 4, None)


def test_a_margin_decides_the_exit_code(cli: Cli, project: Path) -> None:
    rows = [{"id": f"r{n}", "country": f"<{n}>", "capital": "yes", "continent": "x"} for n in range(80)]
    (project / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    for name, right in (("answers", 80), ("others", 80), ("damaged", 40)):
        answers = [{"match": f"<{n}>", "text": "yes" if n < right else "no"} for n in range(80)]
        (project / f"{name}.jsonl").write_text("".join(json.dumps(a) + "\n" for a in answers))
    with (project / "llmkit.toml").open("a") as toml:
        toml.write('[models."scripted/damaged"]\nfile = "damaged.jsonl"\n')
    runs = {m: cli("eval", "capitals.yaml", "-m", f"scripted/{m}", "--json") for m in ("oracle", "other", "damaged")}
    ids = {name: said.json["runs"][0]["run_id"] for name, said in runs.items()}
    passed = cli("compare", ids["oracle"], ids["other"], "--margin", "exact_match=.05")
    assert (passed.code, "PASS: b is not worse by its margin in exact_match (exit 0)" in passed.out) == (0, True)
    assert "Answers  80 of 80 are the same" in passed.out
    failed = cli("compare", ids["oracle"], ids["damaged"], "--margin", "exact_match=.05", "--json")
    assert (failed.code, failed.json["verdict"], failed.json["margins"][0]["beyond_margin"]) == (1, "fail", True)
    undecided = cli("compare", ids["oracle"], ids["other"], "--margin", "exact_match = .01", "--markdown", "-")
    assert (undecided.code, "NOT ENOUGH EVIDENCE" in undecided.out) == (3, True)
    assert cli("compare", ids["oracle"], ids["damaged"]).code == 0


MARGINS_REFUSED = (
    (("--margin", "exact_match"), "--margin 'exact_match' is no METRIC=X. For example: --margin exact_match=.02"),
    (("--margin", "exact_match=nan"), "is no METRIC=X"),
    (("--margin", "exact_match=0"), "the margin of exact_match is 0, and must be above 0"),
    (("--margin", "exact_match=1"), "as large as its scale. It is in the metric's own unit, between 0 and 1"),
    (("--margin", "exct_match=.1"), "unknown metric 'exct_match'. Did you mean 'exact_match'?"),
    (("--margin", "exact_match=.1", "--margin", "exact_match=.2"), "says two margins of exact_match: 0.1 and 0.2"),
    (("--margin", "exact_match=.1", "--confidence", ".5"), "a margin is decided with an error of 1 − confidence"),
    (("--tie-tolerance", "-1"), "--tie-tolerance is a number of nats, 0 or more, not -1"),
    (("--tie-tolerance", "inf"), "--tie-tolerance is a number of nats"),
)


def test_a_margin_that_cannot_be_decided_is_one_line(cli: Cli, runs: tuple[str, str]) -> None:
    for arguments, said in MARGINS_REFUSED:
        found = cli("compare", *runs, *arguments)
        assert (found.code, found.out) == (2, "")
        assert said in found.err
        assert found.err.count("\n") == 1
