"""The tables beside a game: who voted for whom, what the nights brought, who named whom, what was
believed, and what each player's calls took."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from arena.viewer.phases import GamePhase
from arena.viewer.seen import SeenEvent, SeenGame, SeenSeat

_NO_DEED = frozenset(
    {"saved", "claim", "accusation", "belief", "role_belief", "speech", "vote", "eliminate"}
)
SeenSeats = Mapping[int | None, SeenSeat]


@dataclass(frozen=True, slots=True)
class CastVote:
    """A vote; `right` says whether it was for another team than the voter's, None where a team is
    not seen."""

    voter: SeenSeat
    target: SeenSeat
    place: int
    right: bool | None


@dataclass(frozen=True, slots=True)
class VoteTable:
    """One vote: `votes` in the order in which they were cast, `counts` by who was voted for, `out`
    who was put out by it. Of the `asked` votes of the largest `team`, `right` were for another."""

    label: str
    votes: tuple[CastVote, ...]
    counts: Mapping[int, int]
    out: int | None = None
    team: str | None = None
    right: int = 0
    asked: int = 0


@dataclass(frozen=True, slots=True)
class NightDeed:
    """What one player did at night, and what came of it."""

    player: SeenSeat
    target: SeenSeat
    place: int
    found: str | None = None


@dataclass(frozen=True, slots=True)
class NightTable:
    """Nights as rows: each has its label, the deeds by `kinds`, and who was put out."""

    kinds: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[NightDeed, ...], ...], tuple[SeenSeat, ...]], ...]


@dataclass(frozen=True, slots=True)
class NamingTable:
    """How often each player named another as an enemy in one phase; `most` is the largest
    count."""

    label: str
    counts: Mapping[tuple[int, int], int]
    rows: tuple[SeenSeat, ...]
    most: int


@dataclass(frozen=True, slots=True)
class Believer:
    """What a player last noted: suspicions from 0 to 1 by player, and whom it suspected `most`;
    `right` says whether those are of another team than its own."""

    player: SeenSeat
    suspicions: Mapping[int, float]
    most: tuple[SeenSeat, ...]
    right: bool | None


@dataclass(frozen=True, slots=True)
class RoleBeliever:
    """What a player last said that it believes: by player the likeliest role, its chance from 0 to
    1, and whether it has that role, None where the role is not seen."""

    player: SeenSeat
    likeliest: Mapping[int, tuple[str, float, bool | None]]


@dataclass(frozen=True, slots=True)
class Spending:
    """What the calls of a player took: dollars, None where none had a price; milliseconds."""

    player: SeenSeat
    calls: int
    failed: int
    tokens: int
    cost: float | None
    time_ms: float


def votes(game: SeenGame, seats: SeenSeats, phases: Sequence[GamePhase]) -> Iterator[VoteTable]:
    """The votes of a game, each phase a table."""
    largest = largest_team(game)
    cast = [event for event in game.events if event.kind == "vote" and _within(event, seats)]
    for label, own in groupby(cast, lambda event: phases[event.place or 0].label):
        held = [_vote(event, seats) for event in own]
        counts: dict[int, int] = {}
        for vote in held:
            counts[vote.target.index] = counts.get(vote.target.index, 0) + 1
        asked = [v for v in held if largest is not None and v.voter.team == largest]
        yield VoteTable(
            label,
            tuple(held),
            counts,
            next((e.target for e in _put_out(game) if _label(e, phases) == label), None),
            largest,
            sum(bool(vote.right) for vote in asked),
            len(asked),
        )


def nights(game: SeenGame, seats: SeenSeats, phases: Sequence[GamePhase]) -> NightTable | None:
    """What was done by night, and who was put out by it; None where nothing of it is seen."""
    done: dict[str, dict[str, list[NightDeed]]] = {}
    for event in game.events:
        if not _within(event, seats) or phases[event.place or 0].look != "night":
            continue
        if event.kind in _NO_DEED:
            continue
        found = event.data.get("found") or ("saved" if event.data.get("saved") else None)
        deed = NightDeed(
            seats[event.source],
            seats[event.target],
            event.place or 0,
            None if found is None else str(found)[:40],
        )
        row = done.setdefault(phases[event.place or 0].label, {})
        row.setdefault(event.kind, []).append(deed)
    if not done:
        return None
    kinds = tuple(dict.fromkeys(kind for row in done.values() for kind in row))
    out: dict[str, list[SeenSeat]] = {}
    for event in _put_out(game):
        if event.target in seats:
            out.setdefault(_label(event, phases), []).append(seats[event.target])
    return NightTable(
        kinds,
        tuple(
            (
                label,
                tuple(tuple(row.get(kind, ())) for kind in kinds),
                tuple(out.get(label, ())),
            )
            for label, row in done.items()
        ),
    )


def namings(game: SeenGame, seats: SeenSeats, phases: Sequence[GamePhase]) -> Iterator[NamingTable]:
    """Who named whom as an enemy, each phase a table."""
    named = [event for event in game.events if event.kind == "accusation" and _within(event, seats)]
    for label, own in groupby(named, lambda event: phases[event.place or 0].label):
        counts: dict[tuple[int, int], int] = {}
        for event in own:
            pair = (event.source or 0, event.target or 0)
            counts[pair] = counts.get(pair, 0) + 1
        speaking = {source for source, _ in counts}
        rows = tuple(seat for seat in game.seats if seat.index in speaking)
        yield NamingTable(label, counts, rows, max(counts.values()))


def believers(game: SeenGame, seats: SeenSeats) -> Iterator[Believer]:
    """What the players last noted of each other."""
    noted: dict[int, dict[int, float]] = {}
    for event in game.events:
        suspicion = event.data.get("suspicion")
        if event.kind == "belief" and _within(event, seats) and isinstance(suspicion, int | float):
            noted.setdefault(event.source or 0, {})[event.target or 0] = float(suspicion)
    for source, own in noted.items():
        highest = max(own.values())
        most = tuple(seats[index] for index, value in own.items() if value == highest)
        player = seats[source]
        known = player.team is not None and all(seat.team is not None for seat in most)
        right = all(seat.team != player.team for seat in most) if known else None
        yield Believer(player, own, most, right)


def role_believers(game: SeenGame, seats: SeenSeats) -> Iterator[RoleBeliever]:
    """What the players last said that they believe of each other."""
    said: dict[int, dict[int, tuple[str, float, bool | None]]] = {}
    for event in game.events:
        roles = event.data.get("roles")
        if event.kind != "role_belief" or not _within(event, seats) or not isinstance(roles, dict):
            continue
        chance, role = max(((chance, role) for role, chance in roles.items()), default=(0.0, ""))
        true = seats[event.target].role
        right = None if true is None else role == true
        said.setdefault(event.source or 0, {})[event.target or 0] = (role, float(chance), right)
    for source, own in said.items():
        yield RoleBeliever(seats[source], own)


def spending(game: SeenGame) -> Iterator[Spending]:
    """What the calls of each player took, as far as its turns are the viewer's to see."""
    for seat in game.seats:
        own = [turn.own for turn in game.turns if turn.player == seat.index and turn.own]
        costs = [turn.cost for turn in own if turn.cost is not None]
        yield Spending(
            seat,
            sum(turn.number_of_calls for turn in own),
            sum(turn.failed_calls for turn in own),
            sum(turn.tokens for turn in own),
            math.fsum(costs) if costs else None,
            math.fsum(turn.time_ms or 0 for turn in own),
        )


