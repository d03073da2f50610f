"""Which suites are gated: those named, else the configuration's, else all of the project's that have ``gate:``."""

from __future__ import annotations

import pytest

from llmkit.errors import DocumentError, UsageError
from tests.gate.repository import FILES, SUITE, Repo, needs_git

pytestmark = needs_git

UNGATED = SUITE.replace("gate: {exact_match: {max_drop: 0.1}}\n", "").replace("name: sums", "name: loose")
SECOND = SUITE.replace("name: sums", "name: second")


def names(repo: Repo, *suites: str) -> list[str]:
    diff = repo.diff(None, *suites)
    return sorted([*diff.untouched, *(one.suite.name for one in diff.reached)])


def test_all_gated_suites_of_the_project_are_found_tracked_or_not(empty: Repo) -> None:
    empty.start({**FILES, "suites/loose.yaml": UNGATED, "deep/er/second.yml": SECOND.replace("../", "../../")
                 .replace("sums.jsonl", "../../suites/sums.jsonl")})  # fmt: skip
    empty.write({"suites/third.yaml": SUITE.replace("name: sums", "name: third")})
    assert names(empty) == ["second", "sums", "third"]


@pytest.mark.parametrize(
    "text",
    [
        SUITE.replace("gate:", '"gate":'),
        "---\n# a comment\n" + SUITE,
        '{"version": 1, "name": "sums", "data": "sums.jsonl", "map": {"target": "answer"},\n'
        '"prompt": "../prompts/add.prompty", "scorers": ["exact_match"], "model": "scripted/echo",\n'
        '"gate": {"exact_match": {"max_drop": 0.1}}}\n',
        "\ufeff" + SUITE.replace("\n", "\r\n"),
    ],
)
def test_a_gated_suite_is_found_however_its_yaml_is_written(empty: Repo, text: str) -> None:
    empty.start({**FILES, "suites/sums.yaml": text})
    assert names(empty) == ["sums"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("ci.yaml", "stages: [x]\ngate:\n  script: [make]\n"),  # a pipeline whose job is called gate
        ("broken.yaml", "gate: [\n"),
        ("helm/values.yaml", "gate: {{ .Values.gate }}\n"),
        (".hidden/second.yaml", SECOND),
        ("binary.yaml", b"gate:\n\xff\xfe"),
        ("list.yaml", "- gate: 1\n"),
        ("ignored/second.yaml", SECOND),
        ("second.txt", SECOND),
    ],
)
def test_what_is_no_gated_suite_is_left_alone(repo: Repo, path: str, text: str | bytes) -> None:
    repo.write({".gitignore": "ignored/\n", path: text})
    assert names(repo) == ["sums"]


def test_a_link_to_a_suite_is_not_a_second_one(repo: Repo) -> None:
    (repo.top / "suites" / "again.yaml").symlink_to("sums.yaml")
    assert names(repo) == ["sums"]


def test_a_tracked_suite_that_is_deleted_is_no_error(empty: Repo) -> None:
    empty.start({**FILES, "suites/second.yaml": SECOND})
    (empty.top / "suites/second.yaml").unlink()
    assert names(empty) == ["sums"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[exact_match]", "[exact_mtch]", r"^suites/sums\.yaml:6: unknown scorer 'exact_mtch'"),
        ("name: sums", "name: [", r"^suites/sums\.yaml:4: not YAML"),
        ("max_drop: 0.1", "max_drop: 1.5", r"^suites/sums\.yaml:7: the margin 1\.5 is out of range"),
        ("max_drop: 0.1", "max_drop: 0", r"^suites/sums\.yaml:7: "),
    ],
)
def test_a_broken_suite_of_the_working_tree_is_an_error_with_its_line(
    repo: Repo, old: str, new: str, message: str
) -> None:
    repo.edit("suites/sums.yaml", old, new)
    with pytest.raises(UsageError, match=message):
        repo.diff()


def test_named_suites_are_those_alone(empty: Repo) -> None:
    empty.start({**FILES, "suites/second.yaml": SECOND})
    assert names(empty, "suites/second.yaml") == ["second"]
    assert names(empty, "suites/second.yaml", "suites/sums.yaml", "suites/../suites/sums.yaml") == ["second", "sums"]


def test_named_suites_are_named_from_the_current_folder_the_configurations_from_its_own(empty: Repo) -> None:
    toml = '[gate]\nsuites = ["suites/second.yaml"]\n'
    empty.start({**FILES, "suites/second.yaml": SECOND, "llmkit.toml": toml})
    empty.monkeypatch.chdir(empty.top / "suites")
    assert names(empty) == ["second"]
    assert names(empty, "sums.yaml") == ["sums"]


def test_a_list_of_suites_stands_for_those_of_them_that_are_gated(empty: Repo) -> None:
    files = {"suites/second.yaml": SECOND, "suites/loose.yaml": UNGATED}
    empty.start({**FILES, **files, "all.yaml": "version: 1\nsuites: [suites/sums, suites/second, suites/loose]\n"})
    assert names(empty, "all.yaml") == ["second", "sums"]
    assert empty.diff(None, "all.yaml").notes[1:] == ("suite 'loose' of all.yaml has no gate: and is not gated",)


@pytest.mark.parametrize(
    ("scorers", "hint"),
    [
        ("[includes]", r"gate: \{includes: \{max_drop: 0\.02\}\}"),
        ("[wer]", r"gate: \{wer: \{max_rise: 0\.02\}\}"),
        ("[bleu]", r"gate: \{bleu: \{max_drop: 2\}\}"),
    ],
)
def test_a_named_suite_without_a_gating_metric_is_an_error_with_the_line_to_add(
    empty: Repo, scorers: str, hint: str
) -> None:
    empty.start({**FILES, "loose.yaml": UNGATED.replace("../", "").replace("sums.jsonl", "suites/sums.jsonl")})
    empty.edit("loose.yaml", "[exact_match]", scorers)
    with pytest.raises(DocumentError, match=rf"^loose\.yaml: the suite 'loose' has no gating metric\. .*{hint}"):
        empty.diff(None, "loose.yaml")


def test_a_built_in_suite_has_no_gating_metric(repo: Repo) -> None:
    with pytest.raises(DocumentError, match="has no gating metric"):
        repo.diff(None, "gsm8k")


def test_a_project_without_a_gated_suite_is_an_error_with_the_line_to_add(empty: Repo) -> None:
    empty.start({**FILES, "suites/sums.yaml": UNGATED})
    with pytest.raises(UsageError, match=r"no suite of this project has a gating metric\. .*gate: \{exact_match"):
        empty.diff()


def test_two_gated_suites_of_one_name_are_an_error_that_names_both(repo: Repo) -> None:
    repo.write({"suites/second.yaml": SUITE})
    with pytest.raises(UsageError, match=r"two suites are called 'sums': suites/second\.yaml and suites/sums\.yaml"):
        repo.diff()


def test_a_suite_outside_of_the_repository_cannot_be_compared(repo: Repo) -> None:
    outside = repo.top.parent / "outside"
    for path, text in FILES.items():
        (outside / path).parent.mkdir(parents=True, exist_ok=True)
        (outside / path).write_text(text)
    with pytest.raises(UsageError, match=r"lies outside of the git repository.*--baseline"):
        repo.diff(None, str(outside / "suites/sums.yaml"))
