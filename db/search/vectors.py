"""Vectors of what was said, made by embedding models: which actions have none yet, and all of one
space.

Two vectors can be compared where they are of one space: of one model, asked alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, text
from sqlmodel import Session, col, select

from db import keys
from db.models import GameTurn, TextVector
from db.payloads import as_done

_AT_ONCE = 500
_SCANNED = 20_000  # vectors in memory at once

_LACKING = (
    "FROM game_turns t JOIN games g ON g.id = t.game_id "
    "WHERE t.id > :after AND g.status IN ('completed', 'void') AND t.acted_at IS NOT NULL "
    "AND t.action <> '' AND NOT EXISTS (SELECT 1 FROM text_vectors v "
    "WHERE v.space = :space AND v.game_turn_id = t.id)"
)


@dataclass(frozen=True, slots=True)
class ActionText:
    """The action of a turn, by the turn's key."""

    turn_id: int
    text: str

    @property
    def game_id(self) -> int:
        """Its game."""
        return keys.turn_of(self.turn_id)[0]


def spaces(session: Session) -> list[str]:
    """The spaces that there are vectors of."""
    return [*session.exec(select(TextVector.space).distinct().order_by(TextVector.space))]


def first_space(session: Session) -> str | None:
    """The first space by name that there are vectors of; None without any."""
    return session.exec(select(func.min(TextVector.space))).first()


def dimensions(session: Session, space: str) -> int | None:
    """How many numbers the vectors of a space have; None where there are none."""
    one = select(TextVector.vector).where(TextVector.space == space).limit(1)
    found = session.exec(one).first()
    return None if found is None else len(found) // 4


def count_lacking(session: Session, space: str) -> int:
    """How many actions of games that are over have no vector of this space."""
    query = text(f"SELECT COUNT(*) {_LACKING}")
    return int(session.execute(query, {"space": space, "after": 0}).scalar_one())


def lacking(session: Session, space: str, after: int, most: int) -> list[ActionText]:
    """At most so many of these actions, those behind a turn's key, in order."""
    query = text(f"SELECT t.id, t.action, t.action_raw {_LACKING} ORDER BY t.id LIMIT :most")
    rows = session.execute(query, {"space": space, "after": after, "most": most})
    return [ActionText(key, as_done(action, raw) or "") for key, action, raw in rows]


def known_vectors(session: Session, space: str, hashes: Sequence[bytes]) -> dict[bytes, bytes]:
    """The vectors of texts that there are some of, by the hash of the text."""
    found: dict[bytes, bytes] = {}
    query = select(TextVector.text_hash, TextVector.vector).where(TextVector.space == space)
    for start in range(0, len(hashes), _AT_ONCE):
        some = col(TextVector.text_hash).in_(hashes[start : start + _AT_ONCE])
        found.update(session.exec(query.where(some)).all())
    return found


def add_vectors(session: Session, space: str, vectors: Mapping[int, tuple[bytes, bytes]]) -> None:
    """(hash of the text, vector) by the turn's key; what is there stays, and what turns are gone
    stay away."""
    query = text(
        "INSERT INTO text_vectors (space, game_turn_id, text_hash, vector) "
        "SELECT :space, id, :hash, :vector FROM game_turns WHERE id = :turn "
        "ON CONFLICT DO NOTHING"
    )
    for turn, (digest, vector) in sorted(vectors.items()):
        values: dict[str, Any] = {"space": space, "turn": turn, "hash": digest, "vector": vector}
        session.execute(query, values)


def all_vectors(session: Session, space: str) -> Iterator[tuple[list[int], list[bytes], bytes]]:
    """(keys of turns, hashes of their texts, their vectors one after the other), some thousand at
    a time, in order."""
    after = -1
    query = (
        select(TextVector.game_turn_id, TextVector.text_hash, TextVector.vector)
        .where(TextVector.space == space)
        .order_by(col(TextVector.game_turn_id))
        .limit(_SCANNED)
    )
    while rows := session.exec(query.where(col(TextVector.game_turn_id) > after)).all():
        after = rows[-1][0]
        yield (
            [key for key, _, _ in rows],
            [digest for _, digest, _ in rows],
            b"".join(vector for _, _, vector in rows),
        )


def vector_of(session: Session, space: str, game_id: int, turn: int) -> TextVector | None:
    """That of a game's turn, whoever's it was."""
    first = keys.turn_key(game_id, turn, 0)
    query = select(TextVector).where(
        TextVector.space == space,
        col(TextVector.game_turn_id).between(first, first + 255),
    )
    return session.exec(query.limit(1)).first()


def action_of(session: Session, game_id: int, turn: int) -> tuple[str | None, str | None]:
    """(what was done in a turn of a game, the status of the game); None where there is none."""
    status = session.execute(text("SELECT status FROM games WHERE id = :id"), {"id": game_id})
    first = keys.turn_key(game_id, turn, 0)
    row = session.exec(
        select(GameTurn.action_text, GameTurn.action_raw).where(
            col(GameTurn.id).between(first, first + 255)
        )
    ).first()
    return (None if row is None else as_done(*row)), status.scalar()


def clear_space(session: Session, space: str) -> int:
    """Delete the vectors of a space; how many there were."""
    count = session.execute(
        select(func.count()).select_from(TextVector).where(TextVector.space == space)
    ).scalar_one()
    session.execute(delete(TextVector).where(col(TextVector.space) == space))
    return int(count)
