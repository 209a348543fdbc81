"""How often games stood alike, and how they ended: counters of positions."""

from sqlmodel import Field, Text

from db.models.columns import Table


class PositionCount(Table, table=True):
    """How many finished games of a tournament came to a position, and how many of them the `team`
    won whose chances it tells. A game is counted once for each position.

    A projection of `games.positions` and the winners that can be deleted and counted again.
    """

    __tablename__ = "position_counts"

    tournament_id: int = Field(
        foreign_key="tournaments.id",
        ondelete="CASCADE",
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
    )
    name: str = Field(sa_type=Text, primary_key=True)
    team: str = Field(sa_type=Text)
    games: int = 0
    won: int = 0
