"""``pytest --llmkit``: suites as tests."""

import subprocess
import sys
from dataclasses import replace

import pytest

import llmkit.gate.run  # a pytest within this process forgets what it was the first to load, and numpy loads but once
from llmkit.errors import UsageError
from llmkit.gate.options import GateOptions
from tests.ci.test_for_real import FILES
from tests.gate.repository import Repo, needs_git
from tests.reports import verdicts as v

pytest_plugins = ["pytester"]

SUITE = """\
version: 1
name: sums
data: rows.jsonl
map: {id: id, target: a}
messages: [{role: user, content: "{{q}}"}]
scorers: [exact_match]
gate: {exact_match: {max_drop: .02}, cost: {max_rise: .2}}
model: scripted/echo
"""
INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"


@pytest.fixture
def project(pytester, monkeypatch):
    """A folder with a gated suite, one that is not, and a YAML file of somebody else's."""
    for name in ("GITHUB_ACTIONS", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "140")
    pytester.makefile(".ini", pytest=INI)
    pytester.path.joinpath("sums.yaml").write_text(SUITE)
    pytester.path.joinpath("free.yaml").write_text(SUITE.replace("gate:", "# gate:").replace("sums", "free"))
    pytester.path.joinpath("pipeline.yml").write_text("gate:\n  script: [make]\n")
    pytester.path.joinpath("rows.jsonl").write_text('{"id": "1", "q": "x", "a": "x"}\n')
    return pytester


@pytest.fixture
def gated(project, monkeypatch):
    """Run pytest in the project with a gate that answers with ``report``."""

    def run(report, *arguments):
        asked = []

        async def gate(options):
            asked.append(options)
            if isinstance(report, Exception):
                raise report
            return report

        monkeypatch.setattr(llmkit.gate.run, "gate", gate)
        result = project.runpytest_inprocess("--llmkit", "-v", *arguments)
        result.asked = asked
        return result

    return run


def undecided(meaning, code):
    suite = replace(v.SHORT.suites[0], metrics=(v.UNDECIDED, v.COST), exit_code=code)
    return replace(v.SHORT, suites=(suite,), on_inconclusive=meaning, exit_code=code)


def test_without_the_option_it_does_nothing(project):
    project.runpytest_inprocess().assert_outcomes()
    assert project.runpytest_inprocess("sums.yaml").ret == pytest.ExitCode.USAGE_ERROR


def test_a_gated_suite_is_a_test_a_gating_metric_and_nothing_else_is_one(project):
    result = project.runpytest_inprocess("--llmkit", "--collect-only", "-q")
    assert result.outlines[:2] == ["sums.yaml::exact_match", "sums.yaml::cost"]
    result.stdout.fnmatch_lines(["*2 tests collected*"])


def test_collecting_asks_nothing(gated):
    assert gated(v.PASSING, "--collect-only").asked == []


def test_a_pass_passes_and_the_conclusion_is_shown(gated):
    result = gated(v.PASSING)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["sums.yaml::exact_match PASSED*", "*= llmkit gate =*", f"{v.BASE} → {v.HEAD}", "PASS: 1 suite passed (exit 0)"]
    )


def test_a_failure_shows_the_gates_table_and_no_traceback(gated):
    result = gated(v.FAILING)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*_ sums: exact_match _*",
            "fail; exact_match: a drop is proven, of at least 0.113; the margin is 0.02",
            "FAIL  sums  suites/sums.yaml",
            "*exact_match*FAIL*-0.21 [[]-0.31, -0.11]*",
            "*head   The answer is {+5+}.",
            "FAILED sums.yaml::exact_match - fail; exact_match: a drop is proven*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_of_two_failures_the_second_points_to_the_first(gated):
    cost = replace(v.COST, verdict="fail", within=False)
    result = gated(v.report(v.suite("fail", (v.FAILED, cost))))
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["*_ sums: cost _*", "fail; cost: a rise*", "*figures stand with sums.yaml::exact_match"]
    )
    assert str(result.stdout).count("FAIL  sums  suites/sums.yaml") == 1


