"""Measures how far an event loop is behind: the time in which its callbacks wait for each other."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds between two looks; a loop that is late by less is on time.
_INTERVAL = 0.005


class LoopLag:
    """The lag of the event loop of one run, watched while something is in flight there.

    A timer that is due every five milliseconds and fires late says for how long the loop was held.
    Costs nothing while nothing is watched.
    """

    __slots__ = ("_due", "_held", "_late", "_looked", "_loop", "_timer", "_watched")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf
        self._looked = 0.0
        self._held = self._late = 0.0
        self._watched = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Inside, the lag of the running loop is measured; by any number of tasks at once."""
        loop = asyncio.get_running_loop()
        self.watch(loop)
        try:
            yield
        finally:
            self.leave(loop)

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Measure the lag of the running loop, until as many calls of `leave` as there were of
        this."""
        if self._loop is not loop:
            # What was in flight in another loop ended with it.
            self._loop, self._watched = loop, 0
        self._watched += 1
        if self._watched == 1:
            self._looked, self._late = loop.time(), 0.0
            self._again(loop)

    def leave(self, loop: asyncio.AbstractEventLoop) -> None:
        """What was watched there has ended."""
        if self._loop is loop:
            self._watched -= 1
            if not self._watched:
                self._held += self.behind(loop.time())
                self._stop()

    def behind(self, now: float) -> float:
        """Seconds by which the loop is late at the moment; `now` is by its own clock."""
        return max(0.0, now - self._due)

    def held(self, now: float) -> float:
        """Seconds in all for which the loop was late so far."""
        late = now - self._due
        return self._held + late if late > 0.0 else self._held

    def unseen(self, now: float) -> float:
        """For how many seconds, at most, what the loop has just found may have been there."""
        if now <= self._due and self._late <= _INTERVAL:
            return 0.0
        # It looks for what came in before it runs the timers that are due: if the last one was
        # late, whatever held it up may have run after that look.
        return max(0.0, now - self._looked)

    def _again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + _INTERVAL
        self._timer = loop.call_at(self._due, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._looked, self._late = self._due, self.behind(loop.time())
        self._held += self._late
        self._again(loop)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._due = None, math.inf
