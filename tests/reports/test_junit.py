"""A gate as JUnit's XML: what Jenkins, GitLab and GitHub's readers take from it."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.reports.junit import junit
from tests.reports import verdicts as v


def parsed(report):
    return ElementTree.fromstring(junit(report).encode("utf-8"))


def cases(report):
    """Return testcase name → what became of it."""
    return {
        case.get("name"): next((child.tag for child in case if child.tag != "system-out"), "passed")
        for case in parsed(report).iter("testcase")
    }


def test_a_suite_is_a_testsuite_and_a_metric_a_testcase():
    root = parsed(v.FAILING)
    assert root.tag == "testsuites"
    (suite,) = root
    assert suite.attrib == {
        "name": "sums", "tests": "2", "failures": "1", "errors": "0", "skipped": "0", "time": "41.200",
    }  # fmt: skip
    first = suite.find("testcase")
    assert first.attrib == {"classname": "llmkit.sums", "name": "exact_match", "file": "suites/sums.yaml"}
    assert cases(v.FAILING) == {"exact_match": "failure", "cost": "passed"}


def test_a_failure_says_what_in_one_line_and_shows_the_flips():
    failure = parsed(v.FAILING).find(".//failure")
    assert failure.get("type") == "proven-worse"
    assert failure.get("message") == "FAIL: head − base -0.21 [-0.31, -0.11], margin 0.02"
    assert "prompt changed: prompts/sums.prompty:3-5,9: 2 lines" in failure.text
    assert "head   The answer is {+5+}." in failure.text


def test_slices_are_testcases_of_their_own_and_a_pass_with_a_warning_says_it():
    assert cases(v.PASSING) == {"exact_match": "passed", "exact_match · topic add": "passed", "cost": "passed"}
    outs = [out.text for out in parsed(v.PASSING).iter("system-out")]
    assert outs[0].startswith("pass: head − base +0.005 [-0.012, +0.023], margin 0.02\n")
    assert "a rise is proven, of at least 3.1 %, but within the margin" in outs[2]


@pytest.mark.parametrize(
    ("meaning", "code", "kind"),
    [(None, 3, "error"), ("fail", 1, "failure"), ("warn", 0, "passed"), ("pass", 0, "passed")],
)
def test_too_little_evidence_is_what_the_caller_makes_of_it(meaning, code, kind):
    suite = replace(v.SHORT.suites[0], exit_code=code)
    report = replace(v.SHORT, suites=(suite,), on_inconclusive=meaning, exit_code=code)
    assert cases(report) == {"exact_match": kind, "latency_p95": kind}


def test_too_little_evidence_is_an_error_that_says_what_is_missing():
    error = parsed(v.SHORT).find(".//error")
    assert error.get("type") == "not-enough-evidence"
    assert error.get("message") == "not enough evidence: head − base -0.02 [-0.06, +0.02], margin 0.02"
    assert "a drop above 0.064 is ruled out" in error.text
    assert "Running this gate again until it passes is not evidence" in error.text


def test_what_another_metrics_failure_cut_off_is_skipped():
    report = v.report(v.suite("fail", (v.FAILED, v.UNDECIDED)))
    kinds = [child.tag for case in parsed(report).iter("testcase") for child in case]
    assert kinds == ["failure", "skipped"]


def test_a_new_suite_passes_and_says_why():
    assert cases(v.NEW) == {"gate": "passed"}
    assert "NOT COMPARED: new suite: base has nothing" in parsed(v.NEW).find(".//system-out").text


def test_what_a_pass_does_not_cover_is_said_with_each_metric():
    (out,) = parsed(v.WARNED).iter("system-out")
    assert "\nwarning: head alone has no usable answer in 75 pairs" in out.text


def test_a_list_skips_every_suite():
    assert cases(v.LISTED) == {"gate": "skipped"}
    assert "NOT ENOUGH EVIDENCE" not in junit(v.LISTED)


def test_a_budget_that_ran_out_says_how_to_go_on():
    report = v.report(v.suite("undecided", (), stopped_by="the cost cap of $0.50"))
    assert "with a higher --max-cost goes on" in parsed(report).find(".//error").text


UNREADABLE = v.report(replace(v.NEW.suites[0], new=False, exit_code=3, reason="base's prompt cannot be read"))


@pytest.mark.parametrize("report", [UNREADABLE, v.OFFLINE])
def test_a_suite_without_metrics_never_looks_like_success(report):
    assert cases(report) == {"gate": "error"}
    assert len(parsed(report).find(".//error").get("message")) > len("NOT ENOUGH EVIDENCE: ")


def test_a_suite_that_broke_is_an_error_whatever_its_metrics_say():
    report = v.report(v.suite("pass", exit_code=4, stopped_by="the server answers 503"))
    assert cases(report) == {"exact_match": "passed", "gate": "error"}
    error = parsed(report).find(".//error")
    assert error.get("type") == "broke"
    assert error.get("message") == "PASS, something broke: stopped by: the server answers 503"


def test_nothing_to_gate_is_a_document_without_tests():
    root = parsed(v.UNTOUCHED)
    assert (root.get("tests"), len(root)) == ("0", 0)


def test_properties_say_what_it_rests_on():
    found = {p.get("name"): p.get("value") for p in parsed(v.FAILING).iter("property")}
    assert found == {
        "base": v.BASE,
        "head": v.HEAD,
        "verdict": "fail",
        "seed": "7",
        "alpha": "0.05",
        "n": "150",
        "n_max": "1200",
        "base_run": "20261122-0800-b4se",
        "base_model": "openai/gpt-4o-mini",
        "head_run": "20261122-0800-h34d",
        "head_model": "openai/gpt-4o-mini",
    }


@pytest.mark.parametrize("report", v.ALL)
def test_the_counts_are_those_of_the_testcases(report):
    root = parsed(report)
    for node in (root, *root.iter("testsuite")):
        for attribute, tag in (
            ("tests", "testcase"),
            ("failures", "failure"),
            ("errors", "error"),
            ("skipped", "skipped"),
        ):
            assert int(node.get(attribute)) == len(list(node.iter(tag)))
        for case in node.iter("testcase"):
            assert case.get("classname") and case.get("name")
            assert len([child for child in case if child.tag in ("failure", "error", "skipped")]) <= 1


@given(st.text(max_size=40))
def test_whatever_a_model_says_it_is_xml(text):
    flip = replace(v.LOSS, sample_id=text, b=replace(v.LOSS.b, text=text + "\x00\ud800\ufffe]]>"))
    report = v.report(v.suite("fail", (replace(v.FAILED, reason=text),), flips=(flip,), stopped_by=text))
    assert parsed(replace(report, base=text)).find(".//failure") is not None
