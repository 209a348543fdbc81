"""A game as a page tells it: who won and how, the lanes, the transcript by phase, and beside it who
voted for whom, what the nights brought, and what was claimed against the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from arena.viewer.lanes import DOING, Lanes, lanes, phases, teams_of
from arena.viewer.seen import SeenEvent, SeenGame, SeenSeat, SeenTurn
from arena.viewer.table_page import TablePage, table_page

_CAUSES: Mapping[str, str] = {
    "vote": "voted out",
    "night": "killed by night",
    "error": "thrown out for an error",
}


@dataclass(frozen=True, slots=True)
class Deed:
    """What a turn did to whom, as it was read: `found` is what its player learned by it."""

    doing: str
    target: SeenSeat | None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a player said of itself or of a `subject`, in which turns; `untrue` is None where the
    truth is not seen."""

    player: SeenSeat
    subject: SeenSeat
    what: str
    turns: tuple[int, ...]
    untrue: bool | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A turn of the transcript."""

    turn: SeenTurn
    player: SeenSeat
    deeds: tuple[Deed, ...]
    claims: tuple[Claim, ...]
    out: tuple[tuple[SeenSeat, str], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The turns of one phase."""

    label: str
    look: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class VoteTable:
    """Who voted for whom in one vote: `votes` by voter, in the order in which they were cast;
    `counts` by who was voted for."""

    label: str
    votes: tuple[tuple[SeenSeat, SeenSeat], ...]
    counts: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chip of the story: in which phase who was put out, or saved, and how."""

    when: str
    who: SeenSeat
    how: str


@dataclass(frozen=True, slots=True)
class GamePage:
    """All that the page of a game draws."""

    game: SeenGame
    teams: Mapping[str | None, int]
    story: tuple[Chapter, ...]
    lanes: Lanes | None
    table: TablePage
    sections: tuple[Section, ...]
    votes: tuple[VoteTable, ...]
    nights: tuple[tuple[str, tuple[tuple[SeenSeat, Deed], ...]], ...]
    claims: tuple[Claim, ...]
    moved: tuple[tuple[int, str, int], ...]


def game_page(game: SeenGame) -> GamePage:
    """The page of a game from what is seen of it."""
    labels = phases(game)
    seats: dict[int | None, SeenSeat] = {seat.index: seat for seat in game.seats}
    claims = tuple(_claims(game, seats))
    untrue = {place: f"{c.subject.name}: {c.what}" for c in claims if c.untrue for place in c.turns}
    votes, nights = _by_phase(game, seats, labels)
    drawn = lanes(game, untrue)
    return GamePage(
        game=game,
        teams=teams_of(game),
        story=tuple(_story(game, seats, labels)),
        lanes=drawn,
        table=table_page(game, drawn),
        sections=tuple(_sections(game, seats, labels, claims)),
        votes=votes,
        nights=nights,
        claims=claims,
        moved=tuple(_moved(game, labels)),
    )


def _story(
    game: SeenGame, seats: Mapping[int | None, SeenSeat], labels: list[tuple[str, str]]
) -> Iterator[Chapter]:
    for event in game.events:
        if event.target not in seats or event.place is None:
            continue
        label = labels[event.place][0]
        if event.kind == "eliminate":
            yield Chapter(label, seats[event.target], _cause(event))
        elif event.kind == "saved":
            yield Chapter(label, seats[event.target], "saved")


def _cause(event: SeenEvent) -> str:
    cause = str(event.data.get("cause", "out"))
    return _CAUSES.get(cause, cause)


def _sections(
    game: SeenGame,
    seats: Mapping[int | None, SeenSeat],
    labels: list[tuple[str, str]],
    claims: tuple[Claim, ...],
) -> Iterator[Section]:
    entries: list[Entry] = []
    for turn in game.turns:
        own = [event for event in game.events if event.place == turn.place]
        entries.append(
            Entry(
                turn,
                seats[turn.player],
                tuple(_deed(e, seats) for e in own if e.source == turn.player and _is_deed(e)),
                tuple(claim for claim in claims if turn.place in claim.turns),
                tuple(
                    (seats[e.target], _cause(e))
                    for e in own
                    if e.kind == "eliminate" and e.target in seats
                ),
            )
        )
        last = turn.place + 1 == len(game.turns)
        if last or labels[turn.place + 1] != labels[turn.place]:
            yield Section(*labels[turn.place], tuple(entries))
            entries = []


def _is_deed(event: SeenEvent) -> bool:
    return event.kind not in ("speech", "claim", "accusation", "belief", "phase", "saved")


def _deed(event: SeenEvent, seats: Mapping[int | None, SeenSeat]) -> Deed:
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


def _by_phase(
    game: SeenGame, seats: Mapping[int | None, SeenSeat], labels: list[tuple[str, str]]
) -> tuple[tuple[VoteTable, ...], tuple[tuple[str, tuple[tuple[SeenSeat, Deed], ...]], ...]]:
    votes: dict[str, list[tuple[SeenSeat, SeenSeat]]] = {}
    nights: dict[str, list[tuple[SeenSeat, Deed]]] = {}
    for event in game.events:
        if event.place is None or event.source not in seats or event.target not in seats:
            continue
        label, look = labels[event.place]
        if event.kind == "vote":
            votes.setdefault(label, []).append((seats[event.source], seats[event.target]))
        elif look == "night" and _is_deed(event):
            nights.setdefault(label, []).append((seats[event.source], _deed(event, seats)))
    tables = []
    for label, cast in votes.items():
        counts: dict[int, int] = {}
        for _, target in cast:
            counts[target.index] = counts.get(target.index, 0) + 1
        tables.append(VoteTable(label, tuple(cast), counts))
    return tuple(tables), tuple((label, tuple(deeds)) for label, deeds in nights.items())


def _claims(game: SeenGame, seats: Mapping[int | None, SeenSeat]) -> Iterator[Claim]:
    """The claims of a game, each once with all the turns in which it was made."""
    found: dict[tuple[int, int, str], list[int]] = {}
    truths: dict[tuple[int, int, str], bool | None] = {}
    for event in game.events:
        if event.kind != "claim" or event.place is None or event.source not in seats:
            continue
        seat = seats.get(event.source if event.target is None else event.target)
        named = event.data.get("role") or event.data.get("team")
        if seat is None or named is None:
            continue
        denies = bool(event.data.get("denies"))
        what = f"{'not ' if denies else ''}{named}"
        key = (seats[event.source].index, seat.index, what)
        found.setdefault(key, []).append(event.place)
        known = seat.role if event.data.get("role") else seat.team
        truths[key] = None if known is None else (known == named) == denies
    for key, places in found.items():
        source, subject, what = key
        yield Claim(seats[source], seats[subject], what, tuple(dict.fromkeys(places)), truths[key])


def _moved(game: SeenGame, labels: list[tuple[str, str]]) -> Iterator[tuple[int, str, int]]:
    """(points of a percent, phase, place of the turn) where the interval of the chance left the one
    before."""
    before = None
    for place, chance in game.chances:
        if chance.turned and before is not None and place is not None:
            yield round(100 * (chance.chance - before)), labels[place][0], place
        before = chance.chance
