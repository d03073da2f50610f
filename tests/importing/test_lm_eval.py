"""Tasks of lm-evaluation-harness as suites."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from llmkit.errors import DocumentError
from llmkit.importing.run import import_file
from tests.importing.conftest import Made, Write

Make = Callable[..., Made]

ASKS = r'doc_to_text: "Question: {{question}}\nAnswer:"'
ROWS = [
    {"question": "1+1?", "answer": "Two.\n#### 2", "level": "easy"},
    {"question": "2+3?", "answer": "Five.\n#### 5", "level": "hard"},
]
SUMS = r"""
task: sums
dataset_path: json
dataset_kwargs: {data_files: {test: rows.jsonl, train: shown.jsonl}}
test_split: test
doc_to_text: "Question: {{question}}\nAnswer:"
doc_to_target: "{{answer.split('####')[-1].strip()}}"
"""
CHOICES = [
    {"q": "Sky?", "options": ["blue", "green"], "label": 0, "letter": "A"},
    {"q": "Grass?", "options": ["blue", "green"], "label": 1, "letter": "B"},
]
PICK = """
task: pick
dataset_path: json
dataset_kwargs: {data_files: rows.jsonl}
test_split: train
output_type: multiple_choice
doc_to_text: "{{q}}"
doc_to_choice: options
doc_to_target: label
"""


def test_a_task_becomes_a_suite_a_prompt_and_its_rows(made: Make) -> None:
    it = made("sums.yaml", SUMS, rows__jsonl=ROWS)
    assert it.found.whole
    assert it.found.files == ("out/sums.yaml", "out/sums.jsonl", "out/sums.prompty")
    assert it.found.next == "llmkit eval out/sums.yaml -m MODEL"
    assert it.messages() == [("user", "Question: 1+1?\nAnswer:")]
    assert [sample.references for sample in it.samples] == [("2",), ("5",)]
    assert it.suite.params == {"temperature": 0.0, "max_tokens": 256, "stop": ["\n\n"]}
    (scorer,) = it.suite.scorers
    assert "metric:exact_match" in scorer.signature and "space:keep|unicode:none" in scorer.signature


def test_what_an_answer_may_take_is_carried_over(made: Make) -> None:
    said = "until: [Q, '</s>'], do_sample: true, temperature: 0.7, top_p: 0.9, max_gen_toks: 32, beams: 4"
    it = made("sums.yaml", f"{SUMS}\ngeneration_kwargs: {{{said}}}\n", rows__jsonl=ROWS)
    assert it.suite.params == {"temperature": 0.7, "top_p": 0.9, "max_tokens": 32, "stop": ["Q", "</s>"]}
    (item,) = it.items("lost")
    assert (item.where, item.what) == ("sums.yaml:9", "generation_kwargs: beams")


@pytest.mark.parametrize(
    ("option", "what"),
    [
        ("aggregation: !function a.b", "exact_match: aggregation: !function a.b"),
        ("aggregation: median", "exact_match: aggregation: median"),
        ("higher_is_better: false", "exact_match: higher_is_better"),
    ],
)
def test_a_metric_that_is_put_together_or_read_otherwise_is_listed(made: Make, option: str, what: str) -> None:
    more = f"metric_list:\n- metric: bleu\n  aggregation: bleu\n- metric: exact_match\n  {option}\n"
    it = made("sums.yaml", SUMS + more, rows__jsonl=ROWS)
    assert it.whats("changed") == [what]
    assert it.items("changed")[0].where == "sums.yaml:11"
    assert not it.found.whole


def test_options_that_no_scorer_has_are_listed_of_every_metric(made: Make) -> None:
    more = "metric_list: [{metric: acc, aggregation: median, by: subject}]\n"
    it = made("pick.yaml", PICK + more, rows__jsonl=CHOICES)
    assert (it.whats("lost"), it.whats("changed")) == (["acc: by"], ["acc: aggregation: median"])


def test_what_stands_between_the_parts_of_a_text_is_noted_where_turns_are_asked(made: Make) -> None:
    it = made("sums.yaml", SUMS + 'target_delimiter: "\\n=> "\nfewshot_delimiter: "###"\n', rows__jsonl=ROWS)
    assert it.whats("note") == ["target_delimiter: '\\n=> '", "fewshot_delimiter: '###'"]


@pytest.mark.parametrize(("more", "kind"), [("", "changed"), (", temperature: 0.5", "note")])
def test_whether_answers_are_drawn_follows_from_the_temperature(made: Make, more: str, kind: str) -> None:
    it = made("sums.yaml", f"{SUMS}generation_kwargs: {{do_sample: true{more}}}\n", rows__jsonl=ROWS)
    assert len(it.items(kind)) == len(it.found.not_carried) == 1
    assert "do_sample" in it.whats(kind)[0]


def test_filters_and_what_is_ignored_become_one_scorer_a_pipeline(made: Make) -> None:
    more = r"""
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true, ignore_case: true, ignore_numbers: false,
     regexes_to_ignore: [",", "\\$"]}
