"""Dollars: cached and reasoning tokens at their own price, long prompts in their own tier."""

from __future__ import annotations

import math
from typing import Any

import pytest

from arena.core import Message, ModelSpec, Usage, UsageError
from arena.llm.costs.prices import listed_limit, listed_prices, own_prices
from arena.llm.costs.worst_case import bound_of


def test_the_models_own_prices_are_dollars_per_million() -> None:
    prices = own_prices(ModelSpec("m", "openai/x", input_price=2.0, output_price=8.0))
    assert prices is not None
    assert prices.cost(Usage(1000, 500)) == pytest.approx(0.002 + 0.004)
    assert own_prices(ModelSpec("m", "openai/x")) is None


def test_unknown_usage_has_no_cost() -> None:
    prices = own_prices(ModelSpec("m", "openai/x", input_price=2.0))
    assert prices is not None
    assert prices.cost(Usage()) is None
    assert prices.cost(Usage(prompt_tokens=5)) is None
    assert prices.cost(Usage(0, 5)) is None, "no prompt has no tokens"


def test_what_is_written_into_a_cache_has_its_own_price_and_is_in_the_bound() -> None:
    entry = {
        "input_cost_per_token": 4e-6,
        "output_cost_per_token": 8e-6,
        "cache_read_input_token_cost": 1e-6,
        "cache_creation_input_token_cost": 5e-6,
        "cache_creation_input_token_cost_above_1hr": 9e-6,
    }
    usage = Usage(100, 10, cached_tokens=40, written_tokens=50, written_hour_tokens=20)
    prices = listed_prices(entry)
    assert prices is not None
    assert prices.cost(usage) == pytest.approx((10 * 4 + 40 * 1 + 30 * 5 + 20 * 9 + 10 * 8) * 1e-6)
    for written, price in ({}, 9e-6), (None, 4e-6):
        known = entry if written is not None else dict(list(entry.items())[:3])
        listed = listed_prices(known)
        assert listed is not None
        bound = bound_of({"max_tokens": 1}, listed, None)
        message = [Message(role="user", content="x")]
        prompt = bound.prompt_tokens(message)
        assert prompt is not None
        assert bound.dollars(message) == pytest.approx(prompt * price + 8e-6)


def test_writing_into_a_cache_costs_more_where_no_price_is_listed_too() -> None:
    prices = own_prices(ModelSpec("m", "openai/x", input_price=4.0, output_price=0.0))
    assert prices is not None
    assert prices.cost(Usage(100, 1, written_tokens=100)) == pytest.approx(500e-6)
    hour = Usage(100, 1, written_tokens=100, written_hour_tokens=100)
    assert prices.cost(hour) == pytest.approx(800e-6)
    message = [Message(role="user", content="x")]
    params = {"max_tokens": 1}
    plain, asked = bound_of(params, prices, None), bound_of(params, prices, None, cached=True)
    marked = bound_of({**params, "cache_control": {"type": "ephemeral"}}, prices, None)
    assert (plain.writes, asked.writes, marked.writes) == (False, True, True)
    assert asked.dollars(message) == pytest.approx(2 * (plain.dollars(message) or 0.0))


def test_cached_and_reasoning_tokens_have_their_own_price() -> None:
    prices = listed_prices(
        {
            "input_cost_per_token": 10e-6,
            "output_cost_per_token": 20e-6,
            "cache_read_input_token_cost": 1e-6,
            "output_cost_per_reasoning_token": 30e-6,
        }
    )
    assert prices is not None
    usage = Usage(prompt_tokens=100, completion_tokens=10, cached_tokens=40, reasoning_tokens=4)
    assert prices.cost(usage) == pytest.approx((60 * 10 + 40 * 1 + 6 * 20 + 4 * 30) * 1e-6)


def test_a_long_prompt_is_in_a_dearer_tier() -> None:
    prices = listed_prices(
        {
            "input_cost_per_token": 1e-6,
            "input_cost_per_token_above_200k_tokens": 2e-6,
            "output_cost_per_token": 10e-6,
        }
    )
    assert prices is not None
    assert prices.cost(Usage(200_000, 0)) == pytest.approx(0.2)
    assert prices.cost(Usage(200_001, 1)) == pytest.approx(0.400002 + 10e-6)


def test_what_is_not_priced_by_the_token_has_no_price() -> None:
    assert listed_prices({"output_cost_per_image": 0.04}) is None


@pytest.mark.parametrize("price", [-1.0, math.nan, math.inf])
def test_a_price_of_ones_own_that_is_no_price_is_refused(price: float) -> None:
    with pytest.raises(UsageError, match="output_price"):
        own_prices(ModelSpec("m", "openai/x", input_price=1.0, output_price=price))


@pytest.mark.parametrize("price", [-1e-6, math.nan, math.inf, "1e-6", True, None])
def test_a_listed_price_that_is_no_price_is_unknown(price: object) -> None:
    assert listed_prices({"input_cost_per_token": price, "output_cost_per_token": 1e-6}) is None


def test_a_service_tier_has_its_own_prices_where_they_are_listed() -> None:
    entry = {
        "input_cost_per_token": 1e-6,
        "input_cost_per_token_priority": 2e-6,
        "input_cost_per_token_above_200k_tokens": 3e-6,
        "input_cost_per_token_above_200k_tokens_priority": 6e-6,
        "output_cost_per_token": 10e-6,
    }
    prices = listed_prices(entry, service_tier="priority")
    assert prices is not None
    assert prices.cost(Usage(100, 10)) == pytest.approx(100 * 2e-6 + 10 * 10e-6)
    assert prices.cost(Usage(300_000, 0)) == pytest.approx(300_000 * 6e-6)


def test_prices_may_be_listed_by_ranges() -> None:
    ranges = [
        {"range": [0, 1000.0], "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6},
        {"range": [1000.0, 9000.0], "input_cost_per_token": 5e-6, "output_cost_per_token": 6e-6},
    ]
    prices = listed_prices({"tiered_pricing": ranges})
    assert prices is not None
    assert prices.cost(Usage(1000, 1)) == pytest.approx(1000e-6 + 2e-6)
    assert prices.cost(Usage(1001, 1)) == pytest.approx(1001 * 5e-6 + 6e-6)
    assert listed_prices({"tiered_pricing": [{"range": "none"}]}) is None


@pytest.mark.parametrize(
    ("entry", "limit"),
    [
        ({"max_output_tokens": 4096, "max_tokens": 9}, 4096),
        ({"max_tokens": 2048}, 2048),
        ({"max_output_tokens": 0, "max_tokens": 7.5}, 8),
        ({"max_tokens": "many"}, None),
        ({"max_tokens": True}, None),
        ({}, None),
    ],
)
def test_the_longest_answer_is_what_the_list_says(entry: dict[str, Any], limit: int | None) -> None:
    assert listed_limit(entry) == limit
