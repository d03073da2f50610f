"""Long contexts are counted around their seams: what comes out is what counting all of them gives."""

import itertools
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from llmkit.samples.needle.fit import Needle, fit
from llmkit.samples.needle.haystack import Haystack
from llmkit.samples.needle.meter import SHORT, Meter
from llmkit.samples.needle.sentences import prose, varied
from tests.samples.needle.counting import Words

TEXT = prose(varied(Random(3)), 90_000)


class Watched(Words):
    """Notes how long the texts are that it counts."""

    def __init__(self):
        self.sizes = []

    def count(self, text):
        self.sizes.append(len(text))
        return super().count(text)


class Prefixed(Watched):
    """Puts a token before every text, as tokenizers do that begin with a blank of their own."""

    def count(self, text):
        return super().count(text) + 1

    def ends(self, text):
        return [0, *super().ends(text)]


class Fickle(Watched):
    """Counts a long text by another rule than its parts, so that no sum of parts is right."""

    def count(self, text):
        return super().count(text) + (7 if len(text) > SHORT else 0)


HAYSTACK = Haystack(TEXT, Words())
places = st.lists(st.integers(0, len(TEXT)), min_size=2, max_size=8).map(sorted)


@settings(max_examples=30)
@given(places, st.sampled_from(["", " .", "The password of the x is y. "]))
def test_the_sum_of_parts_is_the_whole(offsets, seam):
    """Cut anywhere, also within words and tokens."""
    meter = Meter(HAYSTACK, Words())
    parts = [part for a, b in itertools.pairwise(offsets) for part in ((a, b), seam)]
    assert meter.count(parts) == Words().count(meter.text(parts))


def made(tokenizer):
    meter = Meter(Haystack(TEXT, tokenizer), tokenizer)
    contexts = [fit(meter, [Needle("The magic number is 7381452.", at)], 12_000) for at in (0, 30, 60, 100)]
    return [meter.text(context.parts) for context in contexts]


def test_of_a_length_one_context_alone_is_counted_whole():
    tokenizer = Watched()
    texts = made(tokenizer)
    assert sum(size > SHORT for size in tokenizer.sizes) == 1
    assert [Words().count(text) for text in texts] == [12_000] * 4


def test_a_token_before_every_text_is_counted_once():
    tokenizer = Prefixed()
    assert [tokenizer.count(text) for text in made(tokenizer)] == [12_000] * 4


def test_where_the_sum_is_not_the_whole_every_context_is_counted_whole():
    tokenizer = Fickle()
    assert [tokenizer.count(text) for text in made(tokenizer)] == [12_000] * 4
