"""Who finished before whom, from what was counted when the games were rated."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, select
from sqlmodel import Session, col

from db.models import Agent, Environment, Game, PairScope, PairTotal
from db.pairs import NOBODY, PairBy, PairCount, PairKey, unit
from db.queries.games import RATED
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class CountedScope:
    """The rated games of an environment, or of a tournament in it, counted: `games` are in the
    counts, `repeats` are left out of them, `newest` is the fold_index of the newest of all."""

    scope_id: int
    environment_id: int
    environment: str
    num_players: int
    version: str | None
    games: int
    repeats: int
    newest: int


def counted_scopes(session: Session, selection: Selection) -> list[CountedScope] | None:
    """What is counted of a selection, the most games first; None where that cannot be said from
    counts: of more tournaments than one, of anything but tournaments and environments, and where
    games were rated that nobody has counted.

    Raises BadSelection for what is not on record.
    """
    asked = Selection(tournament=selection.tournament, environment=selection.environment)
    if asked != selection:
        return None
    named = selection.on(session).named
    tournaments, environments = named.get("tournament", {}), named.get("environment", {})
    if len(tournaments) > 1:
        return None
    of_one: Any = col(PairScope.tournament_id).is_(None)
    of_games: list[Any] = [*RATED]
    for tournament in tournaments:
        of_one = col(PairScope.tournament_id) == tournament
        of_games.append(col(Game.tournament_id) == tournament)
    query: Any = (
        select(PairScope, Environment)
        .join(Environment, col(Environment.id) == col(PairScope.environment_id))
        .where(of_one)
        .order_by(col(PairScope.games).desc(), col(PairScope.environment_id))
    )
    found = {
        row.environment_id: CountedScope(
            row.id or 0,
            row.environment_id,
            rules.name,
            rules.num_players,
            rules.version,
            row.games,
            row.repeats,
            row.newest,
        )
        for row, rules in session.execute(query)
    }
    known = [*environments] or [*session.scalars(select(col(Environment.id)))]
    uncounted = [key for key in known if key not in found]
    for key in uncounted:
        rated = exists().where(*of_games, col(Game.environment_id) == key)
        if session.execute(select(rated)).scalar():
            return None
    return [scope for key, scope in found.items() if not environments or key in environments]


def pair_counts(
    session: Session, scope: CountedScope, by: PairBy, agents: Collection[int] | None = None
) -> dict[PairKey, PairCount]:
    """The counts of one kind in a scope, in order of key, and of every agent those of its games;
    of some `agents` only, where they are named."""
    table: Any = PairTotal.__table__  # type: ignore[attr-defined]
    own = (table.c.by == "agent") & (table.c.agent_id == table.c.other_id)
    query = (
        select(table)
        .where(table.c.scope_id == scope.scope_id, (table.c.by == by) | own)
        .order_by(*table.primary_key)
    )
    if agents is not None:
        named = [*agents]
        query = query.where(table.c.agent_id.in_(named), table.c.other_id.in_([*named, NOBODY]))
    result = session.connection().execute(query)
    # As the driver makes them: rows that know their columns' names take twice as long.
    cursor: Any = result.cursor
    rows = cursor.fetchall()
    result.close()
    return {
        PairKey(*key): PairCount(games, won, drawn, blocks, score, squared, int(mixed), int(square))
        for _, *key, games, won, drawn, blocks, score, squared, mixed, square in rows
    }


def games_counted(session: Session, scope: CountedScope) -> dict[int, int]:
    """How many games of a scope each agent has, by agent_id."""
    table: Any = PairTotal.__table__  # type: ignore[attr-defined]
    query = select(table.c.agent_id, table.c.games).where(
        table.c.scope_id == scope.scope_id,
        table.c.by == "agent",
        table.c.agent_id == table.c.other_id,
    )
    return {int(agent): int(games) for agent, games in session.execute(query)}


def opponents(session: Session, scope: CountedScope, agent_id: int) -> dict[int, PairCount]:
    """The counts of an agent against each that it met in a scope, as the agent sees them, by the
    other's agent_id."""
    table: Any = PairTotal.__table__  # type: ignore[attr-defined]
    here = [table.c.scope_id == scope.scope_id, table.c.by == "agent", table.c.part == ""]
    # Of two agents the lower number comes first: the others are named, each to be found by its key.
    lower = table.c.agent_id.in_(select(col(Agent.id)).where(col(Agent.id) < agent_id))
    whole = unit(scope.num_players)
    found: dict[int, PairCount] = {}
    for own, other, some in (
        (table.c.agent_id, table.c.other_id, ()),
        (table.c.other_id, table.c.agent_id, (lower,)),
    ):
        query = select(table).where(*here, own == agent_id, other != agent_id, *some)
        for row in session.execute(query).mappings():
            count = PairCount(*(int(row[name]) for name in PairCount._fields))
            first = row["agent_id"] == agent_id
            found[int(row[other.name])] = count if first else count.turned(whole)
    return dict(sorted(found.items()))


def parts_counted(session: Session, scope: CountedScope, agent_id: int) -> dict[PairKey, PairCount]:
    """The counts of an agent in a scope in each role and on each team, against the other teams."""
    table: Any = PairTotal.__table__  # type: ignore[attr-defined]
    query = (
        select(table)
        .where(
            table.c.scope_id == scope.scope_id,
            table.c.by.in_(("role", "team")),
            table.c.agent_id == agent_id,
        )
        .order_by(*table.primary_key)
    )
    return {
        PairKey(*(row[name] for name in PairKey._fields)): PairCount(
            *(int(row[name]) for name in PairCount._fields)
        )
        for row in session.execute(query).mappings()
    }
