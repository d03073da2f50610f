"""choice: which letter an answer settles on."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import DocumentError
from llmkit.scoring import Item, create
from llmkit.types import Failure, Score, TokenLogprob
from tests.scoring.ask import fault, score, value


@pytest.mark.parametrize(
    "text",
    [
        "B", "b", " B ", "(B)", "(b)", "[B]", "B.", "B)", "**B**", "`B`", "$B$", '"B".',
        "Answer: B", "Answer: (b)", "**Answer:** B", "answer: b", "The answer is B.",
        "The answer is (B), since A fails",
        "the correct answer is **B**", "The answer is: B", "The final answer should be B", "Answer = B", "#### B",
        r"So \boxed{B}.", r"\boxed{\text{B}}", r"\boxed{(b)}",
        "Option B is correct", "I choose B", "B is the correct one? Yes: B is correct",
        "B. Because A is wrong and C is worse", "(B) Paris", "B) Paris", "B: Paris", "\n **B.** Paris",
        "A or C? No, it must be B", "It's not A, so I think it's B", "Answer: A. Wait, no. Answer: B",
        "The answer is A. Hmm, I choose B", "答案是B", "A dog is a pet. B", "Answer: B\n\nExplanation: A is a fruit.",
        "The answer is option B", "The best choice would be B, I guess",
    ],
)  # fmt: skip
def test_the_letter_is_found(text: str) -> None:
    assert score("choice", text, "B").answer == "B"
    assert value("choice", text, "B") == 1
    assert value("choice", text, "C") == 0


@pytest.mark.parametrize(
    "text", ["", "   ", "Paris", "E", "A dog", "none of them", "B2", "don't", "ABC", "é", "Plan-B"]
)
def test_no_letter_is_unparsable_not_wrong(text: str) -> None:
    assert fault("choice", text, "B") == "unparsable"


def test_an_article_is_no_choice_but_an_announced_a_is() -> None:
    assert score("choice", "A good question. C", "C").answer == "C"
    assert score("choice", "The answer is A because it fits", "A").answer == "A"
    assert score("choice", "A is correct", "A").answer == "A"
    assert fault("choice", "The answer is a dog", "A") == "unparsable"


def test_i_is_a_pronoun_where_it_is_a_choice() -> None:
    assert score("choice", "I think H", "H", choices="ABCDEFGHI").answer == "H"
    assert score("choice", "I", "I", choices="ABCDEFGHI").answer == "I"


def test_the_letters_on_offer_can_be_set() -> None:
    assert value("choice", "E", "E", choices="ABCDE") == 1
    assert value("choice", "The answer is 3.", "3", choices="1234") == 1


def test_stricter_extraction() -> None:
    assert fault("choice", "I think B", "B", extract="announced") == "unparsable"
    assert value("choice", "The answer is B", "B", extract="announced") == 1
    assert fault("choice", "The answer is B", "B", extract="whole") == "unparsable"
    assert value("choice", "(B)", "B", extract="whole") == 1


def test_references_are_read_like_answers_and_any_will_do() -> None:
    assert value("choice", "B", "(B) Paris") == 1
    assert value("choice", "B", "A", "b") == 1
    assert fault("choice", "B", "Paris") == "bad_reference"
    assert fault("choice", "B") == "no_reference"


@pytest.mark.parametrize("choices", ["", "A", "AA", "ab", "A B", "A|B"])
def test_choices_are_distinct_capitals_or_digits(choices: str) -> None:
    with pytest.raises(DocumentError, match="option 'choices' of scorer choice"):
        create("choice", {"choices": choices})


def test_signature() -> None:
    assert create("choice").signature == "metric:choice|choices:ABCD|extract:auto|take:last|refs:any|v:1"


@given(st.sampled_from("ABCD"), st.text("abcdefghij .,\n", max_size=60))
def test_an_announced_letter_wins_over_any_small_print(letter: str, prose: str) -> None:
    assert score("choice", f"{prose}\nThe answer is ({letter}).", letter).answer == letter


def first(*alternatives: tuple[str, float], text: str = "A") -> Item:
    likeliest = max(alternatives, key=lambda each: each[1])
    return Item(text, ("B",), logprobs=(TokenLogprob(*likeliest, alternatives), TokenLogprob(".", -0.1)))


def by_logprob(item: Item) -> Score | Failure:
    (result,) = create("choice", {"by": "logprob"}).score([item])
    return result


class TestByLogprob:
    def test_the_likeliest_letter_of_the_first_token_is_the_answer(self) -> None:
        assert by_logprob(first(("The", -0.2), ("B", -2.0), ("A", -3.0))) == Score(1.0, answer="B")
        assert by_logprob(first(("A", -1.0), ("B", -2.0))) == Score(0.0, answer="A")

    def test_the_spellings_of_a_letter_are_summed(self) -> None:
        # 0.30 for A; 0.2 + 0.1 + 0.05 for B.
        spelled = first(("A", math.log(0.3)), (" B", math.log(0.2)), ("B", math.log(0.1)), ("(B", math.log(0.05)))
        assert by_logprob(spelled) == Score(1.0, answer="B")

    def test_a_small_letter_is_a_word(self) -> None:
        assert by_logprob(first(("a", -0.1), ("B", -5.0))) == Score(1.0, answer="B")

    def test_a_tie_with_a_wrong_letter_is_wrong(self) -> None:
        assert by_logprob(first(("B", -1.0), ("C", -1.0))).value == 0  # type: ignore[union-attr]

    def test_no_letter_among_the_alternatives_is_unparsable(self) -> None:
        result = by_logprob(first(("The", -0.2), ("I", -2.0), text="The answer is B"))
        assert isinstance(result, Failure) and result.kind == "unparsable"
        assert "'The'" in result.message

    @pytest.mark.parametrize("logprobs", [None, (), (TokenLogprob("B", -0.1),)])
    def test_an_answer_without_alternatives_is_said(self, logprobs: tuple[TokenLogprob, ...] | None) -> None:
        result = by_logprob(Item("B", ("B",), logprobs=logprobs))
        assert isinstance(result, Failure) and result.kind == "no_logprobs"

    def test_the_signature_says_so_and_that_of_read_letters_stays(self) -> None:
        assert (
            create("choice", {"by": "logprob"}).signature
            == "metric:choice|choices:ABCD|by:logprob|ties:wrong|refs:any|v:1"
        )
        assert create("choice").signature == "metric:choice|choices:ABCD|extract:auto|take:last|refs:any|v:1"
