"""The ratings as pandas frames: where they stand, and what each game did to them.

Source, columns and dtypes are those of `arena.analysis.frames`. A pool is an environment, or one
tournament in it: `tournament` asks for that tournament's standings, anything else for the
leaderboards of the environments.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Select, func, select

from arena.analysis.columns import FLOAT, INTEGER, STRING, TIME, FrameColumn
from arena.analysis.frame_query import Columns, FrameQuery, Sources, read_frame
from arena.analysis.source import Catalogue, Reading, agent_columns, table
from arena.core import Rating
from db.selection import Chosen, GameNumbers, Names, several

DEVIATIONS = NormalDist().inv_cdf(0.975)
"""How many sigma an interval of 95 % reaches to each side."""


def ratings_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    tournament: Names = None,
    environment: Names = None,
    agent: Names = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """One row per agent of a pool, best first.

    place (by mu, from 1; equal ratings share one), agent · mu, sigma (an agent starts at 25 and
    25/3) · low, high (the 95 % interval, mu ± 1.96 sigma) · conservative (mu − 3 sigma) · centred
    (25 + mu − the mean mu of the pool: where the sides of a game are uneven all mu drift together,
    and only their differences mean something) · pool_id, system · tournament (NA: the
    environment's own pool), environment, num_players · agent_id, kind, model, prompt · updated_at ·
    games, wins, draws, losses. Printed in 80 columns, names and ratings stay.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    return read_frame(
        source,
        _ratings,
        columns=columns,
        limit=limit,
        tournament=tournament,
        environment=environment,
        agent=agent,
    )


def _ratings(read: Reading) -> FrameQuery:
    pools, rated = table("rating_pools"), table("agent_trueskill")
    # The place among all agents of the pool, and their mean, also when only some are read.
    by_mu = func.rank().over(partition_by=rated.c.pool_id, order_by=rated.c.mu.desc())
    mean = func.avg(rated.c.mu).over(partition_by=rated.c.pool_id)
    placed = (
        select(rated, by_mu.label("place"), mean.label("mean"))
        .join(pools, pools.c.id == rated.c.pool_id)
        .where(*_of_pools(read.chosen))
        .subquery()
    )
    who = {column.name: column for column in agent_columns(read.catalogue, placed.c.agent_id)}
    columns = [
        FrameColumn("place", INTEGER, placed.c.place),
        who.pop("agent"),
        FrameColumn("mu", FLOAT, placed.c.mu),
        FrameColumn("sigma", FLOAT, placed.c.sigma),
        FrameColumn("low", FLOAT, placed.c.mu - DEVIATIONS * placed.c.sigma),
        FrameColumn("high", FLOAT, placed.c.mu + DEVIATIONS * placed.c.sigma),
        FrameColumn("conservative", FLOAT, placed.c.mu - 3 * placed.c.sigma),
        FrameColumn("centred", FLOAT, Rating().mu + placed.c.mu - placed.c.mean),
        *_pool(read.catalogue),
        *who.values(),
        FrameColumn("updated_at", TIME, placed.c.updated_at),
        FrameColumn("games", INTEGER, placed.c.games),
        FrameColumn("wins", INTEGER, placed.c.wins),
        FrameColumn("draws", INTEGER, placed.c.draws),
        FrameColumn("losses", INTEGER, placed.c.losses),
    ]

    def rows(statement: Select[Any]) -> Select[Any]:
        return (
            statement.select_from(placed)
            .join(pools, pools.c.id == placed.c.pool_id)
            .where(*read.chosen.of_agents(placed.c.agent_id))
            .order_by(placed.c.pool_id, placed.c.place, placed.c.agent_id)
        )

    return FrameQuery(columns, rows)


def rating_changes_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    tournament: Names = None,
    environment: Names = None,
    agent: Names = None,
    game: GameNumbers = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """One row per agent and game of a pool, in the order in which the games were rated.

    pool_id, system · tournament (NA: the environment's own pool), environment, num_players ·
    game_id, fold_index (that order, over all tournaments), finished_at · agent_id, agent, kind,
    model, prompt · mu_before, sigma_before, mu_after, sigma_after.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    return read_frame(
        source,
        _changes,
        columns=columns,
        limit=limit,
        tournament=tournament,
        environment=environment,
        agent=agent,
        game=game,
    )


def _changes(read: Reading) -> FrameQuery:
    games, changes, pools = table("games"), table("rating_changes"), table("rating_pools")
    columns = [
        *_pool(read.catalogue),
        FrameColumn("game_id", INTEGER, changes.c.game_id),
        FrameColumn("fold_index", INTEGER, games.c.fold_index),
        FrameColumn("finished_at", TIME, games.c.finished_at),
        *agent_columns(read.catalogue, changes.c.agent_id),
        FrameColumn("mu_before", FLOAT, changes.c.mu_before),
        FrameColumn("sigma_before", FLOAT, changes.c.sigma_before),
        FrameColumn("mu_after", FLOAT, changes.c.mu_after),
        FrameColumn("sigma_after", FLOAT, changes.c.sigma_after),
    ]
    chosen = read.chosen

    def rows(statement: Select[Any]) -> Select[Any]:
        found = (
            statement.select_from(changes)
            .join(pools, pools.c.id == changes.c.pool_id)
            .join(games, games.c.id == changes.c.game_id)
            .where(*_of_pools(chosen), *chosen.of_agents(changes.c.agent_id))
        )
        if chosen.asked.game:
            found = found.where(changes.c.game_id.in_(several(chosen.asked.game)))
        return found.order_by(
            changes.c.pool_id, games.c.fold_index, changes.c.game_id, changes.c.agent_id
        )

    return FrameQuery(columns, rows)


def _of_pools(chosen: Chosen) -> list[ColumnElement[bool]]:
    pools = table("rating_pools")
    tournaments = [*chosen.named.get("tournament", ())]
    conditions: list[ColumnElement[bool]] = [
        pools.c.tournament_id.in_(tournaments) if tournaments else pools.c.tournament_id.is_(None)
    ]
    if "environment" in chosen.named:
        conditions.append(pools.c.environment_id.in_([*chosen.named["environment"]]))
    return conditions


def _pool(catalogue: Catalogue) -> list[FrameColumn]:
    pools = table("rating_pools")
    rules = pools.c.environment_id
    return [
        FrameColumn("pool_id", INTEGER, pools.c.id),
        FrameColumn("system", STRING, pools.c.system),
        FrameColumn("tournament", STRING, pools.c.tournament_id, names=catalogue.tournaments),
        FrameColumn("environment", STRING, rules, names=catalogue.environments),
        FrameColumn("num_players", INTEGER, rules, names=catalogue.players),
    ]
