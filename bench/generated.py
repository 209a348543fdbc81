"""Databases of any number of games, the same for the same seed: what later measurements ask.

`python -m bench.generated arena.db --games 100000 --turns 10 --seed 1` makes one. The first games
are recorded as a run records them, every text, call and payload; the others are copies of their
rows, made by the database itself, with other agents, times and tournaments, and with one word of
their own (`case17`) in the last action. Ratings and their steps are computed from the games.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from arena.core import CallAnswer, Message, Pairing, Usage
from arena.leaderboard.rebuild import rebuild
from arena.llm.request import request_hash
from bench.policies import prose
from db import Recorder, Repository, get_engine, get_session, init_db
from db.models.columns import Table
from db.writer.calls import CallAnswered, CallIntended
from db.writer.games import GameFinished, GameStarted, PlayerFinished
from db.writer.turns import TurnActed, TurnOpened

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLAYERS = 6
SOURCES = 64
# Said in one game of the first so many.
CLAIM, RARE = (
    "I am the Detective, and player {} is Mafia.",
    "The butler did it with the candlestick.",
)
_ROLES = ("Mafia", "Mafia", "Doctor", "Detective", "Villager", "Villager")
# Copies in one statement.
_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is made: `turns` of every game, agents, and tournaments of equal length."""

    games: int
    turns: int = 10
    agents: int = 100
    tournaments: int = 10
    seed: int = 1
    rated: bool = True


def generate(url: str | Path, scale: Scale) -> None:
    """Fill a database that holds nothing yet."""
    init_db(url)
    sources = min(SOURCES, scale.games)
    keys = _catalogue(url, scale, sources)
    asyncio.run(_record(url, scale, keys))
    engine = get_engine(url)
    try:
        with _in_bulk(engine) as connection:
            _copy(connection, scale, sources)
            _recount(connection)
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    finally:
        engine.dispose()
    if scale.rated:
        rebuild(url)
    _date(url)


def _catalogue(url: str | Path, scale: Scale, sources: int) -> list[int]:
    """Agents, an environment, tournaments; the games of the first that are recorded."""
    rng = random.Random(scale.seed)
    with get_session(url) as session:
        repo = Repository(session)
        kind = repo.create_kind(name="thinking")
        models = [repo.create_model(f"model-{i}", f"scripted/{i}") for i in range(4)]
        for index in range(scale.agents):
            prompt = repo.create_prompt(name=f"p{index}", content=prose(rng, 400))
            model = models[index % len(models)]
            repo.create_agent(
                kind.id or 0, model.id or 0, prompt.id or 0, alias=f"agent {index:03}"
            )
        rules = repo.get_or_create_environment(
            "SecretMafia-v0", PLAYERS, package="bench", version="0"
        )
        for index in range(scale.tournaments):
            repo.create_tournament(f"cup {index}", {}, index, scale.games, rules.id or 0)
        pairings = [
            Pairing(i, 0, i, tuple(rng.sample(range(1, scale.agents + 1), PLAYERS)))
            for i in range(sources)
        ]
        keys = repo.schedule_games(1, pairings)
    assert keys == [*range(1, sources + 1)]
    return keys


async def _record(url: str | Path, scale: Scale, keys: list[int]) -> None:
    async with Recorder(url) as recorder:
        for key in keys:
            for record in _game(key, scale.turns, random.Random(f"{scale.seed} {key}")):
                await recorder.append(*record)


