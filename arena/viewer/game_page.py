"""A game as a page tells it: who won and how, the lanes, the transcript by phase, and beside it
what turned the game and its tables. A long game is told in parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from markupsafe import Markup

from arena.reports.chances import TurnChance
from arena.viewer.game_digest import (
    Claim,
    Liar,
    Pointed,
    TurningPoint,
    cause_of,
    claims,
    liars,
    moments,
    pointed,
)
from arena.viewer.game_tables import (
    Believer,
    NamingTable,
    NightTable,
    RoleBeliever,
    SeenSeats,
    Spending,
    VoteTable,
    believers,
    namings,
    nights,
    role_believers,
    spending,
    votes,
)
from arena.viewer.lanes import DOING, Lanes, lanes, teams_of
from arena.viewer.phases import GamePhase, phases
from arena.viewer.plugin_part import plugin_part
from arena.viewer.seen import SeenEvent, SeenGame, SeenSeat, SeenTurn
from arena.viewer.table_page import TablePage, table_page

PART = 200
"""Turns that are told at once; a little more where that is the whole game."""

_OF_HIDDEN_TEAMS = {"claim", "accusation", "vote", "kill_choice", "eliminate"}
_MOST_CLAIMS = 60
_MOST_TABLES = 12
_NO_DEED = frozenset(
    {"speech", "claim", "accusation", "belief", "role_belief", "phase", "saved", "statement"}
)


@dataclass(frozen=True, slots=True)
class Deed:
    """What a turn did to whom, as it was read: `found` is what its player learned by it."""

    doing: str
    target: SeenSeat | None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A turn of the transcript: `out` are those who were put out in it, `gone` those who were found
    to be ahead of it."""

    turn: SeenTurn
    player: SeenSeat
    deeds: tuple[Deed, ...]
    claims: tuple[Claim, ...]
    out: tuple[tuple[SeenSeat, str], ...]
    gone: tuple[tuple[SeenSeat, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """The turns of one phase; `chance` is that of a `team` after it, which moved by so many
    `points` of a percent in it, None where it did not surely move."""

    label: str
    look: str
    entries: tuple[Entry, ...]
    team: str | None = None
    chance: float | None = None
    points: int | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chip of the story: in which phase who was put out, or saved, and how."""

    when: str
    who: SeenSeat
    how: str


@dataclass(frozen=True, slots=True)
class GamePage:
    """All that the page of a game draws: of a long one the turns from `first` to before `end`, and
    the numbers of its `parts`."""

    game: SeenGame
    teams: Mapping[str | None, int]
    story: tuple[Chapter, ...]
    lanes: Lanes | None
    table: TablePage
    plugin: tuple[Markup | None, str | None]
    sections: tuple[Section, ...]
    claims: tuple[Claim, ...]
    liars: tuple[Liar, ...]
    pointed: tuple[Pointed, ...]
    moments: tuple[TurningPoint, ...]
    votes: tuple[VoteTable, ...]
    nights: NightTable | None
    namings: tuple[NamingTable, ...]
    believers: tuple[Believer, ...]
    role_believers: tuple[RoleBeliever, ...]
    spending: tuple[Spending, ...]
    first: int
    end: int
    part: int
    parts: tuple[tuple[int, int, int], ...] = ()
    failed: tuple[SeenTurn, ...] = ()
    teams_are_hidden: bool = False
    columns: tuple[SeenSeat, ...] = field(default=())

    def part_of(self, place: int) -> int | None:
        """The part in which a turn is told, None for the one that is drawn."""
        return None if self.first <= place < self.end else part_of(self.game, place)


def parts(game: SeenGame) -> tuple[tuple[int, int, int], ...]:
    """(number, first turn, end) of each part of a game."""
    count = len(game.turns)
    if count <= PART + PART // 2:
        return ((0, 0, count),)
    return tuple(
        (number, first, min(first + PART, count))
        for number, first in enumerate(range(0, count, PART))
    )


def part_of(game: SeenGame, place: int) -> int:
    """The number of the part that a turn is told in."""
    return next(number for number, _, end in parts(game) if place < end)


def game_page(game: SeenGame, part: int | None = 0) -> GamePage:
    """The page of a game from what is seen of it, in parts where it is long: `part` of it, or all
    of it for None."""
    whole = ((0, 0, len(game.turns)),) if part is None else parts(game)
    _, first, end = whole[part or 0]
    named = phases(game)
    seats: dict[int | None, SeenSeat] = {seat.index: seat for seat in game.seats}
    told = tuple(claims(game, seats))
    untrue: dict[int, str] = {}
    for claim in told:
        for place in claim.turns if claim.untrue else ():
            before = f"{untrue[place]}; " if place in untrue else ""
            untrue[place] = f"{before}{claim.subject.name}: {claim.what}"
    teams = teams_of(game)
    window = replace(
        game,
        events=tuple(e for e in game.events if e.place is None or first <= e.place < end),
    )
    drawn = lanes(game, named, untrue, first, end)
    return GamePage(
        game=game,
        teams=teams,
        story=tuple(_story(game, seats, named)),
        lanes=drawn,
        # Its lines go over the whole game, and would not stand below the lanes of a part.
        table=table_page(game, drawn if len(whole) == 1 else None),
        plugin=plugin_part(game),
        sections=tuple(_sections(game, seats, named, told, first, end)),
        claims=told[:_MOST_CLAIMS],
        liars=tuple(liars(game, seats, told, named)),
        pointed=pointed(game, seats),
        moments=moments(game, seats, told, named),
        votes=tuple(votes(window, seats, named))[:_MOST_TABLES],
        nights=nights(window, seats, named),
        namings=tuple(namings(window, seats, named))[:_MOST_TABLES],
        believers=tuple(believers(game, seats)),
        role_believers=tuple(role_believers(game, seats)),
        spending=tuple(spending(game)) if game.eyes.everything else (),
        first=first,
        end=end,
        part=part or 0,
        parts=whole if len(whole) > 1 else (),
        failed=tuple(turn for turn in game.turns if turn.own and turn.own.failed_calls),
        teams_are_hidden=_teams_are_hidden(game),
        columns=tuple(sorted(game.seats, key=lambda seat: (teams[seat.team], seat.index))),
    )


def _teams_are_hidden(game: SeenGame) -> bool:
    """Whether players have to find out who is of which team: there are teams, and somebody spoke
    of what a player is, or was put out by the others."""
    told = any(seat.team is not None for seat in game.seats)
    return told and any(event.kind in _OF_HIDDEN_TEAMS for event in game.events)


def _story(game: SeenGame, seats: SeenSeats, phases: Sequence[GamePhase]) -> Iterator[Chapter]:
    cast: dict[str, list[int | None]] = defaultdict(list)
    for event in game.events:
        if event.place is None:
            continue
        label = phases[event.place].label
        if event.kind == "vote":
            cast[label].append(event.target)
        elif event.target in seats and event.kind == "saved":
            by = seats[event.source].role if event.source in seats else None
            yield Chapter(label, seats[event.target], f"saved by the {by}" if by else "saved")
        elif event.target in seats and event.kind == "eliminate":
            how = cause_of(event)
            votes = cast[label].count(event.target)
            if event.data.get("cause") == "vote" and votes:
                how = f"{how}, {votes} of {len(cast[label])}"
            yield Chapter(label, seats[event.target], how)


def _sections(
    game: SeenGame,
    seats: SeenSeats,
    phases: Sequence[GamePhase],
    told: Sequence[Claim],
    first: int,
    end: int,
) -> Iterator[Section]:
    events: dict[int | None, list[SeenEvent]] = defaultdict(list)
    for event in game.events:
        events[event.place].append(event)
    claimed: dict[int, list[Claim]] = defaultdict(list)
    for claim in told:
        for place in claim.turns:
            claimed[place].append(claim)
    chances = {place: chance for place, chance in game.chances if place is not None}
    before = next((chance for place, chance in game.chances if place is None), None)
    for place in range(first):
        before = chances.get(place, before)
    entries: list[Entry] = []
    for turn in game.turns[first:end]:
        own = events[turn.place]
        entries.append(
            Entry(
                turn,
                seats[turn.player],
                tuple(
                    _deed(event, seats)
                    for event in own
                    if event.source == turn.player and event.kind not in _NO_DEED
                ),
                tuple(claimed[turn.place]),
                _put_out(own, seats, ahead=False),
                _put_out(own, seats, ahead=True),
            )
        )
        after = chances.get(turn.place, before)
        following = turn.place + 1
        if following == end or phases[following].label != phases[turn.place].label:
            phase = phases[turn.place]
            yield Section(phase.label, phase.look, tuple(entries), *_moved(before, after))
            entries = []
            before = after


def _put_out(
    events: Sequence[SeenEvent], seats: SeenSeats, *, ahead: bool
) -> tuple[tuple[SeenSeat, str], ...]:
    return tuple(
        (seats[event.target], cause_of(event))
        for event in events
        if event.kind == "eliminate" and event.target in seats and event.ahead is ahead
    )


def _moved(
    before: TurnChance | None, after: TurnChance | None
) -> tuple[str | None, float | None, int | None]:
    """(team, chance, points by which it surely moved)."""
    if after is None:
        return None, None, None
    points = None
    if before is not None and after is not before and after.turned:
        points = round(100 * after.chance) - round(100 * before.chance)
    return after.team, after.chance, points


def _deed(event: SeenEvent, seats: SeenSeats) -> Deed:
    found = event.data.get("found")
    if found is None and event.data.get("saved"):
        found = "saved"
    if found is None and event.kind != "eliminate":
        told = {name: value for name, value in event.data.items() if name not in ("found", "saved")}
        alone = len(told) == 1
        found = ", ".join(str(v) if alone else f"{k} {v}" for k, v in told.items())[:300] or None
    target = None if event.target is None else seats.get(event.target)
    doing = DOING.get(event.kind, event.kind.replace("_", " "))
    return Deed(doing, target, None if found is None else str(found))
