"""A suite looks through its data before anything is spent, and streams it afterwards."""

import json
import tracemalloc

import pytest

from llmkit.errors import DataError, DocumentError
from llmkit.suites import load_suites
from llmkit.types import BadRow, Sample
from tests.suites.conftest import ADD, ROWS


@pytest.fixture
def load(write):
    def load(text=ADD, rows=ROWS, **options):
        (suite,) = load_suites(write(text, rows), **options)
        return suite

    return load


def test_samples_are_the_rows_in_order(load):
    suite = load()
    assert [(s.id, s.index, s.references, s.where) for s in suite.samples()] == [
        ("a", 0, ("2",), f"{suite.source.path}:1"),
        ("b", 1, ("3",), f"{suite.source.path}:2"),
    ]


def test_a_bad_row_keeps_its_place(load, project):
    row = '{"id": "%s", "question": "?", "answer": 1}\n'
    (project / "suites" / "add.jsonl").write_text(row % "a" + "nonsense\n" + row % "c")
    suite = load(rows=None)
    assert suite.check() == 3
    assert [(type(s), s.index) for s in suite.samples()] == [(Sample, 0), (BadRow, 1), (Sample, 2)]


def test_a_limit_counts_rows_from_the_start(load):
    suite = load(ADD + "limit: 1\n")
    assert [s.id for s in suite.samples()] == ["a"]
    assert [s.id for s in suite.samples(2)] == ["a", "b"]
    assert (suite.check(), suite.check(2)) == (1, 2)


def test_the_model_parameters_and_epochs_are_the_files(load):
    suite = load(ADD + "model: openai/x\nparams: {temperature: 0, max_tokens: 5}\nepochs: 3\n")
    assert (suite.model, suite.params, suite.epochs) == ("openai/x", {"temperature": 0, "max_tokens": 5}, 3)


def test_an_empty_data_set_is_an_error(load):
    with pytest.raises(DataError, match=r"add.jsonl: there are no rows"):
        load(rows=[]).check()


def test_a_data_set_of_bad_rows_only_is_an_error(load):
    with pytest.raises(DataError, match=r"add.jsonl:1: none of the 2 rows can be read; the first: a row must be"):
        load(rows=[1, 2]).check()


def test_an_id_that_stands_twice_names_both_lines(load):
    rows = [*ROWS, {"id": "a", "question": "?", "answer": 1}]
    with pytest.raises(DataError, match=r"add.jsonl:3: the id 'a' stands twice: first at \S*add.jsonl:1"):
        load(rows=rows).check()


def test_ids_beyond_the_limit_are_not_looked_at(load):
    assert load(rows=[*ROWS, ROWS[0]]).check(2) == 2


def test_a_mapped_field_that_no_row_has_is_an_error_of_the_suite(load):
    said = r"add.yaml:4: the rows of \S*add.jsonl have no field 'anser'. Did you mean 'answer'\?"
    with pytest.raises(DocumentError, match=said):
        load(ADD.replace("target: answer", "target: anser")).check()


def test_a_field_that_a_mapped_template_reads_and_no_row_has_is_an_error_of_the_suite(load):
    text = ADD.replace("target: answer", "target: letter, fields: {letter: \"{{ 'ABCD'[anser] }}\"}")
    said = r"add.yaml:4: the rows of \S*add.jsonl have no field 'anser'. Did you mean 'answer'\?.* --map anser=FIELD"
    with pytest.raises(DocumentError, match=said):
        load(text).check()


def test_a_row_that_lacks_what_a_mapped_template_reads_says_which_field(load):
    text = ADD.replace("target: answer", "target: letter, fields: {letter: \"{{ 'ABCD'[answer] }}\"}")
    suite = load(text, [ROWS[0], {"id": "b", "question": "?", "anser": 2}])
    assert suite.check() == 2
    assert [getattr(each, "message", None) for each in suite.samples()][1] == "no field 'answer'. Did you mean 'anser'?"


def test_a_field_that_only_some_rows_lack_fails_those_rows(load):
    suite = load(rows=[{"id": "a", "question": "?"}, ROWS[1]])
    assert suite.check() == 2
    assert [type(s) for s in suite.samples()] == [BadRow, Sample]


def test_a_prompts_variable_that_no_row_has_is_an_error_with_the_nearest_field(load, project):
    (project / "prompts" / "add.prompty").write_text("---\nname: add\n---\nuser:\n{{queston}}\n")
    with pytest.raises(DocumentError, match=r"add.prompty\S*: the prompt uses 'queston'.*Did you mean 'question'\?"):
        load().check()


def test_a_prompt_that_fails_on_every_row_is_an_error(load):
    text = ADD.replace("prompt: ../prompts/add.prompty", "messages: [{role: user, content: '{{question.a.b}}'}]")
    with pytest.raises(DocumentError, match=r"add.yaml"):
        load(text).check()


def test_scorers_that_compare_need_a_right_answer(load):
    with pytest.raises(DocumentError, match=r"add.yaml:6: the scorer exact_match compares .* map: \{target: FIELD\}"):
        load(ADD.replace(", target: answer", "")).check()


def test_the_fingerprints_change_each_with_its_own_part(load, project):
    before = load().fingerprints()

    def changed(**change):
        after = load(**change).fingerprints()
        return {name for name in before if before[name] != after[name]}

    assert changed() == set()
    assert changed(text=ADD + "description: other\nepochs: 2\n") == set()
    assert changed(text=ADD.replace("exact_match", "includes")) == {"scorers"}
    assert changed(text=ADD.replace("id: id, ", "")) == {"map"}
    assert changed(rows=ROWS[:1]) == {"data"}
    (project / "prompts" / "add.prompty").write_text("---\nname: add\n---\nuser:\nPlease: {{question}}\n")
    assert changed() == {"prompt"}


def test_the_definition_is_plain_data_that_does_not_say_where_files_lie(load, project):
    definition = load().definition()
    assert json.loads(json.dumps(definition)) == definition
    assert definition["map"] == {"map.id": "id", "map.target": "answer"}
    assert list(definition["scorers"]) == ["exact_match"]
    assert str(project) not in json.dumps(definition)


def test_a_data_set_of_the_hub_stands_in_the_definition_with_its_commit(load):
    commit = "0" * 40
    data = f"data: {{hf: openai/gsm8k, config: main, revision: '{commit}'}}"
    assert load(ADD.replace("data: add.jsonl", data)).definition()["data"] == f"hf:openai/gsm8k/main/test@{commit[:12]}"


def test_a_bad_row_is_numbered_where_ids_are(load):
    suite = load(ADD.replace("id: id, ", ""), rows=[ROWS[0], 7])
    assert [s.id for s in suite.samples()] == ["1", "2"]


def test_where_names_the_line_of_a_field(load):
    assert load().where("scorers").endswith("add.yaml:6")


def test_checking_and_streaming_twenty_thousand_rows_holds_sixteen_bytes_a_row(load):
    rows = [{"id": f"row {i}", "question": "x" * 100, "answer": i} for i in range(20_000)]
    suite = load(rows=rows)
    suite.check(10)  # imports and templates are not what is measured
    tracemalloc.start()
    assert suite.check() == 20_000
    assert sum(1 for _ in suite.samples()) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000 * 16 + 500_000
