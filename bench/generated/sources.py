"""The games that generated databases are copied from: real ones, played by scripted models.

They are recorded by a run as any other: texts, calls, events, notes. What a clock said is replaced,
so that the same seed gives the same rows.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from arena.orchestrator import run
from bench.generated.tournaments import LINEUP, PLAYERS, tournament
from db import get_engine, keys
from db.codec import ACTED, JSON, Codec, answer_text
from db.models.columns import Table
from db.payloads import PayloadReader

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

Row = Mapping[str, Any]

# In the order in which they point to each other.
TABLES = (
    "games",
    "game_players",
    "game_turns",
    "turn_payloads",
    "llm_calls",
    "call_payloads",
    "game_events",
)


@dataclass(frozen=True, slots=True)
class Source:
    """One game's rows by table, as game 1 of agents 1 to 6 has them."""

    turns: int
    rows: Mapping[str, Sequence[Row]]


def played(count: int, seed: int) -> list[Source]:
    """So many games, the shortest of twice as many; of each four, one that the Village won, which
    takes it longer."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "played.db"
        wanted = tournament("played", games=2 * count, agents=len(LINEUP), seed=seed)
        asyncio.run(run(wanted, url=file))
        engine = get_engine(file)
        try:
            with engine.connect() as connection:
                found = [*_sources(connection)]
        finally:
            engine.dispose()
    found.sort(key=lambda source: source.turns)
    won = [source for source in found if source.rows["games"][0]["winning_team"] == "Village"]
    chosen = won[: count // 4]
    others = [source for source in found if source not in chosen]
    return [*chosen, *others[: count - len(chosen)]]


def _sources(connection: Connection) -> Iterator[Source]:
    games = Table.metadata.tables["games"]
    completed = select(games.c.id).where(games.c.status == "completed").order_by(games.c.id)
    for game_id in connection.execute(completed).scalars().all():
        rows = {name: _rows(connection, name, game_id) for name in TABLES}
        yield Source(len(rows["game_turns"]), rows)


def _rows(connection: Connection, name: str, game_id: int) -> list[Row]:
    table = Table.metadata.tables[name]
    key = next(iter(table.primary_key.columns))
    if name in ("game_turns", "turn_payloads"):
        first, last = keys.turns_of_game(game_id)
    elif name in ("llm_calls", "call_payloads"):
        first, last = keys.calls_of_game(game_id)
    else:
        key = table.c.id if name == "games" else table.c.game_id
        first, last = game_id, game_id + 1
    query = select(table).where(key >= first, key < last).order_by(*table.primary_key.columns)
    return [_moved(name, dict(row._mapping), game_id) for row in connection.execute(query)]


def _moved(name: str, row: dict[str, Any], game_id: int) -> Row:
    """The row as game 1 has it."""
    by = game_id - 1
    shifts = {
        "games": {"id": by},
        "game_players": {"game_id": by, "id": by * PLAYERS},
        "game_turns": {"id": by << 24, "game_id": by},
        "turn_payloads": {"game_turn_id": by << 24},
        "llm_calls": {"id": by << 32, "game_turn_id": by << 24},
        "call_payloads": {"llm_call_id": by << 32},
        "game_events": {"game_id": by},
    }
    for column, shift in shifts[name].items():
        row[column] -= shift
    return row


def settled(source: Source, rng: random.Random) -> Source:
    """The source with the times of a clock that the seed runs, with answers numbered by it, and
    with a last word that may be changed: the answer to the last call does not refer to it."""
    rows = {name: [dict(row) for row in found] for name, found in source.rows.items()}
    seen, actions = {}, {}
    for number, turn in enumerate(rows["game_turns"]):
        seen[turn["id"]] = NOON + timedelta(seconds=5 * number)
        actions[turn["id"]] = turn["action"]
        turn["observed_at"] = seen[turn["id"]]
        turn["acted_at"] = seen[turn["id"]] + timedelta(seconds=4)
        turn["response_time_ms"] = float(rng.randrange(300, 4000))
    for call in rows["llm_calls"]:
        sent = seen[call["game_turn_id"]] + timedelta(milliseconds=10 + 500 * call["call_index"])
        taken = rng.uniform(200.0, 3000.0)
        call["request_sent_at"] = sent
        call["response_received_at"] = sent + timedelta(milliseconds=taken)
        call["total_response_time_ms"] = taken
    for payload in rows["call_payloads"]:
        turn_id = payload["llm_call_id"] >> 8
        acted = bool(payload["response"][0] & ACTED) and payload is not rows["call_payloads"][-1]
        text, response = PayloadReader().answer(payload["response"], actions[turn_id])
        numbered = {
            **response,
            "id": f"chatcmpl-{UUID(int=rng.getrandbits(128))}",
            "created": int(seen[turn_id].timestamp()),
        }
        payload["response"] = Codec().pack(
            answer_text(text, numbered, acted=acted),
            JSON | ACTED if acted else JSON,
            beside=text if acted else None,
        )
    return Source(source.turns, rows)
