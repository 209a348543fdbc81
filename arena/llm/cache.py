"""Answers that are on record already, given again to the same request."""

from __future__ import annotations

from typing import Protocol

from arena.llm.providers.protocol import Answer


class Answers(Protocol):
    """Where answers are looked for, by request hash, before anything is sent."""

    async def get(self, request_hash: str) -> Answer | None:
        """The latest answer that is still good; None when there is none."""
        ...