@pytest.mark.parametrize("ci", ["", "true"])
def test_the_summary_has_one_line_a_failure_in_ci_too(gated, monkeypatch, ci):
    monkeypatch.setenv("CI", ci)
    monkeypatch.delenv("BUILD_NUMBER", raising=False)
    lines = gated(v.report(v.suite("fail", (v.FAILED,)))).outlines
    summary = lines[next(n for n, line in enumerate(lines) if "short test summary" in line) + 1 :]
    assert {line.split()[0].strip("=") for line in summary} == {"FAILED", ""}  # and pytest's last line


@pytest.mark.parametrize(
    ("meaning", "code", "outcome"),
    [(None, 3, "failed"), ("fail", 1, "failed"), ("warn", 0, "skipped"), ("pass", 0, "passed")],
)
def test_too_little_evidence_is_what_the_caller_makes_of_it(gated, meaning, code, outcome):
    result = gated(undecided(meaning, code), "-rs", "-k", "exact_match")
    result.assert_outcomes(**{outcome: 1}, deselected=1)
    if outcome != "passed":
        result.stdout.fnmatch_lines(["*not enough evidence; exact_match: a drop above 0.064 is ruled out*"])


def test_what_another_metrics_failure_cut_off_is_skipped(gated):
    cost = replace(v.COST, verdict="undecided", within=False)
    gated(v.report(v.suite("fail", (v.FAILED, cost)))).assert_outcomes(failed=1, skipped=1)


def test_a_slice_that_fails_fails_its_metric(gated):
    part = replace(v.FAILED, slice=("topic", "add"))
    result = gated(v.report(v.suite("fail", (v.PASSED, part))), "-k", "exact_match")
    result.assert_outcomes(failed=1, deselected=1)
    result.stdout.fnmatch_lines(["fail; exact_match · topic add: a drop is proven*"])


def test_a_suite_that_no_change_reaches_passes(gated):
    gated(replace(v.UNTOUCHED, untouched=("sums",))).assert_outcomes(passed=2)


def test_a_warning_is_shown_in_the_end(gated):
    result = gated(v.WARNED, "-k", "exact_match")
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["sums: PASS (with a warning): head alone has no usable answer in 75 pairs*"])


@pytest.mark.parametrize(("meaning", "outcome"), [("warn", "skipped"), ("pass", "passed")])
def test_a_base_that_cannot_be_read_is_what_the_caller_makes_of_it(gated, meaning, outcome):
    unread = replace(v.NEW.suites[0], new=False, reason="base's prompt cannot be read")
    gated(v.report(unread, on_inconclusive=meaning)).assert_outcomes(**{outcome: 2})


def test_a_new_suite_is_skipped_with_the_reason(gated):
    result = gated(v.NEW, "-rs")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["*new suite: base has nothing to compare with"])


def test_answers_that_offline_lacks_fail_and_are_listed(gated):
    result = gated(v.OFFLINE)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*34 answers are missing*", "*head row-00 1"])


def test_a_budget_that_ran_out_never_passes(gated):
    report = undecided("pass", 3)
    stopped = replace(report.suites[0], stopped_by="the cost cap of $0.50")
    result = gated(replace(report, suites=(stopped,)), "-k", "exact_match")
    result.assert_outcomes(failed=1, deselected=1)
    result.stdout.fnmatch_lines(["not enough evidence; *; the cost cap of $0.50"])


def test_what_broke_fails_even_where_too_little_evidence_passes(gated):
    report = replace(v.report(v.suite("undecided", (v.UNDECIDED,), exit_code=4)), on_inconclusive="pass")
    gated(report).assert_outcomes(failed=2)


def test_a_gate_that_cannot_be_run_says_why_in_one_line_and_runs_once(gated):
    result = gated(UsageError("not a git repository", hint="Run it in one"))
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["llmkit: not a git repository. Run it in one"])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert len(result.asked) == 1


def test_a_bug_shows_where_it_is(gated):
    result = gated(ZeroDivisionError("oops"))
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*raise report", "E * ZeroDivisionError: oops"])


