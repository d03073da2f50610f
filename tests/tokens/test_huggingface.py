"""A tokenizer.json, from a file and from a hub that is not there."""

import socket

import pytest

from llmkit.errors import MissingExtraError, UsageError
from llmkit.samples.needle.grid import make
from llmkit.samples.needle.spec import NeedleData
from llmkit.tokens import open_tokenizer
from llmkit.tokens.huggingface import HuggingFace

tokenizers = pytest.importorskip("tokenizers")

CORPUS = ["The gardener mended the broken clock near the harbour.", "It is 7381452, and nobody thought it strange."]


@pytest.fixture(scope="module")
def content():
    """A byte-pair encoding, trained here."""
    trained = tokenizers.Tokenizer(tokenizers.models.BPE())
    trained.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trained.train_from_iterator(
        CORPUS * 3, tokenizers.trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    )
    return trained.to_str().encode()


@pytest.mark.parametrize("text", ["", "The gardener", "a naïve café — 東京 🙂", "7381452 is it.\n\n  Two"])
def test_tokens_end_where_they_are_counted(content, text):
    tokenizer = HuggingFace(content, "t")
    ends = tokenizer.ends(text)
    assert len(ends) == tokenizer.count(text)
    assert list(ends) == sorted(ends)
    assert not text or ends[-1] == len(text)


def test_the_name_is_the_contents(content, tmp_path):
    (tmp_path / "tokenizer.json").write_bytes(content)
    opened = open_tokenizer("tokenizer.json", base=tmp_path)
    assert opened.name == HuggingFace(content, "elsewhere").name
    assert opened.name.startswith("tokenizer.json:")


def test_rows_are_exact_by_it(content):
    tokenizer = HuggingFace(content, "t")
    data = NeedleData(generate="needle", kind="uuid", lengths=[500, 1501], depths=[0, 33, 100])
    for row in make(data, None, tokenizer, "needle").rows():
        assert tokenizer.count(row["context"]) == row["length"] == row["tokens"]


def test_a_hub_out_of_reach_says_that_a_file_will_do(tmp_path, monkeypatch):
    pytest.importorskip("huggingface_hub")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("HF_ENDPOINT", address)
    with pytest.raises(UsageError, match=r"s.yaml:4: the tokenizer hf:a/b cannot be fetched .*Name the path of its"):
        open_tokenizer("hf:a/b", base=tmp_path, where="s.yaml:4")


def test_without_the_package_the_extra_is_named(content, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'llmkit\[tokenizers\]'"):
        HuggingFace(content, "t")
