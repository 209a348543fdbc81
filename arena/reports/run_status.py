"""What a run says of itself while it runs, kept beside its lease for the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from arena.reports.call_times import CallTimes
from arena.stats.time_left import TimeLeft, time_left

if TYPE_CHECKING:
    from db.queries.running import ToldRow

VERSION = 1
MOST_STANDINGS = 100
"""Agents whose standing a status holds."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """How one model's calls get through: `limit` is how many may be in flight now, `state` is
    `ok`, `waiting` (it fails, or asks for patience) or `parked`, `why` what it was parked for."""

    name: str
    in_flight: int
    limit: int
    waiting: int
    state: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class RunStanding:
    """An agent in the live standings, the average agent at 25; `sigma` is a standard deviation,
    `rose` the places that it has risen over the last games (`RunStatus.moved_over`)."""

    agent_id: int
    name: str
    mu: float
    sigma: float
    games: int
    rose: int = 0


@dataclass(frozen=True, slots=True)
class RunStatus:
    """A run at one moment. `done`, `void` and `total` are games of the whole tournament, `finished`
    those with a result of this run, as are turns, calls and `cost` (dollars); `spent` is of all
    runs and their branches. `speed` is turns in a second of late, None before there were any;
    `waiting` finished games wait for an earlier one before they move the stored ratings;
    `elapsed` is in seconds; `void_causes`, `lapses` and the `errors` of calls are counted by cause
    in this run. `stopped` says why no more games are begun; `moved_over` are the games over which
    standings are said to have moved, 0 while there are too few. `times` are those of its
    calls, and `at_once` is how many games it lets itself play at once while its process is
    saturated. `ended` says that the run said this last, in order.
    """

    elapsed: float
    done: int
    void: int
    total: int
    finished: int
    running: int
    paused: int
    suspended: int
    waiting: int
    turns: int
    calls: int
    failed_calls: int
    in_flight: int
    speed: float | None
    cost: float
    spent: float
    budget: float | None
    models: tuple[ModelStatus, ...] = ()
    standings: tuple[RunStanding, ...] = ()
    void_causes: Mapping[str, int] = field(default_factory=dict)
    lapses: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)
    stopped: tuple[str, ...] = ()
    moved_over: int = 0
    ended: bool = False
    times: CallTimes = field(default_factory=CallTimes)
    at_once: int | None = None
    version: int = VERSION

    @property
    def left(self) -> int:
        """The games that will still be played, unless a comparison is decided before."""
        return max(self.total - self.done - self.void, 0)

    @property
    def time_left(self) -> TimeLeft | None:
        """Seconds until they have ended, at the pace of this run; None before its first result."""
        half = self.running / 2
        return time_left(self.left - half, self.finished, self.elapsed, half)

    @property
    def games_per_hour(self) -> float | None:
        """Games of this run that ended in an hour; None before the first."""
        if not self.finished or self.elapsed <= 0:
            return None
        return 3600 * self.finished / self.elapsed

    def told(self) -> dict[str, Any]:
        """As it is stored."""
        short = replace(self, standings=self.standings[:MOST_STANDINGS])
        return dict(_form().dump_python(short, mode="json"))


@dataclass(frozen=True, slots=True)
class RunTelling:
    """What a run said `at` a time, by the clock of its machine."""

    at: datetime
    status: RunStatus


def telling(row: ToldRow | None) -> RunTelling | None:
    """What is on record of a tournament's run; None where nothing is, or of another release."""
    if row is None or row.told.get("version") != VERSION:
        return None
    try:
        return RunTelling(row.at, _form().validate_python(row.told))
    except ValidationError:
        return None


@cache
def _form() -> TypeAdapter[RunStatus]:
    return TypeAdapter(RunStatus)
