"""Schedules that depend on no result: the whole of it is known before the first game.

Such a schedule is a pure function of the agents' order, the number of players, the tournament's
seed and the options. To go on after k games, make it again and pass over k pairings: the number of
games only says where it stops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

from arena.core import Pairing, Standings
from arena.matchmakers.blocks import Lineup, fillers
from arena.matchmakers.schedule import Frame

Lineups = Callable[[Frame, Random], Iterator[Lineup]]
"""Endless lineups of as many agents as meet in a block."""


class FixedSchedule:
    """Hands out blocks of a schedule from wherever it stands."""

    def __init__(
        self,
        frame: Frame,
        lineups: Lineups,
        *,
        stream: str | None = None,
        fill: Sequence[int] | None = None,
    ) -> None:
        """`stream` names the random numbers, as the matchmaker unless given; `fill` are the agents
        who may fill a table, all unless given."""
        self._frame = frame
        self._made: list[Pairing] = []
        drawn = lineups(frame, Random(f"{stream or frame.matchmaker} {frame.seed}"))
        self._drawn = _filled(frame, drawn, fill or frame.agents)

    @property
    def lag(self) -> None:
        """None: no pairing depends on a result."""
        return None

    def next(self, standings: Standings, room: int) -> Sequence[Pairing]:
        """The blocks that follow what is scheduled: as many whole ones as there is room for, at
        least one; none at the end or where there is no room at all."""
        if room < 1:
            return ()
        size = self._frame.seating.size
        done = len(standings.scheduled)
        # A block that was cut short is finished first.
        first = done + size - done % size
        end = min(self._frame.games, max(first, (done + room) // size * size))
        while len(self._made) < end:
            block = len(self._made) // size
            self._made += self._frame.block(next(self._drawn), len(self._made), block)
        return tuple(self._made[done:end])


def _filled(frame: Frame, drawn: Iterator[Lineup], fill: Sequence[int]) -> Iterator[Lineup]:
    """The lineups with their tables filled by those agents who have played least."""
    rng = Random(f"fill {frame.seed}")
    played = dict.fromkeys(frame.agents, 0)
    for lineup in drawn:
        for agent in lineup:
            played[agent] += 1
        pool = [agent for agent in fill if agent not in lineup] or list(lineup)
        others = fillers(pool, frame.seating.fill, [played[agent] for agent in pool], rng)
        for agent in others:
            played[agent] += 1
        yield (*lineup, *others)
