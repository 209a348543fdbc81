"""Bytes in the database for each turn, beside the same turns with every call's messages whole.

Both files hold everything of real games with the prompts of `configs/` and talk of about 300
characters, after a checkpoint and a vacuum. The plain file has no more than turns and calls: no
observation beside the messages, no ratings.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlmodel import Session

from bench.arena import play
from bench.measure import Row, median, ratios
from bench.plain import PlainCall, PlainGame, PlainTurn, now, open_plain
from bench.tournaments import transcripts
from bench.workers import Workers
from db.queries.transcript import TurnRow

PART = "storage"


@dataclass(frozen=True, slots=True)
class Shape:
    """Games that are stopped after `turns`: a night, a day of some rounds of talk, a vote."""

    turns: int
    rounds: int
    games: int
    target: float


# Tables and indexes by parts of their names.
_APART = {
    "turns and calls": ("game_turns", "turn_payloads", "llm_calls", "call_payloads"),
    "events": ("game_events",),
}

FULL = (Shape(30, 4, 60, 1 / 5), Shape(60, 10, 40, 1 / 10))
TOY = (Shape(6, 4, 2, 1 / 5), Shape(12, 8, 2, 1 / 10))


def play_talking(database: Path, shape: Shape) -> None:
    """Games of the model `bench-talk`."""
    play("bench-talk", database, shape.games, 20, shape.rounds, shape.turns)


def settled_size(database: Path) -> int:
    """Bytes of a file after everything was written to it and nothing is left free in it."""
    connection = sqlite3.connect(database)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    return database.stat().st_size


def store_whole(database: Path, games: list[list[TurnRow]]) -> None:
    """The same turns with every call's messages whole."""
    engine = open_plain(database)
    with Session(engine) as session:
        for turns in games:
            game = PlainGame(status="completed", finished_at=now())
            session.add(game)
            session.flush()
            for turn in turns:
                row = PlainTurn(
                    game_id=game.id or 0,
                    turn_number=turn.turn_number,
                    player_index=turn.player_index,
                    action=turn.action,
                    response_time_ms=turn.response_time_ms,
                    tokens_used=turn.tokens_used,
                )
                session.add(row)
                session.flush()
                for call in turn.calls:
                    prompt, completion = call.prompt_tokens or 0, call.response_tokens or 0
                    session.add(
                        PlainCall(
                            game_turn_id=row.id or 0,
                            model=call.model_asked,
                            messages=call.messages,
                            response=call.response,
                            request_sent_at=call.request_sent_at or now(),
                            response_received_at=call.response_received_at or now(),
                            total_response_time_ms=call.total_response_time_ms or 0.0,
                            prompt_tokens=prompt,
                            response_tokens=completion,
                            total_tokens_consumed=prompt + completion,
                            finish_reason=call.finish_reason,
                        )
                    )
        session.commit()
    engine.dispose()


def by_table(database: Path) -> dict[str, int]:
    """Bytes of each table and index, the largest first; nothing where SQLite cannot say."""
    connection = sqlite3.connect(database)
    try:
        return dict(
            connection.execute(
                "SELECT name, SUM(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC"
            ).fetchall()
        )
    except sqlite3.OperationalError:
        return {}
    finally:
        connection.close()


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """One row for each length of game; sizes do not vary, so nothing is repeated."""
    rows = []
    with TemporaryDirectory() as folder:
        for shape in TOY if toy else FULL:
            ours, whole = Path(folder) / f"{shape.turns}.db", Path(folder) / f"{shape.turns}-w.db"
            workers.of("arena").run(play_talking, database=ours, shape=shape)
            games = transcripts(ours)
            store_whole(whole, games)
            turns = sum(len(game) for game in games)
            sizes = [size / turns for size in (settled_size(ours), settled_size(whole))]
            said = [turn.action for game in games for turn in game if len(turn.action or "") > 20]
            tables = by_table(ours)
            apart = {
                f"{what} bytes/turn": sum(
                    size for name, size in tables.items() if any(part in name for part in parts)
                )
                / turns
                for what, parts in _APART.items()
            }
            rows.append(
                Row(
                    PART,
                    f"bytes a turn, games of {shape.turns} turns / messages whole",
                    ratios(sizes[:1], sizes[1:]),
                    target=shape.target,
                    at_most=True,
                    numbers={
                        "arena bytes/turn": sizes[0],
                        "whole bytes/turn": sizes[1],
                        "games": len(games),
                        "turns a game, mean": turns / len(games),
                        "characters of talk, median": median([len(text or "") for text in said]),
                        **apart,
                    },
                )
            )
    return rows
