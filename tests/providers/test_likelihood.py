"""What all providers share that tell how likely continuations are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import ProviderError
from llmkit.providers.likelihood import (
    Context,
    Measured,
    by_context,
    checked_start,
    common_start,
    compared,
    gap,
    likelihood_bound,
    places,
    plain_text,
)
from llmkit.types import Completion, Continuation, Continuations, Message, Request

QUESTION = Message("user", "Capital of France?")


def asked(*texts, messages=(QUESTION,), chat=True, unconditional=None):
    return Request(messages, {}, Continuations(texts, chat, unconditional))


# --- what stands before a continuation ---


def test_in_chat_the_messages_stand_before():
    (context,) = by_context(asked(Continuation("Paris")))
    assert context == Context((QUESTION,), "")


def test_in_chat_a_last_message_of_the_assistant_begins_the_answer():
    request = asked(Continuation("Paris", " ", "clearly"), messages=(QUESTION, Message("assistant", "It is")))
    assert places(request) == [(Context((QUESTION,), "It is clearly"), " Paris")]


def test_as_plain_text_messages_are_joined_by_a_blank_line_and_go_on():
    request = asked(
        Continuation("Paris", " ", "Answer:"), messages=(Message("system", "Be short."), QUESTION), chat=False
    )
    assert places(request) == [(Context(None, "Be short.\n\nCapital of France? Answer:"), " Paris")]


def test_line_breaks_at_the_end_of_a_plain_text_are_dropped():
    assert plain_text([Message("user", "Q: why?\nA: \n\n")]) == "Q: why?\nA: "


def test_an_empty_message_leaves_no_blank_line():
    assert plain_text([Message("system", ""), Message("user", "a")]) == "a"


@pytest.mark.parametrize(
    ("before", "after", "space"), [("a", "b", " "), ("a\n", "b", ""), ("a", "\nb", ""), ("", "b", ""), ("a", "", "")]
)
def test_a_space_stands_between_texts_that_bring_none(before, after, space):
    assert gap(before, after) == space


def test_equal_continuations_are_measured_once():
    request = asked(Continuation("a"), Continuation("b"), Continuation("a"))
    assert list(by_context(request).values()) == [("a", "b")]


def test_the_question_is_left_out_to_measure_continuations_alone():
    request = asked(Continuation("a", " ", "It is"), unconditional="Answer:")
    assert list(by_context(request)) == [
        Context((QUESTION,), "It is"),
        Context((Message("user", "Answer:"),), "It is"),
    ]


# --- which tokens are a continuation's ---


def test_tokens_are_those_after_the_common_beginning():
    assert common_start([1, 2, 3], [[1, 2, 3, 4], [1, 2, 3, 5, 6]]) == 3


def test_a_token_that_straddles_the_boundary_is_the_continuations():
    # "Fra" + "nce" is one token, so its likelihood is asked after what stands before "Fra".
    assert common_start([1, 2, 9], [[1, 2, 7]]) == 2


def test_all_continuations_are_cut_where_the_first_differs():
    assert common_start([1, 2, 9], [[1, 2, 9, 4], [1, 2, 7]]) == 2


@given(st.lists(st.integers(0, 3)), st.lists(st.lists(st.integers(0, 3)), max_size=4))
def test_the_common_beginning_is_common_and_the_longest(prompt, wholes):
    start = common_start(prompt, wholes)
    everyone = [prompt, *wholes]
    assert len({tuple(tokens[:start]) for tokens in everyone}) == 1
    longer = {tuple(tokens[: start + 1]) for tokens in everyone}
    assert len(longer) > 1 or min(map(len, everyone)) == start


def test_without_a_token_before_them_continuations_have_no_likelihood():
    with pytest.raises(ProviderError, match="no token stands before the continuations") as caught:
        checked_start("local", [], [[1], [2]])
    assert caught.value.fault == "bad_request"


def test_a_continuation_without_a_token_of_its_own_is_refused():
    with pytest.raises(ProviderError, match="no token of its own"):
        checked_start("local", [1], [[1, 2], [1]])


# --- what is stored ---


def measured(request, *logprobs):
    everywhere = [(context, text) for context, texts in by_context(request).items() for text in texts]
    return {place: Measured(((place[1], logprob),)) for place, logprob in zip(everywhere, logprobs, strict=True)}


def test_the_completion_holds_the_likeliest_and_all_log_likelihoods():
    request = asked(Continuation("London", " "), Continuation("Paris", " "))
    completion = compared(request, measured(request, -3.0, -1.0), Completion(""))
    assert (completion.text, completion.finish_reason) == ("Paris", "compared")
    assert [(e.token, e.logprob, e.top) for e in completion.logprobs] == [
        ("London", -3.0, ((" London", -3.0),)),
        ("Paris", -1.0, ((" Paris", -1.0),)),
    ]


def test_a_log_likelihood_is_the_sum_over_the_tokens():
    assert Measured((("Par", -1.5), ("is", -0.25))).logprob == -1.75


def test_log_likelihoods_without_the_question_stand_beside():
    request = asked(Continuation("a"), Continuation("b"), unconditional="Answer:")
    completion = compared(request, measured(request, -3.0, -1.0, -2.5, -0.5), Completion(""))
    assert [(e.logprob, e.alone) for e in completion.logprobs] == [(-3.0, -2.5), (-1.0, -0.5)]


def test_of_equally_likely_ones_the_first_is_the_text():
    request = asked(Continuation("a"), Continuation("b"))
    assert compared(request, measured(request, -1.0, -1.0), Completion("")).text == "a"


def test_where_answers_begin_differently_the_beginning_names_them():
    request = asked(Continuation("is big", " ", "The cup"), Continuation("is big", " ", "The suitcase"))
    completion = compared(request, measured(request, -1.0, -2.0), Completion(""))
    assert [entry.token for entry in completion.logprobs] == ["The cup is big", "The suitcase is big"]


# --- what it may cost ---


def test_the_bound_counts_the_prompt_with_each_continuation_and_alone():
    one = likelihood_bound(asked(Continuation("a")))
    two = likelihood_bound(asked(Continuation("a"), Continuation("b")))
    both = likelihood_bound(asked(Continuation("a"), Continuation("b"), unconditional="Answer:"))
    assert (one[1], two[1]) == (2, 3)
    assert two[0] > one[0] > 2 * len(QUESTION.content)
    assert both[1] == 6
