"""A hub of models on loopback."""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def nothing(path: str) -> bytes | None:
    """Answer none of the client's questions about a model."""
    return None


@contextlib.contextmanager
def serving(
    commit: str, content: bytes, api: Callable[[str], bytes | None] = nothing
) -> Iterator[tuple[str, list[str]]]:
    """Serve the same content as every file of every model; yields the address and the paths that were fetched.

    Args:
        commit: What the files are of.
        content: Of each.
        api: Answers what is asked below ``/api/``, by its path; None: it is not there.
    """
    fetched: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            asked = self.path.startswith("/api/")  # the client's own questions, which fetch nothing
            found = api(self.path) if asked else content
            if found is None:
                self.send_error(404)
                return
            if body and not asked:
                fetched.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(found)))
            self.send_header("ETag", f'"{hashlib.sha1(self.path.encode()).hexdigest()}"')
            self.send_header("X-Repo-Commit", commit)
            self.end_headers()
            if body:
                self.wfile.write(found)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", fetched
        finally:
            server.shutdown()
            thread.join()
