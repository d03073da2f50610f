"""The README's commands on vLLM print what it shows. The hub's model is the one that lies here, in the hub's cache."""

import hashlib

import pytest

from tests.test_readme import CONSOLE, shell, shows_what_it_prints
from tests.vllm.models import folder

__all__ = ["shell"]
NAME = "models--HuggingFaceTB--SmolLM2-135M-Instruct"
BLOCKS = [check for check in CONSOLE if check.how.startswith("vllm")]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Set up the hub's cache so that the model that is here is found under its name there."""
    home, commit = tmp_path_factory.mktemp("hub"), hashlib.sha1(b"converted").hexdigest()
    snapshots = home / "hub" / NAME / "snapshots"
    snapshots.mkdir(parents=True)
    (snapshots / commit).symlink_to(folder())
    (home / "hub" / NAME / "refs").mkdir()
    (home / "hub" / NAME / "refs" / "main").write_text(commit)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HF_HOME", str(home))
        patched.setenv("HF_HUB_OFFLINE", "1")
        yield


def test_there_are_such_blocks():
    assert BLOCKS


@pytest.mark.parametrize("check", BLOCKS, ids=lambda check: check.commands[0][0])
def test_the_readme_shows_what_its_commands_print(hub, request, check):
    shows_what_it_prints(request.getfixturevalue("shell"), check)
