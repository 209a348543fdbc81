"""The matchmaker `swiss`: agents of similar score meet, those that have met least first.

A Swiss tournament without rounds: the agent with the fewest games is next, its opponents are the
others with few games of the nearest score, and a pairing waits only for the games that its `lag`
names.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from arena.core import Pairing, Result, ScheduleSpec, Standings
from arena.matchmakers.adaptive import LAG, AdaptiveSchedule
from arena.matchmakers.blocks import Lineup, fillers
from arena.matchmakers.schedule import Frame, frame
from arena.matchmakers.tally import Tally, first_players


def swiss(**spec: Unpack[ScheduleSpec]) -> AdaptiveSchedule:
    """The score of an agent is a point for every game won, half a point for one drawn, less half a
    point for every game played, so that it does not pay to have played more: over the games that
    are settled. Among more than two teams a game gives the share of the others that the agent's
    team finished before. Earlier meetings count like a difference in score of one point each.

    Options: `lag` (default 32: the most games at once), and `seating` (rotate, clones or
    opposite), `blocks` and `repeat`, as all matchmakers have them.
    """
    table = frame("swiss", {"lag": LAG}, **spec)
    scores = Scores(spec["agents"])

    def begin(standings: Standings, tally: Tally) -> _Table:
        scores.catch_up(standings.results)
        return _Table(table, scores.score, tally)

    return AdaptiveSchedule(table, begin)


class _Table:
    """Whoever has played least, and those nearest to it."""

    def __init__(self, frame: Frame, score: NDArray[np.float64], tally: Tally) -> None:
        self._frame = frame
        self._score = score
        self._tally = tally

    def draw(self, seed: int, rng: Random) -> Lineup:
        frame, tally, shape = self._frame, self._tally, self._frame.seating
        agents = range(len(frame.agents))
        copies, dealt = divmod(shape.meet, len(agents))
        lots = [rng.random() for _ in agents]
        table: list[int] = []
        for _ in range(dealt):
            gap = np.abs(self._score - self._score[table].mean()) if table else np.zeros(len(lots))
            far = gap + tally.met[:, table].mean(axis=1) if table else gap
            table.append(
                min(
                    (at for at in agents if at not in table),
                    key=lambda at: (tally.played[at], far[at], lots[at]),
                )
            )
        players = first_players(shape.plan(seed)[0], shape.meet)
        seated = tally.seat([*agents] * copies + table, shape.casting(seed), players, rng)
        pool = [at for at in agents if at not in seated] or seated
        others = fillers(pool, shape.fill, [int(tally.played[at]) for at in pool], rng)
        return tuple(frame.agents[at] for at in [*seated, *others])

    def note(self, pairings: Sequence[Pairing]) -> None:
        """Nothing: the counts of the schedule say it all."""


class Scores:
    """Points above half of the games, by the agents' position."""

    def __init__(self, agents: Sequence[int]) -> None:
        self._position = {agent: at for at, agent in enumerate(agents)}
        self._begin()

    def _begin(self) -> None:
        self.score = np.zeros(len(self._position))
        self._counted = 0
        self._last: Result | None = None

    def catch_up(self, results: Sequence[Result]) -> None:
        """Count what is new; begin again if these do not go on from the last ones."""
        if self._counted and list(results[self._counted - 1 : self._counted]) != [self._last]:
            self._begin()
        for result in results[self._counted :]:
            self._count(result)
            self._counted += 1
            self._last = result

    def _count(self, result: Result) -> None:
        ranks = {player.team: player.rank for player in result.players}
        others = len(ranks) - 1
        if not others:
            return
        for player in result.players:
            beaten = sum(rank > player.rank for rank in ranks.values())
            level = sum(rank == player.rank for rank in ranks.values()) - 1
            seats = sum(other.agent_id == player.agent_id for other in result.players)
            points = (beaten + level / 2) / others - 0.5
            self.score[self._position[player.agent_id]] += points / seats
