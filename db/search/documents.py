"""The texts of a game that search finds, each with a key of its own.

A text is an action, a reply (what a model said, where that is not the action), a thought or an
error; its key is the turn's key and its part. What made a game void stands behind its last turn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import bindparam, text
from sqlmodel import Session

from db import keys
from db.errors import DatabaseError
from db.payloads import PayloadReader, as_done

TextPart = Literal["action", "reply", "thought", "error"]
PARTS: tuple[TextPart, ...] = get_args(TextPart)

ReadAnswer = Callable[[str, Any], tuple[str, str]]
"""read(text, response): what a model said and what it thought, of an answer as it is recorded."""

# Of a game itself: no turn has the last number and the last player.
_OF_GAME = keys.MAX_TURN_NUMBER << 8 | keys.MAX_PLAYER_INDEX
# What is read together, in the index's own words, is as long as a text may be.
MOST_WORDS = 16_000

_TURNS = "SELECT id, action, action_raw FROM game_turns WHERE {} AND acted_at IS NOT NULL"
_CALLS = (
    "SELECT c.id, c.error_class, c.error_message, c.error_message_raw, p.response "
    "FROM llm_calls c LEFT JOIN call_payloads p ON p.llm_call_id = c.id WHERE {} ORDER BY c.id"
)
_GAMES = "SELECT id, void_cause, error, error_raw FROM games WHERE {} AND status = 'void'"


@dataclass(frozen=True, slots=True)
class SaidText:
    """A text of a game; `pieces` has several where several calls of a turn were answered."""

    key: int
    pieces: tuple[str, ...]

    @property
    def turn(self) -> tuple[int, int, int]:
        """(game_id, turn_number, player_index); of a game's own error, the last there are."""
        return keys.turn_of(self.key >> 2)

    @property
    def part(self) -> TextPart:
        """What it is."""
        return part_of(self.key)


def part_of(key: int) -> TextPart:
    """What the text of a key is."""
    return PARTS[key & 3]


def is_of_game(key: int) -> bool:
    """Whether a key is that of a game's own error, and of no turn."""
    return key >> 2 & 0xFFFFFF == _OF_GAME


def texts_of_games(
    session: Session, first: int, last: int, read: ReadAnswer, unread: list[int]
) -> Iterator[SaidText]:
    """Every text of the games from `first` to `last`, by key; `unread` gets the turns of which an
    answer is damaged."""
    turns = {"first": first << 24, "end": last + 1 << 24}
    calls = {"first": first << 32, "end": last + 1 << 32}
    games = {"first": first, "end": last + 1}
    yield from _found(
        session.execute(text(_TURNS.format("id >= :first AND id < :end")), turns),
        session.execute(text(_CALLS.format("c.id >= :first AND c.id < :end")), calls),
        session.execute(text(_GAMES.format("id >= :first AND id < :end")), games),
        read,
        unread,
    )


def texts_of_keys(session: Session, wanted: Sequence[int], read: ReadAnswer) -> dict[int, SaidText]:
    """The texts of some keys, those that are still there."""
    turns = sorted({key >> 2 for key in wanted})
    ids: Any = bindparam("ids", expanding=True)
    values = {"ids": turns}
    found = _found(
        session.execute(text(_TURNS.format("id IN :ids")).bindparams(ids), values),
        session.execute(text(_CALLS.format("c.game_turn_id IN :ids")).bindparams(ids), values),
        session.execute(
            text(_GAMES.format("id IN :ids")).bindparams(ids),
            {"ids": sorted({key >> 26 for key in wanted if is_of_game(key)})},
        ),
        read,
        [],
    )
    chosen = {*wanted}
    return {each.key: each for each in found if each.key in chosen}


def _found(
    turns: Iterable[Any],
    calls: Iterable[Any],
    games: Iterable[Any],
    read: ReadAnswer,
    unread: list[int],
) -> Iterator[SaidText]:
    pieces: dict[int, list[str]] = defaultdict(list)
    actions: dict[int, str | None] = {}
    reader = PayloadReader()
    for turn_id, action, raw in turns:
        actions[turn_id] = said = as_done(action, raw)
        if said:
            pieces[turn_id << 2].append(said)
    for call_id, error_class, message, raw, response in calls:
        turn_id = call_id >> 8
        if error_class is not None:
            said = as_done(message, raw)
            pieces[turn_id << 2 | 3].append(f"{error_class}: {said}" if said else error_class)
        if response is None:
            continue
        action = actions.get(turn_id)
        try:
            answer, rest = reader.answer(response, action)
        except (DatabaseError, ValueError, LookupError, TypeError, AttributeError):
            if turn_id not in unread[-1:]:
                unread.append(turn_id)
            continue
        spoken, thoughts = read(answer or "", rest)
        if spoken and spoken.strip() != (action or "").strip():
            pieces[turn_id << 2 | 1].append(spoken)
        if thoughts:
            pieces[turn_id << 2 | 2].append(thoughts)
    for game_id, cause, message, raw in games:
        said = as_done(message, raw)
        if cause or said:
            pieces[(game_id << 24 | _OF_GAME) << 2 | 3].append(f"{cause}: {said or ''}")
    for key in sorted(pieces):
        yield SaidText(key, tuple(pieces[key]))
