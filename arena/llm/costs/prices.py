"""Dollars of an attempt: from the model's own prices, else from an entry of LiteLLM's list."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arena.core import ModelSpec, Usage, UsageError

_MILLION = 1_000_000.0

# What those that charge for cache writes charge, of the price of the prompt: for five minutes and
# for an hour. Where no price is listed, it is assumed.
WRITTEN, WRITTEN_HOUR = 1.25, 2.0

_TIER = re.compile(r"(?:input|output)_cost_per_token_above_(\d+)k_tokens(?:_\w+)?")


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars a token, for prompts longer than `above` tokens. Prompt tokens that were cached, or
    written into a cache (`written`, for an hour `written_hour`), and reasoning tokens have their
    own price where there is one; all are counted inside the other two."""

    input: float
    output: float
    cached: float | None = None
    reasoning: float | None = None
    above: int = 0
    written: float | None = None
    written_hour: float | None = None

    @property
    def write(self) -> float:
        """Of a token that is written into a cache, listed or not."""
        return self.input * WRITTEN if self.written is None else self.written

    @property
    def write_hour(self) -> float:
        """Of one that stays there for an hour."""
        return self.input * WRITTEN_HOUR if self.written_hour is None else self.written_hour

    def cost(self, usage: Usage) -> float | None:
        """None where the provider did not say what was used: unknown is not free, and no prompt
        has no tokens."""
        prompt, completion = usage.prompt_tokens, usage.completion_tokens
        if not prompt or completion is None:
            return None
        cost = prompt * self.input + completion * self.output
        if self.cached is not None and usage.cached_tokens:
            cost += min(usage.cached_tokens, prompt) * (self.cached - self.input)
        if usage.written_tokens:
            written = min(usage.written_tokens, prompt)
            hour = min(usage.written_hour_tokens or 0, written)
            cost += (written - hour) * (self.write - self.input)
            cost += hour * (self.write_hour - self.input)
        if self.reasoning is not None and usage.reasoning_tokens:
            cost += min(usage.reasoning_tokens, completion) * (self.reasoning - self.output)
        return cost


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The prices of one model by length of the prompt, longest tier first."""

    tiers: tuple[Prices, ...]

    def cost(self, usage: Usage) -> float | None:
        """Dollars of one attempt, in the tier of its prompt; None for an unknown usage of what is
        paid for."""
        if not self.paid:
            return 0.0
        for tier in self.tiers:
            if (usage.prompt_tokens or 0) > tier.above or tier.above == 0:
                return tier.cost(usage)
        return None

    @property
    def paid(self) -> bool:
        """Whether anything costs more than nothing."""
        return any(tier.input or tier.output for tier in self.tiers)

    def reachable(self, prompt_tokens: int) -> tuple[Prices, ...]:
        """The tiers in which a prompt of at most that many tokens may fall; at least one."""
        return tuple(tier for tier in self.tiers if tier.above < max(prompt_tokens, 1))


FREE = PriceTable((Prices(0.0, 0.0),))


def own_prices(model: ModelSpec) -> PriceTable | None:
    """The prices of the model's own spec, or None without any; a missing one of the two is 0.
    Raises UsageError for what is no price."""
    if model.input_price is None and model.output_price is None:
        return None
    dollars = []
    for name in ("input_price", "output_price"):
        value = getattr(model, name)
        price = 0.0 if value is None else _price(value)
        if price is None:
            raise UsageError(
                f"model {model.name!r} has the {name} {value!r}; dollars per million tokens, "
                "0 or more, were expected"
            )
        dollars.append(price / _MILLION)
    return PriceTable((Prices(dollars[0], dollars[1]),))


def listed_prices(
    entry: Mapping[str, Any], *, service_tier: str | None = None
) -> PriceTable | None:
    """The prices of an entry of LiteLLM's list (dollars a token), or None where it is not priced
    by the token. `service_tier` is the one that the request asks for (`flex`, `priority`)."""
    ranges = entry.get("tiered_pricing")
    if isinstance(ranges, list) and ranges:
        return _ranged(ranges)
    if _price(entry.get("input_cost_per_token")) is None:
        return None
    if _price(entry.get("output_cost_per_token")) is None:
        return None
    suffix = f"_{service_tier}" if service_tier else ""
    thresholds = {int(found[1]) for name in entry if (found := _TIER.fullmatch(name))}

    def tier(thousands: int) -> Prices:
        above = f"_above_{thousands}k_tokens" if thousands else ""

        def price(name: str) -> float | None:
            # The nearest that is listed: a price may be the same in every tier.
            for variant in (above + suffix, above, suffix, ""):
                value = _price(entry.get(f"{name}{variant}"))
                if value is not None:
                    return value
            return None

        return Prices(
            input=price("input_cost_per_token") or 0.0,
            output=price("output_cost_per_token") or 0.0,
            cached=price("cache_read_input_token_cost"),
            reasoning=price("output_cost_per_reasoning_token"),
            above=thousands * 1000,
            written=price("cache_creation_input_token_cost"),
            written_hour=price("cache_creation_input_token_cost_above_1hr"),
        )

    return PriceTable(tuple(tier(n) for n in [*sorted(thresholds, reverse=True), 0]))


def listed_limit(entry: Mapping[str, Any]) -> int | None:
    """The most tokens of an answer, by an entry of LiteLLM's list; None where it does not say."""
    for name in ("max_output_tokens", "max_tokens"):
        limit = _price(entry.get(name))
        if limit:
            return math.ceil(limit)
    return None


def _ranged(ranges: list[Any]) -> PriceTable | None:
    """Prices that are listed by ranges of the prompt: (from, to] tokens."""
    tiers = []
    for item in ranges:
        if not isinstance(item, Mapping):
            return None
        bounds = item.get("range")
        start = _price(bounds[0]) if isinstance(bounds, list) and bounds else None
        prompt = _price(item.get("input_cost_per_token"))
        answer = _price(item.get("output_cost_per_token"))
        if start is None or prompt is None or answer is None:
            return None
        cached = _price(item.get("cache_read_input_token_cost"))
        reasoning = _price(item.get("output_cost_per_reasoning_token"))
        written = _price(item.get("cache_creation_input_token_cost"))
        tiers.append(Prices(prompt, answer, cached, reasoning, int(start), written))
    tiers.sort(key=lambda tier: tier.above, reverse=True)
    return PriceTable(tuple(tiers)) if tiers[-1].above == 0 else None


def _price(value: Any) -> float | None:
    """A price as a number, or None for anything that is none: text, NaN, below zero."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0.0 <= value < math.inf else None
