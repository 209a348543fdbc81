"""Games and the players in them."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Optional

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, false, text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped
from sqlmodel import Field, Relationship, Text, col

from db.models.agents import Agent
from db.models.catalogue import now
from db.models.columns import BigId, JsonValue, Table, original_text
from db.models.tournaments import Environment, Tournament

if TYPE_CHECKING:
    from db.models.turns import GameTurn

# What a player's turns are counted by.
COUNTS = (
    "turns", "invalid_actions", "silences", "refusals", "overlongs", "time_limits", "malfunctions",
    "targets", "targets_several", "targets_none", "notes", "notes_lost",
)  # fmt: skip

# Games with events whose positions were never told.
UNCOUNTED = (
    "positions IS NULL AND events_version IS NOT NULL AND events_error IS NULL "
    "AND status = 'completed' AND tournament_id IS NOT NULL"
)

GAME_STATUSES = ("scheduled", "running", "completed", "void")


class Game(Table, table=True):
    """One play of an environment, from a seed.

    A void game has no result: `void_cause` says why, `error` keeps the text, and `final` that no
    further attempt at its place in the schedule will be made. `fold_index` is the position at
    which the game moved the stored ratings, over all tournaments: from the games alone the
    ratings can be computed again to the last bit. `parent_game_id` and `parent_turn` name the
    game that this one branches from. `revision` is how the rules were put to its players, None in a
    game that was begun before that had changed: the first. `events_version` is that of the
    projection which its events are of, None where they were never told; `events_reader` read the
    claims among them, None for the rules; `events_error` says why it has none. `positions` are
    those that it came to, a JSON list of [name, team]; None where they were never told.
    """

    __tablename__ = "games"
    __table_args__ = (
        UniqueConstraint(
            "tournament_id", "schedule_index", "attempt", name="uq_games_tournament_schedule"
        ),
        CheckConstraint(
            "status IN ('scheduled', 'running', 'completed', 'void')", name="ck_games_status"
        ),
        CheckConstraint("attempt >= 0", name="ck_games_attempt"),
        CheckConstraint("schedule_index >= 0", name="ck_games_schedule_index"),
        CheckConstraint("turn_count >= 0", name="ck_games_turn_count"),
        Index("ix_games_tournament_status", "tournament_id", "status"),
        # A list of a tournament's games is read from any of them on.
        Index("ix_games_tournament_id", "tournament_id", "id"),
        Index("ix_games_status", "status"),
        # Those that are not counted yet: none, unless they are of an earlier release.
        Index("ix_games_positions", "environment_id", info={"where": UNCOUNTED}),
        # The games that share a seed's luck, and those of an environment.
        Index("ix_games_environment_seed", "environment_id", "seed"),
    )

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    tournament_id: int | None = Field(
        default=None, foreign_key="tournaments.id", ondelete="CASCADE"
    )
    environment_id: int | None = Field(
        default=None, foreign_key="environments.id", ondelete="RESTRICT"
    )
    schedule_index: int | None = None
    block: int | None = None
    seed: int | None = Field(default=None, sa_type=BigId)
    attempt: int = 0
    status: str = Field(default="running", sa_type=Text)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    winning_team: str | None = Field(default=None, sa_type=Text)
    termination: str | None = Field(default=None, sa_type=Text)
    reason_text: str | None = Field(default=None, sa_type=Text, sa_column_kwargs={"name": "reason"})
    reason_raw: bytes | None = None
    environment_crashed: bool = False
    void_cause: str | None = Field(default=None, sa_type=Text)
    final: bool = False
    error_text: str | None = Field(default=None, sa_type=Text, sa_column_kwargs={"name": "error"})
    error_raw: bytes | None = None
    turn_count: int | None = None
    revision: int | None = None
    game_info: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    parent_game_id: int | None = Field(
        default=None, foreign_key="games.id", ondelete="SET NULL", sa_type=BigId, index=True
    )
    parent_turn: int | None = None
    fold_index: int | None = Field(default=None, sa_type=BigId, unique=True)
    events_version: int | None = None
    events_reader: str | None = Field(default=None, sa_type=Text)
    events_error: str | None = Field(default=None, sa_type=Text)
    positions: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(default_factory=now)

    tournament: Optional[Tournament] = Relationship()  # noqa: UP045
    environment: Optional[Environment] = Relationship()  # noqa: UP045
    players: list["GamePlayer"] = Relationship(
        back_populates="game",
        passive_deletes="all",
        sa_relationship_kwargs={"order_by": "GamePlayer.player_index"},
    )
    turns: list["GameTurn"] = Relationship(
        back_populates="game",
        passive_deletes="all",
        sa_relationship_kwargs={"order_by": "GameTurn.id"},
    )

    @hybrid_property
    def reason(self) -> str | None:
        """Why the game ended, for people, as it was written."""
        return original_text(self.reason_text, self.reason_raw)

    @reason.inplace.expression
    @classmethod
    def _reason_column(cls) -> Mapped[str | None]:
        return col(cls.reason_text)

    @hybrid_property
    def error(self) -> str | None:
        """What went wrong in a void game, as it was written."""
        return original_text(self.error_text, self.error_raw)

    @error.inplace.expression
    @classmethod
    def _error_column(cls) -> Mapped[str | None]:
        return col(cls.error_text)


class GamePlayer(Table, table=True):
    """An agent at one place of a game. `rank` is the finishing place of its team, from 0.

    `turns` and what they are counted by (`COUNTS`) are known when the game is finished: those in
    which the rules refused its action, those that lapsed; `targets`, in which it was asked to
    choose a player, and of them those in which it named several or none; `notes`, in which it
    rewrote its notes, and those whose notes were lost. `decided` says that this player's own lapse
    or invalid action decided the game, `eliminated_turn` in which turn the rules threw it out for
    one, the last turn included.
    """

    __tablename__ = "game_players"
    __table_args__ = (
        UniqueConstraint("game_id", "player_index", name="uq_game_players_game_player"),
        Index("ix_game_players_agent_game", "agent_id", "game_id"),
        CheckConstraint("player_index >= 0", name="ck_game_players_player_index"),
        CheckConstraint("rank >= 0", name="ck_game_players_rank"),
        CheckConstraint("invalid_actions >= 0", name="ck_game_players_invalid_actions"),
    )

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    game_id: int = Field(foreign_key="games.id", ondelete="CASCADE", sa_type=BigId)
    agent_id: int = Field(foreign_key="agents.id", ondelete="RESTRICT")
    player_index: int
    role: str | None = Field(default=None, sa_type=Text)
    team: str | None = Field(default=None, sa_type=Text)
    rank: int | None = None
    reward: float | None = None
    invalid_actions: int = 0
    turns: int | None = None
    silences: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    refusals: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    overlongs: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    time_limits: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    malfunctions: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    targets: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    targets_several: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    targets_none: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    notes: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    notes_lost: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    decided: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    eliminated_turn: int | None = None

    game: Game = Relationship(back_populates="players")
    agent: Agent = Relationship()
