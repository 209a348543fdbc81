"""`arena leaderboard`: agents by rating."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.conduct import errors
from arena.cli.database import reading
from arena.cli.options import AsJson, Database, database_url
from arena.cli.output import advise, print_json
from arena.cli.ranking import COSTS_UP_TO_GAMES, Place, print_ranking

if TYPE_CHECKING:
    from sqlmodel import Session

    from db.queries.conduct import ConductRow
    from db.queries.leaderboard import LeaderboardRow, PoolRow

CENTRE = 25.0


class By(StrEnum):
    """What a row of the leaderboard stands for."""

    agent = "agent"
    model = "model"
    prompt = "prompt"
    kind = "kind"


def leaderboard(
    tournament: Annotated[
        str | None, typer.Option(metavar="T", help="The standings of a tournament.")
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(metavar="E", help="Only this environment, over all its tournaments."),
    ] = None,
    by: Annotated[
        By,
        typer.Option(
            metavar="PART",
            help="agent, or model, prompt or kind: the average of the agents that share it.",
        ),
    ] = By.agent,
    rates: Annotated[
        bool,
        typer.Option(
            "--errors",
            help="How often agents err: shares of their turns, and of the games decided by it.",
        ),
    ] = False,
    without_errors: Annotated[
        bool,
        typer.Option(
            "--without-errors",
            help="Ratings without the games that an agent's own error decided.",
        ),
    ] = False,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many rows.")] = 50,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Rank agents by rating.

    Each environment has ratings of its own, with 95 % intervals. Errors are invalid actions,
    silence, refusals, overlong answers and turns over the time limit: they count as what they led
    to, and are shown beside the rating."""
    from db.queries.leaderboard import pools

    with reading(db) as session:
        _check_names(session, tournament, environment)
        found = []
        for pool in pools(session, environment=environment, tournament=tournament):
            left_out = _decided(session, pool) if without_errors else 0
            rows = _rows(session, pool, db, without_errors)
            found.append((pool, _places(session, pool, rows, left_out, by, limit)))
    if as_json:
        print_json([asdict(place) for _, places in found for place in places])
        return
    if not any(places for _, places in found):
        which = "that no error decided " if without_errors else ""
        advise(f"no game {which}has moved a rating yet; `arena games` lists the games")
    print_ranking([(pool, places) for pool, places in found if places], by, rates=rates)


def show_standings(url: str, tournament: str) -> None:
    """The final standings of a tournament, on stdout."""
    leaderboard(tournament=tournament, db=url)


def _check_names(session: Session, tournament: str | None, environment: str | None) -> None:
    """Raises UsageError for a name that is not in the database."""
    from arena.cli.catalogue import find
    from db import Repository

    repository = Repository(session)
    if tournament is not None:
        names = (row.name for row in repository.get_tournaments())
        find("tournament", tournament, repository.get_tournament_by_name, names)
    if environment is not None:
        names = (row.name for row in repository.get_environments())
        find(
            "environment",
            environment,
            lambda name: repository.get_environments(name) or None,
            names,
        )


def _rows(
    session: Session, pool: PoolRow, db: str | None, without_errors: bool
) -> Sequence[LeaderboardRow]:
    """The pool's agents, best first: as stored, or rated without the games decided by an error."""
    if not without_errors:
        from db.queries.leaderboard import leaderboard as rows_of

        return rows_of(session, pool.pool_id)
    from arena.rebuild import refit

    # An agent that has no game left has no rating either.
    refitted = refit(database_url(db), pool_id=pool.pool_id, decided=False)
    return [row for row in refitted if row.games]


def _decided(session: Session, pool: PoolRow) -> int:
    """How many of the pool's games an agent's own error decided."""
    from sqlalchemy import func
    from sqlmodel import col, select

    from db import Game
    from db.queries.folds import ERRORS

    query = (
        select(func.count())
        .select_from(Game)
        .where(col(Game.fold_index).is_not(None), col(Game.termination).in_(ERRORS))
        .where(Game.environment_id == pool.environment_id)
    )
    if pool.tournament_id is not None:
        query = query.where(Game.tournament_id == pool.tournament_id)
    return session.exec(query).one()


def _places(
    session: Session,
    pool: PoolRow,
    rows: Sequence[LeaderboardRow],
    left_out: int,
    by: By,
    limit: int,
) -> list[Place]:
    if not rows:
        return []
    if by is By.agent:
        groups = [(row.agent, [row]) for row in rows]
    else:
        parts: dict[str, list[LeaderboardRow]] = {}
        for row in rows:
            parts.setdefault(_part(row, by), []).append(row)
        groups = sorted(parts.items(), key=lambda group: -_mean(group[1]))
    middle = _mean(rows)
    costs, conduct = _costs(session, pool), _conduct(session, pool)
    return [
        _place(pool, rank, name, members, middle, costs, conduct, left_out)
        for rank, (name, members) in enumerate(groups[:limit], start=1)
    ]


def _place(
    pool: PoolRow,
    rank: int,
    name: str,
    rows: Sequence[LeaderboardRow],
    middle: float,
    costs: dict[int, float | None],
    conduct: Mapping[int, ConductRow],
    left_out: int,
) -> Place:
    mu = _mean(rows)
    # Of the mean of ratings that are taken as independent.
    sigma = math.sqrt(math.fsum(row.sigma**2 for row in rows)) / len(rows)
    rating = CENTRE + mu - middle
    known = [cost for row in rows if (cost := costs.get(row.agent_id)) is not None]
    return Place(
        environment=pool.environment,
        num_players=pool.num_players,
        version=pool.version,
        tournament=pool.tournament,
        rank=rank,
        name=name,
        agents=len(rows),
        rating=rating,
        low=rating - 1.96 * sigma,
        high=rating + 1.96 * sigma,
        mu=mu,
        sigma=sigma,
        games=sum(row.games for row in rows),
        wins=sum(row.wins for row in rows),
        draws=sum(row.draws for row in rows),
        losses=sum(row.losses for row in rows),
        cost=math.fsum(known) if known else None,
        left_out=left_out,
        errors=errors(conduct[row.agent_id] for row in rows if row.agent_id in conduct),
    )


def _mean(rows: Sequence[LeaderboardRow]) -> float:
    return math.fsum(row.mu for row in rows) / len(rows)


def _part(row: LeaderboardRow, by: By) -> str:
    if by is By.kind:
        return row.kind if row.kind_version == 1 else f"{row.kind} v{row.kind_version}"
    return row.model if by is By.model else row.prompt


def _costs(session: Session, pool: PoolRow) -> dict[int, float | None]:
    from db.queries.usage import usage

    if pool.games > COSTS_UP_TO_GAMES:
        return {}
    used = usage(session, tournament_id=pool.tournament_id, environment_id=pool.environment_id)
    return {agent_id: row.cost for agent_id, row in used.items()}


def _conduct(session: Session, pool: PoolRow) -> Mapping[int, ConductRow]:
    from db.queries.conduct import conduct

    if pool.environment_id is None:
        return {}
    return conduct(session, tournament_id=pool.tournament_id, environment_id=pool.environment_id)
