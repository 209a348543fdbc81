"""Chunks of clearance: what workers may send without asking."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint
from sqlmodel import Field, Text

from db.models.columns import Table


class GrantedChunk(Table, table=True):
    """Calls that a worker may send without asking, written before it is told of them.

    Each of the `calls` takes at most so many `tokens` and `dollars` (None without a known price)
    of a model, by its name in the catalogue. None is sent after `until`, by the clock of the run
    that granted them, and `returned` of them not at all. They are a worker's only under the `fence`
    of the tournament's lease, and while it is not among the `lost`. `chunk` counts those of the
    worker, whose newer ones take the `slot` of one that has ended. On SQLite there are none.
    """

    __tablename__ = "granted_chunks"
    __table_args__ = (
        CheckConstraint("returned >= 0 AND returned <= calls", name="ck_granted_chunks_returned"),
    )

    tournament_id: int = Field(
        foreign_key="tournaments.id",
        ondelete="CASCADE",
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
    )
    worker: str = Field(sa_type=Text, primary_key=True)
    slot: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    fence: int
    chunk: int = Field(sa_type=BigInteger)
    model: str = Field(sa_type=Text)
    calls: int
    tokens: int = Field(sa_type=BigInteger)
    dollars: float | None = None
    granted_at: datetime
    until: datetime
    returned: int = 0
