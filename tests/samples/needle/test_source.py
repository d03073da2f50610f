"""Needles as a data set: the haystack that it is given, what it says of itself, what is wrong."""

import json

import pytest

from llmkit.errors import DataError, DocumentError, UsageError
from llmkit.samples import NeedleSource, open_source
from tests.samples.needle.counting import Words

TEXT = " ".join(f"Sentence number {n} of a story goes on and on." for n in range(400))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "story.txt").write_text(TEXT)
    paragraphs = TEXT.split(". ")
    (tmp_path / "story.jsonl").write_text("".join(json.dumps({"text": f"{p}."}) + "\n" for p in paragraphs))
    (tmp_path / "short.txt").write_text("Only this.")
    return tmp_path


def opened(folder, override=None, **fields) -> NeedleSource:
    data = {
        "generate": "needle",
        "kind": "numbers",
        "lengths": [300],
        "depths": [50],
        "tokenizer": "characters:4",
        **fields,
    }
    source = open_source(data, base=folder, override=override, where="s.yaml:2")
    assert isinstance(source, NeedleSource)
    return source


def contexts(source):
    return [row.values["context"] for row in source.rows()]


@pytest.mark.parametrize("name", ["story.txt", "story.jsonl"])
def test_a_file_is_the_haystack(folder, name):
    (text,) = contexts(opened(folder, haystack=name))
    assert text.startswith("Sentence number 0 of a story goes on and on.")


def test_the_users_file_replaces_the_haystack(folder):
    (text,) = contexts(opened(folder, override=str(folder / "story.jsonl"), haystack="synthetic"))
    assert text.startswith("Sentence number 0 ")


def test_a_field_of_ones_own(folder):
    (folder / "own.jsonl").write_text(json.dumps({"body": TEXT}) + "\n")
    assert contexts(opened(folder, haystack="own.jsonl", field="body"))[0].startswith("Sentence number 0 ")
    with pytest.raises(DataError, match=r"own.jsonl:1: no field 'text'. Name the one .* field: …"):
        contexts(opened(folder, haystack="own.jsonl"))


def test_a_haystack_that_is_too_short_says_how_long_it_is(folder):
    with pytest.raises(UsageError, match=r"short.txt: the haystack has 3 tokens, and the longest .* 364.*repeat: true"):
        contexts(opened(folder, haystack="short.txt"))


def test_it_may_be_repeated(folder):
    (text,) = contexts(opened(folder, haystack="short.txt", repeat=True))
    assert text.startswith("Only this.\nOnly this.\n")
    assert len(text) == pytest.approx(1200, abs=4)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../story.txt", "leads out of the project"),
        ("none.txt", "no file"),
        ("synthetics", r"no haystack is called 'synthetics'. Did you mean 'synthetic'\?; or name a file"),
        ("story.pdf", "no file"),
    ],
)
def test_a_haystack_that_is_none(folder, name, message):
    with pytest.raises(DocumentError, match=f"s.yaml:2: .*{message}"):
        opened(folder, haystack=name)


def test_a_file_of_another_kind_names_those_that_are_read(folder):
    (folder / "story.pdf").write_bytes(b"%PDF")
    with pytest.raises(DocumentError, match=r"no format that is read. These are: .txt, .jsonl"):
        opened(folder, haystack="story.pdf")


def test_what_is_no_text_is_one_line(folder):
    (folder / "story.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"story.txt: is not UTF-8"):
        contexts(opened(folder, haystack="story.txt"))
    (folder / "story.txt").write_text(" \n ")
    with pytest.raises(DataError, match=r"story.txt: holds no text"):
        contexts(opened(folder, haystack="story.txt"))


def test_facts_take_no_file(folder):
    data = {"generate": "needle", "kind": "facts", "lengths": [600]}
    with pytest.raises(UsageError, match="--data: kind: facts writes its own documents"):
        open_source(data, base=folder, override=str(folder / "story.txt"))


def test_the_models_tokenizer_is_wanted_until_it_is_there(folder):
    source = opened(folder, tokenizer="model")
    assert source.wants_model
    with pytest.raises(UsageError, match=r"s.yaml:2: the lengths are counted by the model's tokenizer.*characters:4"):
        next(source.rows())
    bound = source.bound(Words())
    assert not bound.wants_model
    assert Words().count(contexts(bound)[0]) == 300


def test_the_fingerprint_is_of_specification_text_and_tokenizer(folder):
    def fingerprint(**fields):
        return opened(folder, **{"haystack": "story.txt", **fields}).fingerprint()

    assert fingerprint() == fingerprint()
    (folder / "same.txt").write_text(TEXT)
    assert fingerprint() == fingerprint(haystack="same.txt")
    others = [fingerprint(seed=1), fingerprint(tokenizer="characters:3"), fingerprint(haystack="synthetic")]
    (folder / "story.txt").write_text(TEXT + " More.")
    assert len({fingerprint(), *others}) == 4


def test_two_models_of_one_tokenizer_have_one_fingerprint(folder):
    source = opened(folder, tokenizer="model")
    assert source.bound(Words()).fingerprint() == source.bound(Words()).fingerprint()


def test_the_notes_say_what_a_length_counts(folder):
    (note,) = opened(folder).notes()
    assert note == (
        "needle numbers in synthetic: a length is the tokens of the context by characters:4 (an approximation);"
        " question and template come on top"
    )


def test_a_row_has_what_suites_map(folder):
    (row,) = opened(folder).rows()
    assert row.line == 1
    assert row.values.keys() == {
        "id", "kind", "length", "depth", "cell", "repeat", "question", "answers", "distractors", "placed", "tokens",
        "context",
    }  # fmt: skip
    assert (row.values["id"], row.values["cell"], row.values["depth"]) == ("300-50-1", "300 @ 50%", 50)
