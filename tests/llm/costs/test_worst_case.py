"""No call costs more than its worst case, and what has none is refused with a budget."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core import Message, ModelSpec, Usage, UsageError
from arena.llm.costs.prices import FREE, Prices, PriceTable, listed_prices, own_prices
from arena.llm.costs.worst_case import bound_of, check_priced, worst_case

TABLE = PriceTable((Prices(1e-6, 10e-6),))
SHORT: list[Message] = [{"role": "user", "content": "hi"}]


def test_a_prompt_has_at_most_a_token_a_byte_and_an_answer_what_it_may_have() -> None:
    ascii_text: list[Message] = [{"role": "user", "content": "x" * 10_000}]
    wide: list[Message] = [{"role": "user", "content": "€" * 10_000}]
    for messages, size in [(ascii_text, 10_000), (wide, 30_000)]:
        dollars = worst_case(messages, {"max_tokens": 100}, TABLE, None)
        assert dollars is not None
        assert size * 1e-6 + 100 * 10e-6 <= dollars <= (size + 400) * 1e-6 + 100 * 10e-6


@pytest.mark.parametrize(
    ("params", "longest", "tokens"),
    [
        ({"max_tokens": 50}, None, 50),
        ({"max_completion_tokens": 70}, None, 70),
        ({"max_tokens": 50, "max_completion_tokens": 70}, None, 70),
        ({"max_tokens": 50, "extra_body": {"max_tokens": 900}}, None, 900),
        ({"max_tokens": 50, "extra_body": {"n": 3}}, None, 150),
        ({"max_tokens": 50}, 4096, 50),
        ({}, 4096, 4096),
    ],
)
def test_the_output_is_bounded_by_the_request_else_by_the_model(
    params: dict[str, Any], longest: int | None, tokens: int
) -> None:
    only_output = PriceTable((Prices(0.0, 1.0),))
    assert worst_case(SHORT, params, only_output, longest) == tokens


def test_without_any_limit_there_is_no_worst_case() -> None:
    assert worst_case(SHORT, {}, TABLE, None) is None
    assert worst_case(SHORT, {"max_tokens": True}, TABLE, None) is None
    assert worst_case(SHORT, {}, FREE, None) == 0.0


def test_the_dearest_price_that_the_prompt_may_reach_counts() -> None:
    prices = listed_prices(
        {
            "input_cost_per_token": 1e-6,
            "input_cost_per_token_above_200k_tokens": 5e-6,
            "output_cost_per_token": 10e-6,
            "output_cost_per_reasoning_token": 30e-6,
        }
    )
    assert prices is not None
    params = {"max_tokens": 1000}
    long: list[Message] = [{"role": "user", "content": "x" * 300_000}]
    short_worst, long_worst = (worst_case(m, params, prices, None) for m in (SHORT, long))
    assert short_worst is not None
    assert long_worst is not None
    assert 0.03 < short_worst < 0.031
    assert long_worst > 300_000 * 5e-6 + 0.03


@pytest.mark.slow
@given(
    st.lists(st.text(max_size=200), max_size=5),
    st.integers(1, 5000),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
)
def test_whatever_a_provider_counts_within_the_rules_costs_no_more(
    texts: list[str], most: int, cached: float, used: float, thought: float
) -> None:
    prices = PriceTable((Prices(4e-6, 9e-6, 1e-6, 20e-6, 500), Prices(1e-6, 2e-6, 0.5e-6, 3e-6)))
    messages: list[Message] = [{"role": "user", "content": text} for text in texts]
    worst = worst_case(messages, {"max_tokens": most}, prices, None)
    prompt = sum(len(text.encode("utf-8", "surrogatepass")) + 5 for text in texts) + 100
    usage = Usage(prompt, round(most * used), round(prompt * cached), round(most * used * thought))
    cost = prices.cost(usage)
    assert worst is not None
    assert cost is not None
    assert cost <= worst


def test_what_a_provider_did_not_say_is_charged_at_its_most() -> None:
    prices = PriceTable((Prices(1e-6, 10e-6),))
    bound = bound_of({"max_tokens": 100}, prices, None)
    message: list[Message] = [{"role": "user", "content": "x" * 1000}]
    most = bound.prompt_tokens(message)
    assert most is not None
    assert bound.charge(Usage(None, 2), message) == pytest.approx(most * 1e-6 + 2 * 10e-6)
    assert bound.charge(Usage(0, 2), message) == pytest.approx(most * 1e-6 + 2 * 10e-6)
    assert bound.charge(Usage(300, None), message) == pytest.approx(300e-6 + 100 * 10e-6)
    assert bound.charge(Usage(), message) == bound.dollars(message)


def test_an_answer_that_was_charged_beyond_its_limit_raises_the_bound_of_the_next() -> None:
    bound = bound_of({"max_tokens": 10}, PriceTable((Prices(0.0, 1e-6),)), None)
    message: list[Message] = [{"role": "user", "content": "x"}]
    assert bound.dollars(message) == pytest.approx(10e-6)
    bound.learn(Usage(5, 7))
    assert bound.dollars(message) == pytest.approx(10e-6)
    bound.learn(Usage(5, 950))
    assert bound.dollars(message) == pytest.approx(950e-6)


def test_text_in_parts_costs_what_text_does_and_an_image_has_no_bound() -> None:
    def worst(content: Any, **more: Any) -> float | None:
        message = {"role": "user", "content": content, **more}
        return worst_case([message], {"max_tokens": 10}, TABLE, None)  # type: ignore[list-item]

    text = {"type": "text", "text": "x" * 1000}
    whole, parts = worst("x" * 1000), worst([text])
    assert whole is not None
    assert parts is not None
    assert whole <= parts <= whole + 20e-6
    assert worst([text, {"type": "image_url", "image_url": {"url": "data:,"}}]) is None
    called = worst("x" * 1000, tool_calls=[{"function": {"arguments": "y" * 500}}])
    assert called is not None
    assert called >= whole + 500e-6


def test_a_model_without_a_price_is_refused_and_told_what_to_set() -> None:
    model = ModelSpec("mine", "openai/local", api_base="http://127.0.0.1:1/v1")
    with pytest.raises(UsageError, match=r"'mine'.*`input_price` and `output_price`"):
        check_priced(model, own_prices(model), None)


def test_a_model_without_a_limit_on_its_output_is_refused_and_told_what_to_set() -> None:
    model = ModelSpec("mine", "openai/local", input_price=1.0, output_price=2.0)
    with pytest.raises(UsageError, match="max_tokens"):
        check_priced(model, own_prices(model), None)
    check_priced(model, own_prices(model), 100)
    bounded = ModelSpec("mine", "openai/local", params={"max_tokens": 9}, input_price=1.0)
    check_priced(bounded, own_prices(bounded), None)


def test_what_is_not_priced_by_the_token_is_refused() -> None:
    params = {"max_tokens": 10, "web_search_options": {}}
    model = ModelSpec("mine", "openai/x", params=params, input_price=1.0)
    with pytest.raises(UsageError, match="web_search_options"):
        check_priced(model, own_prices(model), None)


def test_a_free_model_needs_no_limit() -> None:
    model = ModelSpec("mine", "openai/local", input_price=0.0, output_price=0.0)
    check_priced(model, own_prices(model), None)
