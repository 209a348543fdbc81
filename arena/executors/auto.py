"""`executor: auto`: games run in this process, or in workers where that is faster."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from arena.core.execution import Slot
from arena.executors.local import LocalExecutor
from arena.executors.processes.executor import ProcessExecutor
from arena.executors.workers.cpus import usable_cpus

T = TypeVar("T")

# Fewer games at once end before what workers import at their start is paid back.
MANY_GAMES = 200
_GAMES_EACH = 100


class AutoExecutor:
    """Takes worker processes (`arena.executors.processes`) for 200 and more games at once where
    there are two or more `cpus`, one for each and for every 100 games, else this process
    (`arena.executors.local`). `news` says which, and why, where there is a choice."""

    def __init__(self, *, concurrency: int, cpus: int | None = None) -> None:
        self._said: list[str] = []
        self._taken: LocalExecutor | ProcessExecutor
        cpus = usable_cpus() if cpus is None else cpus
        if concurrency < MANY_GAMES:
            self._taken = LocalExecutor(concurrency=concurrency)
        elif cpus < 2 or sys.platform == "win32":
            why = "one CPU" if cpus < 2 else "workers need a system like Linux or macOS"
            self._said.append(f"games are played in this process: {why}")
            self._taken = LocalExecutor(concurrency=concurrency)
        else:
            workers = min(cpus, concurrency // _GAMES_EACH)
            self._taken = ProcessExecutor(concurrency=concurrency, workers=workers, else_here=True)
            self._said.append(
                f"games are played in {self._taken.workers} worker processes: {concurrency:,} at "
                f"once, on {cpus} CPUs"
            )

    @property
    def news(self) -> Sequence[str]:
        """Which was taken, and what that has to say since."""
        theirs = self._taken.news if isinstance(self._taken, ProcessExecutor) else ()
        return [*self._said, *theirs]

    async def run(
        self, work: Iterable[T] | AsyncIterable[T], play: Callable[[T, Slot], Awaitable[None]]
    ) -> None:
        """Play every piece of work, by what was taken."""
        await self._taken.run(work, play)
