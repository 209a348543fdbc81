"""The matchmaker `duel`: two agents on common seeds, swapped, until a sequential test decides.

A block is two games from one seed with A and B in each other's places: what the seed deals out
cancels, and the block's score says who did better. The test looks at the blocks in the order of the
schedule, and no block is scheduled that might come after the test has stopped: exactly the games
that are needed are played, however many are played at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from math import isfinite
from random import Random
from typing import Any, Unpack

from arena.core import (
    Evidence,
    Pairing,
    Part,
    RatedPlayer,
    Result,
    ScheduleSpec,
    Standings,
    UsageError,
)
from arena.matchmakers.blocks import Lineup
from arena.matchmakers.schedule import game_seed
from arena.stats.sequential import SequentialTest, counts_of

SEATINGS = ("mirrored", "opposite", "clones")
TESTS = ("gsprt", "evalue", "fixed")
BLOCK = 2
"""Games in a block."""


@dataclass(frozen=True, slots=True)
class DuelOptions:
    """What is asked, and how it is tested.

    `seating`: `mirrored` puts A and B in two places, `opposite` on opposite teams, `clones` in all
    places of a team each. `test`: `gsprt` decides between an expected score of A of `h0` and of
    `h1`, `evalue` whether it differs from `h0`, at any time, `fixed` the same once, at the end.
    `alpha` is the most that the test may err where `h0` is true, `beta` where `h1` is.
    """

    seating: str = "mirrored"
    test: str = "gsprt"
    h0: float = 0.5
    h1: float = 0.55
    alpha: float = 0.05
    beta: float = 0.05

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> DuelOptions:
        """Raises UsageError for an option that is not known, or a value that makes no test."""
        known = [field.name for field in fields(cls)]
        for name, value in options.items():
            if name not in known:
                raise UsageError(f"the matchmaker duel has no option {_near(str(name), known)}")
            if name in ("seating", "test"):
                _choice(name, value, SEATINGS if name == "seating" else TESTS)
            elif isinstance(value, bool) or not isinstance(value, int | float):
                raise UsageError(f"duel: {name} is {value!r}, expected a number such as 0.5")
        chosen = cls(**options)
        chosen._check()
        return chosen

    def _check(self) -> None:
        for name in ("h0", "h1"):
            share = getattr(self, name)
            if not 0 < share < 1:
                raise UsageError(
                    f"duel: {name} is {share:g}, expected a score of A between 0 and 1: 0.5 where "
                    "both are equally good"
                )
        for name in ("alpha", "beta"):
            risk = getattr(self, name)
            if not (isfinite(risk) and 0 < risk < 0.5):
                raise UsageError(
                    f"duel: {name} is {risk:g}, expected an error rate above 0 and below 0.5: 0.05 "
                    "is the custom"
                )
        if self.test == "gsprt" and not self.h0 < self.h1:
            raise UsageError(
                f"duel: h0 is {self.h0:g} and h1 is {self.h1:g}, expected h0 below h1: the test "
                "decides between two scores of A, such as 0.5 and 0.55"
            )

    def sequential(self, games: int) -> SequentialTest:
        """The test of these options, for at most `games` games."""
        match self.test:
            case "gsprt":
                from arena.stats.gsprt import GSPRT

                return GSPRT(self.h0, self.h1, self.alpha, self.beta)
            case "evalue":
                from arena.stats.evalue import EValue

                return EValue(self.h0, self.alpha)
            case _:
                from arena.stats.fixed import FixedSize

                return FixedSize(games // BLOCK, self.h0, self.alpha)


class Duel:
    """The first two agents against each other; further ones are the field, which fills the seats
    that the two leave free, the same way in both games of a block.

    Options: those of `DuelOptions`. `games` is the most that is played, a multiple of two. A block
    that loses a game to a fault does not count, and is made up for as long as `games` allows. It
    does not `extend`: the verdict of a test rests on the number of games that it began with.
    """

    extends = False

    def __init__(self, **spec: Unpack[ScheduleSpec]) -> None:
        """Raises UsageError for agents, games or an environment that make no such duel."""
        agents, games = spec["agents"], spec["games"]
        self._options = DuelOptions.read(spec["options"])
        _check(agents, spec["num_players"], games, self._options.seating)
        self._a, self._b = agents[:2]
        self._games = games
        self._seed = spec["seed"]
        self._field = agents[2:]
        self._casting = spec["casting"]
        # Whether the teams allow this seating: better said now than in the middle.
        self._lineups(0)
        self._test = self._options.sequential(games)
        self._blocks = Blocks(self._a, self._b)
        self._known: tuple[Sequence[float], int] | None = None
        # Others ask for it, while the next pairings are chosen.
        self._seen = Blocks(self._a, self._b)
        self._said: tuple[Sequence[float], Evidence] | None = None

    @property
    def lag(self) -> None:
        """None: the same blocks come whenever it is asked."""
        return None

    def next(self, standings: Standings, room: int) -> Sequence[Pairing]:
        """The blocks that follow, no more than the test needs at least; none once it has stopped or
        all games are scheduled."""
        if room < 1:
            return ()
        begun, done = len(standings.scheduled) // BLOCK, standings.settled // BLOCK
        scores = self._blocks.scores(standings.results, done)
        wanted = min(self._fewest(scores) - (begun - done), self._games // BLOCK - begun)
        pairings: list[Pairing] = []
        for block in range(begun, begun + min(wanted, max(room // BLOCK, 1))):
            seed = game_seed(self._seed, block)
            for turn, lineup in enumerate(self._lineups(block)):
                pairings.append(Pairing(BLOCK * block + turn, block, seed, lineup))
        return pairings

    def evidence(self, results: Sequence[Result]) -> Sequence[Evidence]:
        """The verdict of the test so far; of one that is looked at once, how many blocks there
        are."""
        scores = self._seen.scores(results, self._games // BLOCK)
        if self._said is None or self._said[0] != scores:
            self._said = scores, self._evidence(scores)
        return (self._said[1],)

    def _evidence(self, scores: Sequence[float]) -> Evidence:
        if not scores or (self._options.test == "fixed" and self._test.fewest(scores)):
            return Evidence(self._a, self._b, self._options.test, len(scores))
        verdict = self._test.verdict(scores)
        return Evidence(
            self._a,
            self._b,
            verdict.test,
            verdict.blocks,
            counts_of(scores[: verdict.blocks], BLOCK),
            verdict.statistic,
            verdict.bounds,
            verdict.estimate,
            verdict.interval,
            verdict.decided,
        )

    def _fewest(self, scores: Sequence[float]) -> int:
        # Asked again for every game that settles, of which most end no block.
        if self._known is None or self._known[0] != scores:
            self._known = scores, self._test.fewest(scores)
        return self._known[1]

    def _lineups(self, block: int) -> tuple[Lineup, Lineup]:
        """Both games of a block: A and B in their places, then in each other's."""
        rng = Random(f"duel {self._seed} {block}")
        parts = self._casting(game_seed(self._seed, block))
        first, second = _PLACES[self._options.seating](parts, rng)
        free = [place for place in range(len(parts)) if place not in (*first, *second)]
        filled = dict(zip(free, _filled(self._field, len(free), rng), strict=True))
        there = filled | dict.fromkeys(first, self._a) | dict.fromkeys(second, self._b)
        back = filled | dict.fromkeys(first, self._b) | dict.fromkeys(second, self._a)
        return tuple(there[p] for p in range(len(parts))), tuple(back[p] for p in range(len(parts)))


