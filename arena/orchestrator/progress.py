"""What a run says about itself: while it runs, when it ends, and before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from arena.orchestrator.standings import Standing


@dataclass(frozen=True, slots=True)
class Progress:
    """A run at one moment. Counts of games are of the whole tournament, `turns`, calls and `cost`
    (dollars) of this run; `elapsed` is in seconds. `waiting` games are finished and count in
    `standings`, but move the stored ratings only after a predecessor."""

    games_done: int
    games_total: int
    games_running: int
    games_void: int
    turns: int
    calls: int
    calls_in_flight: int
    cost: float
    waiting: int
    standings: tuple[Standing, ...]
    elapsed: float


@dataclass(frozen=True, slots=True)
class Summary:
    """A run that has ended. `games_void` are places of the schedule without a result after every
    attempt, `void_causes` how often each cause came up; `games_left` were not played this time."""

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
    standings: tuple[Standing, ...]
    interrupted: bool = False
    first_error: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do, without doing any of it."""

    tournament: str
    environment: str
    players: int
    games: int
    games_done: int
    concurrency: int
    matchmaker: str
    agents: tuple[str, ...]
    seats_per_agent: Mapping[str, int]
    models: Mapping[str, str]