def _game(game_id: int, turns: int, rng: random.Random) -> Iterator[list[Any]]:
    """A game of talk and votes, in the appends of a run."""
    system = "You are player {} of Secret Mafia. " + prose(rng, 500)
    rules = f"[GAME] Welcome to Secret Mafia! {prose(rng, 600)}"
    said = ""
    roles = rng.sample(_ROLES, PLAYERS)
    yield [GameStarted(game_id, NOON, 1)]
    for number in range(turns):
        player, moment = number % PLAYERS, NOON + timedelta(seconds=3 * number)
        key = (game_id, number, player)
        observation = f"{rules}{said}"
        vote = rng.random() < 0.3
        action = f"[{rng.randrange(PLAYERS)}]" if vote else prose(rng, rng.choice((60, 150, 300)))
        if not vote and rng.random() < 0.1:
            action = f"{action} {CLAIM.format(rng.randrange(PLAYERS))}"
        if game_id == 2 and number == 0:
            action = RARE
        thought = prose(rng, 200) if rng.random() < 0.3 else None
        last = number == turns - 1
        answer = f"My last word. {action}" if last else action
        choice: dict[str, Any] = {
            "finish_reason": "stop",
            "index": 0,
            "message": {"role": "assistant"},
        }
        if thought:
            choice["reasoning_content"] = thought
        messages: list[Message] = [
            {"role": "system", "content": system.format(player)},
            {"role": "user", "content": observation},
        ]
        request = {"temperature": 0.7, "max_tokens": 400}
        yield [
            TurnOpened(*key, observation, moment),
            CallIntended(
                *key,
                call_index=0,
                call_number=0,
                attempt=0,
                model="scripted/0",
                messages=messages,
                request=request,
                request_hash=request_hash("scripted/0", messages, request),
            ),
        ]
        yield [
            CallAnswered(
                *key,
                CallAnswer(
                    call_index=0,
                    request_sent_at=moment,
                    response_received_at=moment + timedelta(seconds=2),
                    total_ms=rng.uniform(300, 9000),
                    text=answer,
                    response={
                        "id": "chatcmpl-0123456789abcdef",
                        "created": 1700000000,
                        "choices": [choice],
                        "usage": {"prompt_tokens": 800, "completion_tokens": 75},
                    },
                    model_answered="scripted/0",
                    finish_reason="stop",
                    usage=Usage(800 + number, 75),
                ),
            ),
            TurnActed(*key, action, moment, response_time_ms=1000.0, tokens_used=875),
        ]
        said += f"\n[Player {player}] {action}"
    mafia = rng.random() < 0.6
    players = [
        PlayerFinished(
            player,
            role,
            "Mafia" if role == "Mafia" else "Village",
            0 if (role == "Mafia") == mafia else 1,
            1.0 if (role == "Mafia") == mafia else -1.0,
            turns=len(range(player, turns, PLAYERS)),
        )
        for player, role in enumerate(roles)
    ]
    won = "Mafia" if mafia else "Village"
    ended = NOON + timedelta(seconds=3 * turns)
    yield [GameFinished(game_id, ended, won, "natural", f"{won} wins.", turns, players)]


