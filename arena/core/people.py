"""A person in the place of a model: how such a model is known, and what its person has answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

PERSON = "person"
"""The provider of models that are people: nothing is sent to them, their answers are given."""


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What a person has answered to a turn; a `text` of None says that the time was over. Times are
    aware, UTC."""

    turn_number: int
    text: str | None
    asked_at: datetime
    answered_at: datetime
