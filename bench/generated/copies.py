"""Copies of recorded games, made by the database itself: a few statements for each table."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

from sqlalchemy import Connection, Engine, text

from bench.generated.sources import TABLES
from bench.generated.tournaments import LINEUP
from db.models.columns import Table

# Games in one statement.
_AT_ONCE = 20_000

# What a copied row has of its own; everything else is as it was recorded.
_OWN = {
    "games": {
        "id": "n",
        "tournament_id": "1 + (n - 1) / :length",
        "schedule_index": "(n - 1) % :length",
        "block": "(n - 1) % :length",
        "fold_index": "n",
        "positions": "CASE WHEN n > :told THEN r.positions END",
        "events_version": "CASE WHEN n > :told THEN r.events_version END",
        "started_at": "{n seconds}",
        "finished_at": "{n seconds}",
        "created_at": "{n seconds}",
    },
    "game_players": {
        "id": "(n - 1) * 6 + r.player_index + 1",
        "game_id": "n",
        # One that plays as the one that was recorded does. Nobody sits in a game twice.
        "agent_id": "1 + (r.agent_id - 1) % :kinds + :kinds * (((r.agent_id - 1) / :kinds "
        "+ n / :sources * :step + n / (:sources * :alike) * r.player_index) % :alike)",
    },
    "game_turns": {
        "id": "n * 16777216 + r.id % 16777216",
        "game_id": "n",
        "action": "CASE WHEN r.id % 16777216 / 256 = l.last "
        "THEN r.action || ' case' || n ELSE r.action END",
    },
    "turn_payloads": {"game_turn_id": "n * 16777216 + r.game_turn_id % 16777216"},
    "llm_calls": {
        "id": "n * 4294967296 + r.id % 4294967296",
        "game_turn_id": "n * 16777216 + r.game_turn_id % 16777216",
    },
    "call_payloads": {"llm_call_id": "n * 4294967296 + r.llm_call_id % 4294967296"},
    "game_events": {"game_id": "n"},
}
_OF_GAME = {
    "games": "r.id = s",
    "game_players": "r.game_id = s",
    "game_turns": "r.id >= s * 16777216 AND r.id < (s + 1) * 16777216",
    "turn_payloads": "r.game_turn_id >= s * 16777216 AND r.game_turn_id < (s + 1) * 16777216",
    "llm_calls": "r.id >= s * 4294967296 AND r.id < (s + 1) * 4294967296",
    "call_payloads": "r.llm_call_id >= s * 4294967296 AND r.llm_call_id < (s + 1) * 4294967296",
    "game_events": "r.game_id = s",
}
_LAST = " JOIN (SELECT id AS game, turn_count - 1 AS last FROM games) l ON l.game = s"
_NUMBERS = {
    "sqlite": (
        "WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers "
        "WHERE n < :end - 1), copies AS (SELECT n, 1 + (n * :stride) % :sources AS s FROM numbers)"
    ),
    "postgresql": (
        "WITH copies AS (SELECT n, 1 + (n * :stride) % :sources AS s FROM "
        "generate_series(CAST(:first AS bigint), CAST(:end AS bigint) - 1) AS n)"
    ),
}
_TIME = {
    "sqlite": "datetime('2026-01-01 12:00:00', n || ' seconds') || '.000000'",
    "postgresql": "timestamptz '2026-01-01 12:00:00+00' + n * interval '1 second'",
}
_INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' "
    "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
}


def copy(
    connection: Connection,
    *,
    sources: int,
    games: int,
    texts: int,
    tournaments: int,
    agents: int,
    seed: int,
) -> None:
    """Fill the database up to `games`, of which the first `sources` are there; only the last
    `texts` have turns, calls and events."""
    rng = random.Random(seed)
    dialect = connection.dialect.name
    values = {
        "sources": sources,
        "stride": rng.randrange(1, 2 * sources, 2),
        "step": rng.randrange(1, 1 + agents // len(LINEUP)),
        "kinds": len(LINEUP),
        "alike": agents // len(LINEUP),
        "length": games // tournaments,
        "told": games - texts,
    }
    for name in TABLES:
        begin = 0 if name in ("games", "game_players") else games - texts
        bounds = [*range(max(sources, begin) + 1, games + 1, _AT_ONCE), games + 1]
        statement = _statement(name, dialect)
        for first, end in pairwise(bounds):
            used = {
                key: value
                for key, value in {**values, "first": first, "end": end}.items()
                if f":{key}" in statement
            }
            connection.execute(text(statement), used)
            connection.commit()


def _statement(name: str, dialect: str) -> str:
    own = _OWN[name]
    columns = [str(column.name) for column in Table.metadata.tables[name].columns]
    chosen = [own.get(c, f'r."{c}"').replace("{n seconds}", _TIME[dialect]) for c in columns]
    named = ", ".join(f'"{column}"' for column in columns)
    last = _LAST if name == "game_turns" else ""
    return (
        f"INSERT INTO {name} ({named}) {_NUMBERS[dialect]} SELECT {', '.join(chosen)} "
        f"FROM copies CROSS JOIN {name} r{last} WHERE {_OF_GAME[name]} ORDER BY n"
    )


@contextmanager
def in_bulk(engine: Engine) -> Iterator[Connection]:
    """A connection whose writes nobody misses when the machine stops; the indexes are made at the
    end."""
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            for pragma in (
                "journal_mode=OFF",
                "foreign_keys=OFF",
                "synchronous=OFF",
                "cache_size=-200000",
            ):
                connection.exec_driver_sql(f"PRAGMA {pragma}")
        else:
            connection.execute(text("SET session_replication_role = replica"))
        connection.commit()
        later = _dropped(connection)
        yield connection
        for statement in later:
            connection.exec_driver_sql(statement)
        connection.commit()
        if sqlite:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        else:
            connection.execute(text("SET session_replication_role = origin"))
        connection.commit()


def _dropped(connection: Connection) -> Sequence[str]:
    found = connection.execute(text(_INDEXES[connection.dialect.name])).all()
    for name, _ in found:
        connection.exec_driver_sql(f'DROP INDEX "{name}"')
    connection.commit()
    return [str(statement) for _, statement in found]