@contextmanager
def _in_bulk(engine: Engine) -> Iterator[Connection]:
    """A transaction that nobody misses when the machine stops."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-200000"):
                connection.exec_driver_sql(f"PRAGMA {pragma}")
            connection.commit()
        else:
            connection.execute(text("SET session_replication_role = replica"))
        yield connection
        connection.commit()
        if engine.dialect.name != "sqlite":
            connection.execute(text("SET session_replication_role = origin"))
            connection.commit()


# What a copied row has of its own; everything else is as it was recorded.
_OWN = {
    "games": {
        "id": "n",
        "tournament_id": "1 + (n - 1) * :tournaments / :games",
        "schedule_index": "n - 1",
        "block": "n - 1",
        "seed": "n",
        "fold_index": "n",
        "started_at": "{n seconds}",
        "finished_at": "{n seconds}",
        "created_at": "{n seconds}",
    },
    "game_players": {
        "id": "(n - 1) * 6 + r.player_index + 1",
        "game_id": "n",
        # The same step for all of a game: nobody sits in it twice.
        "agent_id": "1 + (r.agent_id - 1 + n * :step) % :agents",
    },
    "game_turns": {
        "id": "n * 16777216 + r.id % 16777216",
        "game_id": "n",
        "action": "CASE WHEN r.turn_number = :last THEN r.action || ' case' || n ELSE r.action END",
    },
    "turn_payloads": {"game_turn_id": "n * 16777216 + r.game_turn_id % 16777216"},
    "llm_calls": {
        "id": "n * 4294967296 + r.id % 4294967296",
        "game_turn_id": "n * 16777216 + r.game_turn_id % 16777216",
    },
    "call_payloads": {"llm_call_id": "n * 4294967296 + r.llm_call_id % 4294967296"},
}
_OF_GAME = {
    "games": "r.id = s",
    "game_players": "r.game_id = s",
    "game_turns": "r.id >= s * 16777216 AND r.id < (s + 1) * 16777216",
    "turn_payloads": "r.game_turn_id >= s * 16777216 AND r.game_turn_id < (s + 1) * 16777216",
    "llm_calls": "r.id >= s * 4294967296 AND r.id < (s + 1) * 4294967296",
    "call_payloads": "r.llm_call_id >= s * 4294967296 AND r.llm_call_id < (s + 1) * 4294967296",
}
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


def _copy(connection: Connection, scale: Scale, sources: int) -> None:
    rng = random.Random(scale.seed)
    step = rng.randrange(1, scale.agents)
    dialect = connection.dialect.name
    values = {
        "sources": sources,
        "stride": rng.randrange(1, 2 * sources, 2),
        "step": step,
        "agents": scale.agents,
        "tournaments": scale.tournaments,
        "games": scale.games,
        "last": scale.turns - 1,
    }
    bounds = [*range(sources + 1, scale.games + 1, _AT_ONCE), scale.games + 1]
    for name, own in _OWN.items():
        columns = [str(column.name) for column in Table.metadata.tables[name].columns]
        chosen = [own.get(c, f'r."{c}"').replace("{n seconds}", _TIME[dialect]) for c in columns]
        named = ", ".join(f'"{column}"' for column in columns)
        select = (
            f"SELECT {', '.join(chosen)} FROM copies CROSS JOIN {name} r "
            f"WHERE {_OF_GAME[name]} ORDER BY n"
        )
        head = f"INSERT INTO {name} ({named})"
        numbers = _NUMBERS[dialect]
        for first, end in pairwise(bounds):
            used = {
                key: value
                for key, value in {**values, "first": first, "end": end}.items()
                if f":{key}" in f"{numbers} {select}"
            }
            connection.execute(text(f"{head} {numbers} {select}"), used)
    connection.execute(
        text("UPDATE games SET fold_index = id WHERE id <= :sources"), {"sources": sources}
    )


def _recount(connection: Connection) -> None:
    """Sequences, where the database has them."""
    if connection.dialect.name == "sqlite":
        return
    for name in ("games", "game_players"):
        sequence = f"pg_get_serial_sequence('{name}', 'id')"
        connection.execute(text(f"SELECT setval({sequence}, (SELECT max(id) FROM {name}))"))


def _date(url: str | Path) -> None:
    """No row says when it was really made."""
    with get_session(url) as session:
        for name, column in (
            *((f"{noun}s", "created_at") for noun in ("agent", "kind", "model")),
            ("environments", "created_at"),
            ("tournaments", "created_at"),
            ("agent_trueskill", "updated_at"),
        ):
            if column in Table.metadata.tables[name].columns:
                session.execute(Table.metadata.tables[name].update().values({column: NOON}))
        session.execute(
            text("UPDATE games SET created_at = started_at WHERE id <= :n"), {"n": SOURCES}
        )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.generated", description="Make a database of games by a seed."
    )
    parser.add_argument("url", help="a file that is not there yet, or a database's URL")
    parser.add_argument("--games", type=int, default=1000)
    parser.add_argument("--turns", type=int, default=10, help="of every game")
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--tournaments", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unrated", action="store_true", help="leave out ratings and their steps")
    given = vars(parser.parse_args(arguments))
    url, rated = given.pop("url"), not given.pop("unrated")
    generate(url, Scale(**given, rated=rated))


if __name__ == "__main__":
    main()
