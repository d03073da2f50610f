"""The cache key: what changes it, one component at a time, and what does not."""

import json

import pytest

from llmkit.providers.base import Capabilities, ModelRef
from llmkit.providers.registry import create
from llmkit.providers.scripted import Scripted
from llmkit.runs.key import Keys, Replicate, identity
from llmkit.types import Message, Request

URL = "http://127.0.0.1:9/v1"
ASKED = (Message("system", "Add."), Message("user", "1+1"))
PARAMS = {
    "temperature": 0.5, "top_p": 0.9, "top_k": 40, "max_tokens": 16, "stop": ["\n"], "seed": 7, "presence_penalty": 0.1,
    "frequency_penalty": 0.1, "logprobs": True, "top_logprobs": 2, "response_format": {"type": "json_object"},
    "reasoning_effort": "low", "extra": {"min_p": 0.1},
}  # fmt: skip
OTHER = {
    "temperature": 0.6, "top_p": 0.8, "top_k": 41, "max_tokens": 17, "stop": ["\n\n"], "seed": 8,
    "presence_penalty": 0.2, "frequency_penalty": 0.2, "logprobs": False, "top_logprobs": 3,
    "response_format": {"type": "text"}, "reasoning_effort": "high", "extra": {"min_p": 0.2},
}  # fmt: skip


class Plain:
    """A third party's provider that does not show its wire."""

    name, capabilities = "plain", Capabilities()

    def __init__(self, model="one"):
        self.model = model

    async def complete(self, request):
        raise NotImplementedError


class Weights(Plain):
    """One that runs a model file in process."""

    def __init__(self, sha256="ab", engine="1.0"):
        super().__init__()
        self.said = {"model_sha256": sha256, "engine": engine}

    def wire(self, request):
        return {"prompt": request.messages[-1].content, **request.params}

    def identity(self):
        return self.said


def server(kind, model="m", **options):
    return create(ModelRef(f"{kind}/{model}", {}, {"base_url": URL, **options}))


MAKERS = {
    "openai": lambda: server("openai"),
    "vllm": lambda: server("vllm"),
    "scripted": lambda: Scripted("echo"),
    "third party": Plain,
}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "VLLM_API_KEY", "VLLM_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=MAKERS)
def provider(request):
    return MAKERS[request.param]()


def key(provider, messages=ASKED, params=PARAMS, replicate=None):
    return Keys(provider).key(Request(messages, params), replicate or Replicate())


def test_equal_requests_to_equal_providers_have_one_key(provider):
    twin = MAKERS[{"openai": "openai", "vllm": "vllm", "scripted": "scripted"}.get(provider.name, "third party")]()
    assert key(provider) == key(twin)
    assert len(key(provider)) == 32


@pytest.mark.parametrize(
    "messages",
    [
        (Message("system", "Add."), Message("user", "1+2")),
        (Message("system", "Sum."), Message("user", "1+1")),
        (Message("user", "Add."), Message("user", "1+1")),
        (Message("user", "1+1"), Message("system", "Add.")),
        (Message("user", "1+1"),),
        (Message("system", "Add. "), Message("user", "1+1")),
    ],
    ids=["last text", "first text", "role", "order", "one less", "whitespace"],
)
def test_other_messages_miss(provider, messages):
    assert key(provider, messages) != key(provider)


@pytest.mark.parametrize("name", PARAMS)
def test_another_value_of_a_parameter_misses(provider, name):
    # top_logprobs sends logprobs: true whatever logprobs says, so logprobs is told apart where it stands alone
    params = {k: v for k, v in PARAMS.items() if name != "logprobs" or k != "top_logprobs"}
    assert key(provider, params={**params, name: OTHER[name]}) != key(provider, params=params)


@pytest.mark.parametrize("name", sorted(PARAMS.keys() - {"logprobs"}))
def test_a_parameter_less_misses(provider, name):
    assert key(provider, params={k: v for k, v in PARAMS.items() if k != name}) != key(provider)


def test_another_shape_of_output_misses():
    shapes = [{"regex": "a"}, {"regex": "b"}, {"choice": ["a"]}, {"json_schema": {"type": "string"}}]
    keys = {key(server("vllm"), params={"structured": shape}) for shape in shapes}
    assert len(keys) == len(shapes)


