"""A Hugging Face hub on the loopback: one data set, one Parquet file, one commit, the calls that its clients make."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow
import pyarrow.parquet

COMMIT = "e53f048856ff4f594e959d75785d2c2d37b678ee"
CARD = """---
configs:
- config_name: main
  data_files:
  - split: test
    path: main/test-00000-of-00001.parquet
---
# A card
"""


def parquet(rows: list[dict[str, Any]]) -> bytes:
    """Write rows as a Parquet file."""
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


@dataclass
class Hub:
    """What the hub holds and what it was asked."""

    files: dict[str, bytes]
    hub_id: str = "openai/gsm8k"
    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def entry(self, path: str) -> dict[str, Any]:
        content = self.files[path]
        return {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}

    def info(self) -> dict[str, Any]:
        return {
            "_id": "1",
            "id": self.hub_id,
            "sha": COMMIT,
            "private": False,
            "gated": False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "siblings": [{"rfilename": path} for path in self.files],
        }


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """The tests read ``Hub.asked`` instead."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(body)

    def _answer(self, body: bytes = b"") -> None:
        url = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"{self.command} {url}")
        api, files = f"/api/datasets/{self.hub.hub_id}", f"/datasets/{self.hub.hub_id}/resolve/{COMMIT}/"
        if url in (api, f"{api}/revision/main", f"{api}/revision/{COMMIT}"):
            self._json(self.hub.info())
        elif url.startswith(f"{api}/revision/"):
            self._missing("RevisionNotFound")
        elif url.startswith(f"{api}/tree/{COMMIT}"):
            folder = url.removeprefix(f"{api}/tree/{COMMIT}").strip("/")
            self._json([self.hub.entry(path) for path in self.hub.files if path.startswith(folder)])
        elif url == f"{api}/paths-info/{COMMIT}":
            wanted = json.loads(body)["paths"]
            self._json([self.hub.entry(path) for path in wanted if path in self.hub.files])
        elif url.startswith(files):
            self._file(url.removeprefix(files))
        elif url.startswith((f"{api}/", f"/datasets/{self.hub.hub_id}/")):
            self._missing("EntryNotFound")
        else:
            self._missing("RepoNotFound")

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _missing(self, code: str) -> None:
        self._send(404, b"{}", {"X-Error-Code": code, "X-Error-Message": code})

    def _file(self, path: str) -> None:
        if path not in self.hub.files:
            self._missing("EntryNotFound")
            return
        content = self.hub.files[path]
        etag = f'"{hashlib.sha1(content).hexdigest()}"'
        headers = {"ETag": etag, "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        self._send(200, content, headers)

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@contextmanager
def serving(rows: list[dict[str, Any]]) -> Iterator[Hub]:
    """Run a hub that holds ``rows`` as the split ``test`` of the configuration ``main``."""
    hub = Hub({"README.md": CARD.encode(), "main/test-00000-of-00001.parquet": parquet(rows)})
    handler = type("Handler", (_Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
