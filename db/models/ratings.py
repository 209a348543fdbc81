"""Ratings: a projection of the finished games that can be deleted and computed again."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, Relationship, Text

from db.models.agents import Agent
from db.models.catalogue import now
from db.models.columns import BigId, Table

_OF_ENVIRONMENT = "tournament_id IS NULL AND environment_id IS NOT NULL"
_OF_TOURNAMENT = "tournament_id IS NOT NULL"
_BY_HAND = "tournament_id IS NULL AND environment_id IS NULL"


class RatingPool(Table, table=True):
    """Agents rated against each other by one system: in an environment (the games of its
    tournaments that are rated by this system), in a tournament (its standings), or, with neither,
    by hand. `games` and `draws` count what has moved the ratings.

    `stopped_at` is the fold_index of the game at which the system raised `stop_reason`: the pool
    holds the games before it.
    """

    __tablename__ = "rating_pools"
    __table_args__ = (
        Index(
            "uq_rating_pools_environment",
            "environment_id",
            "system",
            unique=True,
            info={"where": _OF_ENVIRONMENT},
        ),
        Index(
            "uq_rating_pools_tournament",
            "tournament_id",
            "system",
            unique=True,
            info={"where": _OF_TOURNAMENT},
        ),
        Index(
            "uq_rating_pools_by_hand",
            "system",
            unique=True,
            info={"where": _BY_HAND},
        ),
        CheckConstraint("draws >= 0 AND draws <= games", name="ck_rating_pools_draws"),
    )

    id: int | None = Field(default=None, primary_key=True)
    environment_id: int | None = Field(
        default=None, foreign_key="environments.id", ondelete="RESTRICT"
    )
    tournament_id: int | None = Field(
        default=None, foreign_key="tournaments.id", ondelete="CASCADE"
    )
    system: str = Field(default="trueskill", sa_type=Text)
    games: int = 0
    draws: int = 0
    stopped_at: int | None = Field(default=None, sa_type=BigInteger)
    stop_reason: str | None = Field(default=None, sa_type=Text)


class AgentTrueSkill(Table, table=True):
    """An agent's rating in a pool, and its games there. In a game that an agent both won and
    lost, in several places, it drew."""

    __tablename__ = "agent_trueskill"
    __table_args__ = (
        UniqueConstraint("pool_id", "agent_id", name="uq_agent_trueskill_pool_agent"),
        Index("ix_agent_trueskill_leaderboard", "pool_id", "mu"),
        Index("ix_agent_trueskill_agent_id", "agent_id"),
        CheckConstraint("sigma > 0", name="ck_agent_trueskill_sigma"),
        CheckConstraint("games = wins + draws + losses", name="ck_agent_trueskill_games"),
    )

    id: int | None = Field(default=None, primary_key=True)
    agent_id: int = Field(foreign_key="agents.id", ondelete="CASCADE")
    pool_id: int = Field(foreign_key="rating_pools.id", ondelete="CASCADE")
    mu: float
    sigma: float
    games: int = 0
    wins: int = 0
    draws: int = 0
    losses: int = 0
    updated_at: datetime = Field(default_factory=now)

    agent: Agent = Relationship()
    pool: RatingPool = Relationship()


class RatingChange(Table, table=True):
    """What one game did to one agent's rating in one pool; its key makes a second time
    impossible."""

    __tablename__ = "rating_changes"
    __table_args__ = (
        UniqueConstraint(
            "pool_id", "agent_id", "game_id", name="uq_rating_changes_pool_agent_game"
        ),
        Index("ix_rating_changes_game_id", "game_id"),
    )

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    pool_id: int = Field(foreign_key="rating_pools.id", ondelete="CASCADE")
    game_id: int = Field(foreign_key="games.id", ondelete="CASCADE", sa_type=BigId)
    agent_id: int = Field(foreign_key="agents.id", ondelete="RESTRICT")
    mu_before: float
    sigma_before: float
    mu_after: float
    sigma_after: float