def test_the_order_of_parameters_does_not_matter(provider):
    assert key(provider, params=dict(reversed(PARAMS.items()))) == key(provider)


def test_another_model_misses():
    assert key(server("openai", "a")) != key(server("openai", "b"))
    assert key(Plain("a")) != key(Plain("b"))
    assert key(Scripted("echo")) != key(Scripted("constant"))


def test_another_provider_of_the_same_model_at_the_same_endpoint_misses():
    assert server("openai").identity() == server("vllm").identity()
    assert key(server("openai"), params={}) != key(server("vllm"), params={})


def test_another_wire_of_the_same_provider_misses():
    assert key(server("openai"), params={}) != key(server("openai", api="responses"), params={})


@pytest.mark.parametrize("kind", ["openai", "vllm"])
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:10/v1", "http://127.0.0.2:9/v1", "https://127.0.0.1:9/v1", "http://127.0.0.1:9/v2"]
)
def test_another_endpoint_misses(kind, url):
    assert key(server(kind, base_url=url)) != key(server(kind))


@pytest.mark.parametrize("kind", ["openai", "vllm"])
@pytest.mark.parametrize(
    "url",
    ["http://user:secret@127.0.0.1:9/v1", "http://127.0.0.1:9/v1/", "http://127.0.0.1:9/v1?api_key=secret"],
    ids=["user and password", "slash", "key in the query"],
)
def test_credentials_in_the_endpoint_do_not_matter_and_are_not_in_the_identity(kind, url):
    assert key(server(kind, base_url=url)) == key(server(kind))
    assert "secret" not in json.dumps(identity(server(kind, base_url=url)))


def test_the_api_key_does_not_matter(monkeypatch):
    without = key(server("openai"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secretsecret")
    assert key(server("openai")) == without


@pytest.mark.parametrize("name", ["timeout_s", "connect_timeout_s", "read_timeout_s"])
def test_how_long_an_answer_may_take_does_not_matter(name):
    assert key(server("openai", **{name: 5.0})) == key(server("openai"))


@pytest.mark.parametrize("kind", ["openai", "vllm"])
def test_another_revision_misses(kind):
    keys = {key(server(kind)), key(server(kind, revision="a")), key(server(kind, revision="b"))}
    assert len(keys) == 3


@pytest.mark.parametrize("part", ["epoch", "vote", "attempt", "arm"])
def test_another_replicate_misses(provider, part):
    assert key(provider, replicate=Replicate(**{part: 2})) != key(provider)


def test_the_parts_of_a_replicate_do_not_stand_for_each_other(provider):
    parts = [Replicate(epoch=12), Replicate(vote=2), Replicate(attempt=2), Replicate(arm=2), Replicate(epoch=1)]
    assert len({key(provider, replicate=part) for part in parts}) == len(parts)


def test_other_weights_miss():
    assert key(Weights("ab")) != key(Weights("cd"))
    assert key(Weights("ab")) == key(Weights("ab"))


def test_another_engine_version_misses():
    assert key(Weights(engine="1.0")) != key(Weights(engine="1.1"))


def test_another_script_misses_and_the_same_script_elsewhere_does_not(tmp_path):
    paths = [tmp_path / name for name in ("a.jsonl", "b.jsonl", "c.jsonl")]
    for path, text in zip(paths, ("2", "2", "3"), strict=True):
        path.write_text(json.dumps({"match": "1+1", "text": text}) + "\n")
    a, b, c = (key(Scripted("x", {"file": str(path)})) for path in paths)
    assert a == b != c


def test_a_function_is_never_answered_for_by_another_process_unless_it_has_a_revision():
    assert key(Scripted(function=str)) != key(Scripted(function=str))
    assert key(Scripted(function=str, options={"revision": "1"})) == key(
        Scripted(function=str, options={"revision": "1"})
    )


def test_what_looks_alike_after_joining_is_told_apart(provider):
    one = (Message("user", 'a"},{"role":"user","content":"b'),)
    two = (Message("user", "a"), Message("user", "b"))
    assert key(provider, one) != key(provider, two)


def test_a_lone_surrogate_has_a_key(provider):
    assert key(provider, (Message("user", "\ud800"),)) != key(provider, (Message("user", "\udfff"),))