class Blocks:
    """The scores of A, 0 to 1, in the blocks of a schedule of pairs, taken as games settle."""

    def __init__(self, a: int, b: int) -> None:
        self._a, self._b = a, b
        self._reset()

    def _reset(self) -> None:
        self._taken = 0
        self._half: tuple[int, float] | None = None
        self._scores: list[float] = []

    def scores(self, results: Sequence[Result], blocks: int) -> Sequence[float]:
        """Of each of the first `blocks` blocks that has both results, in schedule order."""
        if len(results) < self._taken or (
            self._taken and results[self._taken - 1].pairing.block >= blocks
        ):
            self._reset()
        while self._taken < len(results) and results[self._taken].pairing.block < blocks:
            pairing, players = results[self._taken]
            score = score_of(self._a, self._b, players)
            if self._half is not None and self._half[0] == pairing.block:
                self._scores.append((self._half[1] + score) / BLOCK)
                self._half = None
            else:
                self._half = pairing.block, score
            self._taken += 1
        return tuple(self._scores)


def score_of(a: int, b: int, players: Iterable[RatedPlayer]) -> float:
    """A's score against B in a finished game: 1 where A's team finished before B's, 1/2 for equal
    places, 0 behind. The two may have several seats, each of one team."""
    ranks = {agent: rank for agent, _, rank in players}
    if ranks[a] == ranks[b]:
        return 0.5
    return 1.0 if ranks[a] < ranks[b] else 0.0


