"""The limits of a run: what each model may be sent at once and by the minute."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from arena.core import UsageError
from arena.llm.pacing.gate import Gate
from arena.llm.pacing.loop_lag import LoopLag
from arena.llm.pacing.permit import GateState, Permit

__all__ = ["Gate", "GateState", "Limits", "ModelLimits", "Permit", "SentBefore"]

_MOST_CALLS = 1_000


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """What one model may be sent: calls in flight, requests and tokens by the minute; None where
    nothing is known, and then it is found out. Raises UsageError for what lets nothing through."""

    concurrency: int | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None

    def __post_init__(self) -> None:
        if self.concurrency is not None and self.concurrency < 1:
            raise UsageError(
                f"concurrency is {self.concurrency}: expected a whole number from 1; leave it out "
                f"for up to {_MOST_CALLS:,} calls at once, or one for every game in flight"
            )
        for name in ("requests_per_minute", "tokens_per_minute"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < math.inf:
                raise UsageError(
                    f"{name} is {value:g}: expected a number above 0; leave it out for no limit"
                )


@dataclass(frozen=True, slots=True)
class SentBefore:
    """A request that an earlier run sent `at` this time; `tokens` is what it took in all, None
    where that is not known."""

    at: datetime
    tokens: int | None = None


class Limits:
    """One run's gates, a model's made when it is first asked for.

    `limits` is by the models' names in the catalogue. `patience` is the seconds for which a model
    may fail with every call before it is parked, `doubt` those for which one may that has never
    answered. `games` are those that may play at once: a model without a limit gets as many calls.
    `proven` are the names of those that have answered in an earlier run, and `sent` is what they
    were sent in its last minute: it counts in the limits by the minute. `rng` gives the jitter.
    `lag` is that of the loop, which counts in neither as far as it is watched.
    """

    def __init__(
        self,
        limits: Mapping[str, ModelLimits] | None = None,
        *,
        patience: float = 600.0,
        doubt: float = math.inf,
        games: int = _MOST_CALLS,
        proven: Collection[str] = (),
        rng: random.Random | None = None,
        lag: LoopLag | None = None,
        sent: Mapping[str, Sequence[SentBefore]] | None = None,
    ) -> None:
        self.lag = lag or LoopLag()
        self._proven = frozenset(proven)
        self._limits = dict(limits or {})
        self._patience = patience
        self._doubt = doubt
        self._most = max(games, _MOST_CALLS)
        self._rng = rng or random.Random()
        self._sent = dict(sent or {})
        self._gates: dict[str, Gate] = {}

    def gate(self, model: str) -> Gate:
        """The gate of the model of that name."""
        gate = self._gates.get(model)
        if gate is None:
            limits = self._limits.get(model, ModelLimits())
            gate = self._gates[model] = Gate(
                model,
                concurrency=limits.concurrency or self._most,
                requests_per_minute=limits.requests_per_minute,
                tokens_per_minute=limits.tokens_per_minute,
                patience=self._patience,
                doubt=self._doubt,
                proven=model in self._proven,
                rng=self._rng,
                lag=self.lag,
                sent=_ago(self._sent.get(model, ()), limits.tokens_per_minute or 0.0),
            )
        return gate

    def states(self) -> list[GateState]:
        """What is going on at every gate, by name of the model. Needs a running event loop."""
        return [self._gates[name].state for name in sorted(self._gates)]


def _ago(sent: Sequence[SentBefore], tokens_per_minute: float) -> list[tuple[float, float]]:
    """How many seconds ago each was sent, and its tokens: of one that does not say them, as many
    as the largest took; a whole minute's where none says them."""
    now = datetime.now(UTC)
    known = [each.tokens for each in sent if each.tokens is not None]
    unknown = max(known, default=tokens_per_minute)
    found = (
        # By the clock of who sent it, which may be ahead.
        (
            max(0.0, (now - each.at).total_seconds()),
            unknown if each.tokens is None else each.tokens,
        )
        for each in sent
    )
    return sorted(found, reverse=True)
