"""The registry: names, options, entry points, and what is said where something is wrong."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from llmkit.errors import DocumentError, ScorerError, UnknownNameError
from llmkit.scoring import Item, create, known, option_schemas, parse
from llmkit.scoring.registry import BUILTIN, split

NEEDED = {
    "regex": {"pattern": "a"},
    "json_schema": {"schema": True},
    "checks": {"field": "checks"},
    "code": {"shape": "mbpp"},
}


def test_all_built_in_scorers_can_be_built_and_have_a_signature_of_their_own() -> None:
    scorers = [create(name, NEEDED.get(name)) for name in BUILTIN]
    signatures = [scorer.signature for scorer in scorers]
    assert len(set(signatures)) == len(signatures)
    for name, scorer in zip(BUILTIN, scorers, strict=True):
        pairs = [part.split(":", 1) for part in scorer.signature.split("|")]
        assert pairs[0] == ["metric", name]
        assert all(len(pair) == 2 and pair[1] for pair in pairs), scorer.signature
        assert scorer.kind in ("proportion", "mean", "corpus")


def test_two_scorers_with_the_same_options_are_equal_and_frozen() -> None:
    assert create("numeric", {"tolerance": 1}) == create("numeric", {"tolerance": 1.0})
    with pytest.raises(ValueError, match="frozen"):
        create("numeric").tolerance = 2


def test_a_scorer_can_be_named() -> None:
    scorer = create("exact_match", {"name": "strict", "whitespace": "keep"})
    assert scorer.name == "strict"
    assert scorer.signature == create("exact_match", {"whitespace": "keep"}).signature


def test_a_suites_entries() -> None:
    assert parse("exact_match", "s.yaml:3") == create("exact_match")
    assert parse({"numeric": {"tolerance": 1e-6}}, "s.yaml:3") == create("numeric", {"tolerance": 1e-6})
    assert parse({"chrf": None}, "s.yaml:3") == create("chrf")
    assert split({"numeric": {"tolerance": 1}}) == ("numeric", {"tolerance": 1})


@pytest.mark.parametrize("entry", [3, None, [], {}, {"f1": {}, "bleu": {}}, {"f1": "squad"}, {5: {}}, ["f1"]])
def test_an_entry_of_another_shape_is_refused(entry: object) -> None:
    with pytest.raises(DocumentError, match=r"^s\.yaml:3: a scorer is a name or a name with its options"):
        parse(entry, "s.yaml:3")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("exact_mach", "s.yaml:3: unknown scorer 'exact_mach'. Did you mean 'exact_match'?"),
        (
            {"numeric": {"tolerence": 1}},
            "s.yaml:3: scorer numeric has no option 'tolerence'. Did you mean 'tolerance'?",
        ),
        (
            {"regex": {"patern": "a"}},
            "s.yaml:3: scorer regex has no option 'patern'. Did you mean 'pattern'?",
        ),
        (
            {"numeric": {"tolerance": "x"}},
            "s.yaml:3: option 'tolerance' of scorer numeric cannot be 'x': "
            "input should be a valid number, unable to parse string as a number",
        ),
        (
            {"bleu": {"tokenize": "13b"}},
            "s.yaml:3: option 'tokenize' of scorer bleu cannot be '13b': "
            "input should be '13a', 'intl', 'char', 'zh' or 'none'",
        ),
        ({"regex": {}}, "s.yaml:3: scorer regex needs the option 'pattern'"),
        (
            {"f1": {"name": "a|b"}},
            "s.yaml:3: option 'name' of scorer f1 cannot be 'a|b': "
            "string should match pattern '^[A-Za-z][A-Za-z0-9_.@-]{0,63}$'",
        ),
    ],
)
def test_what_is_wrong_is_one_line_with_the_nearest_right_name(entry: object, message: str) -> None:
    with pytest.raises((DocumentError, UnknownNameError)) as caught:
        parse(entry, "s.yaml:3")
    assert str(caught.value) == message
    assert caught.value.exit_code == 2


def test_the_schemas_of_options_are_json_schemas_that_tell_right_from_wrong() -> None:
    schemas = option_schemas()
    assert list(schemas) == list(known())
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    assert Draft202012Validator(schemas["numeric"]).is_valid({"tolerance": 0.1})
    assert not Draft202012Validator(schemas["numeric"]).is_valid({"tolerence": 0.1})
    assert not Draft202012Validator(schemas["regex"]).is_valid({})
    assert Draft202012Validator(schemas["json_schema"]).is_valid({"schema": {"type": "object"}})


PLUGIN = """
from dataclasses import dataclass
from llmkit.types import Score


@dataclass(frozen=True)
class Length:
    most: int = 10
    name = "length"
    signature = "metric:length|v:1"
    kind = "mean"
    higher_is_better = False
    needs_references = False
    heavy = False

    def score(self, items):
        return [Score(float(min(len(item.text), self.most))) for item in items]

    def wrong(self, item):
        return Score(0.0)


def none_at_all():
    return object()
"""
Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a package with entry points on the path, as pip would."""

    def put(points: str) -> None:
        (tmp_path / "llmkit_plugged.py").write_text(PLUGIN)
        info = tmp_path / "llmkit_plugged-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: llmkit-plugged\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[llmkit.scorers]\n{points}\n")
        monkeypatch.syspath_prepend(tmp_path)

    return put


def test_other_packages_add_scorers(install: Install) -> None:
    install("length = llmkit_plugged:Length")
    assert "length" in known()
    (score,) = create("length", {"most": 3}).score([Item("abcdef")])
    assert score.value == 3
    assert option_schemas()["length"] == {"type": "object"}
    with pytest.raises(UnknownNameError, match="Did you mean 'length'"):
        create("lenght")


def test_a_built_in_scorer_cannot_be_replaced(install: Install) -> None:
    install("f1 = llmkit_plugged:Length")
    assert create("f1").signature.startswith("metric:f1|")
    assert len(known()) == len(BUILTIN)


@pytest.mark.parametrize(
    ("points", "options", "error", "said"),
    [
        ("odd = llmkit_plugged:none_at_all", {}, ScorerError, "is none: it lacks name, signature"),
        (
            "odd = llmkit_plugged:missing",
            {},
            ScorerError,
            "cannot be loaded from llmkit_plugged:missing: AttributeError",
        ),
        (
            "odd = llmkit_nowhere:missing",
            {},
            ScorerError,
            "cannot be loaded from llmkit_nowhere:missing: ModuleNotFound",
        ),
        ("odd = llmkit_plugged:Length", {"least": 3}, DocumentError, "s.yaml:3: scorer odd refuses its options"),
    ],
)
def test_a_broken_plug_is_one_clear_line(
    install: Install, points: str, options: dict, error: type[Exception], said: str
) -> None:
    install(points)
    with pytest.raises(error) as caught:
        create("odd", options, where="s.yaml:3")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_naming_and_building_scorers_loads_none_of_the_libraries_that_score() -> None:
    code = """
import sys
from llmkit.scoring import create, option_schemas
option_schemas()
for name in ("bertscore", "bleu", "chrf", "ter", "rouge", "wer", "cer", "json_valid", "numeric"):
    create(name)
heavy = {"onnxruntime", "tokenizers", "sacrebleu", "rouge_score", "nltk", "jiwer", "jsonschema", "scipy"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
