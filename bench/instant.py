"""The provider `bench-instant` for noughts and crosses: answers at once, in the process that asks,
so that what is played with it is the arena's own work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from arena.core import Completion, Message, ModelSpec, Usage, text_of
from arena.llm.costs.prices import PriceTable, own_prices
from arena.llm.providers.protocol import Answer, ProviderSettings

_CELLS = re.compile(r"\[(\d)\]")


class InstantEndpoint:
    """Takes one of the cells that are free."""

    free = False
    longest_answer: int | None = 100

    def __init__(self, prices: PriceTable | None) -> None:
        self.prices = prices

    async def ask(self, messages: Sequence[Message], seed: int | None) -> Answer:
        said = text_of(messages[-1])
        cells = _CELLS.findall(said, max(said.rfind("Available Moves"), 0))
        text = f"[{cells[len(said) % len(cells)]}]" if cells else "[0]"
        usage = Usage(prompt_tokens=len(said) // 4, completion_tokens=3)
        choice = {"text": text, "finish_reason": "stop"}
        return Answer(Completion(text, "stop", usage), "one", {"model": "one", "choices": [choice]})


class InstantProvider:
    """Its models cost what they say themselves."""

    def __init__(self, settings: ProviderSettings) -> None:
        pass

    def load(self, models: Iterable[ModelSpec]) -> None:
        pass

    def check(self, model: ModelSpec) -> None:
        pass

    def prepare(self, model: ModelSpec) -> InstantEndpoint:
        return InstantEndpoint(own_prices(model))

    async def aclose(self) -> None:
        pass
