"""Compares two recorded games turn by turn: a game and its branch, or any two of one environment.

It returns what is on record as it is: the caller makes it safe to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from arena.core import UsageError
from db import Session
from db.queries.games import GameRow, game
from db.queries.transcript import TurnRow, transcript

What = Literal["length", "player", "observation", "action", "submitted", "result", "lapse"]


@dataclass(frozen=True, slots=True)
class TurnPair:
    """The same turn of both games; None where a game has ended before."""

    turn_number: int
    first: TurnRow | None
    second: TurnRow | None


@dataclass(frozen=True, slots=True)
class FirstDifference:
    """Where two games part: `what` of the turn differs, with both values as text.

    `length`: one game has no such turn, its text is empty and the other's its action. `result`:
    the rules accepted one action and refused the other. `character` is where the texts differ.
    """

    turn_number: int
    what: What
    first: str
    second: str
    character: int


@dataclass(frozen=True, slots=True)
class GameDifference:
    """Two games: their rows with the outcomes, how many turns at the beginning are equal, where
    they part (None when they do not), and the turns from there on, side by side. `branch` says
    that one game comes from the other, or both from one, and at which turn the later of them
    left it."""

    first: GameRow
    second: GameRow
    common: int
    difference: FirstDifference | None
    turns: tuple[TurnPair, ...]
    branched_at: int | None


def difference(session: Session, first_game: int, second_game: int) -> GameDifference:
    """Compare two games, finished or not; the calls behind their turns are not compared.

    Raises UsageError for a game that is not there, DatabaseError for a record that cannot be read.
    """
    first, second = _game(session, first_game), _game(session, second_game)
    before = transcript(session, first_game, calls=False)
    after = transcript(session, second_game, calls=False)
    pairs = [
        TurnPair(number, one, other)
        for number, (one, other) in enumerate(zip_longest(before, after))
    ]
    found = next(((pair, parted) for pair in pairs if (parted := _parted(pair))), None)
    common = len(pairs) if found is None else found[0].turn_number
    return GameDifference(
        first=first,
        second=second,
        common=common,
        difference=None if found is None else found[1],
        turns=tuple(pairs[common:]),
        branched_at=_branched_at(first, second),
    )


def _game(session: Session, game_id: int) -> GameRow:
    found = game(session, game_id)
    if found is None:
        raise UsageError(f"there is no game {game_id}; `arena games` lists them")
    return found


def _branched_at(first: GameRow, second: GameRow) -> int | None:
    if second.parent_game_id == first.game_id:
        return second.parent_turn
    if first.parent_game_id == second.game_id:
        return first.parent_turn
    if first.parent_game_id is not None and first.parent_game_id == second.parent_game_id:
        turns = [turn for turn in (first.parent_turn, second.parent_turn) if turn is not None]
        return min(turns, default=None)
    return None


def _parted(pair: TurnPair) -> FirstDifference | None:
    """What differs in a turn; None when it is the same in both games."""
    if pair.first is None or pair.second is None:
        actions = [
            turn.action or "" if turn is not None else "" for turn in (pair.first, pair.second)
        ]
        return FirstDifference(pair.turn_number, "length", actions[0], actions[1], 0)
    for what, first, second in _facts(pair.first, pair.second):
        if first != second:
            return FirstDifference(pair.turn_number, what, first, second, _where(first, second))
    return None


def _facts(first: TurnRow, second: TurnRow) -> Sequence[tuple[What, str, str]]:
    said = ("accepted", "refused")
    return (
        ("player", str(first.player_index), str(second.player_index)),
        ("observation", _text(first.observation), _text(second.observation)),
        ("action", _text(first.action), _text(second.action)),
        ("submitted", _text(first.submitted), _text(second.submitted)),
        ("result", said[first.invalid], said[second.invalid]),
        ("lapse", _text(first.lapse), _text(second.lapse)),
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _where(first: str, second: str) -> int:
    """The first character at which two texts differ."""
    for index, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return index
    return min(len(first), len(second))
