"""Puts games on record together into blocks: two games in which A and B had each other's parts.

A single game favours the agent whose seat wins more easily. In a block each has had both seats: on
one seed, where its luck cancels too, or on two seeds, with everybody else at the table the same.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from arena.stats.sequential import ScoreRange
from db.queries.games import PlayerRow

SeatPart = tuple[str | None, ...] | int
"""What there is to swap: the role and team, or the place itself where there are none."""


@dataclass(frozen=True, slots=True)
class Met:
    """A game in which A and B met, as the schedule has it. `void` is one without a result, `redone`
    one whose result is that of a later attempt."""

    key: int
    seed: int | None
    seats: tuple[PlayerRow, ...]
    void: bool = False
    redone: bool = False

    def of(self, agent: int) -> list[PlayerRow]:
        return [seat for seat in self.seats if seat.agent_id == agent]

    def parts(self, agent: int) -> Counter[SeatPart]:
        return Counter(map(_part, self.of(agent)))

    def places(self, agent: int) -> set[int]:
        return {seat.player_index for seat in self.of(agent)}

    def usable(self) -> bool:
        """Whether the game has a result: every rank is there, and no reward is missing among
        others or not a number."""
        rewards = [seat.reward for seat in self.seats]
        if any(seat.rank is None for seat in self.seats):
            return False
        if all(reward is None for reward in rewards):
            return True
        return not any(reward is None or math.isnan(reward) for reward in rewards)

    def score(self, a: int, b: int) -> float:
        first, second = (min(seat.rank or 0 for seat in self.of(agent)) for agent in (a, b))
        return 0.5 if first == second else float(first < second)

    def together(self, a: int, b: int) -> bool:
        """Whether a team has them both: such a game says nothing of who is better."""
        teams = [{seat.team for seat in self.of(agent)} - {None} for agent in (a, b)]
        return bool(teams[0] & teams[1])

    def seating(self, a: int, b: int) -> str:
        """Which question the game asks."""
        if len(self.seats) == 2 or any(seat.team is None for seat in self.seats):
            return "mirrored"
        return "clones" if {seat.agent_id for seat in self.seats} == {a, b} else "opposite"

    def table(self, a: int, b: int) -> tuple[frozenset[tuple[object, int]], ...]:
        """The parts of A, of B, and of everybody else: what a game on another seed must have
        swapped, and the same."""
        rest = Counter(
            (_part(seat), seat.agent_id) for seat in self.seats if seat.agent_id not in (a, b)
        )
        counts = (self.parts(a), self.parts(b), rest)
        return tuple(frozenset(count.items()) for count in counts)


def _part(seat: PlayerRow) -> SeatPart:
    bare = seat.role is None and seat.team is None
    return seat.player_index if bare else (seat.role, seat.team)


@dataclass(frozen=True, slots=True)
class PairedBlock:
    """A's score in a block, and what it may have been where an attempt at one of its games went
    void; None for a score that is not known."""

    score: float | None
    between: ScoreRange

    @classmethod
    def of(cls, *games: tuple[float | None, bool]) -> PairedBlock:
        """From A's score in each game, None of a void one, and whether any result was possible."""
        scores = [score for score, _ in games if score is not None]
        known = sum(score for score, is_open in games if score is not None and not is_open)
        unknown = sum(score is None or is_open for score, is_open in games)
        return cls(
            sum(scores) / len(games) if len(scores) == len(games) else None,
            ScoreRange(known / len(games), (known + unknown) / len(games)),
        )


@dataclass(frozen=True, slots=True)
class FoundPairs:
    """What is on record: blocks in the order in which they were rated, by seating; those of void
    games, which have no such order, stand first. `matched` are blocks of two seeds. `alone` games
    have no partner; and how many were left out: `repeated` are further games of a seed that has
    been counted, which share its luck and are no independent evidence. `seats` says how often A had
    which part among the games that are alone."""

    blocks: Mapping[str, Sequence[PairedBlock]]
    matched: Mapping[str, Sequence[PairedBlock]]
    alone: int
    together: int
    unusable: int
    repeated: int
    seats: Counter[str] = field(default_factory=Counter)


