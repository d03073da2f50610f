"""The list of built-in suites, and any suite in full, with nothing of its data fetched."""

import json
import subprocess
import sys

import pytest

from llmkit.errors import UnknownNameError
from llmkit.suites import builtin_suites
from llmkit.suites.catalogue import card, entries
from tests.suites.conftest import ADD
from tests.suites.test_few_shot import ROWS, SUITE


def test_every_built_in_suite_is_listed_and_says_what_it_is():
    found = {entry.name: entry for entry in entries()}
    assert list(found) == list(builtin_suites())
    for entry in found.values():
        assert entry.kind and entry.rows and entry.licence and entry.description
    assert [each.name for each in found["mmlu"].variants] == ["mmlu:cot", "mmlu:likelihood"]


def test_the_list_loads_no_numbers_and_nothing_that_corrects_a_judge():
    heavy = "{'numpy', 'torch', 'sympy', 'llmkit.judges.correct'}"
    code = f"import sys; from llmkit.suites.catalogue import entries; entries(); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_nothing_is_fetched(monkeypatch):
    def refuse(*_):
        raise AssertionError("the hub was asked")

    monkeypatch.setattr("llmkit.samples.huggingface.HubSource._load", refuse)
    monkeypatch.setattr("llmkit.samples.huggingface.HubSource._resolve", refuse)
    assert len(entries()) == len(builtin_suites())
    assert [card(name).entry.name for name in ("bbh", "mmlu:cot", "gsm8k")] == ["bbh", "mmlu:cot", "gsm8k"]


def test_one_says_where_everything_comes_from():
    found = card("mmlu")
    assert (found.data, found.revision) == ("hf:cais/mmlu/all/test", "c30699e8356da336a370243923dbaf21066bb9fe")
    assert found.few_shot == "none; --few-shot N shows some, from hf:cais/mmlu/all/dev, of the same subject"
    assert found.prompt == "builtin:multiple_choice"
    assert found.template.startswith("{% macro asked") and "\nuser:\n" in found.template
    assert found.scorers["choice"].startswith("metric:choice|choices:ABCD|")
    assert (found.params["max_tokens"], found.slices) == (16, ("subject",))
    assert found.commands[0] == "llmkit eval mmlu -m provider/model --limit 50"
    assert "llmkit suites mmlu:cot" in found.commands


def test_a_variant_is_shown_as_it_runs():
    found = card("mmlu:cot")
    assert found.entry.name == "mmlu:cot"
    assert found.entry.description == "The same questions, thought through before the letter."
    assert (found.entry.rows, found.entry.variants) == (14042, ())
    assert found.params["max_tokens"] == 1024
    assert "step by step" in found.template


def test_several_configurations_are_counted():
    assert card("bbh").data == "hf:lukaemon/bbh/27 configurations/test"


def test_pass_k_comes_with_the_command_that_needs_more_epochs():
    found = card("humaneval")
    assert found.pass_k == (1, 10, 100)
    assert "llmkit eval humaneval -m provider/model --epochs 10 -M temperature=0.8" in found.commands
    assert found.template.startswith("user:\nComplete this Python function.")


def test_a_list_of_suites_shows_its_parts():
    found = card("quickstart")
    assert [part.name for part in found.parts][:2] == ["arithmetic", "extraction"]
    assert found.commands == ("llmkit eval quickstart",)  # its suites name their model
    assert (found.template, found.scorers) == ("", {})


def test_a_users_own_says_what_it_says(write):
    path = write(ADD)
    found = card(path)
    assert (found.entry.name, found.entry.kind, found.entry.rows) == (path, None, None)
    assert (found.data, found.revision, found.source) == ("add.jsonl", None, None)
    assert found.messages == ()
    assert found.commands[0] == f"llmkit eval {path} -m provider/model --limit 50"


def test_with_rows_the_prompt_is_what_the_first_one_sends(write, tmp_path):
    write(SUITE, ROWS)
    data = tmp_path / "mine.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS[4:]))
    found = card("suites/add.yaml", data=str(data), few_shot=1, fields={"extra": "kind"})
    assert [message.content for message in found.messages] == ["5+1=6;4+1"]
    assert found.row == f"{data}:1"
    assert found.few_shot == "1, from the suite's own rows, never the one that is asked"


def test_an_unknown_one_is_met_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"unknown suite 'mmlu_por'. Did you mean 'mmlu_pro'"):
        card("mmlu_por")
