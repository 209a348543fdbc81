"""The provider `echo`: a model named `echo/[1]` answers every request with `[1]`, at no cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from arena.core import Completion, Message, ModelSpec, UsageError
from arena.llm.costs.prices import PriceTable
from arena.llm.providers.protocol import Answer, ProviderSettings

PREFIX = "echo/"


class Echo:
    """Sends nothing anywhere."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings

    def load(self, models: Iterable[ModelSpec]) -> None:
        """Nothing is needed."""

    def check(self, model: ModelSpec) -> None:
        if not model.litellm_model.startswith(PREFIX):
            raise UsageError(f"echo knows models named {PREFIX}TEXT, found {model.litellm_model!r}")
        if model.stream:
            raise UsageError("echo cannot stream: its answer comes at once")

    def prepare(self, model: ModelSpec) -> EchoEndpoint:
        self.check(model)
        return EchoEndpoint(model.litellm_model.removeprefix(PREFIX))

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, slots=True)
class EchoEndpoint:
    """One model, ready to be asked."""

    says: str
    free: bool = True
    prices: PriceTable | None = None
    longest_answer: int | None = None

    async def ask(self, messages: Sequence[Message], seed: int | None) -> Answer:
        return Answer(Completion(self.says, "stop"), model_answered=f"{PREFIX}{self.says}")
