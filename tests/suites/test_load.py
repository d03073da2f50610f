"""Suites are found by name or path, and every mistake in one is a line that says where."""

from pathlib import Path

import pytest

from llmkit.errors import DocumentError, UnknownNameError, UsageError
from llmkit.suites import builtin_suites, load_suites
from tests.suites.conftest import ADD, ROWS


def test_a_path_loads_its_suite(write):
    (suite,) = load_suites(write())
    assert (suite.name, suite.path) == ("add", Path(write()))
    assert [scorer.name for scorer in suite.scorers] == ["exact_match"]
    assert suite.prompt.name == "add"


def test_a_suite_without_a_name_has_its_files(write):
    assert load_suites(write(ADD.replace("name: add\n", "")))[0].name == "add"


def test_messages_may_stand_in_the_suite(write):
    text = ADD.replace("prompt: ../prompts/add.prompty", "messages: [{role: user, content: '{{question}}'}]")
    (suite,) = load_suites(write(text))
    (sample, _) = suite.samples()
    assert [m.content for m in suite.prompt.render(sample.row)] == ["1+1?"]


def test_scorers_take_options(write):
    (suite,) = load_suites(write(ADD.replace("[exact_match]", "[exact_match, {numeric: {tolerance: 0.5}}]")))
    assert [scorer.name for scorer in suite.scorers] == ["exact_match", "numeric"]


def test_data_of_the_user_replace_the_suites(write, project):
    (project / "other.jsonl").write_text('{"id": "z", "question": "?", "answer": 0}\n')
    (suite,) = load_suites(write(), data="other.jsonl")
    assert [s.id for s in suite.samples()] == ["z"]


def test_hub_data_can_be_replaced_by_a_file_without_the_hub(write, project):
    write()
    (suite,) = load_suites(
        write(ADD.replace("data: add.jsonl", "data: {hf: openai/gsm8k, config: main, split: test}"), rows=None),
        data=str(project / "suites" / "add.jsonl"),
    )
    assert suite.check() == len(ROWS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("name: add", "nme: add"), r"add.yaml:2: .*nme.*Did you mean 'name'\?"),
        (("version: 1", "version: 2"), r"add.yaml:1: "),
        (("scorers: [exact_match]", "scorers: [exact_mtch]"), r"add.yaml:6: unknown scorer 'exact_mtch'. Did you mean"),
        (("scorers: [exact_match]", "scorers: []"), r"add.yaml:6: "),
        (("scorers: [exact_match]\n", ""), r"add.yaml:\d+: .*scorers"),
        (("[exact_match]", "[exact_match, exact_match]"), r"add.yaml:6: two scorers give the metric 'exact_match'"),
        (("[exact_match]", "[{numeric: {tolerence: 1}}]"), r"add.yaml:6: .*'tolerence'. Did you mean 'tolerance'\?"),
        (("data: add.jsonl", "data: ad.jsonl"), r"add.yaml:3: no file .*Did you mean 'add.jsonl'\?"),
        (("data: add.jsonl", "data: /etc/passwd"), r"add.yaml:3: '/etc/passwd' leads out of the project"),
        (("data: add.jsonl", "data: {hf: gsm8k}"), r"add.yaml:3: "),
        (("../prompts/add.prompty", "../prompts/ad.prompty"), r"add.yaml:5: no prompt file .*'add.prompty'\?"),
        (("../prompts/add.prompty", "../../x.prompty"), r"add.yaml:5: '../../x.prompty' leads out of the project"),
        (("../prompts/add.prompty", "builtin:nonesuch"), r"add.yaml:5: unknown shipped prompt 'nonesuch'"),
        (("../prompts/add.prompty", "../.env"), r"add.yaml:5: '../.env' is a hidden file"),
        (("../prompts/add.prompty", "../prompts/zzzzzzzz.prompty"), r"no prompt file '[^']*'\. Known: add.prompty$"),
        (("../prompts/add.prompty", "../x.txt"), r"add.yaml:5: '../x.txt' is no prompt file. Its ending is .prompty"),
        (("name: add", r'name: "a\e[2J"'), r"add.yaml:2: .*characters that cannot be shown"),
        (("prompt: ../prompts/add.prompty\n", ""), r"add.yaml:\d+: .*give either prompt or messages"),
        (("target: answer", "target: '{{ answer'"), r"add.yaml:4"),
        (("scorers:", "params: {temprature: 0}\nscorers:"), r"add.yaml:6: .*temprature.*'temperature'"),
        (("scorers:", "params: {temperature: hot}\nscorers:"), r"add.yaml:6: .*temperature"),
        (("scorers:", "epochs: 0\nscorers:"), r"add.yaml:6: .*epochs"),
        (("scorers:", "name: twice\nscorers:"), r"add.yaml:6: "),
    ],
)
def test_a_mistake_is_one_line_with_its_place(write, change, message):
    with pytest.raises(UsageError, match=message) as caught:
        load_suites(write(ADD.replace(*change)))
    assert "\n" not in str(caught.value)


