"""What was done in a game of moves, rounds or offers: the tables of its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arena.viewer.seen import SeenEvent, SeenGame, SeenSeat

_MOVES = frozenset({"move", "guess", "clue"})
_LONGEST = 200
_MOST = 600
"""Rows of a table at most, the first ones."""


@dataclass(frozen=True, slots=True)
class PlayedMove:
    """A move, clue or guess as its words; `right` is whether a guess was."""

    place: int
    seat: SeenSeat
    words: str
    right: bool | None = None


@dataclass(frozen=True, slots=True)
class RoundCell:
    """What a player had and did in a round: its cards, what it chose in which turn, and what the
    round brought it, None where nothing is told."""

    cards: str = ""
    chose: tuple[tuple[int | None, str], ...] = ()
    brought: float | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """A round, hand or day by its number; `cells` are by player in order."""

    number: int
    cells: tuple[RoundCell, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer at a turn, and what came of it: `answer` is None where it was not answered."""

    place: int
    maker: SeenSeat
    to: SeenSeat | None
    terms: tuple[tuple[str, str], ...]
    answer: str | None = None
    answered_at: int | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """The tables of a game, each empty where the game has none; `left` rows are not in them."""

    plays: tuple[PlayedMove, ...] = ()
    rounds: tuple[Round, ...] = ()
    offers: tuple[Offer, ...] = ()
    left: int = 0


@dataclass(slots=True)
class _OpenCell:
    cards: str = ""
    chose: list[tuple[int | None, str]] = field(default_factory=list)
    brought: float | None = None
    lost: bool = False

    def done(self) -> RoundCell:
        return RoundCell(self.cards, tuple(self.chose), self.brought, self.lost)


def ledger(game: SeenGame) -> Ledger:
    """The tables from the events that these eyes saw."""
    seats = {seat.index: seat for seat in game.seats}
    plays = [
        PlayedMove(e.place, seats[e.source], _play(e), e.data.get("correct"))
        for e in game.events
        if e.kind in _MOVES and e.place is not None and e.source in seats and _play(e)
    ]
    rounds, offers = _rounds(game), _offers(game, seats)
    left = sum(max(len(rows) - _MOST, 0) for rows in (plays, rounds, offers))
    return Ledger(tuple(plays[:_MOST]), tuple(rounds[:_MOST]), tuple(offers[:_MOST]), left)


def _play(event: SeenEvent) -> str:
    data = event.data
    return str(data.get("move") or data.get("guess") or data.get("word") or "")[:_LONGEST]


def _rounds(game: SeenGame) -> list[Round]:
    """The rounds in which cards were dealt, something was chosen, or something was paid."""
    found: dict[int, dict[int, _OpenCell]] = {}
    indices = [seat.index for seat in game.seats]

    def cell(day: int | None, player: int | None) -> _OpenCell | None:
        if player not in indices:
            return None
        of = found.setdefault(1 if day is None else day, {})
        return of.setdefault(player, _OpenCell())

    for event in game.events:
        data = event.data
        if event.kind == "deal" and (own := cell(event.day, event.target)):
            own.cards = " ".join(map(str, data.get("cards", ())))[:_LONGEST]
        elif event.kind in ("decision", "allocate") or (event.kind == "bid" and "face" not in data):
            if own := cell(event.day, event.source):
                own.chose.append((event.place, _choice(event)))
        elif event.kind in ("payoff", "pot") and (own := cell(event.day, event.target)):
            amount = data.get("amount")
            if isinstance(amount, int | float):
                own.brought = (own.brought or 0) + amount
        elif event.kind == "call" and (own := cell(event.day, data.get("loser"))):
            own.lost = True
    if not any(each.chose or each.cards for of in found.values() for each in of.values()):
        return []
    return [
        Round(day, tuple(of.get(index, _OpenCell()).done() for index in indices))
        for day, of in sorted(found.items())
    ]


def _choice(event: SeenEvent) -> str:
    data = event.data
    if event.kind == "allocate":
        return _pairs(data.get("units"))
    value = data.get("choice", data.get("amount", ""))
    about = "" if event.target is None else f"{event.target}: "
    item = f" for {data['item']}" if data.get("item") else ""
    return f"{about}{_plain(value)}{item}"[:_LONGEST]


def _offers(game: SeenGame, seats: Mapping[int, SeenSeat]) -> list[Offer]:
    """The offers, each with the next answer of the player that it was made to."""
    offers: list[Offer] = []
    for event in game.events:
        source = event.source
        if source is None or source not in seats or event.place is None:
            continue
        if event.kind == "offer":
            to = None if event.target is None else seats.get(event.target)
            offers.append(Offer(event.place, seats[source], to, tuple(_terms(event.data))))
        elif event.kind in ("accept", "reject"):
            for at in range(len(offers) - 1, -1, -1):
                made = offers[at]
                if made.maker.index != source and made.answer is None:
                    offers[at] = Offer(
                        made.place, made.maker, made.to, made.terms, event.kind, event.place
                    )
                    break
    return offers


def _terms(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [(name, _pairs(data[name])) for name in ("gives", "wants") if data.get(name)]
    if "amount" in data:
        found.append(("", _plain(data["amount"])))
    terms = data.get("terms")
    if isinstance(terms, Mapping):
        found += [(str(name)[:80], _plain(value)) for name, value in terms.items()]
    elif terms:
        found.append(("", _plain(terms)))
    return found


def _pairs(units: object) -> str:
    if not isinstance(units, Mapping):
        return _plain(units)
    return ", ".join(f"{name} {_plain(value)}" for name, value in units.items())[:_LONGEST]


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)[:_LONGEST]
