"""What a gate tells GitHub Actions."""

import io
from dataclasses import replace

import pytest

from llmkit.reports.gate_markdown import SUMMARY_BYTES, gate_markdown
from llmkit.reports.github import commands, tell
from llmkit.verdicts import Change
from tests.reports import verdicts as v


@pytest.fixture
def environment(tmp_path):
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }


def changed(*changes, verdict="fail", metrics=(v.FAILED,)):
    return v.report(v.suite(verdict, metrics, changes=changes))


def test_outside_of_actions_it_does_nothing(tmp_path, environment):
    stream = io.StringIO()
    assert tell(v.FAILING, environment | {"GITHUB_ACTIONS": "false"}, stream) == []
    assert stream.getvalue() == ""
    assert list(tmp_path.iterdir()) == []


def test_the_summary_is_appended(tmp_path, environment):
    (tmp_path / "summary.md").write_text("# before\n")
    assert tell(v.FAILING, environment, io.StringIO()) == []
    assert (tmp_path / "summary.md").read_text("utf-8") == "# before\n" + gate_markdown(v.FAILING)


def test_the_summary_stays_within_what_github_shows(tmp_path, environment):
    (tmp_path / "summary.md").write_text("x" * (SUMMARY_BYTES - 3000))
    flips = tuple(replace(v.LOSS, question="why? " * 60) for _ in range(99))
    tell(v.report(v.suite("fail", (v.FAILED,), flips=flips, flipped=99)), environment, io.StringIO())
    assert SUMMARY_BYTES - 3000 < (tmp_path / "summary.md").stat().st_size <= SUMMARY_BYTES


def test_the_outputs_name_verdict_and_exit_code(tmp_path, environment):
    tell(v.SHORT, environment, io.StringIO())
    assert (tmp_path / "output").read_text() == "verdict=undecided\nexit-code=3\n"


def test_a_file_that_cannot_be_written_is_said_and_the_rest_written(tmp_path, environment):
    environment["GITHUB_STEP_SUMMARY"] = str(tmp_path / "none" / "summary.md")
    stream = io.StringIO()
    (said,) = tell(v.FAILING, environment, stream)
    assert said.endswith("summary.md ($GITHUB_STEP_SUMMARY): cannot be written: No such file or directory")
    assert (tmp_path / "output").exists()
    assert stream.getvalue().startswith("::error ")


def test_a_failure_is_an_error_on_each_changed_stretch():
    assert list(commands(v.FAILING)) == [
        f"::error file=prompts/sums.prompty,line={a},endLine={b},title=llmkit gate::sums: FAIL;"
        " exact_match -0.21 [-0.31, -0.11], margin 0.02"
        for a, b in ((3, 5), (9, 9))
    ]


@pytest.mark.parametrize(
    ("report", "level"),
    [
        (v.PASSING, "warning"),  # within the margin
        (v.WARNED, "warning"),
        (v.report(v.suite()), "notice"),
        (replace(v.NEW, on_inconclusive="warn"), "notice"),
        (v.SHORT, "warning"),
        (v.NEW, "notice"),
        (v.OFFLINE, "warning"),
        (replace(v.SHORT, on_inconclusive="pass", suites=(replace(v.SHORT.suites[0], exit_code=0),)), "notice"),
        (replace(v.SHORT, on_inconclusive="warn", suites=(replace(v.SHORT.suites[0], exit_code=0),)), "warning"),
        (replace(v.SHORT, on_inconclusive="fail", suites=(replace(v.SHORT.suites[0], exit_code=1),)), "error"),
    ],
)
def test_the_level_is_what_the_verdict_means(report, level):
    assert {line.partition(" ")[0] for line in commands(report)} == {f"::{level}"}


def test_a_change_that_reaches_several_suites_is_annotated_once_at_its_worst():
    several = v.report(replace(v.PASSING.suites[0], suite="fine"), v.FAILING.suites[0])
    first, *rest = commands(several)
    assert first.startswith("::error file=prompts/sums.prompty,line=3,endLine=5")
    assert "fine: PASS (with a warning); cost" in first
    assert "%0Asums: FAIL;" in first
    assert len(rest) == 1


def test_what_is_no_file_is_annotated_on_none():
    (line,) = commands(changed(Change("params", "changed", None, "temperature: 0 → 0.7")))
    assert line.startswith("::error title=llmkit gate::sums: FAIL;")


def test_a_deleted_file_has_no_lines():
    (line,) = commands(changed(Change("prompt", "deleted", "p/a.prompty", "")))
    assert line.startswith("::error file=p/a.prompty,title=llmkit gate::")


def test_no_more_is_annotated_than_github_shows():
    lines = tuple((n, n) for n in range(1, 99))
    many = tuple(Change("prompt", "changed", f"p/{n}.prompty", "", lines=lines) for n in range(40))
    assert len(list(commands(changed(*many)))) == 10
    assert len(list(commands(changed(many[0])))) == 3


def test_nothing_in_names_or_messages_becomes_a_command_of_its_own():
    note, line = commands(v.EVIL)
    assert "\n" not in line + note
    assert note.startswith("::warning title=llmkit gate::[red]")
    assert "%0A" not in note.replace("%250A", "")
    properties, _, message = line.removeprefix("::error ").partition("::")
    assert "%3A%3Aerror%3A%3Az %250A" in properties
    assert "%0A" not in message.replace("%250A", "")
    comma = Change("prompt", "changed", "a,line=9:b%\r\n.prompty", "")
    (line,) = commands(changed(comma))
    assert line.startswith("::error file=a%2Cline=9%3Ab%25\\r\\n.prompty,title=llmkit gate::")


def test_what_a_pass_does_not_cover_is_in_its_annotation():
    assert all("75 pairs" in line for line in commands(v.WARNED))


def test_the_notes_are_one_warning_and_the_first(tmp_path):
    notes = tuple(f"suite {n} is deleted, so that nothing holds a change to it" for n in range(12))
    first, *rest = commands(replace(v.FAILING, notes=notes))
    assert first == f"::warning title=llmkit gate::{'%0A'.join(notes)}"
    assert rest == list(commands(v.FAILING))
    assert list(commands(replace(v.UNTOUCHED, notes=notes))) == [first]


def test_a_list_annotates_nothing():
    assert list(commands(v.LISTED)) == []