def _mirrored(parts: Sequence[Part], rng: Random) -> tuple[Sequence[int], Sequence[int]]:
    """Two places, of different teams where there are teams: on one team neither is better."""
    first = rng.randrange(len(parts))
    team = parts[first].team
    others = [
        place
        for place, part in enumerate(parts)
        if place != first and (team is None or part.team != team)
    ]
    return [first], [rng.choice(others)]


def _opposite(parts: Sequence[Part], rng: Random) -> tuple[Sequence[int], Sequence[int]]:
    first, second = rng.sample(_teams(parts, "opposite"), 2)
    return [rng.choice(first)], [rng.choice(second)]


def _clones(parts: Sequence[Part], rng: Random) -> tuple[Sequence[int], Sequence[int]]:
    teams = _teams(parts, "clones")
    if len(teams) > 2 or sum(map(len, teams)) < len(parts):
        raise UsageError(
            f"duel: seating clones needs two teams that hold every player, here are {len(teams)} "
            f"for {len(parts)} players: use seating: opposite or mirrored"
        )
    first, second = rng.sample(teams, 2)
    return first, second


def _teams(parts: Sequence[Part], seating: str) -> list[list[int]]:
    """The places of each team, in order of their first."""
    teams: dict[str, list[int]] = {}
    for place, part in enumerate(parts):
        if part.team is not None:
            teams.setdefault(part.team, []).append(place)
    if len(teams) < 2:
        raise UsageError(
            f"duel: seating {seating} needs teams, and in this environment everybody plays alone: "
            "use seating: mirrored"
        )
    return [*teams.values()]


_PLACES = {"mirrored": _mirrored, "opposite": _opposite, "clones": _clones}


def _filled(field: Sequence[int], seats: int, rng: Random) -> list[int]:
    """So many agents of the field in an order by lot, each in as many seats as any other."""
    copies, drawn = divmod(seats, len(field)) if field else (0, 0)
    seated = [*field] * copies + rng.sample(field, drawn)
    rng.shuffle(seated)
    return seated


def _check(agents: Sequence[int], num_players: int, games: int, seating: str) -> None:
    if len(set(agents)) < len(agents):
        raise UsageError("duel: an agent is entered twice: expected two agents that differ")
    if len(agents) < 2:
        raise UsageError(f"duel: {len(agents)} agents, expected two at least: A and B")
    if num_players < 2:
        raise UsageError(f"duel: a game of {num_players} players has no place for two agents")
    if games < BLOCK or games % BLOCK:
        near = f"{max(games - 1, BLOCK)} or {games + 1}" if games > BLOCK else f"{BLOCK}"
        raise UsageError(
            f"duel: {games} games are no whole blocks of {BLOCK}, one for each way that A and B "
            f"can sit: choose {near} games"
        )
    free = 0 if seating == "clones" else num_players - 2
    if free and len(agents) == 2:
        raise UsageError(
            f"duel: with seating {seating} a game of {num_players} players has {free} more seats: "
            "enter further agents as the field that fills them"
            + ("" if seating == "mirrored" else ", or use seating: clones")
        )
    if not free and len(agents) > 2:
        raise UsageError(
            f"duel: with seating {seating} no seat is left for a field in a game of {num_players} "
            f"players: expected two agents, found {len(agents)}"
        )


def _choice(option: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise UsageError(f"duel: {option} is {_near(str(value), known)}")


def _near(name: str, known: Sequence[str]) -> str:
    """`x`: did you mean `y`? or: expected a, b or c."""
    near = get_close_matches(name, known, n=1)
    if near:
        return f"`{name}`: did you mean `{near[0]}`?"
    return f"`{name}`: expected {', '.join(known[:-1])} or {known[-1]}"