def test_one_gate_is_run_for_the_suites_of_all_selected_tests(gated, project):
    (project.mkdir("more") / "two.yaml").write_text(SUITE.replace("sums", "two").replace("rows", "../rows"))
    assert gated(v.PASSING).asked == [GateOptions(suites=("more/two.yaml", "sums.yaml"))]
    assert gated(v.PASSING, "sums.yaml").asked == [GateOptions(suites=("sums.yaml",))]
    assert gated(v.PASSING, "-k", "two.yaml").asked == [GateOptions(suites=("more/two.yaml",))]


def test_its_options_are_the_gates(gated):
    (options,) = gated(
        v.PASSING,
        *("--llmkit-base=origin/dev", "--llmkit-offline", "--llmkit-max-cost=2.5", "--llmkit-on-inconclusive=warn"),
        *("--llmkit-baseline=a.jsonl", "--llmkit-baseline=b.jsonl"),
    ).asked
    assert options == GateOptions(
        suites=("sums.yaml",),
        base="origin/dev",
        baseline=("a.jsonl", "b.jsonl"),
        offline=True,
        max_cost=2.5,
        on_inconclusive="warn",
    )


@pytest.mark.parametrize("cost", ["-1", "nan", "inf"])
def test_a_cap_that_is_no_amount_is_refused(project, cost):
    result = project.runpytest_inprocess("--llmkit", f"--llmkit-max-cost={cost}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--llmkit-max-cost is an amount in dollars*"])


def test_a_broken_suite_is_an_error_with_its_line(project):
    project.path.joinpath("sums.yaml").write_text(SUITE.replace("exact_match]", "exact]"))
    result = project.runpytest_inprocess("--llmkit")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["sums.yaml:6: *exact*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_in_actions_no_line_of_a_failure_is_a_command(gated, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    flip = replace(v.LOSS, sample_id="::error::forged ##[add-mask]e")
    result = gated(v.report(v.suite("fail", (v.FAILED,), flips=(flip,), flipped=1)))
    assert not [line for line in result.outlines if line.lstrip().startswith("::") or "##[" in line]
    result.stdout.fnmatch_lines(["|*::error::forged # #[[]add-mask]e*"])


def test_loading_it_loads_nothing_else_of_llmkit():
    code = (
        "import sys, llmkit.pytest_plugin as p; print(*(m for m in sys.modules if m.startswith(('llmkit', 'numpy'))))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(said.stdout.split()) == {"llmkit", "llmkit.pytest_plugin"}


@needs_git
class TestForReal:
    """In a real repository, with the real gate and the fake model that repeats what it is asked."""

    @pytest.fixture
    def repo(self, project, monkeypatch):
        return Repo(project.path / "repo", monkeypatch).start({**FILES, "pytest.ini": INI})

    def test_a_harmful_edit_fails_and_shows_what_flipped(self, project, repo):
        repo.edit("prompts/say.prompty", "{{word}}", "say {{word}}")
        result = project.runpytest_subprocess("--llmkit", "--rootdir", str(repo.top), str(repo.top / "suites"))
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            ["FAIL  words*", "*prompt changed: prompts/say.prompty:5*", "*head   {+say +}word*"]
        )

    def test_an_equal_edit_passes(self, project, repo):
        repo.edit("prompts/say.prompty", "user:", "system:\nSay it.\n\nuser:")
        result = project.runpytest_inprocess("--llmkit")
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["PASS: 1 suite passed (exit 0)"])

    def test_nothing_that_changed_passes_without_a_call(self, project, repo):
        result = project.runpytest_inprocess("--llmkit")
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["PASS: nothing that differs reaches a gated suite (words); no call was made*"])

    def test_offline_lists_what_nobody_has_asked_for(self, project, repo):
        repo.edit("prompts/say.prompty", "{{word}}", "say {{word}}")
        result = project.runpytest_inprocess("--llmkit", "--llmkit-offline")
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*answers are missing, and --offline makes no calls*"])


def test_several_processes_would_pay_several_times_and_are_refused(project):
    result = project.runpytest_inprocess("--llmkit", "-p", "xdist", "--numprocesses=2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--llmkit runs one gate for all suites, and so in one process*"])
    assert (
        project.runpytest_inprocess("--llmkit", "-p", "xdist", "--numprocesses=0", "--collect-only").ret
        == pytest.ExitCode.OK
    )
