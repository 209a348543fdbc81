"""How agents behave: counters that go up with every finished game of a tournament."""

from sqlalchemy import text
from sqlmodel import Field

from db.models.columns import Table


class Conduct(Table, table=True):
    """What an agent's turns in a tournament's finished games were like.

    A projection of `game_players` that can be deleted and counted again. A game is counted once
    for an agent, in however many places it sat; `decided` counts the games that a lapse or an
    invalid action of its own decided, `eliminated` those in which the rules threw it out for one.
    """

    __tablename__ = "conduct"

    tournament_id: int = Field(
        foreign_key="tournaments.id",
        ondelete="CASCADE",
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
    )
    agent_id: int = Field(
        foreign_key="agents.id",
        ondelete="CASCADE",
        primary_key=True,
        index=True,
        sa_column_kwargs={"autoincrement": False},
    )
    games: int = 0
    turns: int = 0
    invalid_actions: int = 0
    silences: int = 0
    refusals: int = 0
    overlongs: int = 0
    time_limits: int = 0
    targets: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    targets_several: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    targets_none: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    notes: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    notes_lost: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    decided: int = 0
    eliminated: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
