"""Who finished before whom, counted: what a game adds to the counts of its agents, exactly.

A game counts once for a pair of agents, however many seats they had, with the share of the team by
team comparisons that the first of them won, a draw counting half. Games of one environment on one
seed are a block: they share its luck, and an interval needs the squares of each block's sums.
Everything is a whole number, so that counts are the same in whatever order games are added.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import lcm
from typing import Any, Literal, NamedTuple

from db.anew import standing
from db.fold import numbered

PairBy = Literal["agent", "roles", "role", "team"]
"""What a count is by: two agents; two agents in a role each; an agent in a role, or on a team,
against the other teams of the game."""

KINDS: tuple[PairBy, ...] = ("agent", "roles", "role", "team")

NOBODY = 0
"""Stands for the other agent where a count is against all the other teams."""

_MOST_FACTORS = 14


class PairSeat(NamedTuple):
    """A place of a finished game; None where it has no role or team of its own."""

    agent_id: int
    role: str | None
    team: str | None
    rank: int


class PairKey(NamedTuple):
    """What a count is of. Of two agents the one with the lower number comes first; an agent with
    itself stands for its games."""

    by: PairBy
    agent_id: int
    part: str
    other_id: int
    other_part: str

    @property
    def alone(self) -> bool:
        """Whether it is an agent with itself."""
        return self.agent_id == self.other_id and self.part == self.other_part

    @property
    def turned(self) -> PairKey:
        """The same count as the other one sees it."""
        return PairKey(self.by, self.other_id, self.other_part, self.agent_id, self.part)


class PairCount(NamedTuple):
    """`games` in `blocks` blocks, of which the first one `won` all of its comparisons or neither
    all nor none (`drawn`). `score` is the sum over games of the share that it won, in units (see
    `unit`); the others are sums over blocks, of the square of a block's games, of its games times
    its score, and of the square of its score."""

    games: int = 0
    won: int = 0
    drawn: int = 0
    blocks: int = 0
    score: int = 0
    games_squared: int = 0
    games_score: int = 0
    score_squared: int = 0

    @property
    def lost(self) -> int:
        return self.games - self.won - self.drawn

    def turned(self, whole: int) -> PairCount:
        """As the other one sees it; `whole` is the unit: the score of a game that is won."""
        return PairCount(
            self.games,
            self.lost,
            self.drawn,
            self.blocks,
            whole * self.games - self.score,
            self.games_squared,
            whole * self.games_squared - self.games_score,
            whole**2 * self.games_squared - 2 * whole * self.games_score + self.score_squared,
        )


Counts = Mapping[PairKey, PairCount]


@dataclass(frozen=True, slots=True)
class BlockGame:
    """A rated game with its `seats` in order of player_index, none where a rank is missing; `same`
    is what makes two games of a block the same game again."""

    fold_index: int
    game_id: int
    tournament_id: int | None
    same: tuple[int, ...]
    seats: Sequence[PairSeat]

    @classmethod
    def read(
        cls,
        key: tuple[Any, ...],
        places: Iterable[tuple[int, str | None, str | None, int | None]],
    ) -> BlockGame:
        """From its rows: `key` is (fold_index, game_id, tournament_id, revision), each of `places`
        (agent_id, role, team, rank)."""
        fold_index, game_id, tournament_id, revision = key
        seats = [
            PairSeat(agent, role, team, -1 if rank is None else rank)
            for agent, role, team, rank in places
        ]
        same = (revision, *(seat.agent_id for seat in seats))
        ranked = all(seat.rank >= 0 for seat in seats)
        return cls(fold_index, game_id, tournament_id, same, seats if ranked else ())


def unit(num_players: int) -> int:
    """What a won game scores among so many players: every share that a score may be of it is whole.
    Beyond seven players with copies of agents on many teams, it is right to a millionth."""
    return 2 * lcm(*range(1, min(max(num_players**2 // 4, 1), _MOST_FACTORS) + 1))


def scores(
    seats: Sequence[PairSeat], whole: int, kinds: Collection[PairBy] = KINDS
) -> dict[PairKey, int]:
    """What each key of these kinds scores in one game; seats in order of player_index.

    Raises ValueError for a team with two ranks.
    """
    teams = numbered([seat.team for seat in seats])
    ranks: dict[int, int] = {}
    for seat, team in zip(seats, teams, strict=True):
        if ranks.setdefault(team, seat.rank) != seat.rank:
            raise ValueError(
                f"ranks team {team} both {ranks[team]} and {seat.rank}: a team has one rank"
            )
    agents: dict[int, frozenset[int]] = {}
    in_role: dict[tuple[int, str], frozenset[int]] = {}
    on_team: dict[tuple[int, str], frozenset[int]] = {}
    nowhere: frozenset[int] = frozenset()
    for seat, team in zip(seats, teams, strict=True):
        agent, here = seat.agent_id, frozenset((team,))
        agents[agent] = agents.get(agent, nowhere) | here
        if seat.role is not None:
            in_role[agent, seat.role] = in_role.get((agent, seat.role), nowhere) | here
        if seat.team is not None:
            on_team[agent, seat.team] = on_team.get((agent, seat.team), nowhere) | here
    shares: dict[tuple[Collection[int], Collection[int]], int | None] = {}

    def share(ours: Collection[int], theirs: Collection[int]) -> int | None:
        if (ours, theirs) not in shares:
            won = [
                (ranks[a] < ranks[b]) + (ranks[a] <= ranks[b])
                for a in ours
                for b in theirs
                if a != b
            ]
            shares[ours, theirs] = round_half(whole * sum(won), 2 * len(won)) if won else None
        return shares[ours, theirs]

    made: dict[PairKey, int | None] = {}
    if "agent" in kinds:
        for agent, own in agents.items():
            made[PairKey("agent", agent, "", agent, "")] = 0
            for other, theirs in agents.items():
                if agent < other:
                    made[PairKey("agent", agent, "", other, "")] = share(own, theirs)
    if "roles" in kinds:
        for (agent, role), own in in_role.items():
            for (other, their_role), theirs in in_role.items():
                if agent < other:
                    made[PairKey("roles", agent, role, other, their_role)] = share(own, theirs)
    every = frozenset(ranks)
    parts: tuple[tuple[PairBy, Mapping[tuple[int, str], frozenset[int]]], ...]
    parts = (("role", in_role), ("team", on_team))
    for by, found in parts:
        if by not in kinds:
            continue
        for (agent, part), own in found.items():
            made[PairKey(by, agent, part, NOBODY, "")] = share(own, every - agents[agent])
    return {key: score for key, score in made.items() if score is not None}


def round_half(over: int, under: int) -> int:
    """The quotient, to the nearest whole number."""
    return (2 * over + under) // (2 * under)


def block_counts(games: Sequence[Mapping[PairKey, int]], whole: int) -> dict[PairKey, PairCount]:
    """The counts of one block, from the scores of its games."""
    if len(games) == 1:
        return {
            key: PairCount(1, int(s == whole), int(0 < s < whole), 1, s, 1, s, s * s)
            for key, s in games[0].items()
        }
    found: dict[PairKey, list[int]] = {}
    for game in games:
        for key, score in game.items():
            found.setdefault(key, []).append(score)
    return {key: _count(of, whole) for key, of in found.items()}


def _count(of: Sequence[int], whole: int) -> PairCount:
    games, score = len(of), sum(of)
    won = of.count(whole)
    drawn = games - won - of.count(0)
    return PairCount(games, won, drawn, 1, score, games**2, games * score, score**2)


class PairSums:
    """Counts that are added up."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows: dict[PairKey, list[int]] = {}

    def add(self, counts: Counts) -> None:
        rows = self._rows
        for key, count in counts.items():
            row = rows.get(key)
            if row is None:
                rows[key] = [*count]
            else:
                for at, value in enumerate(count):
                    row[at] += value

    def counts(self) -> dict[PairKey, PairCount]:
        return {key: PairCount(*row) for key, row in self._rows.items()}


def alike(block: Iterable[BlockGame]) -> list[list[int]]:
    """The game_ids of games with ranks that are the same, in their order."""
    found: dict[tuple[int, ...], list[int]] = {}
    for game in block:
        if game.seats:
            found.setdefault(game.same, []).append(game.game_id)
    return [*found.values()]


def counting(block: Sequence[BlockGame], anew: Collection[int]) -> list[BlockGame]:
    """The games of a block, in the order in which they were rated, without those that have no ranks
    or are another of them again. Of those that have their like, `anew` are the ones with a reply
    drawn anew."""
    kept = {game for group in alike(block) for game in standing(group, anew)}
    return [game for game in block if game.game_id in kept]


def difference(now: Counts, before: Counts) -> Iterator[tuple[PairKey, PairCount]]:
    """What is to be added to `before` to make it `now`."""
    nothing = PairCount()
    for key in dict.fromkeys([*before, *now]):
        pair = zip(now.get(key, nothing), before.get(key, nothing), strict=True)
        change = PairCount(*(a - b for a, b in pair))
        if any(change):
            yield key, change