def vote_is_right(event: SeenEvent, seats: SeenSeats) -> bool | None:
    """Whether somebody was chosen who is of another team, None where a team is not seen."""
    source, target = seats.get(event.source), seats.get(event.target)
    if source is None or target is None or source.team is None or target.team is None:
        return None
    return source.team != target.team


def _vote(event: SeenEvent, seats: SeenSeats) -> CastVote:
    return CastVote(
        seats[event.source], seats[event.target], event.place or 0, vote_is_right(event, seats)
    )


def _within(event: SeenEvent, seats: SeenSeats) -> bool:
    return event.place is not None and event.source in seats and event.target in seats


def _put_out(game: SeenGame) -> Iterator[SeenEvent]:
    return (e for e in game.events if e.kind == "eliminate" and e.place is not None)


def _label(event: SeenEvent, phases: Sequence[GamePhase]) -> str:
    return phases[event.place or 0].label


def largest_team(game: SeenGame) -> str | None:
    """The team that has the most players, where there is one; it is what a vote is looked at for:
    the other knows who is who."""
    sizes: dict[str, int] = {}
    for seat in game.seats:
        if seat.team is not None:
            sizes[seat.team] = sizes.get(seat.team, 0) + 1
    ranked = sorted(sizes.values(), reverse=True)
    if len(ranked) < 2 or ranked[0] == ranked[1]:
        return None
    return max(sizes, key=lambda team: sizes[team])
