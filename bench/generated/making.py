"""Makes a database: its catalogue, games that are played, copies of them, and their projections."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from arena.config import TournamentConfig
from arena.core import Pairing
from arena.leaderboard.rebuild import rebuild
from arena.orchestrator.catalogue import environment_options
from arena.orchestrator.preflight import prepare
from bench.generated.copies import copy, in_bulk
from bench.generated.sources import NOON, TABLES, Source, played, settled
from bench.generated.tournaments import LINEUP, PLAYERS, tournament
from db import Repository, Session, get_engine, get_session, init_db
from db.models.columns import Table


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is made: games in tournaments of equal length, of agents, all copied from `sources`.

    `left` is how many more games each tournament may have: with some, it can be resumed. Of the
    copies only the `texts` newest have turns, calls and events; 0 for all. Raises ValueError for
    what does not divide.
    """

    games: int
    agents: int = 102
    tournaments: int = 10
    sources: int = 64
    left: int = 0
    texts: int = 0
    seed: int = 1
    rated: bool = True

    def __post_init__(self) -> None:
        if self.games % self.tournaments or self.agents % len(LINEUP):
            raise ValueError(
                f"{self.games} games of {self.agents} agents: expected a multiple of the "
                f"{self.tournaments} tournaments and of the {len(LINEUP)} kinds of agents"
            )

    @property
    def length(self) -> int:
        """Games of each tournament."""
        return self.games // self.tournaments


def config(scale: Scale, number: int) -> TournamentConfig:
    """The tournament `cup {number}`, as a file would say it."""
    games = scale.length + scale.left
    return tournament(f"cup {number}", games=games, agents=scale.agents, seed=scale.seed + number)


def generate(url: str | Path, scale: Scale) -> None:
    """Fill a database that holds nothing yet."""
    sources = played(min(scale.sources, scale.games), scale.seed)
    init_db(url)
    with get_session(url) as session:
        _enter(session, scale)
    engine = get_engine(url)
    try:
        with in_bulk(engine) as connection:
            _insert(connection, scale, sources)
            copy(
                connection,
                sources=len(sources),
                games=scale.games,
                texts=scale.texts or scale.games,
                tournaments=scale.tournaments,
                agents=scale.agents,
                seed=scale.seed,
            )
            _recount(connection)
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    finally:
        engine.dispose()
    if scale.rated:
        rebuild(url)
    with get_session(url) as session:
        for number in range(scale.tournaments):
            Repository(session).recount(1 + number)
        Repository(session).recount_positions()
        _schedule(session, scale)
        _date(session, scale)


def _enter(session: Session, scale: Scale) -> None:
    """The catalogue and the tournaments, without their schedules."""
    repo = Repository(session)
    first = config(scale, 0)
    prepared = prepare(first)
    models = {
        model.name: repo.create_model(name=model.name, litellm_model_name=model.litellm_model)
        for model in first.models
    }
    prompts = {
        prompt.name: repo.create_prompt(name=prompt.name, content=prompt.content)
        for prompt in first.prompts
    }
    kinds = {
        name: repo.create_kind(name=name, version=prepared.kinds[name].version)
        for name in dict.fromkeys(agent.kind for agent in first.agents)
    }
    for agent in first.agents:
        repo.create_agent(
            kinds[agent.kind].id or 0,
            models[agent.model].id or 0,
            prompts[agent.prompt].id or 0,
            alias=agent.name,
        )
    rules = repo.get_or_create_environment(
        name=first.environment.name,
        num_players=first.environment.players,
        options=environment_options(first),
        package=prepared.spec.package,
        version=prepared.spec.version,
    )
    for number in range(scale.tournaments):
        wanted = config(scale, number)
        repo.create_tournament(
            wanted.name,
            wanted.canonical(),
            wanted.seed,
            wanted.games,
            rules.id or 0,
            config_hash=wanted.config_hash,
        )


def _schedule(session: Session, scale: Scale) -> None:
    """The games that are left to play."""
    for number in range(scale.tournaments):
        rng = random.Random(f"{scale.seed} left {number}")
        pairings = [
            Pairing(
                place,
                place,
                rng.getrandbits(31),
                tuple(rng.sample(range(1, scale.agents + 1), PLAYERS)),
            )
            for place in range(scale.length, scale.length + scale.left)
        ]
        Repository(session).schedule_games(1 + number, pairings)


def _insert(connection: Connection, scale: Scale, sources: Sequence[Source]) -> None:
    """The games that were played, each by agents of the kinds that played it."""
    for number, source in enumerate(sources, start=1):
        rng = random.Random(f"{scale.seed} {number}")
        alike = [rng.randrange(scale.agents // len(LINEUP)) for _ in LINEUP]
        rows = settled(source, rng).rows
        place = number - 1
        own = {
            "id": number,
            "tournament_id": 1 + place // scale.length,
            "environment_id": 1,
            "schedule_index": place % scale.length,
            "block": place % scale.length,
            "fold_index": number,
            "started_at": NOON,
            "finished_at": NOON,
            "created_at": NOON,
        }
        moved: dict[str, list[dict[str, object]]] = {
            "games": [{**rows["games"][0], **own}],
            "game_players": [
                {
                    **row,
                    "id": place * PLAYERS + row["player_index"] + 1,
                    "game_id": number,
                    "agent_id": row["agent_id"] + len(LINEUP) * alike[row["agent_id"] - 1],
                }
                for row in rows["game_players"]
            ],
            "game_turns": [
                {**row, "id": row["id"] + (place << 24), "game_id": number}
                for row in rows["game_turns"]
            ],
            "turn_payloads": [
                {**row, "game_turn_id": row["game_turn_id"] + (place << 24)}
                for row in rows["turn_payloads"]
            ],
            "llm_calls": [
                {
                    **row,
                    "id": row["id"] + (place << 32),
                    "game_turn_id": row["game_turn_id"] + (place << 24),
                }
                for row in rows["llm_calls"]
            ],
            "call_payloads": [
                {**row, "llm_call_id": row["llm_call_id"] + (place << 32)}
                for row in rows["call_payloads"]
            ],
            "game_events": [{**row, "game_id": number} for row in rows["game_events"]],
        }
        for name in TABLES:
            connection.execute(Table.metadata.tables[name].insert(), moved[name])
    connection.commit()


def _recount(connection: Connection) -> None:
    """Sequences, where the database has them."""
    if connection.dialect.name == "sqlite":
        return
    for name in ("games", "game_players"):
        sequence = f"pg_get_serial_sequence('{name}', 'id')"
        connection.execute(text(f"SELECT setval({sequence}, (SELECT max(id) FROM {name}))"))


def _date(session: Session, scale: Scale) -> None:
    """No row says when it was really made, except the prompts, which nobody may change; and the
    tournaments are played as far as they are."""
    for name, column in (
        *((f"{noun}s", "created_at") for noun in ("agent", "kind", "model")),
        ("environments", "created_at"),
        ("event_types", "created_at"),
        ("agent_trueskill", "updated_at"),
    ):
        session.execute(Table.metadata.tables[name].update().values({column: NOON}))
    games = Table.metadata.tables["games"]
    session.execute(games.update().where(games.c.status == "scheduled").values(created_at=NOON))
    tournaments = Table.metadata.tables["tournaments"]
    # None is finished that never ran.
    session.execute(tournaments.update().values(status="running"))
    session.execute(
        tournaments.update().values(
            created_at=NOON,
            started_at=NOON,
            finished_at=None if scale.left else NOON,
            status="paused" if scale.left else "finished",
            next_fold_index=scale.length,
        )
    )
