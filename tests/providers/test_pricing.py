"""Dollars: by hand arithmetic on the published prices that genai-prices carries, and against its own calculator."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import UnknownNameError, UsageError
from llmkit.providers.pricing import Prices
from llmkit.types import Usage

OWN = {"openai/gpt-4o": {"input": 1.0, "output": 4.0, "cached": 0.25}}


def test_gpt_4o_by_hand():
    # $2.50 input, $1.25 cached, $10 output a million tokens.
    cost = Prices().cost("openai", "gpt-4o", Usage(input=1000, output=100, cached=400))
    assert cost == pytest.approx((600 * 2.5 + 400 * 1.25 + 100 * 10) / 1e6)


def test_claude_sonnet_4_5_by_hand_with_cache_reads_and_writes():
    # $3 input, $0.30 cache read, $3.75 cache write, $15 output a million tokens, for prompts up to 200,000.
    usage = Usage(input=10_000, output=1_000, cached=6_000, cache_write=3_000)
    cost = Prices().cost("anthropic", "claude-sonnet-4-5-20250929", usage)
    assert cost == pytest.approx((1_000 * 3 + 6_000 * 0.3 + 3_000 * 3.75 + 1_000 * 15) / 1e6)


def test_a_prompt_over_a_tier_pays_the_tiers_price_for_all_its_tokens():
    # Over 200,000 prompt tokens Claude Sonnet 4.5 costs $6 and $22.50.
    prices = Prices()
    below = prices.cost("anthropic", "claude-sonnet-4-5", Usage(200_000, 1_000))
    above = prices.cost("anthropic", "claude-sonnet-4-5", Usage(200_001, 1_000))
    assert below == pytest.approx((200_000 * 3 + 1_000 * 15) / 1e6)
    assert above == pytest.approx((200_001 * 6 + 1_000 * 22.5) / 1e6)


MODELS = [
    ("openai", "gpt-4o-mini"),
    ("openai", "o3"),
    ("openai", "gpt-4.1-nano"),
    ("openai", "gpt-5"),
    ("openai", "gpt-5.4"),
    ("anthropic", "claude-opus-4-6"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-haiku-4-5"),
]


@given(
    model=st.sampled_from(MODELS),
    parts=st.tuples(*[st.integers(0, 400_000)] * 3),
    output=st.integers(0, 50_000),
)
def test_the_same_as_the_packages_own_calculator(model, parts, output):
    from genai_prices import Usage as Theirs
    from genai_prices import calc_price

    fresh, cached, written = parts
    written = written if model[0] == "anthropic" else 0
    ours = Prices().cost(*model, Usage(fresh + cached + written, output, cached=cached, cache_write=written))
    theirs = calc_price(
        Theirs(
            input_tokens=fresh + cached + written,
            output_tokens=output,
            cache_read_tokens=cached,
            cache_write_tokens=written,
        ),
        model[1],
        provider_id=model[0],
    )
    assert ours == pytest.approx(float(theirs.total_price), rel=1e-9, abs=1e-12)


@given(
    model=st.sampled_from(MODELS),
    bound=st.integers(1, 400_000),
    limit=st.integers(1, 50_000),
    share=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
)
def test_the_worst_case_is_never_below_a_possible_cost(model, bound, limit, share):
    prices = Prices()
    used = int(bound * share[0])
    cached = int(used * share[1])
    written = int((used - cached) * share[2])
    cost = prices.cost(*model, Usage(used, limit, cached=cached, cache_write=written))
    assert cost <= prices.worst_case(*model, bound, limit) + 1e-15


def test_the_worst_case_by_hand():
    # Claude Sonnet 4.5's dearest prompt token is one written to the one-hour cache: $6; generated ones cost $15.
    prices = Prices()
    assert prices.worst_case("anthropic", "claude-sonnet-4-5", 1000, 10) == pytest.approx((1000 * 6 + 10 * 15) / 1e6)
    assert prices.worst_case("openai", "gpt-4o", 1000, 10) == pytest.approx((1000 * 2.5 + 10 * 10) / 1e6)


def test_the_worst_case_of_a_bound_past_a_tier_is_the_tiers():
    worst = Prices().worst_case("anthropic", "claude-sonnet-4-5", 200_001, 10)
    assert worst >= (200_001 * 6 + 10 * 22.5) / 1e6


def test_an_unknown_model_has_no_price():
    assert Prices().cost("openai", "my-own-finetune-of-something", Usage(1, 1)) is None
    assert Prices().cost("nobody", "gpt-4o", Usage(1, 1)) is None
    assert Prices().worst_case("nobody", "gpt-4o", 1, 1) is None


def test_unknown_tokens_have_no_price():
    assert Prices().cost("openai", "gpt-4o", Usage(output=1)) is None


def test_what_is_not_billed_costs_nothing():
    assert Prices().cost("local", "anything", Usage(), billed=False) == 0.0
    assert Prices().worst_case("local", "anything", 10, 10, billed=False) == 0.0


def test_ones_own_price_goes_first():
    prices = Prices(OWN)
    assert prices.cost("openai", "gpt-4o", Usage(1000, 100, cached=400)) == pytest.approx(
        (600 * 1 + 400 * 0.25 + 100 * 4) / 1e6
    )
    assert prices.cost("openai", "gpt-4o", Usage(1000, 0), served="gpt-4o-mini") == pytest.approx(1000 / 1e6)


def test_ones_own_price_holds_for_an_unbilled_server_too():
    prices = Prices({"vllm/m": {"input": 2.0, "output": 2.0}})
    assert prices.cost("vllm", "m", Usage(500_000, 500_000), billed=False) == pytest.approx(2.0)


def test_the_served_models_price_goes_before_the_asked_ones():
    usage = Usage(1_000_000, 0)
    assert Prices().cost("openai", "gpt-4o", usage, served="gpt-4o-mini-2024-07-18") == pytest.approx(0.15)
    assert Prices().cost("openai", "gpt-4o", usage, served="an-unknown-name") == pytest.approx(2.5)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8000/v1", "http://gpu-box/v1", "http://10.1.2.3/v1"])
def test_the_same_name_on_a_server_of_ones_own_has_no_published_price(endpoint):
    assert Prices().cost("openai", "gpt-4o", Usage(1, 1), endpoint=endpoint) is None


def test_a_foreign_host_has_its_own_price_or_none():
    usage = Usage(1_000_000, 0)
    assert Prices().cost("openai", "gpt-4o", usage, endpoint="https://api.openai.com/v1") == pytest.approx(2.5)
    assert Prices().cost("openai", "gpt-4o", usage, endpoint="https://eu.api.openai.com/v1") == pytest.approx(2.5)
    assert Prices().cost("openai", "openai/gpt-4o", usage, endpoint="https://openrouter.ai/api/v1") is not None
    assert Prices().cost("openai", "gpt-4o", usage, endpoint="https://models.example.com/v1") is None


def test_a_dearer_service_tier_costs_more():
    usage = Usage(1_000_000, 1_000_000)
    prices = Prices()
    assert prices.cost("openai", "gpt-4o", usage, tier="priority") > prices.cost("openai", "gpt-4o", usage)


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ({"input": -1, "output": 1}, "no amount"),
        ({"input": float("nan"), "output": 1}, "no amount"),
        ({"input": "cheap", "output": 1}, "no amount"),
        ({"input": True, "output": 1}, "no amount"),
        ({"input": 1}, "needs input and output"),
    ],
)
def test_an_override_that_is_no_price(price, words):
    with pytest.raises(UsageError, match=words):
        Prices({"openai/x": price})


def test_a_misspelt_field_of_an_override():
    with pytest.raises(UnknownNameError, match="Did you mean 'output'"):
        Prices({"openai/x": {"input": 1, "ouput": 2}})


def test_prices_are_looked_up_once_a_model(monkeypatch):
    from llmkit.providers import pricing

    looked = []
    real = pricing._published
    monkeypatch.setattr(pricing, "_published", lambda *args: looked.append(args) or real(*args))
    prices = Prices()
    for _ in range(10):
        prices.cost("openai", "gpt-4o", Usage(1, 1), served="gpt-4o-2024-08-06")
    assert len(looked) == 1


def test_the_price_list_is_not_loaded_before_it_is_needed():
    code = (
        "import sys; from llmkit.providers.pricing import Prices; from llmkit.types import Usage\n"
        "Prices().cost('openai', 'm', Usage(1, 1), endpoint='http://127.0.0.1:1/v1')\n"
        "assert not any(name.startswith('genai_prices') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
