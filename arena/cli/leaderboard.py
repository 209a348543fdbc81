"""`arena leaderboard`: agents by rating."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.database import reading
from arena.cli.options import AsJson, Database
from arena.cli.output import Column, advise, console, count, money, print_json, print_table, safe

if TYPE_CHECKING:
    from sqlmodel import Session

    from db.queries.leaderboard import LeaderboardRow, PoolRow

# Costs are added up from the calls, ratings are kept: beyond so many games the sum takes seconds.
COSTS_UP_TO_GAMES = 5_000
CENTRE = 25.0


class By(StrEnum):
    """What a row of the leaderboard stands for."""

    agent = "agent"
    model = "model"
    prompt = "prompt"
    kind = "kind"


@dataclass(frozen=True, slots=True)
class Place:
    """A row of the leaderboard.

    `rating` is mu on the scale on which the pool's average agent has 25: only differences inside a
    pool mean anything. `low` and `high` bound its 95 % interval, ± 1.96 sigma; `agents` is how
    many agents the row is the average of; `cost` is dollars, None where unknown.
    """

    environment: str | None
    num_players: int | None
    version: str | None
    tournament: str | None
    rank: int
    name: str
    agents: int
    rating: float
    low: float
    high: float
    mu: float
    sigma: float
    games: int
    wins: int
    draws: int
    losses: int
    cost: float | None


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
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many rows.")] = 50,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Rank agents by rating.

    Each environment has ratings of its own, with 95 % intervals."""
    from db.queries.leaderboard import pools

    with reading(db) as session:
        _check_names(session, tournament, environment)
        found = [
            (pool, _places(session, pool, by, limit))
            for pool in pools(session, environment=environment, tournament=tournament)
        ]
    if as_json:
        print_json([asdict(place) for _, places in found for place in places])
        return
    if not any(places for _, places in found):
        advise("no game has moved a rating yet; `arena games` lists the games")
    _print([(pool, places) for pool, places in found if places], by)


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


def _places(session: Session, pool: PoolRow, by: By, limit: int) -> list[Place]:
    from db.queries.leaderboard import leaderboard as rows_of

    rows = rows_of(session, pool.pool_id)
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
    costs = _costs(session, pool)
    return [
        _place(pool, rank, name, members, middle, costs)
        for rank, (name, members) in enumerate(groups[:limit], start=1)
    ]


def _place(
    pool: PoolRow,
    rank: int,
    name: str,
    rows: Sequence[LeaderboardRow],
    middle: float,
    costs: dict[int, float | None],
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


def _print(found: Sequence[tuple[PoolRow, Sequence[Place]]], by: By) -> None:
    from rich.text import Text

    out = console()
    for place, (pool, places) in enumerate(found):
        if place:
            out.print()
        title = Text(style="bold")
        for part in (pool.tournament, pool.environment or "rated by hand"):
            if part:
                title.append_text(safe(part)).append(" · ")
        if pool.num_players:
            title.append(f"{count(pool.num_players, 'player')} · ")
        out.print(title.append(count(pool.games, "game")), soft_wrap=True)
        _table(places, by)
        if pool.games > COSTS_UP_TO_GAMES:
            advise(f"costs are left out beyond {COSTS_UP_TO_GAMES:,} games")
    if by is not By.agent and found:
        advise(
            f"a row is the average of the agents with this {by}: it says how these combinations "
            f"did, and little about the {by} in others"
        )


def _table(places: Sequence[Place], by: By) -> None:
    averages = by is not By.agent
    print_table(
        [
            Column("", "right", style="dim"),
            Column(str(by), shrink=True, style="bold"),
            *([Column("agents", "right")] if averages else []),
            Column("rating", "right"),
            Column("95 %", "right", style="dim"),
            Column("games", "right"),
            Column("won/drawn/lost", "right"),
            Column("cost", "right"),
        ],
        [
            [
                str(place.rank),
                place.name,
                *([str(place.agents)] if averages else []),
                f"{place.rating:.2f}",
                f"{place.low:.1f} to {place.high:.1f}",
                f"{place.games:,}",
                f"{place.wins:,}/{place.draws:,}/{place.losses:,}",
                "" if place.cost is None else money(place.cost),
            ]
            for place in places
        ],
    )
