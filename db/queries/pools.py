"""A rating pool as it is stored."""

from __future__ import annotations

from sqlmodel import Session, select

from db.fold import Pool, Standing
from db.models import AgentTrueSkill, RatingPool


def pool_state(session: Session, row: RatingPool) -> Pool:
    """The pool's counters and standings, as a fold would go on from them."""
    ratings = session.exec(select(AgentTrueSkill).where(AgentTrueSkill.pool_id == row.id))
    return Pool(
        row.games,
        row.draws,
        {
            rating.agent_id: Standing(
                rating.mu, rating.sigma, rating.games, rating.wins, rating.draws, rating.losses
            )
            for rating in ratings
        },
    )
