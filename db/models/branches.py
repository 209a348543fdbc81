"""Runs of branches: one command that plays a game on from a turn, so many times."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlmodel import Field, Text

from db.models.catalogue import now
from db.models.columns import BigId, JsonValue, Table


class BranchRun(Table, table=True):
    """The branches that were asked for at once: of a game, at a turn, with other agents.

    `seats` are agent_ids by player_index; with `control` there is a game with the agents that
    played after each of the `times` branches. Its games are those that branch from the game at the
    turn with an `attempt` from `first` on. `tournament_id` is that of the game at the root.
    `holder`, `fence`, `beat` and `lost` are its lease, as those of a tournament; `granted` is what
    its holder may spend of the tournament's budget (`db.shares`).
    """

    __tablename__ = "branch_runs"
    __table_args__ = (
        CheckConstraint("turn >= 0", name="ck_branch_runs_turn"),
        CheckConstraint("times >= 1", name="ck_branch_runs_times"),
        CheckConstraint("first >= 0", name="ck_branch_runs_first"),
        UniqueConstraint("game_id", "turn", "first", name="uq_branch_runs_game_turn_first"),
    )

    id: int | None = Field(default=None, primary_key=True)
    game_id: int = Field(foreign_key="games.id", ondelete="CASCADE", sa_type=BigId)
    turn: int
    seats: dict[str, Any] = Field(sa_type=JsonValue, nullable=False)
    times: int
    control: bool
    first: int
    tournament_id: int | None = Field(
        default=None, foreign_key="tournaments.id", ondelete="CASCADE", index=True
    )
    holder: str | None = Field(default=None, sa_type=Text)
    fence: int = 0
    beat: int = Field(default=0, sa_type=BigInteger)
    granted: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    lost: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(default_factory=now)

    @property
    def size(self) -> int:
        """How many games it has."""
        return self.times * (2 if self.control else 1)
