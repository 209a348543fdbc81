"""Flips bits of stored texts, one at a time, and counts those that nobody notices on reading."""

from __future__ import annotations

import random
from collections.abc import Iterator

from sqlalchemy import text

from db import get_session
from db.errors import Damaged
from db.keys import turn_of
from db.queries.transcript import transcript
from torture.databases import connected
from torture.rows import Row
from torture.scene import Scene

_CELLS = (
    ("turn_payloads", "game_turn_id", "body", 0),
    ("call_payloads", "llm_call_id", "messages", 8),
    ("call_payloads", "llm_call_id", "response", 8),
)


def flipped(scene: Scene, part: str, flips: int) -> Iterator[Row]:
    """The rows of `flips` bits of the texts of a scene's games, which are as they were afterwards:
    the command that reads everything says so before and after."""
    rng = random.Random(scene.harness.seed)
    unnoticed = 0
    sound = [_verified(scene)]
    with connected(scene.url) as connection:
        for _ in range(flips):
            table, key, column, shift = rng.choice(_CELLS)
            ids = text(f"SELECT {key} FROM {table} WHERE {column} IS NOT NULL")
            row_id = rng.choice(connection.execute(ids).scalars().all())
            one = text(f"SELECT {column} FROM {table} WHERE {key} = :id")
            write = text(f"UPDATE {table} SET {column} = :blob WHERE {key} = :id")
            whole = bytes(connection.execute(one, {"id": row_id}).scalar_one())
            bits = bytearray(whole)
            bit = rng.randrange(8 * len(bits))
            bits[bit // 8] ^= 1 << bit % 8
            connection.execute(write, {"blob": bytes(bits), "id": row_id})
            unnoticed += not _noticed(scene.url, row_id >> shift)
            connection.execute(write, {"blob": whole, "id": row_id})
    sound.append(_verified(scene))
    yield Row(
        part,
        f"{scene.label}: flipped bits of stored texts that nobody notices",
        unnoticed,
        promised=0,
        note=f"of {flips}, each named by game and turn",
    )
    yield Row(
        part,
        f"{scene.label}: sound databases in which `arena db verify` finds damage",
        sound.count(False),
        promised=0,
    )


def _verified(scene: Scene) -> bool:
    return scene.harness.commands.run("db", "verify", "--db", scene.url).code == 0


def _noticed(url: str, turn_id: int) -> bool:
    game_id, turn_number, _ = turn_of(turn_id)
    try:
        with get_session(url, create=False) as session:
            transcript(session, game_id)
    except Damaged as error:
        return f"game {game_id} is damaged at turn {turn_number} " in str(error)
    return False
