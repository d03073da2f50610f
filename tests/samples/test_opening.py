"""A suite names data near itself; a user names any."""

import hashlib
from pathlib import Path

import pytest

from llmkit.errors import DataError, DocumentError, UsageError
from llmkit.samples import FileSource, HubSource, Row, open_source


@pytest.fixture
def project(tmp_path):
    (tmp_path / "project" / "suites" / "data").mkdir(parents=True)
    (tmp_path / "project" / "shared.jsonl").write_text('{"a": 1}\n')
    (tmp_path / "project" / "suites" / "data" / "add.jsonl").write_text('{"a": 2}\n')
    (tmp_path / "outside.jsonl").write_text('{"a": 3}\n')
    return tmp_path / "project"


def test_a_path_is_relative_to_the_suites_folder(project):
    source = open_source("data/add.jsonl", base=project / "suites")
    assert list(source.rows()) == [Row({"a": 2}, 1)]
    assert source.describe() == str(project / "suites" / "data" / "add.jsonl")
    assert source.where(1) == f"{source.describe()}:1"


def test_a_path_may_lead_into_the_project(project):
    source = open_source("../shared.jsonl", base=project / "suites", roots=[project])
    assert list(source.rows()) == [Row({"a": 1}, 1)]


@pytest.mark.parametrize("name", ["../../outside.jsonl", "/etc/passwd", "link.jsonl"])
def test_a_path_may_not_lead_out_of_it(project, name):
    (project / "suites" / "link.jsonl").symlink_to(project.parent / "outside.jsonl")
    with pytest.raises(DocumentError, match="leads out of the project") as caught:
        open_source(name, base=project / "suites", roots=[project], where="suite.yaml:3")
    assert str(caught.value).startswith("suite.yaml:3: ")
    assert "--data" in str(caught.value)


def test_the_users_own_path_may_lead_anywhere(project):
    source = open_source("data/add.jsonl", base=project / "suites", override=str(project.parent / "outside.jsonl"))
    assert list(source.rows()) == [Row({"a": 3}, 1)]


def test_the_users_own_path_is_relative_to_the_current_folder(project, monkeypatch):
    monkeypatch.chdir(project.parent)
    source = open_source({"hf": "a/b"}, base=project / "suites", override="outside.jsonl")
    assert source.path == Path("outside.jsonl")


def test_a_missing_file_offers_the_nearest_one(project):
    with pytest.raises(DocumentError, match=r"s.yaml:3: no file .*Did you mean 'add.jsonl'\?"):
        open_source("data/ad.jsonl", base=project / "suites", where="s.yaml:3")


def test_a_missing_file_of_the_user_is_a_usage_error(project):
    with pytest.raises(UsageError, match=r"--data: no file 'none.jsonl'"):
        open_source("x", base=project, override="none.jsonl")


def test_an_unknown_format_names_the_known_ones(project):
    (project / "data.txt").touch()
    with pytest.raises(DocumentError, match=r"has no format that is read. These are: .jsonl, "):
        open_source("data.txt", base=project)


def test_a_hub_data_set_is_not_touched_when_opened(project):
    source = open_source({"hf": "openai/gsm8k", "config": "main", "split": "test"}, base=project)
    assert isinstance(source, HubSource)
    assert source.path is None


def test_a_file_is_fingerprinted_by_its_bytes(project):
    source = open_source("shared.jsonl", base=project)
    assert isinstance(source, FileSource)
    assert source.fingerprint() == hashlib.sha256(b'{"a": 1}\n').hexdigest()


def test_a_file_that_vanished_is_a_data_error(project):
    source = open_source("shared.jsonl", base=project)
    (project / "shared.jsonl").unlink()
    with pytest.raises(DataError, match="cannot be read: No such file"):
        source.fingerprint()
