"""The provider `person`: its models are people, to whom nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from arena.core import Message, ModelSpec, UsageError
from arena.llm.costs.prices import PriceTable
from arena.llm.providers.protocol import Answer, ProviderSettings


class _Asked:
    """A person, who costs nothing and is limited by nothing (`providers.protocol.Endpoint`)."""

    free = True
    prices: PriceTable | None = None
    longest_answer: int | None = None

    async def ask(self, messages: Sequence[Message], seed: int | None) -> Answer:
        raise UsageError("a person is not asked by a call: expected an agent of `kind: human`")


class People:
    """Answers nothing itself: what people say comes from the record of requests
    (`arena.llm.given`)."""

    def __init__(self, settings: ProviderSettings) -> None:
        del settings

    def load(self, models: Iterable[ModelSpec]) -> None:
        """Nothing is to be loaded."""

    def check(self, model: ModelSpec) -> None:
        """Raises UsageError for a model with params, of which a person knows nothing."""
        if model.params or model.stream or model.keyed or model.api_base:
            raise UsageError(
                f"the model {model.name!r} is a person (`provider: person`): expected no params, "
                "no key, no address and no stream"
            )

    def prepare(self, model: ModelSpec) -> _Asked:
        self.check(model)
        return _Asked()

    async def aclose(self) -> None:
        """Nothing is open."""
