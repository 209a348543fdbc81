"""A call's leave to be sent, and what a person may want to know of the gate that gave it."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from arena.llm.pacing.breaker import BreakerState


@dataclass(frozen=True, slots=True)
class GateState:
    """What a person may want to know of a gate. `limit` is the calls that may be in flight now,
    `per_minute` the requests a minute found so far (None where no limit was met), `held` the
    seconds that the provider asked to wait."""

    model: str
    in_flight: int
    limit: int
    waiting: int
    per_minute: float | None
    held: float
    breaker: BreakerState


class Ends(Protocol):
    """What hears how a permit ended (`arena.llm.pacing.gate.Gate`)."""

    def ended_well(self, permit: Permit, tokens: int | None) -> None: ...
    def ended_badly(
        self,
        permit: Permit,
        rate_limited: bool,
        retry_after: float | None,
        model_at_fault: bool,
        said: str,
        advice: str,
    ) -> None: ...
    def left(self, permit: Permit) -> None: ...


class Permit:
    """One call's leave to be sent. Exactly one of `succeeded`, `failed` and `cancelled` ends it;
    leaving it as a context manager without any of them is `cancelled`.

    `probe` marks a call that finds out whether a failing model is back: its failure does not count
    against the call's retries.
    """

    __slots__ = ("_gate", "beside", "number", "probe", "tokens")

    def __init__(self, gate: Ends, number: int, tokens: int, beside: int, probe: bool) -> None:
        self._gate: Ends | None = gate
        self.number = number
        self.tokens = tokens
        self.beside = beside
        self.probe = probe

    def succeeded(self, tokens: int | None) -> None:
        """The model answered; `tokens` is what the call took in all, None for not known."""
        self._end().ended_well(self, tokens)

    def failed(
        self,
        *,
        rate_limited: bool,
        retry_after: float | None,
        model_at_fault: bool = True,
        said: str = "",
        advice: str = "",
    ) -> None:
        """The call failed. `retry_after` is in seconds, as the provider asked; `model_at_fault` is
        False for what says nothing about the model's health (a bad request, a content filter);
        `said` is what the provider said, and `advice` what to do about it, for a person to read
        should the model be parked."""
        self._end().ended_badly(self, rate_limited, retry_after, model_at_fault, said, advice)

    def cancelled(self) -> None:
        """The call was given up from our side. Does nothing on a permit that has ended."""
        if self._gate is not None:
            self._end().left(self)

    def _end(self) -> Ends:
        gate, self._gate = self._gate, None
        if gate is None:
            raise RuntimeError("this permit has ended: a call succeeds, fails or is cancelled once")
        return gate

    def __enter__(self) -> Permit:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cancelled()
