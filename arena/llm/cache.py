"""Answers that are on record already, given again to the same request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from arena.core import Completion


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """What a provider answered to the same request, and under which model's name."""

    completion: Completion
    model_answered: str | None = None


class Answers(Protocol):
    """Where answers are looked for, by request hash, before anything is sent."""

    async def get(self, request_hash: str) -> KnownAnswer | None:
        """The latest answer that is still good; None when there is none."""
        ...
