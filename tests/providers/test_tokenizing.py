"""/tokenize of vLLM's and of llama.cpp's servers, over a real connection; and of servers that have none."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from llmkit.errors import ProviderError, UsageError
from llmkit.providers.base import ModelRef, Tokenizes
from llmkit.providers.registry import create

Answer = Callable[[dict[str, Any]], tuple[int, Any]]


class Asked(list[tuple[str, dict[str, Any]]]):
    """What a server was asked: path and body."""

    url: str


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Asked]]:
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answer) -> Asked:
        asked = Asked()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                asked.append((self.path, body))
                status, said = answer(body)
                content = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        asked.url = f"http://127.0.0.1:{server.server_address[1]}"
        return asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def vllm(body: dict[str, Any]) -> tuple[int, Any]:
    return 200, {"count": len(body["prompt"].split()), "max_model_len": 4096, "tokens": []}


def llama(body: dict[str, Any]) -> tuple[int, Any]:
    return 200, {"tokens": list(range(len(body["content"].split())))}


def tokenizer_of(name: str) -> Any:
    provider = create(ModelRef(name))
    assert isinstance(provider, Tokenizes)
    return provider.tokenizer()


@pytest.mark.parametrize("answer", [vllm, llama])
@pytest.mark.parametrize("model", ["vllm/org/m@{}", "openai/m@{}/v1"])
def test_a_server_counts_beside_its_v1(serve, answer, model):
    asked = serve(answer)
    with tokenizer_of(model.format(asked.url)) as tokenizer:
        assert tokenizer.count("one two three") == 3
    assert {path for path, _ in asked} == {"/tokenize"}
    assert asked[-1][1]["add_special_tokens"] is asked[-1][1]["add_special"] is False


def test_the_name_tells_the_model_and_what_it_makes_of_a_probe(serve):
    def name(answer: Answer) -> str:
        with tokenizer_of(f"vllm/org/m@{serve(answer).url}") as tokenizer:
            return str(tokenizer.name)

    assert name(vllm) == name(llama)
    assert name(vllm).startswith("org/m at /tokenize:")
    assert name(vllm) != name(lambda body: (200, {"count": len(body["prompt"])}))


def test_a_server_without_it_says_what_to_name(serve):
    asked = serve(lambda body: (404, {"error": {"message": "Not Found"}}))
    with pytest.raises(UsageError, match=r"the server of m has no /tokenize to ask. Name a tokenizer .* characters:4"):
        tokenizer_of(f"vllm/m@{asked.url}").__enter__()


def test_openais_own_host_is_not_asked(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(UsageError, match="OpenAI's API has no /tokenize to ask"):
        tokenizer_of("openai/gpt-4o")


def test_an_answer_without_a_count_is_malformed(serve):
    asked = serve(lambda body: (200, {"tokens": "many"}))
    with pytest.raises(ProviderError) as caught:
        tokenizer_of(f"vllm/m@{asked.url}").__enter__()
    assert caught.value.fault == "malformed"


def test_a_server_that_is_not_there(serve):
    with pytest.raises(ProviderError) as caught:
        tokenizer_of("vllm/m@http://127.0.0.1:1").__enter__()
    assert caught.value.fault == "connection"
