"""Examples: which rows are shown, never the one that is asked, and what of them makes another experiment."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import DataError, DocumentError, UsageError
from llmkit.suites import load_suites
from llmkit.suites.adapt import adapted
from llmkit.suites.few_shot import Examples
from llmkit.suites.inline import Records
from llmkit.suites.spec import FewShotSpec

SHOW = "{% for e in examples %}{{ e.question }}={{ e.answer }};{% endfor %}{{ question }}"
SUITE = f"""\
version: 1
name: add
data: add.jsonl
map: {{target: answer}}
messages: [{{role: user, content: "{SHOW}"}}]
few_shot: {{count: 2}}
scorers: [exact_match]
"""
ROWS = [{"question": f"{n}+1", "answer": str(n + 1), "kind": "odd" if n % 2 else "even"} for n in range(8)]


@pytest.fixture
def load(write):
    def load(text=SUITE, rows=ROWS, **how):
        (suite,) = load_suites(write(text, rows))
        return adapted(suite, **how)

    return load


def asked(suite):
    return [suite.render(sample.row)[0].content for sample in suite.samples()]


def examples(rows, asked=("question",), **spec):
    return Examples(FewShotSpec(**spec), Records(rows, "pool"), True, frozenset(asked), "s.yaml:6")


def test_the_first_rows_are_shown_and_never_the_one_that_is_asked(load):
    assert asked(load())[:4] == ["1+1=2;2+1=3;0+1", "0+1=1;2+1=3;1+1", "0+1=1;1+1=2;2+1", "0+1=1;1+1=2;3+1"]


def test_only_rows_of_the_same_value_are_shown(load):
    suite = load(SUITE.replace("count: 2", "count: 2, by: kind"))
    assert asked(suite)[:2] == ["2+1=3;4+1=5;0+1", "3+1=4;5+1=6;1+1"]


def test_a_seed_draws_others_and_always_the_same(load):
    one, again, other = (load(SUITE.replace("count: 2", f"count: 2, seed: {seed}")) for seed in (1, 1, 2))
    assert asked(one) == asked(again)
    assert asked(one) != asked(other)


def test_rows_that_ask_the_same_are_the_same_row(load):
    same = [{"question": "0+1", "answer": "1", "id": n} for n in range(3)]
    rows = [*same, {"question": "1+1", "answer": "2", "id": 9}]
    suite = load(SUITE.replace("count: 2", "count: 1"), rows)
    assert asked(suite)[0] == "1+1=2;0+1"
    assert asked(suite)[3] == "0+1=1;1+1"


def test_they_may_come_from_a_file_of_their_own(load, project):
    (project / "suites" / "dev.jsonl").write_text('{"question": "9+9", "answer": "18"}\n')
    suite = load(SUITE.replace("count: 2", "count: 1, data: dev.jsonl"))
    assert asked(suite)[0] == "9+9=18;0+1"
    assert suite.notes() == (f"1 example a prompt, from {project}/suites/dev.jsonl",)


def test_such_a_file_may_not_lie_outside_of_the_project(load):
    with pytest.raises(DocumentError, match=r"add.yaml:6: '/etc/passwd' leads out of the project"):
        load(SUITE.replace("count: 2", "count: 1, data: /etc/passwd"))


def test_too_few_are_an_error_with_a_way_out(load):
    with pytest.raises(DataError, match=r"add.yaml:6: the prompt shows 9 examples, and .*add.jsonl has 7 besides"):
        load(SUITE.replace("count: 2", "count: 9")).check()


def test_a_group_that_has_too_few_fails_alone(load):
    suite = load(SUITE.replace("count: 2", "count: 3, by: kind"), ROWS[:7])
    assert suite.check() == 7
    samples = list(suite.samples())
    assert suite.render(samples[0].row)
    with pytest.raises(DataError, match=r"the prompt shows 3 examples, and .* has 2 with kind odd besides"):
        suite.render(samples[1].row)


def test_rows_that_cannot_be_read_are_no_examples(load, project):
    path = project / "suites" / "bad.jsonl"
    path.write_text("nonsense\n" + json.dumps(ROWS[3]) + "\n")
    suite = load(few_shot=1, few_shot_data=str(path))
    (first, *_) = suite.samples()
    assert suite.render(first.row)[0].content == "3+1=4;0+1"


def test_the_command_line_asks_for_more_fewer_or_none(load):
    assert asked(load(few_shot=1))[0] == "1+1=2;0+1"
    assert asked(load(few_shot=0))[0] == "0+1"
    assert asked(load(SUITE.replace("few_shot: {count: 2}\n", ""), few_shot=1))[0] == "1+1=2;0+1"


def test_a_file_of_ones_own_takes_the_place_of_the_suites(load, tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text('{"question": "?", "answer": "!"}\n')
    assert asked(load(few_shot=1, few_shot_data=str(path)))[0] == "?=!;0+1"


def test_examples_that_no_prompt_shows_are_refused(load):
    plain = SUITE.replace(SHOW, "{{ question }}")
    with pytest.raises(DocumentError, match=r"add.yaml:6: the prompt of 'add' shows no examples. A template"):
        load(plain)
    with pytest.raises(DocumentError, match=r"--few-shot: the prompt of 'add' shows no examples"):
        load(plain.replace("few_shot: {count: 2}\n", ""), few_shot=1)


def test_data_of_examples_that_nobody_asks_for_are_refused(load):
    with pytest.raises(UsageError, match=r"--few-shot-data: the suite 'add' asks for no examples. Add --few-shot N"):
        load(few_shot=0, few_shot_data="x.jsonl")


def test_a_prompt_that_shows_them_and_a_suite_that_names_none(load):
    with pytest.raises(DocumentError, match=r"uses 'examples', .* no such field. Write few_shot: \{count: 5\}"):
        load(SUITE.replace("few_shot: {count: 2}\n", "")).check()


@pytest.mark.parametrize("change", ["count: 3", "count: 2, seed: 0", "count: 2, by: kind"])
def test_another_choice_of_them_is_another_experiment(load, change):
    one, other = load(), load(SUITE.replace("count: 2", change))
    assert one.fingerprints()["prompt"] != other.fingerprints()["prompt"]
    assert one.definition()["few_shot"] != other.definition()["few_shot"]


def test_other_rows_among_them_are_another_experiment(load, tmp_path):
    path, prints = tmp_path / "mine.jsonl", []
    for answer in "!?":
        path.write_text(json.dumps({"question": "?", "answer": answer}) + "\n")
        prints.append(load(few_shot=1, few_shot_data=str(path)).fingerprints())
    assert prints[0]["prompt"] != prints[1]["prompt"]
    assert prints[0]["data"] == prints[1]["data"]


def test_none_are_the_same_experiment_as_none_named(load):
    none = load(SUITE.replace("count: 2", "count: 0, seed: 3"))
    without = load(SUITE.replace("few_shot: {count: 2}\n", ""))
    assert none.fingerprints() == without.fingerprints()
    assert none.definition() == without.definition()


@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from("ab")), min_size=1, max_size=40),
    st.integers(0, 6),
    st.sampled_from([None, 0, 7]),
    st.booleans(),
)
def test_no_row_is_among_its_own_examples(pairs, count, seed, grouped):
    rows = [{"question": str(n), "kind": kind} for n, kind in pairs]
    found = examples(rows, ("question", "kind"), count=count, seed=seed, by="kind" if grouped else None)
    distinct = {(row["question"], row["kind"]) for row in rows}
    for row in rows:
        group = [each for each in distinct if not grouped or each[1] == row["kind"]]
        if len(group) - 1 < count:
            with pytest.raises(DataError):
                found.of(row)
            continue
        shown = [(each["question"], each["kind"]) for each in found.of(row)]
        assert len(shown) == len(set(shown)) == count
        assert (row["question"], row["kind"]) not in shown
        assert set(shown) <= set(group)
