"""Who finished before whom: counters that go up with every game that moves the ratings."""

from sqlalchemy import BigInteger, Index, Numeric, UniqueConstraint
from sqlmodel import Field, Text

from db.models.columns import BigId, Table


class PairScope(Table, table=True):
    """The games that are counted together: all of an environment's, or those of one tournament.

    `games` are counted, `repeats` left out because they are another of the games again, `newest` is
    the fold_index up to which all of them are in. A scope that has rated games and no row has not
    been counted: `arena ratings rebuild` counts it.
    """

    __tablename__ = "pair_scopes"
    __table_args__ = (
        UniqueConstraint("environment_id", "tournament_id", name="uq_pair_scopes_tournament"),
        Index(
            "uq_pair_scopes_environment",
            "environment_id",
            unique=True,
            info={"where": "tournament_id IS NULL"},
        ),
        Index("ix_pair_scopes_tournament_id", "tournament_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    environment_id: int = Field(foreign_key="environments.id", ondelete="CASCADE")
    tournament_id: int | None = Field(
        default=None, foreign_key="tournaments.id", ondelete="CASCADE"
    )
    games: int = 0
    repeats: int = 0
    newest: int = Field(sa_type=BigId)


class PairTotal(Table, table=True):
    """A count of a scope, by its key; what the numbers are is said in `db.pairs`.

    A projection of the rated games that can be deleted and counted again.
    """

    __tablename__ = "pair_counts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    scope_id: int = Field(
        foreign_key="pair_scopes.id",
        ondelete="CASCADE",
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
    )
    by: str = Field(sa_type=Text, primary_key=True)
    agent_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    part: str = Field(sa_type=Text, primary_key=True)
    other_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    other_part: str = Field(sa_type=Text, primary_key=True)
    games: int
    won: int
    drawn: int
    blocks: int
    score: int = Field(sa_type=BigInteger)
    games_squared: int = Field(sa_type=BigInteger)
    games_score: int = Field(sa_type=Numeric(40, 0))
    score_squared: int = Field(sa_type=Numeric(40, 0))
