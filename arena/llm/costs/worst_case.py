"""The most that one call can cost, before it is sent: what a budget sets aside.

Prompt: a token of a byte-level vocabulary (Sennrich et al. 2016, arXiv:1508.07909, over bytes as in
GPT-2, or with byte fallback as in SentencePiece) stands for at least one byte, so a text has at
most as many tokens as its UTF-8 has bytes; what chat templates add around messages is bounded
generously. Output: the limit that the request sets, else the longest that the model gives.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from arena.core import Message, ModelSpec, Usage, UsageError
from arena.core.messages import is_text
from arena.llm.costs.prices import Prices, PriceTable

# Template tokens around one message (ChatML 4, Llama 3 5, harmony 7), and around a whole
# conversation: a default system message and its dates take up to 100.
_PER_MESSAGE = 16
_PER_REQUEST = 256

_OUTPUT_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens", "num_predict")

# Charged by something else than tokens of text.
_OTHERWISE_PRICED = ("audio", "web_search_options")


@dataclass(slots=True)
class Longest:
    """The longest answer that a model was seen to charge, in `tokens`: some charge for thoughts
    beyond every limit of the request. `factor` is how many times its prices a provider said that it
    charged, at most."""

    tokens: int = 0
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Bound:
    """What bounds every call to one model: make it once, ask it for every call.

    `output` is the most tokens of an answer, None where nothing bounds it; `extra` the tokens that
    the parameters may add to a prompt; `answers` how many answers a request asks for; `writes` says
    that it asks for its prompt to be cached. Once an answer was charged longer than that (`seen`),
    the next may be too.
    """

    prices: PriceTable
    output: int | None
    extra: int
    answers: int
    writes: bool = False
    seen: Longest = field(default_factory=Longest, compare=False)

    @property
    def longest(self) -> int | None:
        """The most tokens of all answers of a call; None where nothing bounds them."""
        if self.output is None:
            return None
        return max(self.answers * self.output, self.seen.tokens)

    def learn(self, usage: Usage) -> None:
        """Take note of what a call was charged for."""
        self.seen.tokens = max(self.seen.tokens, usage.completion_tokens or 0)
        ours = self.prices.cost(usage)
        if ours and usage.stated_cost:
            self.seen.factor = max(self.seen.factor, usage.stated_cost / ours)

    def prompt_tokens(self, messages: Sequence[Message]) -> int | None:
        """The most tokens of this conversation; None where it has no bound: an image has none."""
        prompt = _PER_REQUEST + self.extra
        for message in messages:
            sent = _message_bytes(message)
            if sent is None:
                return None
            prompt += _PER_MESSAGE + sent
        return prompt

    def dollars(self, messages: Sequence[Message]) -> float | None:
        """The most that this conversation can cost, in dollars; None where it has no bound."""
        prompt = self.prompt_tokens(messages)
        if prompt is None:
            return None
        tiers = self.prices.reachable(prompt)
        output_price = max(max(tier.output, tier.reasoning or 0.0) for tier in tiers)
        input_price = max(self._input_price(tier) for tier in tiers)
        if output_price == 0.0:
            return prompt * input_price * self.seen.factor
        if self.longest is None:
            return None
        return (prompt * input_price + self.longest * output_price) * self.seen.factor

    def charge(self, usage: Usage, messages: Sequence[Message]) -> float | None:
        """The dollars of an answered call of which the provider said too little: what it did not
        say counts at its most. None where that has no bound."""
        prompt, completion = usage.prompt_tokens, usage.completion_tokens
        if not prompt and completion is None:
            return self.dollars(messages)
        if not prompt:
            prompt = self.prompt_tokens(messages)
        if completion is None:
            completion = self.longest
        return self.prices.cost(replace(usage, prompt_tokens=prompt, completion_tokens=completion))

    def _input_price(self, tier: Prices) -> float:
        written = (
            (tier.write, tier.write_hour) if self.writes else (tier.written, tier.written_hour)
        )
        return max(tier.input, tier.cached or 0.0, *(price or 0.0 for price in written))


def bound_of(
    params: Mapping[str, Any],
    prices: PriceTable,
    longest_answer: int | None,
    *,
    cached: bool = False,
) -> Bound:
    """The bound of calls with these params; `longest_answer` is the most tokens that the model
    answers with where they set no limit, None where that is not known; `cached` says that its
    prompts are to be cached."""
    sources = [params]
    body = params.get("extra_body")
    if isinstance(body, Mapping):
        # Sent as it is, over the rest.
        sources.append(body)
    limits = [
        limit for source in sources for name in _OUTPUT_LIMITS if (limit := _count(source, name))
    ]
    output = max(limits, default=longest_answer)
    answers = max((_count(source, "n") or 1 for source in sources), default=1)
    writes = cached or "cache_control" in json.dumps(params, default=str)
    return Bound(prices, output, _json_bytes(params), answers, writes)


def worst_case(
    messages: Sequence[Message],
    params: Mapping[str, Any],
    prices: PriceTable,
    longest_answer: int | None,
) -> float | None:
    """The most that one call can cost, in dollars; None where nothing bounds its output."""
    return bound_of(params, prices, longest_answer).dollars(messages)


def check_priced(model: ModelSpec, prices: PriceTable | None, longest_answer: int | None) -> None:
    """Raises UsageError for a model whose calls have no known worst case: with a budget it cannot
    be asked."""
    who = f"model {model.name!r} ({model.litellm_model})"
    if prices is None:
        raise UsageError(
            f"{who} has no known price, and a budget is set; give the model its `input_price` and "
            "`output_price` (dollars per million tokens; 0 for a model that costs nothing)"
        )
    otherwise = [name for name in _OTHERWISE_PRICED if name in model.params]
    if otherwise:
        raise UsageError(
            f"{who} has {_listing(otherwise)} in its `params`, which is not priced by the token, "
            "and a budget is set; remove it, or run without a budget"
        )
    if worst_case([], model.params, prices, longest_answer) is None:
        raise UsageError(
            f"{who} has no limit on its output, and a budget is set; set `max_tokens` in its "
            "`params`, as in max_tokens: 1000"
        )


def _listing(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _message_bytes(message: Message) -> int | None:
    """The bytes of a message's texts; None for a part that is no text, whose tokens do not follow
    from its bytes."""
    content = message["content"]
    size = _bytes(message["role"]) + _json_bytes(message.get("tool_calls"))
    size += _json_bytes(message.get("thinking_blocks"))
    if isinstance(content, str):
        return size + _bytes(content)
    if not all(map(is_text, content)):
        return None
    return size + sum(_PER_MESSAGE + _bytes(part["text"]) for part in content)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _json_bytes(value: object) -> int:
    return len(json.dumps(value, default=str)) if value else 0


def _count(holder: Mapping[str, Any], name: str) -> int | None:
    value = holder.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return math.ceil(value) if 0 < value < math.inf else None
