"""Suites that compare continuations, end to end: asked, stored, cached, resumed, capped and scored like any other."""

import json
from dataclasses import replace

import pytest

from llmkit.errors import UsageError
from llmkit.providers.base import ModelRef
from llmkit.runs.evaluate import evaluate_async
from llmkit.runs.forecast import forecast
from llmkit.runs.options import Options
from llmkit.runs.store import Store
from tests.providers.echoing import Vllm, likely
from tests.providers.server import Server, status
from tests.runs.project import QUICK

SUITE = """\
version: 1
name: cities
data: cities.jsonl
map: {id: id, target: right}
messages: [{role: user, content: "{{question}}"}]
likelihood: {choices: options%s}
scorers: [likelihood]
"""
MODEL = "vllm/bigram"
WORDS = ("red", "green", "blue", "black")


def likeliest(question):
    return max(WORDS, key=lambda word: likely(question, f" {word}"))


def rows(count):
    """Questions of one token, whose right answer the model on loopback holds likeliest for even ones alone."""
    found = []
    for n in range(count):
        best = likeliest(f"q{n}")
        right = WORDS.index(best) if n % 2 == 0 else (WORDS.index(best) + 1) % len(WORDS)
        found.append({"id": f"s{n}", "question": f"q{n}", "options": list(WORDS), "right": right})
    return found


