"""Opens what a frame is read from, and chooses the games that it is of."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, SupportsIndex, TypedDict, Unpack

from sqlalchemy import ColumnElement, Connection, Select, Table, select
from sqlalchemy.orm import Session
from sqlmodel import Session as OwnSession

from arena.analysis.columns import INTEGER, STRING, FrameColumn
from arena.core import UsageError
from db.database import Database, Source
from db.errors import DatabaseError, MissingDatabase
from db.models import Game
from db.repository import Repository
from db.selection import Chosen, GameNumbers, Moment, Names, Selection, Words
from db.session import get_session
from db.urls import resolve_url, shown

Readable = Source | Session
"""A database by its URL or path, an open one, an open session, or None for the default."""


def table(name: str) -> Table:
    """A table of the schema by its name."""
    return Game.metadata.tables[name]


@contextmanager
def connected(source: Readable) -> Iterator[Connection]:
    """A connection to the source; a session's own one stays open afterwards.

    Raises UsageError when there is no database, or none that this release can read, and for what a
    selection names inside that is not on record.
    """
    with session_on(source) as session:
        yield session.connection()


@contextmanager
def session_on(source: Readable, *, frozen: bool = False) -> Iterator[OwnSession]:
    """A session on the source, or the given one; a `frozen` one reads everything as of one moment,
    unless it was given. Raises what `connected` raises."""
    with ExitStack() as stack:
        try:
            if isinstance(source, Session):
                source.flush()
                # As a rule it is one of SQLModel's too, and nothing here needs more of it.
                yield source  # type: ignore[misc]
            else:
                session = stack.enter_context(get_session(source, create=False))
                if frozen:
                    Repository(session).freeze()
                yield session
        except DatabaseError as error:
            if not isinstance(error, MissingDatabase) or isinstance(source, Session):
                raise UsageError(str(error)) from error
            url = source.url if isinstance(source, Database) else resolve_url(source)
            raise UsageError(
                f"there is no database at {shown(url)}: give the path or URL of "
                "another one, or play a tournament with `arena run`"
            ) from error


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The names behind the ids: what the small tables hold. An agent's name is its alias, or
    kind/model/prompt. `agents`, `kinds`, `models` and `prompts` are by agent_id, `texts` the names
    of prompts by their own number."""

    tournaments: Mapping[int, str]
    environments: Mapping[int, str]
    players: Mapping[int, int]
    agents: Mapping[int, str]
    kinds: Mapping[int, str]
    models: Mapping[int, str]
    prompts: Mapping[int, str]
    texts: Mapping[int, str]


def read_catalogue(connection: Connection) -> Catalogue:
    """Read every name once: the tables of facts then need no joins for them."""
    agents, kinds = table("agents"), table("kinds")
    models, prompts = table("models"), table("prompts")
    tournaments, environments = table("tournaments"), table("environments")
    made = connection.execute(
        select(agents.c.id, agents.c.alias, kinds.c.name, models.c.name, prompts.c.name)
        .join(kinds, kinds.c.id == agents.c.kind_id)
        .join(models, models.c.id == agents.c.model_id)
        .join(prompts, prompts.c.id == agents.c.prompt_id)
        .order_by(agents.c.id)
    ).all()
    rules = connection.execute(
        select(environments.c.id, environments.c.name, environments.c.num_players).order_by(
            environments.c.id
        )
    ).all()
    named = connection.execute(
        select(tournaments.c.id, tournaments.c.name).order_by(tournaments.c.id)
    ).all()
    return Catalogue(
        tournaments={row[0]: row[1] for row in named},
        environments={row[0]: row[1] for row in rules},
        players={row[0]: row[2] for row in rules},
        agents={row[0]: row[1] or f"{row[2]}/{row[3]}/{row[4]}" for row in made},
        kinds={row[0]: row[2] for row in made},
        models={row[0]: row[3] for row in made},
        prompts={row[0]: row[4] for row in made},
        texts={row[0]: row[1] for row in connection.execute(select(prompts.c.id, prompts.c.name))},
    )


def place_columns(catalogue: Catalogue) -> list[FrameColumn]:
    """Tournament and environment of a game."""
    games = table("games")
    return [
        FrameColumn("tournament", STRING, games.c.tournament_id, names=catalogue.tournaments),
        FrameColumn("environment", STRING, games.c.environment_id, names=catalogue.environments),
    ]


def agent_columns(catalogue: Catalogue, agent_id: ColumnElement[Any]) -> list[FrameColumn]:
    """An agent and its parts."""
    return [
        FrameColumn("agent_id", INTEGER, agent_id),
        FrameColumn("agent", STRING, agent_id, names=catalogue.agents),
        FrameColumn("kind", STRING, agent_id, names=catalogue.kinds),
        FrameColumn("model", STRING, agent_id, names=catalogue.models),
        FrameColumn("prompt", STRING, agent_id, names=catalogue.prompts),
    ]


class Filters(TypedDict, total=False):
    """What every frame of facts can be narrowed to: the fields of `db.selection.Selection`."""

    tournament: Names
    environment: Names
    agent: Names
    against: Names
    kind: Names
    model: Names
    prompt: Names
    role: Words
    team: Words
    result: Words
    status: Words
    termination: Words
    since: Moment
    until: Moment
    game: GameNumbers
    parent: GameNumbers
    revision: GameNumbers
    tag: Words


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that a frame is read with."""

    connection: Connection
    catalogue: Catalogue
    chosen: Chosen
    limit: int | None

    def limited(self, statement: Select[Any]) -> Select[Any]:
        """At most `limit` rows of a statement."""
        return statement if self.limit is None else statement.limit(self.limit)


@contextmanager
def reading(
    source: Readable, *, limit: SupportsIndex | None = None, **filters: Unpack[Filters]
) -> Iterator[Reading]:
    """The open source, with what was asked for by numbers.

    Raises UsageError for a missing database, and for what it does not hold, with the nearest that
    it does.
    """
    number = None if limit is None else operator.index(limit)
    if number is not None and number < 0:
        raise UsageError(f"limit is {number}: expected a number of rows, 0 or more")
    with connected(source) as connection:
        chosen = Selection(**filters).on(connection)
        yield Reading(connection, read_catalogue(connection), chosen, number)
