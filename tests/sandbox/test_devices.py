"""Devices are written to and read, and stay as this machine has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmkit.errors import NoIsolationError
from llmkit.sandbox.bubblewrap import Bubblewrap
from llmkit.sandbox.choose import probe
from llmkit.sandbox.namespaces import Namespaces
from llmkit.sandbox.users import Users, may_become_others
from tests.sandbox.conftest import run

KINDS: dict[str, type[Bubblewrap] | type[Namespaces]] = {"bubblewrap": Bubblewrap, "namespaces": Namespaces}
CHANGE = """
import os
for path in ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"):
    opened = os.open(path, os.O_RDWR if path != "/dev/full" else os.O_RDONLY)
    mode = os.fstat(opened).st_mode & 0o7777
    for change, what in ((os.chmod, path), (os.fchmod, opened)):
        try:
            change(what, mode)  # what it has, for where it can be changed
        except OSError as error:
            print(error.strerror)
        else:
            print(path, "changed")
print(open("/dev/null", "w").write("gone"), open("/dev/zero", "rb").read(2))
"""


@pytest.mark.parametrize("root", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_nobody_changes_a_devices_mode(kind: str, root: bool) -> None:
    """Nor root's programs in a user namespace, who own what root owns."""
    if isinstance(probe(kind), NoIsolationError) or (root and not may_become_others()):
        pytest.skip("no such sandbox here")
    if kind == "bubblewrap" and not root and Path("/dev/null").stat().st_uid == os.geteuid():
        with pytest.raises(NoIsolationError, match="programs of whoever owns the devices could change their modes"):
            Bubblewrap.find(Users(root=False))
        return
    refused = "Read-only file system" if kind == "namespaces" else "Operation not permitted"
    ended = run(KINDS[kind].find(Users(root=root)), CHANGE)
    assert ended.stdout.decode().splitlines() == [refused] * 10 + ["4 b'\\x00\\x00'"], ended.stderr