@pytest.fixture
def suite(project):
    def write(count=6, more=", template: none", text=SUITE):
        (project.folder / "cities.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(count)))
        path = project.folder / "cities.yaml"
        path.write_text(text % more)
        return str(path)

    return write


async def run(server, suite, model=MODEL, **how):
    url = {"base_url": server.url, **({"loglikelihood": True} if model.startswith("openai") else {})}
    options = Options(**{"retry": QUICK, **how})
    (ending,) = await evaluate_async(suite, ModelRef(model, {}, url), options=options)
    return ending


def completions(server):
    return [seen for seen in server.log if seen.path == "/v1/completions"]


async def test_each_sample_is_compared_once_and_scored(suite):
    async with Server(default=Vllm()) as server:
        result = (await run(server, suite(6))).result
    assert (result.status, result.completed, result.failed, result.usage.calls) == ("completed", 6, 0, 6)
    assert (result.metrics["likelihood"].value, result.metrics["likelihood"].n) == (0.5, 6)
    assert len(completions(server)) == 6


async def test_what_is_stored_is_every_continuation_with_its_log_likelihood(project, suite):
    async with Server(default=Vllm()) as server:
        result = (await run(server, suite(2, ", template: none, unconditional: 'A:'"))).result
    with Store(project.store) as store:
        samples = list(store.samples(result.run_id))
    stored = samples[0].answer.completion
    assert (stored.text, stored.finish_reason) == (likeliest("q0"), "compared")
    assert [entry.token for entry in stored.logprobs] == list(WORDS)
    assert [entry.logprob for entry in stored.logprobs] == [likely("q0", f" {word}") for word in WORDS]
    assert [entry.alone for entry in stored.logprobs] == [likely(":", f" {word}") for word in WORDS]


async def test_the_same_comparison_is_never_paid_for_twice(suite):
    async with Server(default=Vllm()) as server:
        first = (await run(server, suite(4))).result
        asked = len(server.log)
        again = (await run(server, suite(4))).result
    assert (again.from_cache, again.usage.calls, len(server.log)) == (4, 0, asked)
    assert again.metrics["likelihood"] == first.metrics["likelihood"]


@pytest.mark.parametrize(
    "more", [", template: chat", ", template: none, separator: ''", ", template: none, prefix: 'A:'"]
)
async def test_another_comparison_of_the_same_prompt_is_asked_anew(suite, more):
    async with Server(default=Vllm()) as server:
        await run(server, suite(2))
        assert (await run(server, suite(2, more))).result.from_cache == 0


async def test_sampling_does_not_decide_a_likelihood_so_its_parameters_do_not_ask_anew(suite):
    async with Server(default=Vllm()) as server:
        await run(server, suite(2))
        again = await run(server, suite(2), params={"temperature": 0.7, "max_tokens": 5})
    assert again.result.from_cache == 2


async def test_a_broken_call_is_repeated(suite):
    async with Server(*[status(503)] * 2, default=Vllm()) as server:
        result = (await run(server, suite(3))).result
    assert (result.completed, result.failed) == (3, 0)
    assert result.usage.http_attempts > result.usage.calls == 3


async def test_what_fails_is_a_failure_and_no_score(suite):
    async with Server(default=status(400)) as server:
        ending = await run(server, suite(3))
    assert ending.result.metrics["likelihood"].value is None
    assert ending.result.faults["provider/bad_request"][0] >= 1


async def test_a_row_without_its_choices_fails_alone(project, suite):
    path = suite(3)
    bad = {"id": "bad", "question": "q", "options": "red", "right": 0}
    with (project.folder / "cities.jsonl").open("a") as file:
        file.write(json.dumps(bad) + "\n")
    async with Server(default=Vllm()) as server:
        result = (await run(server, path)).result
    assert (result.completed, result.failed) == (3, 1)
    ((kind, (_, message)),) = result.faults.items()
    assert kind == "prompt/render"
    assert "cities.jsonl:4" in message and "no list of choices" in message


async def test_a_cap_holds_without_max_tokens(project, suite):
    project.configure('[prices."openai/bigram"]\ninput = 1000000.0\noutput = 1000000.0\n')
    async with Server(default=Vllm()) as server:
        ending = await run(server, suite(40), "openai/bigram", max_cost=1_500.0, concurrency=1)
    assert ending.result.status == "budget"
    assert 0 < ending.result.completed < 40
    assert ending.result.usage.cost_usd <= 1_500.0


async def test_an_unfinished_run_goes_on(project, suite):
    project.configure('[prices."openai/bigram"]\ninput = 1000000.0\noutput = 1000000.0\n')
    async with Server(default=Vllm()) as server:
        first = await run(server, suite(10), "openai/bigram", max_cost=1_450.0, concurrency=1)
        done = first.result.completed
        second = await run(server, suite(10), "openai/bigram", resume=True, max_cost=1e9)
    assert second.result.run_id == first.result.run_id
    assert (second.result.status, second.result.completed) == ("completed", 10)
    assert len(completions(server)) == 10 > done > 0


async def test_a_forecast_counts_a_call_a_sample_and_bounds_it(project, suite):
    project.configure('[prices."openai/bigram"]\ninput = 1.0\noutput = 1.0\n')
    options = Options(params={"base_url": "http://127.0.0.1:9/v1", "loglikelihood": True})
    (found,) = await forecast([suite(5)], ["openai/bigram"], options=options)
    assert (found.samples, found.calls, found.failed) == (5, 5, 0)
    assert found.worst_case_usd is not None and found.worst_case_usd > 0


@pytest.mark.parametrize("model", ["openai/gpt-4o", "scripted/echo"])
async def test_a_model_that_cannot_compare_is_refused_before_anything_is_spent(suite, model):
    with pytest.raises(UsageError, match="does not give the log-likelihood of a continuation") as caught:
        await evaluate_async(
            suite(2), model, options=Options(params={} if model[0] == "s" else {"api_key_env": "PATH"})
        )
    assert "cities.yaml:6" in str(caught.value)
    assert "local/… and vllm/… do" in caught.value.hint and "scorer choice" in caught.value.hint


async def test_a_server_of_plain_text_is_refused_the_chat_template(suite):
    async with Server(default=Vllm()) as server:
        with pytest.raises(UsageError, match="after plain text alone"):
            await run(server, suite(2, ""), "openai/bigram")
    assert server.log == []


LETTERS = SUITE.replace("likelihood: {choices: options%s}\n", "").replace(
    "[likelihood]", "[{choice: {by: logprob}}]\n%s"
)


@pytest.mark.parametrize(
    ("model", "more", "message"),
    [
        ("vllm/bigram", "", "none are asked for"),
        ("scripted/echo", "params: {logprobs: true, top_logprobs: 5}", "gives none"),
    ],
)
async def test_letters_by_probability_need_probabilities(suite, model, more, message):
    options = Options(params={"base_url": "http://127.0.0.1:9"} if model[0] == "v" else {})
    with pytest.raises(UsageError, match=message):
        await evaluate_async(suite(2, more, LETTERS), model, options=options)


async def test_scorers_see_the_log_probabilities_of_generated_tokens(project, suite):
    alternatives = [{"token": "B", "logprob": -0.5}, {"token": "A", "logprob": -1.5}]
    said = {
        "model": "m", "usage": {"prompt_tokens": 3, "completion_tokens": 1},
        "choices": [{"message": {"content": "A"}, "finish_reason": "stop",
                     "logprobs": {"content": [{**alternatives[1], "top_logprobs": alternatives}]}}],
    }  # fmt: skip
    path = suite(2, "params: {logprobs: true, top_logprobs: 5}", LETTERS.replace("target: right", "target: letter"))
    lines = [{"id": n, "question": f"q{n}", "letter": "AB"[n]} for n in range(2)]
    (project.folder / "cities.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    async with Server(default=status(200, said)) as server:
        result = (await run(server, path)).result
    assert result.metrics["choice"].value == 0.5
    metric = replace(result.metrics["choice"], interval=None)
    assert "by:logprob" in metric.signature