def test_every_built_in_suite_has_the_name_of_its_file():
    assert all(path.stem == name for name, path in builtin_suites().items())


@pytest.mark.parametrize("name", builtin_suites())
def test_every_built_in_suite_loads_and_passes_its_check(name, project):
    for suite in load_suites(name):
        if suite.source.path is not None:  # the hub is not asked
            assert suite.check() > 0


def test_an_unknown_name_offers_files_nearby(write):
    write()
    with pytest.raises(UnknownNameError, match=r"unknown suite 'suites/ad.yaml'. Did you mean 'suites/add.yaml'\?"):
        load_suites("suites/ad.yaml")


def test_a_stem_offers_its_file(write, project, monkeypatch):
    write()
    monkeypatch.chdir(project / "suites")
    with pytest.raises(UnknownNameError, match=r"Did you mean 'add.yaml'\?"):
        load_suites("add")


@pytest.mark.parametrize(
    ("folder", "offered"), [(".", "suites/add.yaml"), ("prompts", "../suites/add.yaml"), ("suites", "add.yaml")]
)
def test_a_name_offers_the_projects_own_suites_wherever_it_is_typed(write, project, monkeypatch, folder, offered):
    write()
    (project / "llmkit.toml").touch()
    monkeypatch.chdir(project / folder)
    with pytest.raises(UnknownNameError) as caught:
        load_suites("add")
    assert str(caught.value) == f"unknown suite 'add'. Did you mean '{offered}'?"


GROUP = "version: 1\nsuites: [{}]\n"


def test_a_suite_may_list_others_by_path_or_stem_to_any_depth(write):
    write(name="one")
    write(ADD.replace("name: add", "name: second"), name="two")
    write(GROUP.format("two"), rows=None, name="inner")
    write(name="add")
    assert [s.name for s in load_suites(write(GROUP.format("one.yaml, inner"), rows=None, name="all"))] == [
        "add",
        "second",
    ]


def test_a_suite_listed_twice_is_loaded_once(write):
    write()
    write(GROUP.format("add"), rows=None, name="inner")
    assert len(load_suites(write(GROUP.format("add, inner, add.yaml, inner"), rows=None, name="all"))) == 1


def test_suites_in_a_circle_are_an_error_that_shows_it(write):
    write(GROUP.format("b"), rows=None, name="a")
    with pytest.raises(DocumentError, match=r"b.yaml:2: suites in a circle: a.yaml → b.yaml → a.yaml"):
        load_suites(write(GROUP.format("a"), rows=None, name="b") and "suites/a.yaml")


def test_a_listed_suite_that_is_not_there_offers_the_nearest(write):
    write()
    with pytest.raises(UnknownNameError, match=r"all.yaml:2: unknown suite 'ad'. Did you mean 'add'\?"):
        load_suites(write(GROUP.format("ad"), rows=None, name="all"))


def test_a_listed_suite_may_not_lie_outside(write):
    with pytest.raises(DocumentError, match="leads out of the project"):
        load_suites(write(GROUP.format("../../x.yaml"), rows=None, name="all"))


def test_a_list_of_suites_asks_nothing_itself(write):
    with pytest.raises(DocumentError, match="a file that lists suites asks nothing itself; remove epochs"):
        load_suites(write(GROUP.format("add") + "epochs: 2\n", rows=None, name="all"))


def test_data_for_a_list_of_suites_is_ambiguous(write):
    write(name="one")
    write(name="two")
    with pytest.raises(UsageError, match="--data replaces the data of one suite"):
        load_suites(write(GROUP.format("one, two"), rows=None, name="all"), data="suites/one.jsonl")


def test_without_a_project_the_current_folder_bounds_a_suite(write, project, monkeypatch):
    (project / "llmkit.toml").unlink()
    path = write()
    assert load_suites(path)[0].check() == 2
    monkeypatch.chdir(project / "suites")
    with pytest.raises(DocumentError, match=r"leads out of the project\. .*where llmkit.toml lies"):
        load_suites("add.yaml")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("d.jsonl", r"d\.jsonl: this is data, not a suite\. .*--data .*d\.jsonl"),
        ("d.json", "this is data, not a suite"),
        ("d.CSV", "this is data, not a suite"),
        ("p.prompty", r"this is a prompt, not a suite\. .*prompt: p\.prompty"),
    ],
)
def test_what_is_no_suite_is_called_what_it_is(tmp_path, name, message):
    (tmp_path / name).write_text('{"a": 1}\n')
    with pytest.raises(UsageError, match=message):
        load_suites(str(tmp_path / name))
