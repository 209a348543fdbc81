"""What runs log: lines of the standard logging module, by tournament, game and agent."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, Text

from db.models.columns import BigId, CompactDateTime, Table


class ExecutionLog(Table, table=True):
    """A line of a run's log. `level` is that of the logging module: 20 for info, 30 for a warning,
    40 for an error; `logger` is who said it."""

    __tablename__ = "execution_logs"
    __table_args__ = (
        CheckConstraint("level >= 0", name="ck_execution_logs_level"),
        CheckConstraint("logger <> ''", name="ck_execution_logs_logger"),
        Index("ix_execution_logs_tournament_id", "tournament_id", "id"),
    )

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    at: datetime = Field(sa_type=CompactDateTime)
    level: int
    logger: str = Field(sa_type=Text)
    tournament_id: int | None = Field(
        default=None, foreign_key="tournaments.id", ondelete="CASCADE"
    )
    game_id: int | None = Field(
        default=None, foreign_key="games.id", ondelete="SET NULL", sa_type=BigId, index=True
    )
    agent_id: int | None = Field(
        default=None, foreign_key="agents.id", ondelete="SET NULL", index=True
    )
    message: str = Field(sa_type=Text)
