from __future__ import annotations

import json
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from llmkit.cli.main import main
from llmkit.errors import UsageError
from llmkit.version import __version__
from tests.cli.conftest import Cli

EXIT_CODES = "0 done or passed, 1 a threshold, gate or validation failed, 2 usage, 3 not enough evidence"


def test_help_documents_the_exit_codes(cli: Cli) -> None:
    said = cli("--help")
    assert said.code == 0
    assert EXIT_CODES in " ".join(said.out.split())


def test_version(cli: Cli) -> None:
    assert cli("--version").out == f"llmkit {__version__}\n"


def test_no_command_shows_the_help(cli: Cli) -> None:
    said = cli()
    assert said.code == 2
    assert "Commands:" in said.out + said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("evla",), "No such command 'evla'"),
        (("evla",), "Did you mean 'eval'? See "),
        (("eval", "capitals.yaml", "--limt", "3"), "No such option: --limt"),
        (("eval",), "Missing argument 'SUITE...'"),
        (("runs", "list", "--status", "finshed"), "for '--status': 'finshed' is not one of"),
        (("eval", "capitals.yaml", "--max-cost", "-1"), "for '--max-cost': should be greater than or equal to 0"),
        (("eval", "capitals.yaml", "--limit", "0"), "Invalid value for '--limit'"),
        (("eval", "capitals.yaml", "--epochs", "40000"), "less than or equal to 1000"),
        (("eval", "capitals.yaml", "-M", "temprature=0"), "Did you mean 'temperature'"),
        (("eval", "capitals.yaml", "-M", "temperature"), "is not key=value"),
        (("eval", "capitls.yaml"), "Did you mean 'capitals.yaml'?"),
        (("eval", "capitals.yaml", "-m", "gpt-4o"), "openai/gpt-4o"),
        (("eval", "capitals.yaml", "-m", "opnai/gpt-4o"), "Did you mean 'openai'?"),
        (("eval", "capitals.yaml", "-m", "openai/gpt-4o"), "OPENAI_API_KEY"),
        (("eval", "capitals.yaml", "--min", "exact_mach=.8"), "Did you mean 'exact_match'?"),
        (("eval", "capitals.yaml", "--min", "exact_match"), "is no METRIC=NUMBER"),
        (("eval", "capitals.yaml", "--data", "nowhere.jsonl"), "nowhere.jsonl"),
        (("eval", "capitals.yaml", "--resume"), "no unfinished run"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_misuse_is_one_line_and_exit_2(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    said = cli(*arguments)
    assert said.code == 2
    assert words in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_bug_is_one_line_and_exit_4(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmkit.doctor.examine", lambda settings: 1 / 0)
    said = cli("doctor")
    assert said.code == 4
    assert (
        said.err == "llmkit: this is a bug in llmkit: ZeroDivisionError: division by zero. See where with --traceback\n"
    )


def llmkit(project: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a shell's line, in which ``llmkit`` is this one, as a process of its own."""
    line = command.replace("llmkit", f"{shlex.quote(sys.executable)} -m llmkit")
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=project, check=False, timeout=60)


@pytest.mark.parametrize("line", ["llmkit --traceback eval nothing.yaml", "llmkit eval nothing.yaml --traceback"])
def test_traceback_shows_where_and_keeps_the_exit_code(project: Path, line: str) -> None:
    said = llmkit(project, line)
    assert "Traceback (most recent call last)" in said.stderr
    assert "UnknownNameError" in said.stderr
    assert said.stderr.splitlines()[-1].startswith("llmkit: unknown suite 'nothing.yaml'")
    assert said.returncode == 2


def test_with_traceback_a_bug_exits_4(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("llmkit.doctor.examine", lambda settings: 1 / 0)
    assert main(["doctor"], traceback=True) == 4
    assert "line" in capfd.readouterr().err


def test_in_actions_no_line_of_a_traceback_is_a_command(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(settings: object) -> None:
        raise ValueError("a\n::error::forged\n\x1b]0;owned\x07")

    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setattr("llmkit.doctor.examine", broken)
    main(["doctor"], traceback=True)
    said = capfd.readouterr().err
    assert "\n| ::error::forged\n" in said
    assert "\x1b" not in said


def test_a_key_at_the_beginning_of_an_errors_line_is_masked(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(settings: object) -> None:
        raise UsageError("the server said:\nsk-proj-verysecretverysecret")

    monkeypatch.setattr("llmkit.doctor.examine", broken)
    assert main(["doctor"]) == 2
    assert capfd.readouterr().err == "llmkit: the server said:\\n***\n"


def test_a_traceback_holds_no_secret(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def broken(settings: object) -> None:
        try:
            raise ValueError("asked http://user:hunter2hunter2@127.0.0.1/ with sk-proj-verysecretverysecret")
        except ValueError as error:
            raise RuntimeError("Authorization: Bearer verysecretverysecret") from error

    monkeypatch.setattr("llmkit.doctor.examine", broken)
    main(["doctor"], traceback=True)
    said = capfd.readouterr().err
    assert said.count("Traceback (most recent call last)") == 2
    assert said.count("***") >= 3
    assert "hunter2" not in said
    assert "verysecret" not in said


@pytest.mark.parametrize("command", ["eval capitals.yaml", "eval capitals.yaml --json", "--help", "doctor --json"])
def test_a_full_disk_on_standard_output_is_one_line_exit_4_and_loses_no_result(
    project: Path, cli: Cli, command: str
) -> None:
    said = llmkit(project, f"llmkit {command} > /dev/full")
    assert said.stderr == "llmkit: standard output: cannot be written: No space left on device\n"
    assert said.returncode == 4
    if command.startswith("eval"):
        assert "0.75 [0.30, 0.95]  n=4" in cli("runs", "show").out


class _Refuses(BaseHTTPRequestHandler):
    """Answers 401 and repeats the key, as servers do."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"error": {"message": f"Incorrect API key: {self.headers['Authorization']}"}}).encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def refusing() -> Iterator[int]:
    """The port of a server that knows no key."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refuses) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


KEY, PASSWORD = "sk-proj-verysecretverysecretverysecret", "hunter2hunter2"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:{port}/v1", "Incorrect API key"),
        (f"http://user:{PASSWORD}@127.0.0.1:{{port}}/v1", "credentials encoded in URL"),
    ],
    ids=["key", "password"],
)
def test_no_secret_reaches_an_error(
    cli: Cli, project: Path, refusing: int, monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    url = f"base_url={address.format(port=refusing)}"
    said = cli("eval", "capitals.yaml", "-m", "openai/gpt-4o", "--limit", "1", "-M", url)
    store = b"".join(p.read_bytes() for p in (project / ".llmkit").rglob("*") if p.is_file())
    assert said.code == 4
    assert words in said.out
    assert words.encode() in store
    for secret in (KEY, PASSWORD):
        assert secret not in said.err + said.out
        assert secret.encode() not in store


def test_a_key_beside_credentials_in_the_url_is_said_once_and_not_tried_again(
    cli: Cli, refusing: int, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    url = f"base_url=http://user:{PASSWORD}@127.0.0.1:{refusing}/v1"
    run = cli("eval", "capitals.yaml", "-m", "openai/gpt-4o", "--limit", "1", "-M", url, "--json").json["runs"][0]
    assert list(run["faults"]) == ["provider/bad_request"]
    assert (run["usage"]["lost_attempts"], run["lost_cost_usd"]) == (0, 0.0)
