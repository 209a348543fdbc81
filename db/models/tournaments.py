"""Environments and the tournaments that are played in them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint
from sqlmodel import Field, Relationship, Text

from db.models.catalogue import now
from db.models.columns import BigId, CompactDateTime, JsonValue, Table

TOURNAMENT_STATUSES = ("created", "running", "paused", "finished")


REFEREE = "referee"
"""The option of an environment that holds the agent_id of who judges its games."""

REFEREE_ID = f"CAST(rules.options ->> '{REFEREE}' AS BIGINT)"
"""The same in SQL, of an environment `rules`; NULL where its rules ask no referee."""


class Environment(Table, table=True):
    """The rules: a name, a number of players, options, and the package version that holds them.

    `fingerprint` hashes all of it: a change of rules, or of who judges by them, is another
    environment, with its own ratings.
    """

    __tablename__ = "environments"
    __table_args__ = (CheckConstraint("num_players >= 1", name="ck_environments_num_players"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_type=Text, index=True)
    num_players: int
    options: dict[str, Any] = Field(default_factory=dict, sa_type=JsonValue, nullable=False)
    package: str = Field(sa_type=Text)
    version: str = Field(sa_type=Text)
    fingerprint: str = Field(sa_type=Text, unique=True)
    created_at: datetime = Field(default_factory=now)

    @property
    def referee_id(self) -> int | None:
        """The agent_id of the referee, None where the rules ask none. It has no row in
        `game_players`: its turns have the number of players as their player_index."""
        found = self.options.get(REFEREE)
        return found if isinstance(found, int) else None


class Tournament(Table, table=True):
    """A configuration, its schedule and its games.

    `next_fold_index` is the first place of the schedule that has not moved a rating yet;
    `settings` are those of its last run that are no part of what the tournament is;
    `counters_version` is that of the projection which its counters are of (`db.models.counters`),
    None where they were never counted or something was changed since.
    """

    __tablename__ = "tournaments"
    __table_args__ = (
        CheckConstraint(
            "status IN ('created', 'running', 'paused', 'finished')",
            name="ck_tournaments_status",
        ),
        CheckConstraint("games >= 0", name="ck_tournaments_games"),
        CheckConstraint("next_fold_index >= 0", name="ck_tournaments_next_fold_index"),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_type=Text, unique=True)
    config: dict[str, Any] = Field(default_factory=dict, sa_type=JsonValue, nullable=False)
    config_hash: str = Field(sa_type=Text)
    seed: int = Field(sa_type=BigId)
    games: int
    environment_id: int = Field(foreign_key="environments.id", ondelete="RESTRICT", index=True)
    next_fold_index: int = 0
    status: str = Field(default="created", sa_type=Text)
    created_at: datetime = Field(default_factory=now)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    settings: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    counters_version: int | None = None

    environment: Environment = Relationship()


class TournamentLease(Table, table=True):
    """Who runs a tournament (`db.leases`); None when no process does.

    `fence` counts the holders, so that one that was taken for dead is known when it wakes up;
    `beat` goes up for as long as the holder lives. `granted` is what the holder may spend of the
    tournament's budget (`db.shares`), `lost` the workers that write nothing more for it, by name,
    with spaces around each (`db.delegates`). `told` is what its run said of itself, with its last
    holder's clock at `told_at`, and stays when that is gone.
    """

    __tablename__ = "leases"

    tournament_id: int = Field(
        foreign_key="tournaments.id",
        ondelete="CASCADE",
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
    )
    holder: str | None = Field(default=None, sa_type=Text)
    fence: int
    beat: int = Field(sa_type=BigInteger)
    granted: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    lost: str | None = Field(default=None, sa_type=Text)
    told: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    told_at: datetime | None = Field(default=None, sa_type=CompactDateTime)