def find_pairs(met: Iterable[Met], a: int, b: int) -> FoundPairs:
    """Put together the pairs of a seed: each game with the first one before it that is its mirror
    image; and of the games without one, the first of every seed with one of another seed."""
    blocks: dict[str, list[tuple[int, PairedBlock]]] = {}
    waiting: dict[tuple[object, ...], list[tuple[int, Met]]] = {}
    together = unusable = repeated = 0
    counted: set[int | None] = set()
    void: list[Met] = []
    for place, game in enumerate(met):
        if game.void:
            void.append(game)
            continue
        if not game.usable():
            unusable += 1
            continue
        if game.together(a, b):
            together += 1
            continue
        if game.seed is not None and game.seed in counted:
            repeated += 1
            continue
        group = waiting.setdefault((game.key,) if game.seed is None else (game.seed,), [])
        mirror = next(
            (
                found
                for found in group
                if game.seed is not None
                and found[1].parts(a) == game.parts(b)
                and found[1].parts(b) == game.parts(a)
            ),
            None,
        )
        if mirror is None:
            group.append((place, game))
            continue
        repeated += len(group) - 1
        group.clear()
        counted.add(game.seed)
        block = PairedBlock.of(*((one.score(a, b), one.redone) for one in (mirror[1], game)))
        blocks.setdefault(game.seating(a, b), []).append((place, block))
    lost, left = _lost(void, waiting, counted, a, b)
    singles = sorted((group[0] for group in waiting.values() if group), key=lambda one: one[0])
    alone = [game for _, game in singles]
    return FoundPairs(
        blocks={
            # Of a lost block without a result it may not be known how its players sat.
            name: [*lost.get(name, []), *lost.get("", []), *(block for _, block in found)]
            for name, found in ((name, sorted(found, key=_place)) for name, found in blocks.items())
        },
        matched=_matched(alone, left, a, b),
        alone=sum(map(len, waiting.values())),
        together=together,
        unusable=unusable,
        repeated=repeated,
        seats=Counter(_said(game, a) for game in alone),
    )


def _place(entry: tuple[int, PairedBlock]) -> int:
    return entry[0]


def _lost(
    void: Sequence[Met],
    waiting: dict[tuple[object, ...], list[tuple[int, Met]]],
    counted: set[int | None],
    a: int,
    b: int,
) -> tuple[dict[str, list[PairedBlock]], list[Met]]:
    """The blocks of which a game came to nothing, by seating ("": it is not known), and the void
    games that are none of a block. The roles of a void game may not be known: the places tell
    which game is its mirror image."""
    found: dict[str, list[PairedBlock]] = {}
    left: dict[int, Met] = {}
    for game in void:
        if game.seed is None or game.seed in counted:
            continue
        known = [one for _, one in waiting.get((game.seed,), [])]
        partner = next(
            (
                one
                for one in (*known, left.get(game.seed))
                if one is not None
                and one.places(a) == game.places(b)
                and one.places(b) == game.places(a)
            ),
            None,
        )
        if partner is None:
            left.setdefault(game.seed, game)
            continue
        counted.add(game.seed)
        left.pop(game.seed, None)
        unknown = partner.void and len(partner.seats) > 2
        score = None if partner.void else partner.score(a, b)
        block = PairedBlock.of((score, partner.redone), (None, True))
        found.setdefault("" if unknown else partner.seating(a, b), []).append(block)
    return found, [*left.values()]


def _matched(
    singles: Sequence[Met], void: Sequence[Met], a: int, b: int
) -> dict[str, list[PairedBlock]]:
    """Games of different seeds, in the order in which they were rated: each with the first one that
    waits for it. Who is paired with whom follows from the seats alone, never from a result. Blocks
    of which a game is void stand first."""
    found: dict[str, list[PairedBlock]] = {}
    waiting: dict[object, list[Met]] = {}
    for game in (*singles, *void):
        first, second, rest = game.table(a, b)
        partners = waiting.get((second, first, rest))
        if not partners or first == second:
            waiting.setdefault((first, second, rest), []).append(game)
            continue
        partner = partners.pop(0)
        if partner.void and game.void:
            continue
        known = ((one.score(a, b), one.redone) for one in (partner, game) if not one.void)
        block = PairedBlock.of(*known, *([(None, True)] if game.void else []))
        blocks = found.setdefault(partner.seating(a, b), [])
        blocks.insert(0, block) if game.void else blocks.append(block)
    return found


def _said(game: Met, agent: int) -> str:
    """An agent's part in a game, for people."""
    seat = game.of(agent)[0]
    return seat.role or seat.team or f"player {seat.player_index}"
