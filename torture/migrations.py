"""Migrations killed at random instants, with rows in place: the old tables or the new, never half.

A process migrates a filled database up or down and is killed somewhere on its way. What it leaves
must be the tables of one release to the letter, with every row as it was; typing the same again
must complete what was begun.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import alembic.command
from sqlalchemy import Engine, inspect, text

from arena.core import CallAnswer, Usage
from db import Recorder, Repository, get_engine, get_session, init_db, schema
from db.writer.calls import CallAnswered, CallIntended
from db.writer.turns import TurnActed, TurnOpened
from torture.databases import ask, kind_of

# Loaded before a migration is timed: it costs more than one.
assert alembic.command is not None

OLD, NEW = "0001", schema.HEAD
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
# Added to the time that a migration takes alone: some are killed when they are through.
_LATE = 1.15
_SAID = {
    "sqlite": (
        "SELECT version_num FROM alembic_version",
        "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'",
    ),
    "postgresql": (
        "SELECT version_num FROM alembic_version",
        "SELECT table_name, column_name, data_type, is_nullable, column_default "
        "FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conname, conrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace",
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    ),
}
_OTHERS = (
    "SELECT COUNT(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True, slots=True)
class _Pairing:
    schedule_index: int
    seed: int
    agents: tuple[int, ...]
    block: int = 0


@dataclass(slots=True)
class Figures:
    """What the kills of one database came to. `cut_short` are those that were not through when
    they were killed; `left_old` and `left_new` are the tables that they
    left, `half` those of neither release; `rows_changed` counts the kills after which a row was
    not as before, `not_completed` those after which the same command did not end the matter.
    Times are of the migrations that were left alone, in seconds."""

    kills: int = 0
    ups: int = 0
    cut_short: int = 0
    left_old: int = 0
    left_new: int = 0
    half: int = 0
    rows_changed: int = 0
    not_completed: int = 0
    rows: int = 0
    seconds_up: float = 0.0
    seconds_down: float = 0.0
    problems: list[str] = field(default_factory=list)


def run(
    kills: int,
    seed: int,
    folder: Path,
    urls: Iterable[str] | None = None,
    *,
    games: int = 300,
    old: str = OLD,
    more: Callable[[str], None] | None = None,
) -> dict[str, Figures]:
    """Fill each database and kill `kills` migrations of it, up from `old` to the newest revision
    and down in turns; the figures by kind. `urls` are databases with or without the arena's tables,
    to be filled; without them, an SQLite file in `folder` is made. `more` adds further rows."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    chosen = [f"sqlite:///{folder / 'migrated.db'}"] if urls is None else list(urls)
    found: dict[str, Figures] = {}
    for url in chosen:
        init_db(url)
        fill(url, games)
        if more is not None:
            more(url)
        found[kind_of(url)] = _killed(kills, rng, url, old)
    return found


def _killed(kills: int, rng: random.Random, url: str, lowest: str) -> Figures:
    figures = Figures()
    alone = {lowest: 0.0, NEW: 0.0}
    for target in (lowest, NEW):
        begun = time.perf_counter()
        _migrated(url, target)
        alone[target] = time.perf_counter() - begun
    figures.seconds_down, figures.seconds_up = alone[lowest], alone[NEW]
    whole = {NEW: _tables(url)}
    _migrated(url, lowest)
    whole[lowest] = _tables(url)
    old = _columns(url)
    before = _rows(url, old)
    figures.rows = sum(count for count, _ in before.values())

    for kill in range(kills):
        target = (NEW, lowest)[kill % 2]
        figures.kills += 1
        figures.ups += target == NEW
        _kill(url, target, rng.uniform(0.0, alone[target] * _LATE))
        found = _tables(url)
        figures.cut_short += found != whole[target]
        figures.left_old += found == whole[lowest]
        figures.left_new += found == whole[NEW]
        figures.half += found not in whole.values()
        if _rows(url, old) != before:
            figures.rows_changed += 1
        try:
            _migrated(url, target)
            completed = _tables(url) == whole[target] and _rows(url, old) == before
        except Exception as error:
            figures.problems.append(f"kill {kill}, to {target}: {error!r}")
            completed = False
        if not completed:
            # What would be killed next is no database any more.
            figures.not_completed += 1
            return figures
    _migrated(url, NEW)
    return figures


def _migrated(url: str, revision: str) -> None:
    # What `arena db upgrade` and its way back do.
    engine = get_engine(url)
    try:
        if revision == NEW:
            schema.upgrade(engine)
        else:
            schema.downgrade(engine, revision)
    finally:
        engine.dispose()