filter_list:
  - {name: strict, filter: [{function: regex, regex_pattern: "#### ([0-9,]+)"}, {function: take_first}]}
  - {name: loose, filter: [{function: regex, regex_pattern: "[0-9,]+", group_select: -1}, {function: take_first}]}
"""
    it = made("sums.yaml", SUMS + more, rows__jsonl=ROWS)
    strict, loose = it.suite.scorers
    assert (strict.name, loose.name) == ("exact_match.strict", "exact_match.loose")
    assert "pattern:#### ([0-9,]+)|group:auto|take:first" in strict.signature
    assert "take:last" in loose.signature
    assert all(r"remove1:,|remove2:\$|case:folded" in scorer.signature for scorer in it.suite.scorers)
    assert it.whats("note") == ["filter: regex", "filter: regex"]
    assert it.found.whole


@pytest.mark.parametrize(
    ("filters", "kind", "what"),
    [
        ("[{function: lowercase}]", "changed", "filter: lowercase or uppercase"),
        ("[{function: majority_vote}]", "lost", "filter: majority_vote"),
        ("[{function: regex, regex_pattern: a}, {function: regex, regex_pattern: b}]", "lost", "filter: regex"),
    ],
)
def test_filters_that_do_more_are_listed(made: Make, filters: str, kind: str, what: str) -> None:
    both = f"filter_list: [{{name: a, filter: {filters}}}, {{name: b, filter: [{{function: take_first}}]}}]"
    it = made("sums.yaml", f"{SUMS}\n{both}\n", rows__jsonl=ROWS)
    assert it.whats(kind) == [what]
    assert not it.found.whole


def test_examples_are_turns_before_the_question(made: Make) -> None:
    more = 'description: "Add.\\n\\n"\nnum_fewshot: 1\nfewshot_split: train\nfewshot_config: {sampler: first_n}\n'
    shown = [{"question": "0+0?", "answer": "#### 0"}]
    it = made("sums.yaml", SUMS + more, rows__jsonl=ROWS, shown__jsonl=shown)
    assert it.found.whole
    assert it.messages(1) == [
        ("system", "Add.\n\n"),
        ("user", "Question: 0+0?\nAnswer:"),
        ("assistant", "0"),
        ("user", "Question: 2+3?\nAnswer:"),
    ]


def test_examples_that_the_task_writes_itself_are_carried_over(made: Make) -> None:
    more = "num_fewshot: 1\nfewshot_config: {samples: [{question: '0+0?', answer: '#### 0'}]}\n"
    it = made("sums.yaml", SUMS + more, rows__jsonl=ROWS)
    assert it.messages()[:2] == [("user", "Question: 0+0?\nAnswer:"), ("assistant", "0")]


def test_examples_whose_file_is_missing_have_an_option_of_their_own(made: Make) -> None:
    it = made("sums.yaml", SUMS + "num_fewshot: 1\nfewshot_split: gone\n", rows__jsonl=ROWS)
    (item,) = it.items("lost")
    assert "--few-shot-data FILE" in item.todo and "other rows of those that are asked" in item.todo
    assert "--data" not in it.found.next


def test_examples_of_no_split_are_those_to_learn_from(made: Make) -> None:
    more = "num_fewshot: 1\ntraining_split: train\nfewshot_config: {sampler: first_n}\n"
    it = made("sums.yaml", SUMS + more, rows__jsonl=ROWS, shown__jsonl=[{"question": "0+0?", "answer": "#### 0"}])
    assert it.messages(1)[0] == ("user", "Question: 0+0?\nAnswer:")
    assert it.found.whole


def test_examples_drawn_at_random_are_said_to_be_others(made: Make) -> None:
    it = made("sums.yaml", SUMS + "num_fewshot: 1\n", rows__jsonl=ROWS)
    assert it.whats("changed") == ["num_fewshot: 1"]


def test_multiple_choice_is_measured_by_likelihood(made: Make) -> None:
    it = made("pick.yaml", PICK, rows__jsonl=CHOICES)
    assert it.messages() == [("user", "Sky?")]
    likelihood = it.suite.spec.likelihood
    assert likelihood is not None
    assert (likelihood.choices, likelihood.template, likelihood.separator) == ("options", "none", " ")
    assert [scorer.name for scorer in it.suite.scorers] == ["acc", "acc_norm"]
    assert [sample.references for sample in it.samples] == [("0",), ("1",)]
    assert it.found.whole


def test_examples_of_multiple_choice_stand_in_the_text(made: Make) -> None:
    more = "num_fewshot: 1\nfewshot_config: {sampler: first_n}\ndescription: 'Pick. '\n"
    it = made("pick.yaml", PICK + more, rows__jsonl=CHOICES)
    assert it.messages(1) == [("user", "Pick. Sky? blue\n\nGrass?")]


@pytest.mark.parametrize(
    ("choice", "choices"),
    [
        ("['yes', 'no']", ["yes", "no"]),
        ("{0: a}", None),
        ('"{{[q, letter]}}"', ["{{ q }}", "{{ letter }}"]),
        ('"{{row.options}}"', "row.options"),
        ('"{{options|reverse}}"', None),
    ],
)
def test_choices_are_a_field_or_a_list(made: Make, choice: str, choices: object) -> None:
    text = PICK.replace("doc_to_choice: options", f"doc_to_choice: {choice}")
    if choices is None:
        with pytest.raises(DocumentError):
            made("pick.yaml", text, rows__jsonl=CHOICES)
        return
    likelihood = made("pick.yaml", text, rows__jsonl=CHOICES).suite.spec.likelihood
    assert likelihood is not None and likelihood.choices == choices


def test_an_answer_that_picks_a_choice_is_compared_with_the_choice(made: Make) -> None:
    text = PICK.replace("output_type: multiple_choice", "output_type: generate_until")
    text = text.replace("doc_to_choice: options", "doc_to_choice: [x, y]")
    assert [sample.references for sample in made("pick.yaml", text, rows__jsonl=CHOICES).samples] == [("x",), ("y",)]


def test_a_field_with_several_right_answers_gives_each(made: Make) -> None:
    rows = [{"question": "a?", "answer": ["b", "c"]}]
    it = made("sums.yaml", SUMS.replace("\"{{answer.split('####')[-1].strip()}}\"", "answer"), rows__jsonl=rows)
    assert it.samples[0].references == ("b", "c")


def test_data_of_the_hub_are_named_with_split_and_configuration(made: Make) -> None:
    text = SUMS.replace("dataset_path: json", "dataset_path: owner/sums\ndataset_name: main")
    it = made("sums.yaml", text.replace("dataset_kwargs: {data_files: {test: rows.jsonl, train: shown.jsonl}}", ""))
    assert "hf: owner/sums" in it.text and "config: main" in it.text and "split: test" in it.text
    assert it.whats("note") == ["owner/sums"]  # no revision


@pytest.mark.parametrize(
    "where",
    ["dataset_path: sums", "dataset_path: json", "dataset_path: json\ndataset_kwargs: {data_files: ../secret.jsonl}",
     "dataset_path: json\ndataset_kwargs: {data_files: /etc/passwd}", "dataset_path: !function utils.load"],
)  # fmt: skip
def test_data_that_cannot_be_had_are_asked_for(write: Write, folder: Path, where: str) -> None:
    (folder.parent / "secret.jsonl").write_text('{"question": "a", "answer": "b"}\n')
    write(
        {"sums.yaml": f"{where}\ntest_split: train\ndoc_to_text: '{{{{question}}}}'\ndoc_to_target: '{{{{answer}}}}'\n"}
    )
    found = import_file(Path("sums.yaml"), out=Path("out"))
    assert found.next == "llmkit eval out/sums.yaml --data FILE -m MODEL"
    assert [item.todo for item in found.not_carried if item.kind == "lost"] == ["Give the rows with --data FILE"]
    assert not list(Path("out").glob("*.jsonl"))


def test_python_code_is_listed_and_never_run(made: Make, folder: Path) -> None:
    (folder / "utils.py").write_text("raise SystemExit('this ran')\n")
    more = "process_docs: !function utils.process\n"
    more += "metric_list: [{metric: exact_match}, {metric: !function utils.score }]\n"
    it = made("sums.yaml", SUMS + more, rows__jsonl=ROWS)
    assert it.whats("lost") == ["metric: !function utils.score", "process_docs: !function utils.process"]
    assert [item.where for item in it.items("lost")] == ["sums.yaml:9", "sums.yaml:8"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((ASKS, "doc_to_text: !function utils.text"), "sums.yaml:6: doc_to_text is !function"),
        ((ASKS, "doc_to_text: ''"), "doc_to_text is missing or empty"),
        ((ASKS, "doc_to_text: '{{ broken'"), "sums.yaml:6: not Jinja"),
        (("doc_to_target", "doc_to_tarjet"), "doc_to_target is missing"),
        (("task: sums", "task: [a, b]"), "this is a group of tasks"),
        (("task: sums", "output_type: loglikelihood_rolling"), "loglikelihood_rolling cannot be carried over"),
        (("task: sums", "metric_list: [{metric: perplexity}]"), "metrics can be carried over: metric: perplexity: "),
        (("task: sums", "include: gone.yaml"), "sums.yaml:2: no file"),
        (("task: sums", "include: ../up.yaml"), "leads out of the project"),
        (("task: sums", "include: sums.yaml"), "includes itself"),
    ],
)  # fmt: skip
def test_what_a_suite_cannot_do_without_is_one_line(made: Make, change: tuple[str, str], words: str) -> None:
    text = SUMS.replace(*change)
    assert text != SUMS
    with pytest.raises(DocumentError) as caught:
        made("sums.yaml", text, rows__jsonl=ROWS)
    assert words in str(caught.value)
    assert not Path("out").exists()


def test_a_task_stands_over_what_it_includes(made: Make) -> None:
    base = SUMS.replace("task: sums", "task: base\nmetric_list: [{metric: bleu}]")
    it = made(
        "mine.yaml", "include: base.yaml\ntask: mine\ndoc_to_text: '{{question}}'\n", base__yaml=base, rows__jsonl=ROWS
    )
    assert it.suite.name == "mine"
    assert it.messages() == [("user", "1+1?")]
    assert [scorer.name for scorer in it.suite.scorers] == ["bleu"]


def test_a_field_without_a_part_in_the_figures_is_said_to_be_what_it_is(made: Make) -> None:
    it = made("sums.yaml", SUMS + "unsafe_code: true\ntraining_split: train\n", rows__jsonl=ROWS)
    assert ["run code" in item.why or "rows to learn from" in item.why for item in it.items("note")] == [True, True]


def test_what_names_or_sorts_a_task_is_only_noted(made: Make) -> None:
    it = made("sums.yaml", SUMS + "tag: maths\nmetadata: {version: 1.0}\nrepeats: 2\n", rows__jsonl=ROWS)
    assert it.whats("note") == ["tag", "metadata"]
    assert it.whats("changed") == ["repeats: 2"]
