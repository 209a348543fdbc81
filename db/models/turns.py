"""Turns, and the observations they answer."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped
from sqlmodel import Field, Relationship, Text, col

from db.models.columns import BigId, CompactDateTime, Table, original_text
from db.models.games import Game
from db.payloads import loaded_action, loaded_observation

if TYPE_CHECKING:
    from db.models.calls import LLMCall


LAPSES = ("silence", "refusal", "overlong", "time_limit", "malfunction")


class GameTurn(Table, table=True):
    """One player's action on one observation. The key says which (`db.keys`).

    `action` is None until the player has acted; `submitted` is what the environment was given,
    when it differs; `invalid` that the rules refused it; `lapse` what was wrong with the agent's
    turn whatever the rules made of it; `target` whom or what the action was read to choose, and
    `target_how` how that was told, where the rules asked for one.
    """

    __tablename__ = "game_turns"
    __table_args__ = (
        CheckConstraint(
            "id = game_id * 16777216 + turn_number * 256 + player_index", name="ck_game_turns_id"
        ),
        CheckConstraint(
            "turn_number >= 0 AND turn_number < 65536", name="ck_game_turns_turn_number"
        ),
        CheckConstraint(
            "player_index >= 0 AND player_index < 256", name="ck_game_turns_player_index"
        ),
        CheckConstraint(
            "lapse IN ('silence', 'refusal', 'overlong', 'time_limit', 'malfunction')",
            name="ck_game_turns_lapse",
        ),
    )

    id: int = Field(sa_type=BigId, primary_key=True, sa_column_kwargs={"autoincrement": False})
    game_id: int = Field(foreign_key="games.id", ondelete="CASCADE", sa_type=BigInteger, index=True)
    turn_number: int
    player_index: int
    action_text: str | None = Field(default=None, sa_type=Text, sa_column_kwargs={"name": "action"})
    action_raw: bytes | None = None
    submitted_text: str | None = Field(
        default=None, sa_type=Text, sa_column_kwargs={"name": "submitted"}
    )
    submitted_raw: bytes | None = None
    invalid: bool = False
    observed_at: datetime = Field(sa_type=CompactDateTime)
    acted_at: datetime | None = Field(default=None, sa_type=CompactDateTime)
    response_time_ms: float | None = None
    tokens_used: int | None = None
    lapse: str | None = Field(default=None, sa_type=Text)
    target: str | None = Field(default=None, sa_type=Text)
    target_how: str | None = Field(default=None, sa_type=Text)

    game: Game = Relationship(back_populates="turns")
    calls: list["LLMCall"] = Relationship(
        back_populates="turn",
        passive_deletes="all",
        sa_relationship_kwargs={"order_by": "LLMCall.id"},
    )

    @hybrid_property
    def action(self) -> str | None:
        """What the agent did, as it gave it."""
        done = original_text(self.action_text, self.action_raw)
        return loaded_action(self)[0] if done is None else done

    @action.inplace.expression
    @classmethod
    def _action_column(cls) -> Mapped[str | None]:
        return col(cls.action_text)

    @hybrid_property
    def submitted(self) -> str | None:
        """What the environment was given, when it differs from the action."""
        given = original_text(self.submitted_text, self.submitted_raw)
        # Of a turn that has an action, none means that it was given that.
        return loaded_action(self)[1] if given is None and self.action_text is None else given

    @submitted.inplace.expression
    @classmethod
    def _submitted_column(cls) -> Mapped[str | None]:
        return col(cls.submitted_text)

    @property
    def observation(self) -> Any:
        """What the player was shown, whole. Reads the chain of this player's observations."""
        return loaded_observation(self)


class TurnPayload(Table, table=True):
    """What is new in a turn's observation after the known prefix: the first `prefix_len`
    characters of this player's previous observation, whose hash is `prefix_hash`. `details` is
    what came with the action besides its text, None for nothing: how it was read from what the
    model said."""

    __tablename__ = "turn_payloads"
    __table_args__ = (CheckConstraint("prefix_len >= 0", name="ck_turn_payloads_prefix_len"),)

    game_turn_id: int = Field(
        foreign_key="game_turns.id",
        ondelete="CASCADE",
        sa_type=BigId,
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
    )
    prefix_len: int = 0
    prefix_hash: bytes | None = None
    body: bytes
    details: bytes | None = None
