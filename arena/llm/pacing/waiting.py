"""Waits before a call is sent: what a game does with its place meanwhile, and how it is ended."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Waiting(Protocol):
    """What a game does while one of its calls cannot be sent yet."""

    async def __call__(self, wait: Awaitable[T]) -> T:
        """Await `wait`. Raises Pause when the run stops meanwhile."""
        ...


async def patiently(wait: Awaitable[T]) -> T:
    """Just waits."""
    return await wait
