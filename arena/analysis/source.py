"""Opens what a frame is read from, and turns the names in its filters into ids."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsIndex

from sqlalchemy import ColumnElement, Connection, Select, Table, exists, func, select
from sqlalchemy.orm import Session

from arena.core import UsageError
from db.engine import resolve_url, shown
from db.errors import DatabaseError, MissingDatabase
from db.models import GAME_STATUSES, Game
from db.session import get_session

Source = str | Path | Session | None
"""A database's URL, the path of an SQLite file, an open session, or None for the default."""

Name = str | SupportsIndex
"""A name, or the id of the row that bears it."""

Status = str | Iterable[str] | None
"""One status of a game, or several."""

Games = SupportsIndex | Iterable[SupportsIndex] | None
"""The id of a game, or of several."""

LISTED = 12


def table(name: str) -> Table:
    """A table of the schema by its name."""
    return Game.metadata.tables[name]


@contextmanager
def opened(source: Source) -> Iterator[Connection]:
    """A connection to the source; a session's own one stays open afterwards.

    Raises UsageError when there is no database, or none that this release can read.
    """
    if isinstance(source, Session):
        source.flush()
        yield source.connection()
        return
    with ExitStack() as stack:
        try:
            session = stack.enter_context(get_session(source, create=False))
        except MissingDatabase as error:
            raise UsageError(
                f"there is no database at {shown(resolve_url(source))}: give the path or URL of "
                "another one, or play a tournament with `arena run`"
            ) from error
        except DatabaseError as error:
            raise UsageError(str(error)) from error
        yield session.connection()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The names behind the ids: what the small tables hold. An agent's name is its alias, or
    kind/model/prompt."""

    tournaments: Mapping[int, str]
    environments: Mapping[int, str]
    players: Mapping[int, int]
    agents: Mapping[int, str]
    kinds: Mapping[int, str]
    models: Mapping[int, str]
    prompts: Mapping[int, str]


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
    )


@dataclass(frozen=True, slots=True)
class Filters:
    """What to read, by id; None where everything is wanted."""

    tournament_id: int | None = None
    environment_ids: tuple[int, ...] | None = None
    agent_id: int | None = None
    statuses: tuple[str, ...] | None = None
    game_ids: tuple[int, ...] | None = None
    limit: int | None = None

    def of_games(self) -> list[ColumnElement[bool]]:
        """The conditions on the table of games, the agent's apart."""
        games = table("games")
        found: list[ColumnElement[bool]] = []
        if self.tournament_id is not None:
            found.append(games.c.tournament_id == self.tournament_id)
        if self.environment_ids is not None:
            found.append(games.c.environment_id.in_(self.environment_ids))
        if self.statuses is not None:
            found.append(games.c.status.in_(self.statuses))
        if self.game_ids is not None:
            found.append(games.c.id.in_(self.game_ids))
        return found

    def played_by(self) -> list[ColumnElement[bool]]:
        """The condition that the agent sits in the game."""
        if self.agent_id is None:
            return []
        games, players = table("games"), table("game_players")
        return [
            exists(
                select(players.c.id).where(
                    players.c.game_id == games.c.id, players.c.agent_id == self.agent_id
                )
            )
        ]

    def of_players(self) -> list[ColumnElement[bool]]:
        """The condition on the table of players: the agent itself."""
        if self.agent_id is None:
            return []
        return [table("game_players").c.agent_id == self.agent_id]

    def limited(self, statement: Select[Any]) -> Select[Any]:
        """At most `limit` rows of a statement."""
        return statement if self.limit is None else statement.limit(self.limit)


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that a frame is read with."""

    connection: Connection
    catalogue: Catalogue
    filters: Filters


@contextmanager
def reading(
    source: Source,
    *,
    tournament: Name | None = None,
    environment: Name | None = None,
    agent: Name | None = None,
    status: Status = None,
    game: Games = None,
    limit: int | None = None,
) -> Iterator[Reading]:
    """The open source, with the filters by id.

    Raises UsageError for a missing database, and for what it does not hold, naming what it does.
    """
    with opened(source) as connection:
        catalogue = read_catalogue(connection)
        played_in = _ids("tournament", tournament, catalogue.tournaments)
        filters = Filters(
            tournament_id=played_in[0] if played_in else None,
            environment_ids=_ids("environment", environment, catalogue.environments),
            agent_id=_one_agent(agent, catalogue),
            statuses=_statuses(status),
            game_ids=_games(connection, game),
            limit=_limit(limit),
        )
        yield Reading(connection, catalogue, filters)


def _ids(noun: str, name: Name | None, known: Mapping[int, str]) -> tuple[int, ...] | None:
    if name is None:
        return None
    if isinstance(name, str):
        found = tuple(id for id, its_name in known.items() if its_name == name)
    else:
        number = operator.index(name)
        found = (number,) if number in known else ()
    if not found:
        raise UsageError(_unknown(noun, name, known))
    return found


def _one_agent(name: Name | None, catalogue: Catalogue) -> int | None:
    found = _ids("agent", name, catalogue.agents)
    if found is None:
        return None
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} agents are named {name!r}: give the id of one of them, "
            f"{', '.join(map(str, found))}"
        )
    return found[0]


def _unknown(noun: str, name: Name, known: Mapping[int, str]) -> str:
    if not known:
        return f"unknown {noun} {name!r}: the database holds no {noun} yet"
    names = list(dict.fromkeys(known.values()))
    near = difflib.get_close_matches(name, names, n=1) if isinstance(name, str) else []
    hint = f"did you mean {near[0]!r}? " if near else ""
    listed = ", ".join(repr(each) for each in names[:LISTED])
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"unknown {noun} {name!r}; {hint}The database holds {listed}{more}"


def _statuses(status: Status) -> tuple[str, ...] | None:
    if status is None:
        return None
    asked = (status,) if isinstance(status, str) else tuple(status)
    for each in asked:
        if each not in GAME_STATUSES:
            raise UsageError(f"unknown status {each!r}: expected {', '.join(GAME_STATUSES)}")
    return asked


def _games(connection: Connection, game: Games) -> tuple[int, ...] | None:
    if game is None:
        return None
    each: Sequence[SupportsIndex] = [*game] if isinstance(game, Iterable) else [game]
    asked = tuple(operator.index(number) for number in each)
    games = table("games")
    there = set(connection.scalars(select(games.c.id).where(games.c.id.in_(asked))))
    missing = [number for number in asked if number not in there]
    if missing:
        last = connection.scalar(select(func.max(games.c.id)))
        holds = "no game yet" if last is None else f"games up to {last}"
        raise UsageError(f"there is no game {missing[0]}: the database holds {holds}")
    return asked


def _limit(limit: int | None) -> int | None:
    if limit is None:
        return None
    number = operator.index(limit)
    if number < 0:
        raise UsageError(f"limit is {number}: expected a number of rows, 0 or more")
    return number
