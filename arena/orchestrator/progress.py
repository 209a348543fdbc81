"""What a run says about itself: while it runs, and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from arena.core import Evidence
from arena.llm.pacing.breaker import BreakerState
from arena.llm.pacing.limits import Limits
from arena.llm.pacing.permit import GateState
from arena.orchestrator.affordable import GamePrice
from arena.orchestrator.standings import LiveStanding
from arena.reports.call_times import CallTimes


@dataclass(frozen=True, slots=True)
class ModelState:
    """How one model's calls get through: `limit` is how many may be in flight now, `state` is
    `ok`, `waiting` (it fails, or asks for patience) or `parked`."""

    name: str
    in_flight: int
    limit: int
    waiting: int
    state: str


def model_states(limits: Limits, parked: Container[str]) -> tuple[ModelState, ...]:
    """How every model's calls get through at the moment."""
    return tuple(
        ModelState(
            name=gate.model,
            in_flight=gate.in_flight,
            limit=gate.limit,
            waiting=gate.waiting,
            state=_state(gate, parked),
        )
        for gate in limits.states()
    )


def _state(gate: GateState, parked: Container[str]) -> str:
    if gate.model in parked or gate.breaker is BreakerState.PARKED:
        return "parked"
    return "ok" if gate.breaker is BreakerState.CLOSED and not gate.held else "waiting"


@dataclass(frozen=True, slots=True)
class Progress:
    """A run at one moment. Counts of games are of the whole tournament, `turns`, calls and `cost`
    (dollars) of this run; `spent` is of all runs; `elapsed` is in seconds. `waiting` games are
    finished and count in `standings`, but move the stored ratings only after a predecessor.
    `times` are those of this run's calls; `at_once` is how many games are played at once at most
    while the process is saturated, None while it is not. `evidence` says at that moment how near a
    comparison is to its end: () of other tournaments.
    `news` is what executor and providers had to say so far: of workers, say."""

    games_done: int
    games_total: int
    games_running: int
    games_void: int
    turns: int
    calls: int
    calls_in_flight: int
    cost: float
    waiting: int
    standings: tuple[LiveStanding, ...]
    elapsed: float
    spent: float = 0.0
    budget: float | None = None
    paused: int = 0
    suspended: int = 0
    models: tuple[ModelState, ...] = ()
    evidence: Callable[[], Sequence[Evidence]] = tuple
    news: tuple[str, ...] = ()
    times: CallTimes = field(default_factory=CallTimes)
    at_once: int | None = None


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """A run that has ended. `games_void` are places of the schedule without a result after every
    attempt, `void_causes` how often each cause came up; `games_left` were not played this time.

    `paused` games were stopped in the middle and are resumed by the next run, as `resumed`
    were by this one; so are `suspended` ones, once what their agents wait for is there. `orphans`
    are calls that were in flight when an earlier run, or a worker of this one, was killed, charged
    with `orphan_cost` dollars. `cost` is of this run, `spent` of all; both count an attempt of
    unknown cost at its worst case. `budget`
    is the most of the tournament, with what operators have allowed beyond it. `stopped` says why
    the run ended early; `budget_reached` that it
    was for a budget, `game_price` what a game costs where there is one; `beyond` are models that
    charged more for a call than its worst case, and how many dollars more at most; `unrated` why
    results do not move the stored ratings. The run `began` at a time, and the games that it
    `finished` have these game_ids; `news` is as in a Progress; `fewest_at_once` is the
    fewest games that the process could carry, None where it kept up; `times` are those of its
    calls.
    """

    tournament: str
    games_completed: int
    games_void: int
    games_left: int
    void_causes: Mapping[str, int]
    turns: int
    calls: int
    failed_calls: int
    tokens: int
    cost: float
    elapsed: float
    standings: tuple[LiveStanding, ...]
    interrupted: bool = False
    first_error: str | None = None
    paused: int = 0
    suspended: int = 0
    resumed: int = 0
    orphans: int = 0
    orphan_cost: float = 0.0
    cached_calls: int = 0
    spent: float = 0.0
    budget: float | None = None
    stopped: str | None = None
    budget_reached: bool = False
    game_price: GamePrice | None = None
    beyond: Mapping[str, float] = field(default_factory=dict)
    lapses: Mapping[str, int] = field(default_factory=dict)
    unrated: str | None = None
    fewest_at_once: int | None = None
    times: CallTimes = field(default_factory=CallTimes)
    began: datetime | None = None
    finished: tuple[int, ...] = ()
    news: tuple[str, ...] = ()
