"""An event loop whose clock jumps to the next timer: hours of waiting in seconds, always the same.

Only what waits by the loop (sleeps, timers, futures) can run in it; sockets and threads cannot.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _JumpingSelector(selectors.DefaultSelector):
    """Waits no time at all, and says by how much the clock has gone on instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("everything waits and nothing will ever happen: no timer is set")
        # A little more, so that no timer is early by a rounding and waits without end.
        self.now += max(timeout, 0.0) + 1e-9
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0 and is in virtual seconds."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def hold(self, seconds: float) -> None:
        """The callback that is running takes so long."""
        self._jumping.now += seconds


def run(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` in virtual time. Raises RuntimeError when nothing can ever happen any more."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
