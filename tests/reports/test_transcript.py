"""One sample in full."""

import io
from dataclasses import replace

from rich.console import Console

from llmkit.reports.transcript import print_transcript, transcript
from llmkit.types import Completion, Failure, GenerationFacts, Message, SampleResult, Score, Step, TokenLogprob, Usage
from tests.reports.records import printed

ANSWERED = SampleResult(
    sample_id="add-7",
    epoch=0,
    messages=(Message("system", "You add."), Message("user", "2 + 2?\nAnswer with a number.")),
    references=("4", "four"),
    completion=Completion(
        "It is 4.", "stop", Usage(21, 5), cost_usd=0.0004, latency_s=0.31, http_attempts=2, served_model="gpt-x-0101"
    ),
    scores={
        "numeric": Score(1.0, answer="4"),
        "exact_match": Score(0.0),
        "choice": Failure("scorer", "unparsable", "no letter in the answer"),
    },
    cached=True,
    cluster="page 3",
    slices={"topic": "add"},
)

EXPECTED = """\
sample add-7 · epoch 0 · from the cache · cluster page 3 · topic add
system
  You add.
user
  2 + 2?
  Answer with a number.
answer
  It is 4.
ended: stop · 21 tokens in, 5 out · $0.0004 · 310 ms · 2 HTTP attempts · served by gpt-x-0101
reference: 4
reference: four
numeric: 1  (took '4')
exact_match: 0
choice: scorer/unparsable: no letter in the answer
"""


def lines(result, width=120):
    return [line.rstrip() for line in printed(transcript(result), width).splitlines()]


def test_the_whole_of_an_answered_sample():
    assert lines(ANSWERED) == EXPECTED.splitlines()


def test_a_terminal_is_spared_the_middle_of_a_very_long_answer():
    long = replace(ANSWERED, completion=replace(ANSWERED.completion, text="a\n" * 5000 + "the end"))

    def shown(terminal):
        stream = io.StringIO()
        print_transcript(long, Console(file=stream, width=80, force_terminal=terminal, color_system=None))
        return stream.getvalue()

    cut = shown(terminal=True)
    assert cut.count("\n") < 2100
    assert "  … 6,007 characters are left out; all: --as json …" in cut
    assert "  the end" in cut and "exact_match: 0" in cut
    assert shown(terminal=False).count("\n") > 5000


def test_a_sample_without_an_answer_shows_why():
    failed = replace(ANSWERED, completion=None, scores={}, failure=Failure("provider", "timeout", "no answer in 60 s"))
    shown = lines(failed)
    assert "failed: provider/timeout: no answer in 60 s" in shown
    assert "answer" not in shown


def test_a_cut_off_answer_says_so_and_unknowns_are_unknown():
    cut = replace(ANSWERED, completion=Completion("It", "length"))
    shown = next(line for line in lines(cut) if line.startswith("ended"))
    assert shown == (
        "ended: length (cut off by max_tokens) · unknown tokens in, unknown out · cost unknown · 0 ms"
        " · served by unknown"
    )


def test_nothing_is_cut_however_long():
    text = "word " * 2_000 + "end"
    shown = printed(transcript(replace(ANSWERED, completion=Completion(text))), 80)
    assert shown.count("word") == 2_000
    assert "…" not in shown
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80


def test_markup_and_control_characters_are_shown_not_obeyed():
    hostile = "[bold red]x[/] [link=file:///etc]y[/link] \x1b[2J\x1b]8;;u\x07 \x9b5n \r\x08"
    evil = SampleResult(
        sample_id=hostile,
        epoch=1,
        messages=(Message("user", hostile),),
        references=(hostile,),
        completion=Completion(hostile, served_model=hostile),
        scores={hostile: Score(1.0, answer=hostile), "other": Failure("scorer", hostile, hostile)},
        failure=Failure("provider", hostile, hostile),
        cluster=hostile,
        slices={hostile: hostile},
    )
    shown = printed(transcript(evil), 400, force_terminal=True, color_system=None)
    assert not {"\x1b", "\x07", "\x9b", "\r", "\x08"} & set(shown)
    assert shown.count("[bold red]x[/] [link=file:///etc]y[/link]") == 14
    assert r"\x1b[2J" in shown


def test_attempts_before_the_last_are_shown_with_what_was_wrong():
    steps = (Step("four", "not a number", 0.1), Step("It is 4.", None, 0.3))
    facts = GenerationFacts(2, valid=True, first_valid=False, strategy="reprompt", stop="valid", steps=steps)
    text = printed(transcript(replace(ANSWERED, generation=facts)))
    assert "attempt 1\n  four\nnot accepted: not a number\nanswer\n  It is 4.\n" in text
    assert "attempts: 2 · reprompt · ended: valid" in text


def test_an_answer_without_its_form_says_what_is_wrong():
    steps = (Step("It is 4.", "not a number", None),)
    facts = GenerationFacts(1, valid=False, first_valid=False, stop="attempts", problem="not a number", steps=steps)
    assert "  It is 4.\nnot accepted: not a number\n" in printed(transcript(replace(ANSWERED, generation=facts)))


def test_continuations_that_were_compared_show_their_log_likelihoods():
    entries = (
        TokenLogprob("London", -3.5, ((" Lon", -3.0), ("don", -0.5))),
        TokenLogprob("Pa\x1bris", -1.25, ((" Paris", -1.25),), alone=-9.0),
    )
    shown = lines(replace(ANSWERED, completion=Completion("Paris", "compared", logprobs=entries)))
    assert "compared: 'London': -3.5000 · 2 tokens" in shown
    assert r"compared: 'Pa\\x1bris': -1.2500 · 1 token · -9.0000 without the question" in shown


def test_the_probabilities_of_generated_tokens_are_not_listed():
    shown = lines(replace(ANSWERED, completion=Completion("4", logprobs=(TokenLogprob("4", -0.1),))))
    assert not any(line.startswith("compared:") for line in shown)


def test_a_score_says_why_it_is_no_better():
    shown = lines(replace(ANSWERED, scores={"code": Score(0.0, reason="timeout after 15 s\x1b[31m")}))
    assert shown[-2:] == ["code: 0", "why: timeout after 15 s\\x1b[31m"]
