"""Schedules that follow the results: block by block, from the standings at a fixed distance.

A pairing is a pure function of the options, the tournament's seed, the schedule before it and the
standings that `lag` names: nothing is remembered but counts of the schedule, which a fresh instance
makes again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

from arena.core import Pairing, Standings, awaited
from arena.matchmakers.blocks import Lineup
from arena.matchmakers.options import Option, at_least
from arena.matchmakers.schedule import Frame, game_seed
from arena.matchmakers.tally import Tally

LAG: Option = at_least(1, 32)
"""How many games of the schedule a block does not wait for: the most that run at once."""


class Chooser(Protocol):
    """Chooses blocks from one state of the standings."""

    def draw(self, seed: int, rng: Random) -> Lineup:
        """The agents, by slot, of the block that comes from this seed."""
        ...

    def note(self, pairings: Sequence[Pairing]) -> None:
        """Take into account that these are going to be played."""
        ...


Begin = Callable[[Standings, Tally], Chooser]


class AdaptiveSchedule:
    """Hands out the blocks that may be chosen from the standings at hand.

    `width` is the prior standard deviation of skills that a former rule wants its standings made
    under, None for the average over widths. It `extends`: the number of games says only where it
    stops.
    """

    extends = True

    def __init__(self, frame: Frame, begin: Begin, width: float | None = None) -> None:
        self.width = width
        self._frame = frame
        self._begin = begin
        self._tally = Tally(frame.agents, frame.seating.casting)

    @property
    def lag(self) -> int:
        lag: int = self._frame.options["lag"]
        return lag

    @property
    def version(self) -> int:
        """Of the rule: part of what a tournament is, where it has changed since the first."""
        version: int = self._frame.options.get("version", 1)
        return version

    def next(self, standings: Standings, room: int) -> Sequence[Pairing]:
        """Whole blocks, at most `room` pairings or one block; none before enough is settled."""
        frame, size = self._frame, self._frame.seating.size
        scheduled = list(standings.scheduled)
        done = len(scheduled)
        if room < 1 or done >= frame.games:
            return ()
        if rest := self._rest(scheduled):
            return rest
        chooser: Chooser | None = None
        while (
            len(scheduled) + size <= min(frame.games, done + max(room, size))
            and awaited(len(scheduled), self.lag) <= standings.settled
        ):
            self._tally.catch_up(scheduled)
            chooser = chooser or self._begin(standings, self._tally)
            place = len(scheduled)
            block = scheduled[-1].block + 1 if scheduled else 0
            rng = Random(f"{frame.matchmaker} {frame.seed}/{place}")
            drawn = chooser.draw(game_seed(frame.seed, block), rng)
            following = frame.block(drawn, place, block)
            chooser.note(following)
            scheduled += following
        return tuple(scheduled[done:])

    def _rest(self, scheduled: Sequence[Pairing]) -> tuple[Pairing, ...]:
        """What is missing of a block that was cut short."""
        missing = -len(scheduled) % self._frame.seating.size
        if not missing:
            return ()
        last = scheduled[-1]
        first = next(pairing for pairing in scheduled if pairing.block == last.block)
        plan = self._frame.seating.plan(first.seed)[0]
        drawn = dict(zip(plan, first.agents, strict=True))
        lineup = tuple(drawn[slot] for slot in range(self._frame.seating.slots))
        whole = self._frame.block(lineup, first.schedule_index, first.block)
        return tuple(whole[-missing:])
