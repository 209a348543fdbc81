"""What happened to games: which status each came to, when, why, and by whom."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Text

from db.models.catalogue import now
from db.models.columns import BigId, Table

NEXT = {
    "scheduled": ("running", "completed", "void"),
    "running": ("completed", "void"),
    "completed": (),
    "void": (),
}
"""The statuses that a game may come to from each; a trigger refuses the others."""


class GameState(Table, table=True):
    """A game came to a `status`, at a time.

    Triggers write it whenever the status of a game changes, so that nothing passes them by; a run
    adds when a game is paused, which is no status of a game, and when it goes on. That a game was
    scheduled is told by its `created_at`. `reason` is the termination of a completed game, the
    cause of a void one, and why a game is paused or goes on. `actor` is the run that had the
    tournament ("run 3": the third that held its lease), "branches" for a run of branches, "hand"
    for everybody else, and "unknown" for what was on record before this was. Rows are only added.
    """

    __tablename__ = "game_states"
    __table_args__ = (
        CheckConstraint(
            "status IN ('running', 'paused', 'completed', 'void')", name="ck_game_states_status"
        ),
    )

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    game_id: int = Field(foreign_key="games.id", ondelete="CASCADE", sa_type=BigId, index=True)
    status: str = Field(sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    actor: str = Field(sa_type=Text)
    at: datetime = Field(default_factory=now)
