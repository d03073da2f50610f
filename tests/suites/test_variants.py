"""A variant is the suite with what it says in the place of what the suite says."""

import pytest

from llmkit.documents import parse_yaml
from llmkit.errors import DocumentError, UnknownNameError, UsageError
from llmkit.suites import load_suites
from llmkit.suites.variants import split_ref, variant_names, with_variant
from tests.suites.conftest import ADD

VARIED = (
    ADD
    + """\
params: {temperature: 0, max_tokens: 8}
variants:
  loud:
    description: Asked in capitals.
    messages: [{role: user, content: "{{ question | upper }}"}]
    params: {max_tokens: 16}
  close: {scorers: [{numeric: {tolerance: 1}}], map: {slices: [question]}}
  untuned: {params: null}
"""
)


def one(ref):
    (suite,) = load_suites(ref)
    return suite


def test_its_name_is_the_suites_and_its_own(write):
    suite = one(f"{write(VARIED)}:loud")
    assert (suite.name, suite.variant, suite.path.name) == ("add:loud", "loud", "add.yaml")


def test_the_suite_itself_is_as_it_was(write):
    assert one(write(VARIED)).definition() == one(write(ADD)).definition()


def test_who_names_messages_means_them_in_place_of_the_prompt(write):
    suite = one(f"{write(VARIED)}:loud")
    assert [m.content for m in suite.render({"question": "one?"})] == ["ONE?"]


def test_of_params_and_map_each_field_stands_on_its_own(write):
    assert one(f"{write(VARIED)}:loud").params == {"temperature": 0, "max_tokens": 16}
    close = one(f"{write(VARIED)}:close")
    assert close.slice_names == ("question",)
    assert {s.id: s.references for s in close.samples()} == {"a": ("2",), "b": ("3",)}


def test_all_else_is_replaced(write):
    assert [scorer.name for scorer in one(f"{write(VARIED)}:close").scorers] == ["numeric"]


def test_null_takes_a_field_away(write):
    assert one(f"{write(VARIED)}:untuned").params == {}


def test_it_is_another_experiment(write):
    path = write(VARIED)
    assert one(f"{path}:loud").fingerprints()["prompt"] != one(path).fingerprints()["prompt"]


def test_a_field_has_the_line_that_it_stands_on(write):
    suite = one(f"{write(VARIED)}:loud")
    assert suite.where("messages").endswith("add.yaml:11")
    assert suite.where("params", "max_tokens").endswith("add.yaml:12")
    assert suite.where("params", "temperature").endswith("add.yaml:7")
    assert suite.where("scorers").endswith("add.yaml:6")


def test_an_unknown_one_is_met_with_the_nearest(write):
    with pytest.raises(UnknownNameError, match=r"add.yaml:8: unknown variant 'lod'. Did you mean 'loud'\?"):
        load_suites(f"{write(VARIED)}:lod")
    with pytest.raises(UnknownNameError, match=r"unknown variant 'loud'. .*add.yaml has no variants"):
        load_suites(f"{write(ADD)}:loud")


def test_a_mistake_in_one_is_said_wherever_the_suite_is_loaded(write):
    with pytest.raises(DocumentError, match=r"add.yaml:14: unknown field 'variants.untuned.parms'. Did you mean"):
        load_suites(write(VARIED.replace("untuned: {params", "untuned: {parms")))
    both = "{prompt: x.prompty, messages: [{role: user, content: a}]}"
    with pytest.raises(DocumentError, match=r"add.yaml:14: .*give either prompt or messages"):
        load_suites(write(VARIED.replace("{params: null}", both)))


def test_what_does_not_fit_the_suite_is_said_with_the_variants_line(write):
    with pytest.raises(DocumentError, match=r"add.yaml:\d+: .*prompt or messages"):
        load_suites(f"{write(VARIED.replace('params: null', 'prompt: null'))}:untuned")


@pytest.mark.parametrize("name", ["a b", "a:b", "../x", "", "-x", "ü"])
def test_its_name_can_be_typed_after_a_colon(write, name):
    with pytest.raises(DocumentError, match=r"add.yaml:8: "):
        load_suites(write(ADD + f"variants:\n  {name!r}: {{epochs: 2}}\n"))


def test_a_file_whose_name_holds_a_colon_is_that_file(write, project):
    path = write(VARIED)
    odd = project / "suites" / "add.yaml:loud"
    odd.write_text(ADD.replace("name: add", "name: odd"))
    assert one(f"{path}:loud").name == "odd"


def test_a_built_in_suite_has_them_by_its_name(project):
    assert one("mmlu:cot").name == "mmlu:cot"
    with pytest.raises(UnknownNameError, match=r"unknown variant 'kot'. Did you mean 'cot'"):
        load_suites("mmlu:kot")
    with pytest.raises(UnknownNameError, match=r"unknown suite 'mmul:cot'. Did you mean 'mmlu'"):
        load_suites("mmul:cot")


def test_a_list_of_suites_may_name_them(write):
    write(VARIED)
    path = write("version: 1\nsuites: [add, 'add:loud', 'add.yaml:close', add]\n", rows=None, name="all")
    assert [suite.name for suite in load_suites(path)] == ["add", "add:loud", "add:close"]


def test_a_list_has_none_itself(write):
    write()
    with pytest.raises(UsageError, match=r"all.yaml has no variants"):
        load_suites(write("version: 1\nsuites: [add]\n", rows=None, name="all") + ":x")


@pytest.mark.parametrize(
    ("ref", "parts"),
    [
        ("mmlu:cot", ("mmlu", "cot")),
        ("suites/a.yaml:cot-2", ("suites/a.yaml", "cot-2")),
        (r"C:\suites\a.yaml:cot", (r"C:\suites\a.yaml", "cot")),
        (r"C:\suites\a.yaml", None),
        ("C:/suites/a.yaml", None),
        ("mmlu", None),
        ("mmlu:", None),
        (":cot", None),
        ("a:b/c.yaml", None),
    ],
)
def test_a_path_of_windows_is_no_variant(ref, parts):
    assert split_ref(ref) == parts


def test_names_come_in_the_order_of_the_file():
    document = parse_yaml("variants: {b: {epochs: 2}, a: {epochs: 3}}\nepochs: 1\n")
    assert variant_names(document.data) == ["b", "a"]
    assert with_variant(document, "a").data == {"epochs": 3}
    assert variant_names({}) == variant_names({"variants": None}) == []
