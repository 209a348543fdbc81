"""Who is best: the maintained rows of a rating pool, best first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from db.fold import PoolStop, StoredPool, StoredStanding
from db.models import (
    Agent,
    AgentTrueSkill,
    Environment,
    Kind,
    Model,
    Prompt,
    RatingPool,
    Tournament,
)
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A pool of ratings: an environment's own, or a tournament's in it; both names are None for
    the pool kept by hand. `stop_reason` says at which game its system raised what: that game and
    those after it are not in the pool."""

    pool_id: int
    environment_id: int | None
    environment: str | None
    num_players: int | None
    version: str | None
    tournament_id: int | None
    tournament: str | None
    system: str
    games: int
    draws: int
    stop_reason: str | None = None


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """An agent in a pool: its parts, its rating and its games there."""

    agent_id: int
    agent: str
    class_: str | None
    kind: str
    kind_version: int
    model: str
    prompt: str
    active: bool
    mu: float
    sigma: float
    games: int
    wins: int
    draws: int
    losses: int

    @property
    def conservative(self) -> float:
        """mu − 3 sigma."""
        return self.mu - 3.0 * self.sigma


def pools(
    session: Session, selection: Selection | None = None, *, system: str = "trueskill"
) -> list[PoolRow]:
    """Pools, the one with the most games first.

    With a `tournament` its pool only; else the environments' own, those of an `environment` only
    when it is given. Rules that changed are pools of their own. Raises BadSelection for what is not
    on record, and for anything else.
    """
    selection = selection or Selection()
    selection.allow("tournament", "environment", what="a pool")
    named = selection.on(session).named
    cup = col(RatingPool.tournament_id)
    query: Any = (
        select(RatingPool, Environment, Tournament)
        .join(Environment, col(Environment.id) == RatingPool.environment_id, isouter=True)
        .join(Tournament, col(Tournament.id) == cup, isouter=True)
        .where(col(RatingPool.system) == system)
        .where(cup.in_([*named["tournament"]]) if "tournament" in named else cup.is_(None))
        .order_by(col(RatingPool.games).desc(), col(RatingPool.id))
    )
    if "environment" in named:
        query = query.where(col(RatingPool.environment_id).in_([*named["environment"]]))
    return [
        PoolRow(
            pool_id=pool.id,
            environment_id=pool.environment_id,
            environment=rules.name if rules else None,
            num_players=rules.num_players if rules else None,
            version=rules.version if rules else None,
            tournament_id=pool.tournament_id,
            tournament=played.name if played else None,
            system=pool.system,
            games=pool.games,
            draws=pool.draws,
            stop_reason=pool.stop_reason,
        )
        for pool, rules, played in session.execute(query)
    ]


def stop_reasons(session: Session, tournament_id: int, system: str) -> list[str]:
    """Where and why the system's pools of a tournament and of its environment have stopped."""
    environment = select(col(Tournament.environment_id)).where(col(Tournament.id) == tournament_id)
    own = col(RatingPool.tournament_id).is_(None) & (
        col(RatingPool.environment_id) == environment.scalar_subquery()
    )
    query = select(col(RatingPool.stop_reason)).where(
        col(RatingPool.stopped_at).is_not(None),
        col(RatingPool.system) == system,
        (col(RatingPool.tournament_id) == tournament_id) | own,
    )
    return sorted({reason or "" for (reason,) in session.execute(query)})


def leaderboard(
    session: Session, pool_id: int, *, limit: int | None = None, by: str = "mu"
) -> list[LeaderboardRow]:
    """The agents of a pool, best first: by `mu`, or by `conservative` (mu − 3 sigma)."""
    rating: Any = col(AgentTrueSkill.mu)
    if by == "conservative":
        rating = rating - 3 * col(AgentTrueSkill.sigma)
    query: Any = (
        select(Agent, AgentTrueSkill, Kind, col(Model.name), col(Prompt.name))
        .join(AgentTrueSkill, col(AgentTrueSkill.agent_id) == Agent.id)
        .join(Kind, col(Kind.id) == Agent.kind_id)
        .join(Model, col(Model.id) == Agent.model_id)
        .join(Prompt, col(Prompt.id) == Agent.prompt_id)
        .where(col(AgentTrueSkill.pool_id) == pool_id)
        .order_by(rating.desc(), col(Agent.id))
    )
    if limit is not None:
        query = query.limit(limit)
    return [
        LeaderboardRow(
            agent_id=agent.id,
            agent=agent.alias or f"{kind.name}/{model}/{prompt}",
            class_=agent.class_,
            kind=kind.name,
            kind_version=kind.version,
            model=model,
            prompt=prompt,
            active=agent.active,
            mu=rated.mu,
            sigma=rated.sigma,
            games=rated.games,
            wins=rated.wins,
            draws=rated.draws,
            losses=rated.losses,
        )
        for agent, rated, kind, model, prompt in session.execute(query)
    ]


def pool_state(session: Session, row: RatingPool) -> StoredPool:
    """A pool as it is stored: its counters, its standings, and where it has stopped."""
    query = select(AgentTrueSkill).where(col(AgentTrueSkill.pool_id) == row.id)
    standings = {
        rating.agent_id: StoredStanding(
            rating.mu, rating.sigma, rating.games, rating.wins, rating.draws, rating.losses
        )
        for rating in session.scalars(query)
    }
    stop = None if row.stopped_at is None else PoolStop(row.stopped_at, row.stop_reason or "")
    return StoredPool(row.games, row.draws, standings, stop)
