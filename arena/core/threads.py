"""Keeps long work from holding the event loop: beside it in a thread, or in pieces on it.

Even a caller that is cancelled waits for what a thread does.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")

# Seconds for which one piece of work may hold the event loop.
_HELD = 0.005

# Characters that are read in a few milliseconds, whatever they are.
_SHORT = 8_192


async def read_aside(text: str, read: Callable[[], T]) -> T:
    """What `read()` returns, which reads this text; in a thread where the text is long, so that the
    event loop is not held for it."""
    return read() if len(text) <= _SHORT else await in_thread(read)


class Shared:
    """The event loop, for work of many pieces on it that never waits."""

    __slots__ = ("_since",)

    def __init__(self) -> None:
        self._since = perf_counter()

    async def others(self) -> None:
        """Others have their turn now, if this work has held the loop for some milliseconds."""
        if perf_counter() - self._since > _HELD:
            await asyncio.sleep(0)
            self._since = perf_counter()


async def in_thread(
    work: Callable[..., T], *args: object, undo: Callable[[T], object] | None = None
) -> T:
    """What `work(*args)` returns, called in a thread. Raises what it raises.

    A thread cannot be cancelled. A caller that is cancelled waits until the work has ended, so
    that nothing is closed while it is in use; `undo`, in a thread too, gets what it returned.
    """
    working = _begun(work, *args)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await _ended(working)
        if working.exception() is None and undo is not None:
            await _ended(_begun(undo, working.result()))
        raise


def _begun(work: Callable[..., T], *args: object) -> asyncio.Future[T]:
    # A future, not a task: a loop that shuts down cancels its tasks.
    context = contextvars.copy_context()
    return asyncio.get_running_loop().run_in_executor(None, context.run, work, *args)


async def _ended(working: asyncio.Future[T]) -> None:
    while not working.done():
        # A caller that is cancelled again still waits.
        with suppress(asyncio.CancelledError):
            await asyncio.wait([working])
