"""What a suite may write after tokenizer."""

import pytest

from llmkit.errors import DataError, DocumentError, UsageError
from llmkit.tokens import Characters, check_name, open_tokenizer


@pytest.mark.parametrize(
    "name", ["model", "characters:4", "hf:openai-community/gpt2", "hf:a/b@main", "x/tokenizer.json"]
)
def test_names_that_can_be(name):
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["gpt2", "characters:0", "characters:", "hf:gpt2", "characters", ""])
def test_names_that_cannot(name):
    with pytest.raises(ValueError, match=r"write model, hf:OWNER/NAME, the path of a tokenizer.json, or characters:N"):
        check_name(name)


def test_characters(tmp_path):
    assert open_tokenizer("characters:4", base=tmp_path) == Characters(4)


@pytest.mark.parametrize("text", ["", "abc", "abcd", "abcde"])
def test_characters_count_and_end_alike(text):
    assert Characters(4).count(text) == len(Characters(4).ends(text))


def test_a_file_that_is_missing_says_what_may_be_named(tmp_path):
    with pytest.raises(UsageError, match=r"s.yaml:3: the tokenizer '.*none.json' cannot be read: .* characters:4"):
        open_tokenizer("none.json", base=tmp_path, where="s.yaml:3")


def test_a_file_outside_is_refused(tmp_path):
    with pytest.raises(DocumentError, match="leads out of the project"):
        open_tokenizer("../tokenizer.json", base=tmp_path / "suites", where="s.yaml:3")


def test_a_file_that_is_no_tokenizer(tmp_path):
    pytest.importorskip("tokenizers")
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0"}')
    with pytest.raises(DataError, match=r"tokenizer.json: is no tokenizer: "):
        open_tokenizer("tokenizer.json", base=tmp_path)
