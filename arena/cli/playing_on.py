"""Plays tournaments on beside a person who plays in them, where no other process does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from arena.core import ArenaError

if TYPE_CHECKING:
    from arena.orchestrator import Stop
    from db import Database

# Seconds until it is tried again whether a tournament is free.
_AGAIN = 2.0


class PlayedOn:
    """The named tournaments, played in a thread of their own while the block lasts, for as long as
    they wait for people; one that another process runs is left to that until it ends. Leaving the
    block stops them in order."""

    def __init__(self, url: str | None, names: Sequence[str], say: Callable[[str], None]) -> None:
        self._url = url
        self._names = names
        self._say = say
        self._stops: list[Stop] = []
        self._leaving = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="played on")

    @property
    def going(self) -> bool:
        """Whether any of them is still played, or waited for."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leaving.set()
        loop = self._loop
        if loop is not None and self._thread.is_alive():
            with suppress(RuntimeError):  # it has ended in between
                loop.call_soon_threadsafe(self._stop)
        self._thread.join()

    def _stop(self) -> None:
        for stop in self._stops:
            stop.request()

    def _run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        self._loop = asyncio.get_running_loop()
        from db import Database

        with Database(self._url or None) as database:
            await asyncio.gather(*(self._one(name, database) for name in self._names))

    async def _one(self, name: str, database: Database) -> None:
        from arena.orchestrator import Stop, restore, run
        from db.errors import DatabaseError, LeaseHeld

        stop = Stop()
        self._stops.append(stop)
        said = False
        while not self._leaving.is_set():
            try:
                summary = await run(restore(database, name), url=database, wait=True, stop=stop)
            except LeaseHeld as held:
                if not said:
                    self._say(f"{held}: until then that process takes your answers up")
                    said = True
                await asyncio.sleep(_AGAIN)
                continue
            except (ArenaError, DatabaseError) as error:
                self._say(f"{name} cannot be played on here: {error}")
                return
            if summary.stopped is not None:
                self._say(f"{name}: {summary.stopped}")
            return
