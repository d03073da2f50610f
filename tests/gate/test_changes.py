"""What differs between base and the working tree, part by part: by what it means, never by its text."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from llmkit.config import load_settings
from llmkit.errors import DocumentError, UnknownNameError, UsageError
from llmkit.reports.verdicts import changed
from llmkit.verdicts import Change
from tests.gate.repository import FILES, PROMPT, ROWS, SUITE, Repo, needs_git

pytestmark = needs_git

SUITE_FILE, PROMPT_FILE, DATA_FILE = "suites/sums.yaml", "prompts/add.prompty", "suites/sums.jsonl"


def brief(changes: tuple[Change, ...]) -> list[tuple[str, str, str | None, bool]]:
    return [(change.part, change.how, change.path, change.asks) for change in changes]


# What asks the same


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (PROMPT_FILE, "Add: {{question}}", "Add: {{ question }}{# why #}"),
        (PROMPT_FILE, "name: add\n", "name: other\ndescription: text\n"),
        (PROMPT_FILE, "{options: {temperature: 0}}", "\n  options:\n    temperature: 0.0"),
        (PROMPT_FILE, "{{question}}\n", "{{question}}\n\n"),
        (SUITE_FILE, "map: {id: id, target: answer}", "map:\n  # the answer\n  target: answer\n  id: 'id'"),
        (SUITE_FILE, "version: 1\n", "version: 1\ndescription: text\n"),
        ("llmkit.toml", "", "# a comment\n"),
    ],
)
def test_what_is_only_written_otherwise_reaches_nothing(repo: Repo, path: str, old: str, new: str) -> None:
    if old:
        repo.edit(path, old, new)
    else:
        repo.write({path: new})
    diff = repo.diff()
    assert (diff.reached, diff.untouched) == ((), ("sums",))


def test_line_ends_and_a_byte_order_mark_reach_nothing(repo: Repo) -> None:
    for path in FILES:
        file = repo.top / path
        mark = b"\xef\xbb\xbf" if path != DATA_FILE else b""
        file.write_bytes(mark + file.read_bytes().replace(b"\n", b"\r\n"))
    assert repo.diff().reached == ()


# The prompt


def test_an_edited_prompt_is_reached_with_both_sides_loaded(repo: Repo) -> None:
    repo.edit(PROMPT_FILE, "Add: ", "Sum up: ")
    one = repo.one()
    assert brief(one.changes) == [("prompt", "changed", PROMPT_FILE, True)]
    assert (one.changes[0].lines, one.changes[0].detail) == (((6, 6),), "changed in line 6")
    assert one.asks and one.reason is None and one.base is not None
    assert one.suite.prompt.render(ROWS[0])[0].content == "Sum up: 0+1"
    assert one.base.prompt.render(ROWS[0])[0].content == "Add: 0+1"  # though the copy is gone


def test_both_sides_have_heads_data_map_scorers_and_gate(repo: Repo) -> None:
    repo.edit(PROMPT_FILE, "Add: ", "Sum up: ")
    repo.edit(SUITE_FILE, "[exact_match]", "[exact_match, includes]")
    repo.edit(SUITE_FILE, "max_drop: 0.1", "max_drop: 0.2")
    repo.write({DATA_FILE: '{"id": "z", "question": "9+9", "answer": "18"}\n'})
    one = repo.one()
    assert one.base is not None
    for side in (one.suite, one.base):
        assert [sample.id for sample in side.samples()] == ["z"]
        assert [scorer.name for scorer in side.scorers] == ["exact_match", "includes"]
        assert side.spec.gate is not None and side.spec.gate["exact_match"].margin == 0.2
    changed = {key for key, value in one.suite.fingerprints().items() if one.base.fingerprints()[key] != value}
    assert changed == {"prompt"}
    assert one.base.definition() == one.suite.definition()


def test_an_included_file_is_a_part_of_the_prompt(empty: Repo) -> None:
    prompt = PROMPT + '{% include "parts/rules.txt" %}\n'
    empty.start({**FILES, PROMPT_FILE: prompt, "prompts/parts/rules.txt": "one\ntwo\n", "prompts/other.txt": "x\n"})
    empty.write({"prompts/parts/rules.txt": "one\nTWO\n", "prompts/other.txt": "y\n"})
    one = empty.one()
    assert brief(one.changes) == [("prompt", "changed", "prompts/parts/rules.txt", True)]
    assert one.changes[0].lines == ((2, 2),)
    assert one.base is not None and one.base.prompt.render(ROWS[0])[0].content.endswith("one\ntwo")


def test_files_that_included_files_include_are_found_at_base_too(empty: Repo) -> None:
    files = {
        PROMPT_FILE: PROMPT + "{% include './a.j2' %}{% include 'deep/b.tmpl' %}\n",
        "prompts/a.j2": "{% include 'deep/../c' %}",
        "prompts/deep/b.tmpl": "b",
        "prompts/c": "c",
    }
    empty.start({**FILES, **files})
    empty.edit(PROMPT_FILE, "Add", "Sum")
    base = empty.one().base
    assert base is not None and base.prompt.render(ROWS[0])[0].content == "Add: 0+1\ncb"


def test_a_file_that_the_front_matter_refers_to_is_a_part_of_the_prompt(empty: Repo) -> None:
    front = "inputs: {rules: {kind: string, default: '${file:rules.txt}'}}\nmodel:"
    prompt = PROMPT.replace("model:", front) + "{{rules}}\n"
    empty.start({**FILES, PROMPT_FILE: prompt, "prompts/rules.txt": "old"})
    empty.write({"prompts/rules.txt": "new"})
    one = empty.one()
    assert brief(one.changes) == [("prompt", "changed", "prompts/rules.txt", True)]
    assert one.base is not None and one.base.prompt.render(ROWS[0])[0].content.endswith("old")


def test_a_prompt_that_only_moved_asks_nothing(repo: Repo) -> None:
    repo.git("mv", PROMPT_FILE, "prompts/sum.prompty")
    repo.edit(SUITE_FILE, "add.prompty", "sum.prompty")
    one = repo.one()
    (change,) = one.changes
    assert (change.how, change.path, change.old_path) == ("renamed", "prompts/sum.prompty", PROMPT_FILE)
    assert changed(change).startswith(
        "prompt renamed: prompts/add.prompty → prompts/sum.prompty: applied to both sides"
    )
    assert not one.asks


def test_a_prompt_that_moved_and_changed_asks(repo: Repo) -> None:
    repo.git("mv", PROMPT_FILE, "prompts/sum.prompty")
    repo.edit("prompts/sum.prompty", "Add", "Sum")
    repo.edit(SUITE_FILE, "add.prompty", "sum.prompty")
    (change,) = repo.one().changes
    assert (change.how, change.path, change.old_path) == ("renamed", "prompts/sum.prompty", PROMPT_FILE)
    assert change.asks and change.lines == ((6, 6),)


def test_a_new_prompt_file_is_compared_with_the_one_that_the_suite_had(repo: Repo) -> None:
    repo.write({"prompts/new.prompty": PROMPT.replace("Add", "Sum")})  # and git does not track it yet
    repo.edit(SUITE_FILE, "add.prompty", "new.prompty")
    diff = repo.diff()
    (change,) = diff.reached[0].changes
    assert (change.how, change.path, change.old_path) == ("changed", "prompts/new.prompty", PROMPT_FILE)
    assert (change.old_path, change.path, change.detail) == (PROMPT_FILE, "prompts/new.prompty", "")
    assert diff.head.endswith("with uncommitted changes")


def test_an_untracked_prompt_is_an_uncommitted_change(repo: Repo) -> None:
    repo.edit(SUITE_FILE, "add.prompty", "new.prompty")
    repo.commit()
    repo.write({"prompts/new.prompty": PROMPT})
    assert repo.diff().head.endswith(", with uncommitted changes")


def test_a_prompt_that_was_deleted_is_an_error_of_heads_suite(repo: Repo) -> None:
    (repo.top / PROMPT_FILE).unlink()
    with pytest.raises(DocumentError, match=r"suites/sums\.yaml:5: no prompt file"):
        repo.diff()


def test_a_deleted_prompt_that_nothing_names_reaches_nothing(empty: Repo) -> None:
    empty.start({**FILES, "prompts/unused.prompty": PROMPT})
    (empty.top / "prompts/unused.prompty").unlink()
    assert empty.diff().reached == ()


def test_messages_in_the_suite_are_a_prompt(empty: Repo) -> None:
    inline = SUITE.replace(
        "prompt: ../prompts/add.prompty\n", "messages:\n  - role: user\n    content: 'Add: {{question}}'\n"
    )
    empty.start({**FILES, SUITE_FILE: inline})
    empty.edit(SUITE_FILE, "Add: ", "Sum: ")
    one = empty.one()
    assert brief(one.changes) == [("prompt", "changed", SUITE_FILE, True)]
    assert one.changes[0].lines == ((7, 7),)


def test_a_prompt_file_in_place_of_messages_names_both(empty: Repo) -> None:
    inline = SUITE.replace(
        "prompt: ../prompts/add.prompty", "messages: [{role: user, content: 'Add: {{question}}'}]"
    ).replace("model:", "params: {temperature: 0}\nmodel:")
    empty.start({**FILES, SUITE_FILE: inline})
    empty.write({SUITE_FILE: SUITE})
    (change,) = empty.one().changes
    assert (change.part, change.path, change.detail) == (
        "prompt", PROMPT_FILE, "messages in the suite → prompts/add.prompty",
    )  # fmt: skip


# Model and parameters


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        (PROMPT_FILE, "temperature: 0", "temperature: 0.7", ("params", PROMPT_FILE, "temperature: 0 → 0.7", ((3, 3),))),
        (PROMPT_FILE, "temperature: 0", "seed: 1, temperature: 0",
         ("params", PROMPT_FILE, "seed: not set → 1", ((3, 3),))),
        (PROMPT_FILE, "model: {options: {temperature: 0}}\n", "",
         ("params", PROMPT_FILE, "temperature: 0 → not set", ())),
        (SUITE_FILE, "model: scripted/echo", "model: scripted/other",
         ("model", SUITE_FILE, "scripted/echo → scripted/other", ((8, 8),))),
        (SUITE_FILE, "model: scripted/echo", "params: {max_tokens: 5}\nmodel: scripted/echo",
         ("params", SUITE_FILE, "max_tokens: not set → 5", ((8, 8),))),
    ],
)  # fmt: skip
def test_model_and_parameters_are_told_from_the_prompt(  # type: ignore[no-untyped-def]
    repo: Repo, path: str, old: str, new: str, expected
) -> None:
    repo.edit(path, old, new)
    (change,) = repo.one().changes
    assert (change.part, change.path, change.detail, change.lines) == expected
    assert change.asks


def test_the_configuration_sets_model_and_parameters_on_either_side(empty: Repo) -> None:
    suite = SUITE.replace("model: scripted/echo\n", "")
    toml = 'model = "fast"\n[aliases]\nfast = "scripted/echo"\n[models."scripted/echo"]\ntop_p = 0.5\n'
    empty.start({**FILES, SUITE_FILE: suite, "llmkit.toml": toml})
    empty.edit("llmkit.toml", "top_p = 0.5", "top_p = 0.9")
    one = empty.one()
    (change,) = one.changes
    assert (change.detail, change.path, change.lines) == ("top_p: 0.5 → 0.9", "llmkit.toml", ((5, 5),))
    assert one.base_model is not None and one.base_model.params["top_p"] == 0.5
    assert one.base_origins["top_p"].endswith(":llmkit.toml:5") and one.head_origins["top_p"] == "llmkit.toml:5"
    empty.write({"llmkit.toml": toml.replace('"scripted/echo"\n[', '"scripted/other"\n[')})
    changes = {change.part: change for change in empty.one().changes}
    assert changes["model"].detail == "scripted/echo → scripted/other"
    assert (changes["model"].path, changes["model"].lines) == ("llmkit.toml", ((3, 3),))
    assert changes["params"].detail == "top_p: 0.5 → not set"


def test_an_aliass_own_settings_are_found_where_they_stand(empty: Repo) -> None:
    suite = SUITE.replace("model: scripted/echo\n", "model: warm\n")
    toml = '[aliases]\nwarm = "scripted/echo"\n[models."scripted/echo"]\ntop_p = 0.5\n[models.warm]\ntop_p = 0.6\n'
    empty.start({**FILES, SUITE_FILE: suite, "llmkit.toml": toml})
    empty.edit("llmkit.toml", "top_p = 0.5", "top_p = 0.4")
    assert empty.diff().reached == ()  # the alias's goes before it
    empty.edit("llmkit.toml", "top_p = 0.6", "top_p = 0.9")
    (change,) = empty.one().changes
    assert (change.detail, change.path, change.lines) == ("top_p: 0.6 → 0.9", "llmkit.toml", ((6, 6),))


def test_options_of_the_provider_count_and_secrets_among_them_are_not_shown(empty: Repo) -> None:
    toml = '[models."openai/m"]\nbase_url = "http://user:hunter22@a.example/v1"\n'
    empty.start({**FILES, SUITE_FILE: SUITE.replace("scripted/echo", "openai/m"), "llmkit.toml": toml})
    empty.edit("llmkit.toml", "a.example", "b.example")
    (change,) = empty.one().changes
    assert (change.part, change.lines) == ("params", ((2, 2),))
    assert "a.example" in change.detail and "b.example" in change.detail and "hunter22" not in change.detail
    empty.write({"llmkit.toml": toml.replace("hunter22", "hunter33")})
    (change,) = empty.one().changes
    assert change.detail == "an option that is not shown"


def test_what_the_command_line_sets_holds_for_both_sides(repo: Repo) -> None:
    repo.edit(SUITE_FILE, "model: scripted/echo", "model: scripted/other")
    repo.edit(PROMPT_FILE, "temperature: 0", "temperature: 0.7")
    assert repo.diff(model="scripted/mine", params={"temperature": 1}).reached == ()
    one = repo.one(model="scripted/mine")
    assert [change.detail for change in one.changes] == ["temperature: 0 → 0.7"]
    assert one.base_model is not None and one.base_model.name == "scripted/mine"
    assert one.base_origins["model"] == "-m"


def test_the_environment_holds_for_both_sides(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (FILES[SUITE_FILE].replace("model: scripted/echo\n", ""),):
        repo.write({SUITE_FILE: text})
    repo.git("checkout", "-q", "main")
    repo.commit()
    repo.git("checkout", "-q", "-B", "change")
    monkeypatch.setenv("LLMKIT_MODEL", "scripted/env")
    repo.write({"llmkit.toml": 'model = "scripted/file"\n'})
    assert repo.diff().reached == ()
    repo.edit(PROMPT_FILE, "Add", "Sum")
    one = repo.one()
    assert one.base_model is not None and one.base_model.name == "scripted/env"


def test_no_model_is_no_error_as_long_as_nothing_is_asked(empty: Repo) -> None:
    empty.start({**FILES, SUITE_FILE: SUITE.replace("model: scripted/echo\n", "")})
    assert empty.diff().untouched == ("sums",)
    empty.edit(SUITE_FILE, "max_drop: 0.1", "max_drop: 0.2")
    assert empty.one().head_model is None
    empty.edit(PROMPT_FILE, "Add", "Sum")
    with pytest.raises(UsageError, match="no model is named"):
        empty.diff()


# Data and scoring


def test_other_rows_are_a_change_that_both_sides_share(repo: Repo) -> None:
    repo.write({DATA_FILE: FILES[DATA_FILE] + '{"id": "z", "question": "9+9", "answer": "18"}\n'})
    one = repo.one()
    assert brief(one.changes) == [("data", "changed", DATA_FILE, False)]
    assert not one.asks


def test_data_that_only_moved_are_the_same_rows(repo: Repo) -> None:
    repo.git("mv", DATA_FILE, "rows.jsonl")
    repo.edit(SUITE_FILE, "data: sums.jsonl", "data: ../rows.jsonl")
    assert brief(repo.one().changes) == [("data", "renamed", "rows.jsonl", False)]


def test_data_that_git_does_not_hold_cannot_be_compared_and_say_so(empty: Repo) -> None:
    empty.start({**FILES, ".gitignore": "*.jsonl\n"})
    (change,) = empty.one().changes
    assert (change.part, change.how, change.asks) == ("data", "added", False)
    assert "not in base" in change.detail


def pointer(content: str) -> str:
    oid = hashlib.sha256(content.encode()).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n"


def test_data_in_git_lfs_are_compared_by_the_pointers_hash(empty: Repo) -> None:
    rows = FILES[DATA_FILE]
    empty.start({**FILES, DATA_FILE: pointer(rows)})
    empty.write({DATA_FILE: rows})
    assert empty.diff().reached == ()
    empty.write({DATA_FILE: rows + "\n"})
    assert brief(empty.one().changes) == [("data", "changed", DATA_FILE, False)]


def test_a_pointer_in_place_of_the_rows_is_noted(empty: Repo) -> None:
    empty.start({**FILES, DATA_FILE: pointer("x")})
    assert empty.diff().notes[1:] == (f"{DATA_FILE} is a pointer of Git LFS, not the rows: run git lfs pull",)


def test_another_revision_of_the_hubs_data_is_another_data_set(empty: Repo) -> None:
    hub = SUITE.replace("data: sums.jsonl", f"data: {{hf: o/n, revision: '{'0' * 40}'}}")
    empty.start({**FILES, SUITE_FILE: hub})
    empty.edit(SUITE_FILE, "0" * 40, "1" * 40)
    (change,) = empty.one().changes
    assert (change.part, change.asks, change.lines) == ("data", False, ((3, 3),))
    assert change.detail == f"hf:o/n/test/{'0' * 40} → hf:o/n/test/{'1' * 40}"


@pytest.mark.parametrize(
    ("old", "new", "part", "detail", "line"),
    [
        ("target: answer", "target: id", "map", "target: answer → id", 4),
        ("target: answer}", "target: answer, slices: [topic]}", "map", "slices.topic: not set → topic", 4),
        ("[exact_match]", "[exact_match, includes]", "scorers", "includes: not set → ", 6),
        ("[exact_match]", "[{exact_match: {ignore_case: true}}]", "scorers", "exact_match: ", 6),
        ("max_drop: 0.1", "max_drop: 0.2", "gate", "exact_match.max_drop: 0.1 → 0.2", 7),
        ("{max_drop: 0.1}", "{max_drop: 0.1}, cost: {max_rise: 0.5}", "gate", "cost.max_rise: not set → 0.5", 7),
        ("version: 1\n", "version: 1\nepochs: 3\n", "suite", "epochs: 1 → 3", 2),
        ("version: 1\n", "version: 1\nlimit: 2\n", "suite", "limit: not set → 2", 2),
    ],
)
def test_what_scores_otherwise_needs_no_call(repo: Repo, old: str, new: str, part: str, detail: str, line: int) -> None:
    repo.edit(SUITE_FILE, old, new)
    one = repo.one()
    (change,) = one.changes
    assert (change.part, change.asks, change.path, change.lines) == (part, False, SUITE_FILE, ((line, line),))
    assert change.detail.startswith(detail)
    assert not one.asks and one.base is not None


def test_slices_that_only_stand_elsewhere_are_the_same(empty: Repo) -> None:
    empty.start({**FILES, SUITE_FILE: SUITE.replace("target: answer", "target: answer, slices: [question]")})
    empty.write({SUITE_FILE: SUITE + "slices: {question: question}\n"})
    assert empty.diff().reached == ()


def test_scorers_of_base_that_do_not_exist_any_more_are_a_change(empty: Repo) -> None:
    empty.start({**FILES, SUITE_FILE: SUITE.replace("[exact_match]", "[exact_match, nonesuch]")})
    empty.write({SUITE_FILE: SUITE})
    one = empty.one()
    assert one.base is not None  # head's scorers score both sides
    assert one.changes[0].detail.startswith("base's cannot be read: ")
    assert "unknown scorer 'nonesuch'" in one.changes[0].detail


def test_judges_that_nothing_names_are_a_note(repo: Repo) -> None:
    repo.write({"judges/tone.yaml": "a: 1\n"})
    diff = repo.diff()
    assert diff.reached == ()
    assert diff.notes == ("judges/tone.yaml changed, and no gated suite's scorers name it",)


# Suites on one side, renamed, deleted


def test_a_new_suite_has_nothing_to_compare_with(repo: Repo) -> None:
    repo.write({"suites/new.yaml": SUITE.replace("name: sums", "name: new").replace("../prompts/add", "../prompts/b")})
    repo.write({"prompts/b.prompty": PROMPT})
    diff = repo.diff()
    (one,) = diff.reached
    assert (one.suite.name, one.base, one.base_model) == ("new", None, None)
    assert one.reason == "new suite: base has none called 'new'"
    assert brief(one.changes) == [("suite", "added", "suites/new.yaml", True)]
    assert one.head_model is not None and diff.untouched == ("sums",)


def test_a_suite_whose_file_moved_is_the_same_by_its_name(repo: Repo) -> None:
    repo.git("mv", SUITE_FILE, "suites/moved.yaml")
    one = repo.one()
    assert brief(one.changes) == [("suite", "renamed", "suites/moved.yaml", False)]
    assert one.changes[0].old_path == SUITE_FILE


def test_a_suite_with_another_name_is_the_same_by_its_file(repo: Repo) -> None:
    repo.edit(SUITE_FILE, "name: sums", "name: additions")
    one = repo.one()
    assert brief(one.changes) == [("suite", "renamed", SUITE_FILE, False)]
    assert (one.changes[0].detail, one.changes[0].lines) == ("name: sums → additions", ((2, 2),))
    assert one.base is not None and one.base.name == "additions"


def test_a_suite_with_another_name_and_file_is_the_same_by_its_text(repo: Repo) -> None:
    repo.git("mv", SUITE_FILE, "suites/moved.yaml")
    repo.edit("suites/moved.yaml", "name: sums", "name: additions")
    diff = repo.diff()
    assert [change.how for change in diff.reached[0].changes] == ["renamed", "renamed"]
    assert diff.notes == ()


def test_suites_that_swap_their_files_are_told_by_their_names(empty: Repo) -> None:
    other = SUITE.replace("name: sums", "name: other").replace("max_drop: 0.1", "max_drop: 0.3")
    empty.start({**FILES, "suites/other.yaml": other})
    empty.write({SUITE_FILE: other, "suites/other.yaml": SUITE})
    diff = empty.diff()
    assert {one.suite.name: [c.part for c in one.changes] for one in diff.reached} == {
        "other": ["suite"],
        "sums": ["suite"],
    }


def test_a_suite_that_takes_anothers_file_is_new(empty: Repo) -> None:
    empty.start()
    empty.git("mv", SUITE_FILE, "suites/moved.yaml")
    empty.write({SUITE_FILE: SUITE.replace("name: sums", "name: fresh")})
    by_name = {one.suite.name: one for one in empty.diff().reached}
    assert by_name["fresh"].reason == "new suite: base has none called 'fresh'"
    assert by_name["sums"].base is not None


def test_a_deleted_suite_is_a_note(empty: Repo) -> None:
    empty.start({**FILES, "suites/gone.yaml": SUITE.replace("name: sums", "name: gone")})
    (empty.top / "suites/gone.yaml").unlink()
    diff = empty.diff()
    assert diff.untouched == ("sums",)
    assert diff.notes == ("suite 'gone' (suites/gone.yaml) is deleted, so that nothing holds a change to it",)


def test_a_suite_that_is_not_gated_any_more_is_a_note(empty: Repo) -> None:
    text = SUITE.replace("name: sums", "name: loose")
    empty.start({**FILES, "suites/loose.yaml": text})
    empty.edit("suites/loose.yaml", "gate: {exact_match: {max_drop: 0.1}}\n", "")
    assert empty.diff().notes == (
        "suite 'loose' (suites/loose.yaml) has no gate: any more, so that nothing holds a change to it",
    )


# A broken base


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        (SUITE_FILE, "version: 1\nname: [\n", r"base's suite cannot be read: COMMIT:suites/sums.yaml:\d+: not YAML"),
        (SUITE_FILE, SUITE.replace("name:", "nme:"), r"base's suite cannot be read: COMMIT:suites/sums.yaml:2: .*nme"),
        (SUITE_FILE, b"\xff\xfe\x00\x01", r"COMMIT:suites/sums.yaml:1: this is UTF-16, not UTF-8"),
        (
            PROMPT_FILE,
            b"---\nname: a\n---\nuser:\n\x89PNG\xff",
            r"COMMIT:prompts/add.prompty:5: byte 0x89 is not UTF-8",
        ),
        (
            PROMPT_FILE,
            "---\nname: [\n---\nuser:\nx\n",
            r"prompt cannot be read: COMMIT:prompts/add.prompty:2: not YAML",
        ),
        (PROMPT_FILE, "---\nname: a\nuser:\nx\n", r"COMMIT:prompts/add.prompty:1: the front matter is not closed"),
        (PROMPT_FILE, "user:\n{{question\n", r"COMMIT:prompts/add.prompty:\d: not Jinja"),
        (PROMPT_FILE, "user:\n{% include 'no.txt' %}\n", r"COMMIT:prompts/add.prompty:2: the file 'no.txt' is not in "),
        (PROMPT_FILE, pointer("x"), r"COMMIT:prompts/add.prompty: its content is in Git LFS"),
        (PROMPT_FILE, "user:\n" + "x" * 4_000_001, r"COMMIT:prompts/add.prompty: longer than 4,000,000 bytes"),
    ],
)
def test_a_broken_base_is_a_reason_with_its_place_and_no_error(
    empty: Repo, path: str, content: str | bytes, reason: str
) -> None:
    import re

    empty.start({**FILES, path: content})
    empty.write(FILES)
    one = empty.one()
    assert (one.base, one.base_model) == (None, None)
    commit = empty.git("rev-parse", "--short", "main")
    assert one.reason is not None and re.search(reason.replace("COMMIT", commit), one.reason), one.reason
    assert "/tmp" not in one.reason and "llmkit-base" not in one.reason and "\n" not in one.reason
    assert one.changes[0].asks


def test_a_prompt_that_base_lacks_is_a_reason(empty: Repo) -> None:
    files = dict(FILES)
    del files[PROMPT_FILE]
    empty.start(files)
    empty.write(FILES)
    reason = empty.one().reason
    assert reason is not None and "suites/sums.yaml:5: no prompt file" in reason and "llmkit-base" not in reason


BROKEN = "model = [\n"


def test_a_broken_configuration_at_base_is_a_reason_for_suites_that_need_it(empty: Repo) -> None:
    empty.start({**FILES, SUITE_FILE: SUITE.replace("model: scripted/echo\n", ""), "llmkit.toml": BROKEN})
    empty.write({"llmkit.toml": 'model = "scripted/echo"\n'})
    reason = empty.one().reason
    assert reason is not None
    assert reason.startswith("base's configuration cannot be read: ") and ":llmkit.toml:1: not TOML" in reason


def test_suites_that_name_their_model_do_without_a_broken_configuration(empty: Repo) -> None:
    empty.start({**FILES, "llmkit.toml": BROKEN})
    empty.write({"llmkit.toml": ""})
    diff = empty.diff()
    assert diff.untouched == ("sums",)
    assert len(diff.notes) == 1 and "'sums' needs nothing of it" in diff.notes[0]


def test_a_model_that_base_cannot_tell_is_a_reason(empty: Repo) -> None:
    empty.start({**FILES, SUITE_FILE: SUITE.replace("scripted/echo", "nonesuch/m")})
    empty.write({SUITE_FILE: SUITE})
    reason = empty.one().reason
    assert reason is not None
    assert reason.startswith("base's model cannot be told: ") and "suites/sums.yaml:8" in reason


def test_an_error_in_rendering_bases_prompt_names_the_commit(empty: Repo) -> None:
    empty.start()
    empty.edit(PROMPT_FILE, "Add: {{question}}", "Sum: {{question}}")
    base = empty.one().base
    assert base is not None
    commit = empty.git("rev-parse", "--short", "main")
    with pytest.raises(DocumentError, match=rf"^{commit}:prompts/add\.prompty:6: .*'question' is not in the row"):
        base.prompt.render({})


# Trees that are not plain


def test_a_project_in_a_subfolder_is_compared_with_the_same_subfolder(empty: Repo) -> None:
    empty.start({f"sub/project/{path}": text for path, text in FILES.items()})
    empty.monkeypatch.chdir(empty.top / "sub" / "project")
    empty.edit(f"sub/project/{PROMPT_FILE}", "Add", "Sum")
    one = empty.one()
    assert brief(one.changes) == [("prompt", "changed", f"sub/project/{PROMPT_FILE}", True)]
    empty.monkeypatch.chdir(empty.top / "sub" / "project" / "suites")
    assert brief(empty.one().changes) == brief(one.changes)
    assert len(empty.diff(None, "sums.yaml").reached) == 1


def test_suites_outside_of_the_project_are_not_looked_for(empty: Repo) -> None:
    other = {f"other/{path}": text.replace("name: sums", "name: other") for path, text in FILES.items()}
    empty.start({**{f"mine/{path}": text for path, text in FILES.items()}, **other})
    empty.monkeypatch.chdir(empty.top / "mine")
    assert empty.diff().untouched == ("sums",)


@pytest.mark.parametrize("folder", ["with blank", "grün ä", "quo'te\"s", "new\nline", "-dash", "a:b"])
def test_paths_of_any_kind_are_found(empty: Repo, folder: str) -> None:
    empty.start({f"{folder}/{path}": text for path, text in FILES.items()})
    empty.monkeypatch.chdir(empty.top / folder)
    empty.edit(f"{folder}/{PROMPT_FILE}", "Add", "Sum")
    one = empty.one()
    assert brief(one.changes) == [("prompt", "changed", f"{folder}/{PROMPT_FILE}", True)]
    assert one.base is not None


def test_a_link_inside_the_repository_is_followed_at_base_too(empty: Repo) -> None:
    empty.top.mkdir()
    (empty.top / "prompts").mkdir()
    (empty.top / "prompts" / "current.prompty").symlink_to("../shelf/v1.prompty")
    (empty.top / "linked").symlink_to("prompts")
    suite = SUITE.replace("../prompts/add.prompty", "../linked/current.prompty")
    files = {path: text for path, text in FILES.items() if path != PROMPT_FILE}
    empty.start({**files, SUITE_FILE: suite, "shelf/v1.prompty": PROMPT})
    assert empty.diff().reached == ()
    empty.edit("shelf/v1.prompty", "Add", "Sum")
    base = empty.one().base
    assert base is not None and base.prompt.render(ROWS[0])[0].content == "Add: 0+1"


@pytest.mark.parametrize(
    ("target", "reason"),
    [("/etc/passwd", "leads out of the repository"), ("../../x", "leads out"), ("add.prompty", "in a circle")],
)
def test_a_link_of_base_that_leads_out_is_not_followed(empty: Repo, target: str, reason: str) -> None:
    empty.top.mkdir()
    (empty.top / "prompts").mkdir()
    (empty.top / PROMPT_FILE).symlink_to(target)
    empty.start({path: text for path, text in FILES.items() if path != PROMPT_FILE})
    (empty.top / PROMPT_FILE).unlink()
    empty.write(FILES)
    said = empty.one().reason
    assert said is not None and "prompts/add.prompty: " in said and reason in said


def test_a_prompt_in_a_submodule_cannot_be_compared(empty: Repo, tmp_path: Path) -> None:
    Repo(tmp_path / "inner", empty.monkeypatch).start({"add.prompty": PROMPT})
    empty.start({path: text for path, text in FILES.items() if path != PROMPT_FILE})
    empty.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "inner"), "prompts")
    empty.commit()
    empty.git("branch", "-f", "main", "change")
    reason = empty.one().reason
    assert reason is not None and "prompts/add.prompty: it lies in a submodule" in reason


def test_data_in_a_submodule_cannot_be_compared(empty: Repo, tmp_path: Path) -> None:
    Repo(tmp_path / "inner", empty.monkeypatch).start({"rows.jsonl": FILES[DATA_FILE]})
    empty.start({**FILES, SUITE_FILE: SUITE.replace("data: sums.jsonl", "data: ../sub/rows.jsonl")})
    empty.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "inner"), "sub")
    empty.commit()
    empty.git("branch", "-f", "main", "change")
    assert brief(empty.one().changes) == [("data", "added", "sub/rows.jsonl", False)]


def test_a_partial_clone_fetches_nothing_and_says_what_it_lacks(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.edit(PROMPT_FILE, "Add", "Sum")
    repo.commit()
    there = Repo(tmp_path / "clone", repo.monkeypatch)
    repo.git("clone", "-q", "--filter=blob:none", repo.top.as_uri(), str(there.top))
    repo.monkeypatch.chdir(there.top)
    one = there.one("origin/main")
    assert one.base is None and one.reason is not None
    assert "partial" in one.reason
    assert one.changes[0].asks


def test_a_prompt_that_comes_with_llmkit_is_the_same_at_base(empty: Repo) -> None:
    builtin = SUITE.replace("../prompts/add.prompty", "builtin:gsm8k")
    empty.start({**FILES, SUITE_FILE: builtin})
    assert empty.diff().reached == ()
    empty.edit(SUITE_FILE, "builtin:gsm8k", "../prompts/add.prompty")
    changes = {change.part: change for change in empty.one().changes}
    assert changes["prompt"].detail == "builtin:gsm8k → prompts/add.prompty"


def test_a_suite_is_found_among_two_thousand_files(empty: Repo) -> None:
    many = {f"k8s/{n % 40}/{n}.yaml": f"kind: Pod\nspec: {{gate: {n}, scorers: [x]}}\n" for n in range(1000)}
    many |= {f"src/{n % 40}/{n}.py": f"x = {n}\n" for n in range(1000)}
    empty.start({**FILES, **many})
    empty.edit(PROMPT_FILE, "Add", "Sum")
    assert [one.suite.name for one in empty.diff().reached] == ["sums"]


def test_nothing_stays_behind(repo: Repo, tmp_path: Path) -> None:
    import tempfile

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    repo.monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    before = sorted((repo.top / ".git").rglob("*"))
    repo.edit(PROMPT_FILE, "Add", "Sum")
    repo.diff()
    assert list(temporary.iterdir()) == []
    assert sorted((repo.top / ".git").rglob("*")) == before


def test_an_error_inside_the_block_leaves_nothing_behind_either(repo: Repo, tmp_path: Path) -> None:
    import tempfile

    from llmkit.gate.changes import changed

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    repo.monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with pytest.raises(RuntimeError, match="mine"), changed(load_settings()):
        raise RuntimeError("mine")
    assert list(temporary.iterdir()) == []


def test_an_unknown_suite_is_told_by_its_near_names(repo: Repo) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown suite 'suites/sum.yaml'. Did you mean 'suites/sums.yaml'\?"):
        repo.diff(None, "suites/sum.yaml")
