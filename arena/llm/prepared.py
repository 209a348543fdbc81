"""One model, found at its provider and priced: what every call to it shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arena.core import Message, ModelSpec, Usage
from arena.llm.costs.prices import PriceTable
from arena.llm.costs.worst_case import Bound
from arena.llm.failures.classify import Fault, fault_of
from arena.llm.failures.kinds import FaultKind
from arena.llm.providers.protocol import Answer, Endpoint
from arena.llm.secrets import secrets_of


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """`prices` are the model's own, else its provider's; None for a free one, or where nobody says.
    `bound` is what its calls cost at most."""

    model: ModelSpec
    provider: str
    endpoint: Endpoint
    prices: PriceTable | None
    bound: Bound | None
    free: bool

    async def ask(self, messages: Sequence[Message], seed: int | None) -> Answer:
        """One request, one answer; whatever goes wrong is raised."""
        answer = await self.endpoint.ask(messages, seed)
        if not isinstance(answer, Answer) or not isinstance(answer.completion.text, str):
            raise Fault(
                "NoAnswer",
                f"the provider {self.provider!r} gave {answer!r:.200}; expected an Answer",
                kind=FaultKind.BUG,
            )
        return answer

    def fault(self, error: Exception) -> Fault:
        """What went wrong, scrubbed."""
        return error if isinstance(error, Fault) else fault_of(error, *secrets_of(self.model))

    def worst(self, messages: Sequence[Message]) -> float | None:
        """The most that the request can cost, in dollars; None without a price."""
        return None if self.bound is None else self.bound.dollars(messages)

    def cost(self, usage: Usage) -> float | None:
        """What an answer cost, in dollars: what its tokens cost, or what the provider says where
        that is more; None where it cannot be told."""
        if self.free:
            return 0.0
        if self.bound is not None:
            self.bound.learn(usage)
        if self.prices is None:
            return usage.stated_cost
        cost = self.prices.cost(usage)
        return None if cost is None else max(cost, usage.stated_cost or 0.0)

    def charge(self, usage: Usage, messages: Sequence[Message]) -> float | None:
        """What an answer counts as where its cost cannot be told: what the provider did not say
        is taken at its most. None without a price or a bound."""
        if self.bound is None:
            return None
        told = self.bound.charge(usage, messages)
        told = self.worst(messages) if told is None else told
        return usage.stated_cost if told is None else max(told, usage.stated_cost or 0.0)
