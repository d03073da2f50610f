"""Rows by the tokenizer of the model that is asked: made when the model is known, and only then."""

from __future__ import annotations

import pytest

from llmkit.errors import UsageError
from llmkit.providers.anthropic import Anthropic
from llmkit.providers.scripted import Scripted, tokens
from llmkit.runs.tokenizing import bound, wants_model
from llmkit.suites.load import load_suites


@pytest.fixture
def suite(tmp_path):
    def load(**data):
        fields = {"generate": "needle", "lengths": [300], "depths": [0, 50], **data}
        (tmp_path / "s.yaml").write_text(
            f"version: 1\ndata: {fields}\nmap: {{id: id, references: answers}}\n"
            'messages: [{role: user, content: "{{context}} {{question}}"}]\nscorers: [needle]\n'
        )
        (loaded,) = load_suites(str(tmp_path / "s.yaml"))
        return loaded

    return load


def contexts(found):
    return [sample.row["context"] for sample in found.samples()]


def test_rows_are_counted_as_the_provider_counts(suite):
    found = suite()
    assert wants_model(found)
    made = bound(found, Scripted("echo"))
    assert not wants_model(made)
    assert [tokens(text) for text in contexts(made)] == [300, 300]
    assert made.check() == 2


def test_a_tokenizer_that_the_suite_names_needs_no_model(suite):
    found = suite(tokenizer="characters:4")
    assert not wants_model(found)
    assert bound(found, Scripted("echo")) is found
    assert [len(text) for text in contexts(found)] == [pytest.approx(1200, abs=4)] * 2


def test_a_provider_that_cannot_count_says_what_to_name(suite, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
    with pytest.raises(UsageError, match=r"s.yaml:2: anthropic does not say how .*claude.* tokenizer: hf:OWNER/NAME"):
        bound(suite(), Anthropic("claude"))


def test_the_tokenizer_is_a_part_of_what_is_run(suite):
    one, other = bound(suite(), Scripted("echo")), suite(tokenizer="characters:4")
    assert one.definition()["data"] == "needle single in synthetic, tokens by scripted:4 bytes"
    assert one.fingerprints()["data"] != other.fingerprints()["data"]
    assert one.fingerprints() == bound(suite(), Scripted("constant")).fingerprints()
