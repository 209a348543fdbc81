"""Plays a recorded game again, no model called, and says where it differs from its record.

Agents, prompts and rules are the real ones: the replies come from the record, and every
observation, request, action and the outcome must come out as they were recorded.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from arena import registry
from arena.core import (
    LLM,
    Action,
    CallAnswer,
    CallIntent,
    CallLog,
    DivergenceError,
    ModelSpec,
    Observation,
    Outcome,
    UsageError,
)
from arena.game import Finished, Seat, play
from arena.llm.replay import RecordedCall, ReplayLLM, text_difference
from arena.orchestrator.catalogue import model_spec
from arena.orchestrator.run import prompt_variables
from arena import prompts
from db import Game, GamePlayer, get_session
from db.payloads import PayloadReader


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay found. `turns` were the same; `first_difference` is for people."""

    game_id: int
    turns: int
    ok: bool
    first_difference: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """One turn as it was recorded."""

    turn_number: int
    player_index: int
    observation: str
    action: str
    submitted: str
    invalid: bool
    calls: Sequence[RecordedCall]

    @property
    def place(self) -> str:
        return f"turn {self.turn_number}, player {self.player_index}"
