"""The matchmaker `pairwise`: every pair of agents on common seeds, swapped, until it is decided.

A block is two games of one pair from one seed, as in `duel`. The open pair with the fewest blocks
is next; a pair that is decided, by what all pairs have shown so far, is not scheduled any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import inf
from random import Random
from typing import Unpack

from arena.core import Evidence, Pairing, Part, Result, ScheduleSpec, Standings, UsageError
from arena.matchmakers.duel import BLOCK, score_of
from arena.matchmakers.options import SHARED, Option, at_least, read
from arena.matchmakers.schedule import game_seed
from arena.stats.false_discoveries import PairTests
from arena.stats.sequential import categories

_MOST_LAG = 32

ALPHA = Option(
    0.05,
    "a rate above 0 and below 0.5",
    lambda value: isinstance(value, float) and 0 < value < 0.5,
)


class Pairwise:
    """All pairs of at least two agents.

    Options: `alpha`, the most of the pairs found different that may be equal, or the other way
    round, on average; `lag`, how many games may be open at once, by default 4 for every pair and at
    most 32: as many games may be played more than were needed. Two players, or two teams that hold
    every player, of whom each agent then has all.
    """

    def __init__(self, **spec: Unpack[ScheduleSpec]) -> None:
        """Raises UsageError for agents, games or an environment that make no such pairs."""
        agents, games = spec["agents"], spec["games"]
        if len(set(agents)) < len(agents) or len(agents) < 2:
            raise UsageError(f"pairwise: {len(agents)} agents, expected two at least, each once")
        if games < BLOCK or games % BLOCK:
            raise UsageError(
                f"pairwise: {games} games are no whole blocks of {BLOCK}, one for each way that "
                f"two can sit: choose {max(games - games % BLOCK, BLOCK)}"
            )
        self.pairs = tuple(combinations(agents, 2))
        if given := [name for name in spec["options"] if name in SHARED]:
            raise UsageError(
                f"matchmaker pairwise has no option `{given[0]}`: two play on two sides; expected "
                "alpha or lag"
            )
        lag = at_least(BLOCK, min(_MOST_LAG, 2 * BLOCK * len(self.pairs)))
        options = read(spec["options"], "pairwise", {"alpha": ALPHA, "lag": lag})
        self.lag: int = options["lag"]
        self._games, self._seed, self._casting = games, spec["seed"], spec["casting"]
        self._players = spec["num_players"]
        self._sides(0)
        self._blocks = PairBlocks(self.pairs, options["alpha"])
        self._begun = [0] * len(self.pairs)
        self._counted = 0
        # Others ask for it, while the next pairings are chosen.
        self._seen = PairBlocks(self.pairs, options["alpha"])

    def evidence(self, results: Sequence[Result]) -> Sequence[Evidence]:
        """How far every pair is, in the order of `pairs`."""
        tests = self._seen.tests(results)
        return [
            Evidence(
                a,
                b,
                "evalue",
                int(counts.sum()),
                tuple(map(int, counts)),
                float(logs.max()),
                (-inf, tests.bound),
                float(counts @ categories(BLOCK) / counts.sum()) if counts.any() else None,
                decided=bool(rejected),
            )
            for (a, b), counts, logs, rejected in zip(
                self.pairs, tests.counts, tests.logs, tests.rejected, strict=True
            )
        ]

    def next(self, standings: Standings, room: int) -> Sequence[Pairing]:
        """The next block: of the open pair with the fewest; none once no pair is open."""
        place = len(standings.scheduled)
        if room < 1 or place + BLOCK > self._games:
            return ()
        if place % BLOCK:
            return self._block(place - 1, standings.scheduled[-1].agents)[1:]
        tests = self._blocks.tests(standings.results)
        self._count(standings.scheduled)
        pairs = [at for at in range(len(self.pairs)) if not tests.rejected[at]]
        if not pairs:
            return ()
        return self._block(place, self.pairs[min(pairs, key=lambda at: (self._begun[at], at))])

    def _block(self, place: int, agents: Sequence[int]) -> tuple[Pairing, ...]:
        block = place // BLOCK
        a, b = sorted(set(agents))
        first, second = self._sides(block)
        seats = range(len(first) + len(second))
        there = tuple(a if seat in first else b for seat in seats)
        back = tuple(b if seat in first else a for seat in seats)
        seed = game_seed(self._seed, block)
        return (Pairing(place, block, seed, there), Pairing(place + 1, block, seed, back))

    def _sides(self, block: int) -> tuple[Sequence[int], Sequence[int]]:
        """The places of the two sides, the first by lot."""
        # Of two players nobody needs to know the roles.
        pair = self._players == 2
        sides = [[0], [1]] if pair else _two_teams(self._casting(game_seed(self._seed, block)))
        rng = Random(f"pairwise {self._seed} {block}")
        first, second = rng.sample(sides, 2)
        return first, second

    def _count(self, scheduled: Sequence[Pairing]) -> None:
        """How many blocks of each pair are scheduled."""
        if self._counted > len(scheduled):
            self._begun, self._counted = [0] * len(self.pairs), 0
        for pairing in scheduled[self._counted :: BLOCK]:
            self._begun[self._blocks.of(pairing)] += 1
        self._counted = len(scheduled)


class PairBlocks:
    """The tests of pairs of agents, fed with the results of a schedule as they settle."""

    def __init__(self, pairs: Sequence[tuple[int, int]], alpha: float) -> None:
        self._pairs = pairs
        self._alpha = alpha
        self._at = {frozenset(pair): at for at, pair in enumerate(pairs)}
        self._reset()

    def _reset(self) -> None:
        self._taken = 0
        self._last: Result | None = None
        self._half: tuple[int, float] | None = None
        self._tests = PairTests(len(self._pairs), self._alpha)

    def of(self, pairing: Pairing) -> int:
        """Which pair plays in it."""
        return self._at[frozenset(pairing.agents)]

    def tests(self, results: Sequence[Result]) -> PairTests:
        """The tests after these results; a block counts once both of its games have one."""
        # These may be of another schedule than the last ones.
        if self._taken and list(results[self._taken - 1 : self._taken]) != [self._last]:
            self._reset()
        for pairing, players in results[self._taken :]:
            pair = self.of(pairing)
            score = score_of(*self._pairs[pair], players)
            if self._half is not None and self._half[0] == pairing.block:
                self._tests.add(pair, (self._half[1] + score) / BLOCK)
                self._half = None
            else:
                self._half = pairing.block, score
            self._last = Result(pairing, players)
        self._taken = len(results)
        return self._tests


def _two_teams(parts: Sequence[Part]) -> list[list[int]]:
    """The places of each team. Raises UsageError where there are not two."""
    teams: dict[str | None, list[int]] = {}
    for place, part in enumerate(parts):
        teams.setdefault(part.team, []).append(place)
    if len(teams) != 2 or None in teams:
        raise UsageError(
            f"pairwise: pairs play on two sides, and the {len(parts)} players here are on "
            f"{len(teams) if None not in teams else 'no'} teams: compare two of the agents with a "
            "--field that fills the other seats"
        )
    return [*teams.values()]