def _migrate(url: str, revision: str, ready: Connection) -> None:
    ready.send(True)
    _migrated(url, revision)


def _kill(url: str, revision: str, after: float) -> None:
    """Kill a process that migrates, some seconds after it began to."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "alembic.command", "alembic.operations"])
    ours, theirs = context.Pipe()
    process = context.Process(target=_migrate, args=(url, revision, theirs))
    process.start()
    ours.recv()
    time.sleep(after)
    process.kill()
    process.join()
    process.close()
    for end in (ours, theirs):
        end.close()
    _settle(url)


def _settle(url: str) -> None:
    """Wait until the server is through with what a killed client had sent."""
    until = time.monotonic() + 30
    while kind_of(url) == "postgresql" and ask(url, _OTHERS)[0][0] and time.monotonic() < until:
        time.sleep(0.005)


def _tables(url: str) -> list[str]:
    """The revision, and every column, index and constraint, as the database itself says them."""
    return sorted(
        repr([str(value) for value in row])
        for query in _SAID[kind_of(url)]
        for row in ask(url, query)
    )


def _columns(url: str) -> dict[str, list[str]]:
    """The columns of every table."""
    engine = get_engine(url)
    try:
        look = inspect(engine)
        return {
            name: [column["name"] for column in look.get_columns(name)]
            for name in look.get_table_names()
            if name != "alembic_version"
        }
    finally:
        engine.dispose()


def _rows(url: str, columns: dict[str, list[str]]) -> dict[str, tuple[int, str]]:
    """How many rows each of these tables has, and a hash of these columns."""
    engine = get_engine(url)
    try:
        return {name: _hashed(engine, name, wanted) for name, wanted in columns.items()}
    finally:
        engine.dispose()


def _hashed(engine: Engine, table: str, columns: list[str]) -> tuple[int, str]:
    quoted = ", ".join(f'"{column}"' for column in columns)
    with engine.connect() as connection:
        found = connection.execute(text(f"SELECT {quoted} FROM {table} ORDER BY 1"))
        rows = [repr([*map(_plain, columns, row)]) for row in found]
    return len(rows), hashlib.blake2b("\n".join(rows).encode("utf-8", "replace")).hexdigest()


def _plain(column: str, value: object) -> object:
    """A value that is the same before and after a migration: SQLite's times are texts in old
    tables, and microseconds in new ones."""
    if isinstance(value, memoryview):
        return bytes(value)
    if column.endswith("_at") and isinstance(value, int):
        return (_EPOCH + timedelta(microseconds=value)).strftime("%Y-%m-%d %H:%M:%S.%f")
    return value


def fill(url: str, games: int, turns: int = 12) -> None:
    """A tournament of two agents with `games` games, every turn with a call and an answer."""
    with get_session(url) as session:
        repo = Repository(session)
        environment = repo.get_or_create_environment("Nim-v0", 2, package="textarena", version="1")
        kind, prompt = repo.get_or_create_kind("thinking"), repo.get_or_create_prompt("p", "Play.")
        agents = tuple(
            repo.get_or_create_agent(
                kind.id or 0,
                repo.get_or_create_model(f"model-{index}", f"scripted/{index}").id or 0,
                prompt.id or 0,
                alias=f"agent-{index}",
            ).id
            or 0
            for index in range(2)
        )
        cup = repo.create_tournament("migrated", {}, 7, games, environment.id or 0)
        keys = repo.schedule_games(
            cup.id or 0, [_Pairing(index, index, agents) for index in range(games)]
        )
    asyncio.run(_play(url, keys, turns))


async def _play(url: str, games: list[int], turns: int) -> None:
    async with Recorder(url) as recorder:
        for game_id in games:
            for turn in range(turns):
                key = (game_id, turn, turn % 2)
                said = f"I take {turn} of the sticks, as a player of game {game_id} does."
                seen = f"[GAME] Turn {turn} of game {game_id}: take one or two sticks."
                messages = [{"role": "user", "content": seen}]
                recorder.post(
                    TurnOpened(*key, seen, _NOON),
                    CallIntended(*key, 0, 0, 0, "scripted/0", messages, {}, f"{game_id}-{turn}"),
                    CallAnswered(
                        *key, CallAnswer(0, _NOON, _NOON, 1.5, text=said, usage=Usage(cost=0.001))
                    ),
                    TurnActed(*key, said, _NOON),
                )
            await recorder.flush()
