"""The counts of speculative decoding, out of Prometheus' text."""

from hypothesis import given
from hypothesis import strategies as st

from llmkit.providers.vllm.metrics import speculation
from llmkit.speculation import Speculation

TEXT = """\
# HELP vllm:spec_decode_num_drafts_total Number of spec decoding drafts.
# TYPE vllm:spec_decode_num_drafts_total counter
vllm:spec_decode_num_drafts_total{engine="0",model_name="m"} 120.0
vllm:spec_decode_num_drafts_created{engine="0",model_name="m"} 1.7e+09
vllm:spec_decode_num_draft_tokens_total{engine="0",model_name="m"} 480.0
vllm:spec_decode_num_accepted_tokens_total{engine="0",model_name="m"} 210.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",model_name="m",position="0"} 90.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",model_name="m",position="1"} 60.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",model_name="m",position="2"} 40.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",model_name="m",position="3"} 20.0
vllm:generation_tokens_total{engine="0",model_name="m"} 330.0
"""


def test_drafts_tokens_and_places_are_read():
    found = speculation(TEXT)
    assert found == Speculation(120, 480, 210, (90, 60, 40, 20))
    assert found.acceptance_rate == 210 / 480
    assert found.accepted_length == 1 + 210 / 120


def test_several_engines_are_summed():
    assert speculation(TEXT + TEXT.replace('engine="0"', 'engine="1"')) == Speculation(
        240, 960, 420, (180, 120, 80, 40)
    )


def test_of_several_models_the_one_that_is_asked_counts():
    text = TEXT + TEXT.replace('model_name="m"', 'model_name="other"').replace("480.0", "999.0")
    assert speculation(text, "m") == Speculation(120, 480, 210, (90, 60, 40, 20))


def test_an_adapter_counts_under_its_models_name():
    assert speculation(TEXT, "an-adapter") == Speculation(120, 480, 210, (90, 60, 40, 20))


def test_a_name_with_quotes_and_braces_is_one_label():
    text = TEXT.replace('model_name="m"', 'model_name="a}b\\\\\\"position=\\"7\\",c"')
    assert speculation(text, "m") == Speculation(120, 480, 210, (90, 60, 40, 20))


def test_an_engine_that_drafts_nothing_tells_nothing():
    assert speculation("vllm:generation_tokens_total 330.0\n") is None


def test_names_without_the_ending_are_read_too():
    assert speculation(TEXT.replace("_total", "")) == Speculation(120, 480, 210, (90, 60, 40, 20))


@given(st.text())
def test_any_text_is_read(text):
    assert speculation(text) is None


@given(st.tuples(*[st.integers(0, 10**12)] * 3), st.lists(st.integers(0, 10**9), max_size=8))
def test_whatever_is_counted_is_read_as_it_was_written(counts, places):
    names = ("drafts", "draft_tokens", "accepted_tokens")
    lines = [f"vllm:spec_decode_num_{name}_total {float(n)!r}" for name, n in zip(names, counts, strict=True)]
    lines += [
        f'vllm:spec_decode_num_accepted_tokens_per_pos_total{{position="{at}"}} {float(n)!r}'
        for at, n in enumerate(places)
    ]
    assert speculation("\n".join(lines)) == Speculation(*counts, tuple(places))
