"""Asks the matchmaker for the next pairings whenever a run has room, and enters them.

What a pairing may depend on is a function of its place in the schedule, never of which games
happened to finish first: the standings handed over are those after exactly the games that the
matchmaker's lag names. So the same seed and replies give the same schedule at any concurrency, and
no game waits for a round to end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from arena.core import (
    ArenaError,
    Evidence,
    Matchmaker,
    Pairing,
    Result,
    Standings,
    Watchable,
    awaited,
)
from arena.core.threads import in_thread
from arena.orchestrator.schedule import ScheduleHistory
from arena.orchestrator.standings import Folded, Played
from arena.ratings.sides import LiveSides
from arena.ratings.sides_fold import SidesState
from db.queries.schedule import ScheduledGame

Enter = Callable[[Sequence[Pairing]], Sequence[ScheduledGame]]
"""Writes pairings as games that wait to be played."""

Costs = Callable[[int], Mapping[int, float]]
"""The dollars that the game at a place of the schedule has cost each of its agents."""


class Supply:
    """A tournament's schedule while it grows.

    `length` is how many places it has on record and `past` reads them, when the first pairing is
    asked for; what is settled at places before `first` is known from there alone. `games` is the
    most games that it may have; `width` the prior standard deviation of skills under which its
    standings are made, None for the average over widths that the live ratings are. Nothing here is
    asked for by two callers at once.
    """

    def __init__(
        self,
        matchmaker: Matchmaker,
        agents: Sequence[int],
        *,
        width: float | None = None,
        games: int,
        length: int,
        past: Callable[[], ScheduleHistory],
        first: int = 0,
        enter: Enter,
        costs: Costs,
    ) -> None:
        self._matchmaker = matchmaker
        self._agents = tuple(agents)
        self._games = games
        self._length = length
        self._past = past
        self._scheduled: list[Pairing] = []
        self._read_already = not length
        self._enter = enter
        self._costs = costs
        self._settled: dict[int, Played | None] = {}
        self._frontier = first
        self._folded = Folded(LiveSides() if width is None else SidesState(width))
        self._taken = 0
        self._results: list[Result] = []
        self._spent: dict[int, float] = {}
        self._in_flight = 0
        self._news = asyncio.Event()

    def settle(self, schedule_index: int, played: Played | None) -> None:
        """Take the result of a game; None for one that will never have one."""
        self._settled[schedule_index] = played
        while self._frontier in self._settled:
            if self._length >= self._games:
                # Of a schedule that is whole nobody asks for standings any more.
                del self._settled[self._frontier]
            self._frontier += 1

    def evidence(self) -> Sequence[Evidence]:
        """How near the matchmaker is to what it plays for; () of most."""
        watched = self._matchmaker
        return watched.evidence(self._results) if isinstance(watched, Watchable) else ()

    def begin(self) -> None:
        """A game has begun that may settle."""
        self._in_flight += 1

    def end(self) -> None:
        """A game has ended, settled or not."""
        self._in_flight -= 1
        self._news.set()

    def wake(self) -> None:
        """Have whoever waits for more ask again whether to."""
        self._news.set()

    def complete(self) -> bool:
        """Whether the schedule has no further game, whatever may still be settled. Asks the
        matchmaker; one that fails may choose more games when it is mended."""
        if self._length >= self._games:
            return True
        try:
            return self._frontier == self._length and not self._next()
        except ArenaError:
            return False

    def most(self) -> int:
        """How many games the schedule may have in the end; asks the matchmaker."""
        return self._length if self.complete() else self._games

    async def more(self, going: Callable[[], bool]) -> Sequence[ScheduledGame]:
        """The next games, entered; waits until there are some. None are left, or none can be
        chosen before paused games go on, when it returns nothing. Raises what the matchmaker
        does."""
        while going():
            self._news.clear()
            # In a thread: choosing among hundreds of agents would hold up every call in flight.
            if added := await in_thread(self._extend):
                return added
            if not (self._in_flight or self._news.is_set()):
                break
            await self._news.wait()
        return ()

    def _extend(self) -> Sequence[ScheduledGame]:
        following: list[Pairing] = []
        try:
            while found := self._next():
                following += found
                self._scheduled += found
                self._length = len(self._scheduled)
        except ArenaError:
            # What was chosen before is played first.
            if not following:
                raise
        return self._enter(following) if following else ()

    def _next(self) -> Sequence[Pairing]:
        place = self._length
        lag = self._matchmaker.lag
        needed = self._frontier if lag is None else awaited(place, lag)
        if place >= self._games or self._frontier < needed:
            return ()
        self._read()
        self._advance(needed)
        room = self._games - place if lag is None else 1
        return self._matchmaker.next(self._standings(), room)

    def _read(self) -> None:
        """Read what is on record, once."""
        if not self._read_already:
            past = self._past()
            self._scheduled = [*past.scheduled]
            for place, played in past.settled.items():
                self._settled.setdefault(place, played)
            self._read_already = True

    def _advance(self, needed: int) -> None:
        for index in range(self._taken, needed):
            if played := self._settled.pop(index):
                self._folded.play(played)
                self._results.append(Result(self._scheduled[index], played.players))
                if self._matchmaker.lag is not None:
                    for agent, dollars in self._costs(index).items():
                        self._spent[agent] = self._spent.get(agent, 0.0) + dollars
        self._taken = max(self._taken, needed)

    def _standings(self) -> Standings:
        mean, covariance = self._folded.state.skills(self._agents)
        return Standings(
            agents=self._agents,
            mean=mean,
            covariance=covariance,
            dollars=self._dollars(),
            settled=self._taken,
            scheduled=self._scheduled,
            results=self._results,
        )

    def _dollars(self) -> NDArray[np.float64]:
        games = self._folded.games
        return np.array(
            [
                self._spent[agent] / games[agent] if agent in self._spent else np.nan
                for agent in self._agents
            ]
        )
