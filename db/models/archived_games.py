"""Archived games: whose transcripts are in files of their own, outside of the database."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Text

from db.models.catalogue import now
from db.models.columns import BigId, Table


class ArchivedGame(Table, table=True):
    """A game whose transcript is in a file: row group `row_group` of the Parquet file `file`.

    `file` is a name in the folder beside an SQLite file, or else a whole path
    (`db.transcripts.places`). `text_rows` and `text_bytes` are what was moved, `text_hash` the
    SHA-256 of it (`db.transcripts.texts`), against which everything that is read is checked.
    """

    __tablename__ = "archived_games"
    __table_args__ = (
        CheckConstraint("row_group >= 0", name="ck_archived_games_row_group"),
        CheckConstraint("file <> ''", name="ck_archived_games_file"),
    )

    game_id: int = Field(
        foreign_key="games.id",
        ondelete="CASCADE",
        sa_type=BigId,
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
    )
    file: str = Field(sa_type=Text)
    row_group: int
    text_rows: int
    text_bytes: int = Field(sa_type=BigId)
    text_hash: bytes
    archived_at: datetime = Field(default_factory=now)
