"""Where the live ratings of a tournament stand, so that a run need not fold every game again."""

from sqlmodel import Field

from db.models.columns import Table


class LiveState(Table, table=True):
    """The live ratings after the first `place` places of a tournament's schedule.

    A projection of the games that can be deleted: what is missing is folded again. `body` is what
    the fold of this `version` holds; `attempts` are the games on record at those places, of which
    another number means that one of them was played again.
    """

    __tablename__ = "live_states"

    tournament_id: int = Field(
        foreign_key="tournaments.id",
        ondelete="CASCADE",
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
    )
    version: int
    place: int
    attempts: int
    body: bytes
