"""What was measured of a judge stands in a small file that a machine writes and nobody edits."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmkit.canonical import digest
from llmkit.errors import DocumentError, UsageError
from llmkit.judgements import Counts, Probe
from llmkit.judges.lock import Chosen, Lock, file_digest, lock_path, looks_in, path_from, read_lock, write_lock
from llmkit.types import Interval

PATH = "relevance.lock"


def lock(**changed: Any) -> Lock:
    made = Lock(
        judge="relevance",
        status="provisional",
        reasons=("TNR 0.95 on 20 failing items: at least 0.78 with 95 % confidence, below 0.80",),
        chosen=Chosen("openai/gpt-x", {"temperature": 0.0}, "../prompts/relevance.prompty", {"samples": 1}, ("é1",)),
        definition="d" * 64,
        files={"definition": "relevance.yaml " + "0" * 64},
        verdict_schema="s" * 64,
        parser=1,
        served="gpt-x-2026-01-01",
        identity={"provider": "openai", "model": "gpt-x"},
        split={"few_shot": ("é1",), "dev": ("a", "b"), "test": ("c", "d")},
        folds=0,
        seed=3,
        test=Counts(("pass", "fail"), ((41, 3), (1, 19)), 1, 0),
        dev=Counts(("pass", "fail"), ((12.5, 1), (0, 7.25)), weighted=True, items=30),
        confidence=0.95,
        looks=("d" * 64,),
        sampling="random",
        population=None,
        estimator="lang-reiczigel",
        probes=(Probe("repeat", 0, 64, "0 of 64 change", Interval(0, 0.06, "wilson"), None, 0.1, True),),
        anchors={"c": "pass"},
        created="2026-11-22",
        versions={"llmkit": "0.1"},
    )
    return replace(made, **changed)


def test_the_lock_lies_beside_the_definition() -> None:
    assert lock_path(Path("judges/relevance.yaml")) == Path("judges/relevance.lock")


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    wrote = write_lock(tmp_path / PATH, lock())
    assert read_lock(tmp_path / PATH) == wrote
    assert replace(wrote, id="") == lock()


def test_counts_of_what_has_no_verdict_are_kept_by_label(tmp_path: Path) -> None:
    table = ((30.5, 2.5), (1, 19))
    test = Counts(
        ("pass", "fail"), table, 3, 1, weighted=True, items=70, cannot_tell_of=(0, 3), unread_of=(1, 0),
        drawn=((40, 4), (2, 20)),
    )  # fmt: skip
    assert write_lock(tmp_path / PATH, lock(test=test)).test == test


def test_a_lock_of_before_they_were_kept_is_read(tmp_path: Path) -> None:
    write_lock(tmp_path / PATH, lock())
    data = json.loads((tmp_path / PATH).read_text("utf-8"))
    for counts in (data["test"], data["dev"]):
        assert [counts.pop(name) for name in ("cannot_tell_of", "unread_of", "drawn")] == [[], [], []]
    rest = {key: value for key, value in data.items() if key != "id"}
    (tmp_path / PATH).write_text(json.dumps(data | {"id": digest(rest)[:12]}), encoding="utf-8")
    found = read_lock(tmp_path / PATH)
    assert found is not None
    assert found.test == lock().test
    assert found.test.unjudged is None  # one item that it cannot tell, of nobody knows which label


def test_the_id_is_the_hash_of_all_the_rest(tmp_path: Path) -> None:
    wrote = write_lock(tmp_path / PATH, lock())
    rest = json.loads((tmp_path / PATH).read_text("utf-8"))
    assert rest.pop("id") == wrote.id
    plain = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert wrote.id == hashlib.sha256(plain).hexdigest()[:12]


def test_there_is_none_where_there_is_no_file(tmp_path: Path) -> None:
    assert read_lock(tmp_path / PATH) is None


def test_the_file_is_sorted_and_ends_in_a_new_line(tmp_path: Path) -> None:
    write_lock(tmp_path / PATH, lock())
    text = (tmp_path / PATH).read_text("utf-8")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_same_measurement_on_a_later_day_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    first = write_lock(tmp_path / PATH, lock())
    before = (tmp_path / PATH).stat().st_mtime_ns, (tmp_path / PATH).read_bytes()
    again = write_lock(tmp_path / PATH, lock(created="2027-01-01"))
    assert again == first
    assert before == ((tmp_path / PATH).stat().st_mtime_ns, (tmp_path / PATH).read_bytes())


def test_another_measurement_is_of_its_own_day(tmp_path: Path) -> None:
    first = write_lock(tmp_path / PATH, lock())
    again = write_lock(tmp_path / PATH, lock(created="2027-01-01", seed=4))
    assert again.created == "2027-01-01"
    assert again.id != first.id


def test_whole_numbers_are_written_alike_whatever_their_type(tmp_path: Path) -> None:
    write_lock(tmp_path / "ints", lock())
    probe = Probe("repeat", 0.0, 64, "0 of 64 change", Interval(0.0, 0.06, "wilson"), None, 0.1, True)
    write_lock(
        tmp_path / "floats", lock(test=Counts(("pass", "fail"), ((41.0, 3.0), (1.0, 19.0)), 1, 0), probes=(probe,))
    )
    assert (tmp_path / "ints").read_bytes() == (tmp_path / "floats").read_bytes()


def test_a_written_lock_written_again_is_the_same_bytes(tmp_path: Path) -> None:
    wrote = write_lock(tmp_path / "one", lock())
    write_lock(tmp_path / "two", wrote)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@given(st.sampled_from(["pass", "gpt-x", "41", "provisional", "2026-11-22", "0.95", "relevance.yaml"]))
def test_whatever_is_edited_by_hand_is_found(tmp_path_factory: pytest.TempPathFactory, word: str) -> None:
    path = tmp_path_factory.mktemp("judges") / PATH
    write_lock(path, lock())
    text = path.read_text("utf-8")
    assert word in text
    edited = {"41": "43", "0.95": "0.5", "provisional": "calibrated"}.get(word, word + "x")
    path.write_text(text.replace(word, edited), "utf-8")
    with pytest.raises(DocumentError, match=r"relevance\.lock: edited by hand: .*Calibrate again"):
        read_lock(path)


def test_a_field_that_stands_twice_is_an_edit_too(tmp_path: Path) -> None:
    write_lock(tmp_path / PATH, lock())
    text = (tmp_path / PATH).read_text("utf-8")
    (tmp_path / PATH).write_text(text.replace('"seed": 3,', '"seed": 4,\n  "seed": 3,'), "utf-8")
    with pytest.raises(DocumentError, match="a field stands twice"):
        read_lock(tmp_path / PATH)


def test_calibrating_again_writes_over_an_edited_lock(tmp_path: Path) -> None:
    (tmp_path / PATH).write_text("{}", "utf-8")
    wrote = write_lock(tmp_path / PATH, lock())
    assert read_lock(tmp_path / PATH) == wrote


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "relevance.lock:1: this is no lock: Expecting value"),
        ("[]", "the top level is not a mapping"),
        ("{}", "it has no version"),
        ('{"version": true}', "it has no version"),
        ('{"version": 1, "seed": NaN}', "NaN is no number"),
        ('{"version": 2}', "a lock of version 2, written by a later llmkit. Update llmkit"),
        ("[" * 100_000, "this is no lock"),
    ],
)
def test_what_is_no_lock_is_one_clear_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / PATH).write_text(text, "utf-8")
    with pytest.raises(DocumentError) as caught:
        read_lock(tmp_path / PATH)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_secret_is_written(tmp_path: Path) -> None:
    chosen = replace(lock().chosen, model="openai/x@https://me:hunter22@host/v1", params={"api_key": "sk-123456789"})
    made = lock(chosen=chosen, identity={"endpoint": "https://host/v1?api_key=sk-abcdefgh1", "token": "hidden-one"})
    write_lock(tmp_path / PATH, made)
    text = (tmp_path / PATH).read_text("utf-8")
    assert not any(secret in text for secret in ("hunter22", "sk-123456789", "sk-abcdefgh1", "hidden-one"))


def test_a_lock_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / PATH).mkdir()
    with pytest.raises(UsageError, match="folder"):
        write_lock(tmp_path / PATH, lock())


def test_a_file_is_bound_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "guide.md").write_bytes(b"one\r\n")
    before = file_digest(tmp_path / "guide.md")
    (tmp_path / "guide.md").write_bytes(b"one\n")
    assert before == hashlib.sha256(b"one\r\n").hexdigest() != file_digest(tmp_path / "guide.md")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"gone\.md: no such file"):
        file_digest(tmp_path / "gone.md")
    with pytest.raises(DocumentError, match="not an ordinary file"):
        file_digest(tmp_path)


def test_paths_are_written_from_the_judges_folder(tmp_path: Path) -> None:
    assert path_from(tmp_path / "judges", tmp_path / "prompts" / "a.prompty") == "../prompts/a.prompty"


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40)
@given(st.dictionaries(st.text("abcé", min_size=1), plain, max_size=3), st.floats(0, 1), st.floats(0, 1e6))
def test_whatever_a_lock_holds_comes_back_with_its_type(
    tmp_path_factory: pytest.TempPathFactory, params: dict[str, Any], moved: float, cell: float
) -> None:
    made = lock(
        chosen=replace(lock().chosen, params=params),
        probes=(Probe("order", moved, 40, "x"),),
        test=Counts(("pass", "fail"), ((cell, 1), (0, cell)), weighted=True, items=9),
    )
    path = tmp_path_factory.mktemp("judges") / PATH
    wrote = write_lock(path, made)
    assert replace(wrote, id="") == made
    assert repr(read_lock(path)) == repr(wrote)
    assert json.dumps(wrote.chosen.params, sort_keys=True) == json.dumps(params, sort_keys=True)


def test_whether_its_looks_are_all_is_kept_and_said_only_where_they_are_not(tmp_path: Path) -> None:
    file = tmp_path / PATH
    write_lock(file, lock())
    assert "looks_known" not in file.read_text("utf-8")
    write_lock(file, lock(looks_known=False))
    found = read_lock(file)
    assert found is not None and not found.looks_known


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "000000000000", "looks": ["%(a)s", "%(b)s"], "version": 1}',
        '{"looks": [\n<<<<<<< ours\n  "%(a)s"\n=======\n  "%(b)s"\n>>>>>>> theirs\n], "version": 1',
        '<<<<<<< ours\n "looks": ["%(a)s"],\n=======\n "looks": ["%(a)s", "%(b)s"],\n>>>>>>> theirs',
    ],
)
def test_looks_are_read_from_a_lock_that_cannot_be_relied_on(tmp_path: Path, text: str) -> None:
    one, two = "a" * 64, "b" * 64
    file = tmp_path / "x.lock"
    file.write_text(text % {"a": one, "b": two}, encoding="utf-8")
    assert looks_in(file) == (one, two)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b'{"looks": 3}'])
def test_nothing_is_known_of_a_lock_that_holds_no_looks(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.lock"
    file.write_bytes(content)
    assert looks_in(file) == ()
