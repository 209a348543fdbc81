"""Dollars of an attempt: from the model's own prices, else from an entry of LiteLLM's list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arena.core import ModelSpec, Usage

_MILLION = 1_000_000.0
_TIER = re.compile(r"(?:input|output)_cost_per_token_above_(\d+)k_tokens")


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars a token, for prompts longer than `above` tokens. Cached prompt tokens and reasoning
    tokens have their own price where there is one; both are counted inside the other two."""

    input: float
    output: float
    cached: float | None = None
    reasoning: float | None = None
    above: int = 0

    def cost(self, usage: Usage) -> float | None:
        """None where the provider did not say what was used: unknown is not free."""
        prompt, completion = usage.prompt_tokens, usage.completion_tokens
        if prompt is None or completion is None:
            return None
        cost = prompt * self.input + completion * self.output
        if self.cached is not None and usage.cached_tokens:
            cost += min(usage.cached_tokens, prompt) * (self.cached - self.input)
        if self.reasoning is not None and usage.reasoning_tokens:
            cost += min(usage.reasoning_tokens, completion) * (self.reasoning - self.output)
        return cost


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The prices of one model by length of the prompt, longest tier first."""

    tiers: tuple[Prices, ...]

    def cost(self, usage: Usage) -> float | None:
        for tier in self.tiers:
            if (usage.prompt_tokens or 0) > tier.above or tier.above == 0:
                return tier.cost(usage)
        return None


def own_prices(model: ModelSpec) -> PriceTable | None:
    """The prices of the model's own spec, or None without any; a missing one of the two is 0."""
    if model.input_price is None and model.output_price is None:
        return None
    prices = Prices((model.input_price or 0.0) / _MILLION, (model.output_price or 0.0) / _MILLION)
    return PriceTable((prices,))


def listed_prices(entry: Mapping[str, Any]) -> PriceTable | None:
    """The prices of an entry of LiteLLM's list (dollars a token), or None where it is not priced
    by the token."""
    if entry.get("input_cost_per_token") is None or entry.get("output_cost_per_token") is None:
        return None
    thresholds = {int(found[1]) for name in entry if (found := _TIER.fullmatch(name))}

    def tier(thousands: int) -> Prices:
        def price(name: str) -> float | None:
            above = entry.get(f"{name}_above_{thousands}k_tokens") if thousands else None
            return entry.get(name) if above is None else above

        return Prices(
            input=price("input_cost_per_token") or 0.0,
            output=price("output_cost_per_token") or 0.0,
            cached=price("cache_read_input_token_cost"),
            reasoning=price("output_cost_per_reasoning_token"),
            above=thousands * 1000,
        )

    return PriceTable(tuple(tier(n) for n in [*sorted(thresholds, reverse=True), 0]))
