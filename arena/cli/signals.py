"""Stops what runs in two steps: the first Ctrl-C or SIGTERM asks it to end, the next cancels it.

A background job starts with interrupts ignored by the shell; they are taken all the same.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, Protocol, Self, TypeVar

import typer

from arena.cli.exit_codes import INTERRUPTED
from arena.cli.output import advise, tell

T = TypeVar("T")

_TAKEN = (signal.SIGINT, signal.SIGTERM)


class Stoppable(Protocol):
    """What can be asked to end by itself (`arena.orchestrator.Stop`)."""

    def request(self) -> None: ...


class Interrupts:
    """Takes the signals of a whole command; a context manager.

    Outside `run` the first signal raises KeyboardInterrupt and later ones do nothing: there is
    nothing left but to end. Off the main thread, where Python takes no signals, it does nothing.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._received = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._answer: Callable[[], None] = lambda: None

    @property
    def received(self) -> int:
        """How many signals came."""
        return self._received

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._take) for number in _TAKEN}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            # A handler that was not set from Python cannot be put back from here.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def run(
        self, work: Coroutine[Any, Any, T], stop: Stoppable, say: Callable[[str], None] = tell
    ) -> T:
        """Run the work to its end on a loop of its own.

        The first signal requests the stop, the second cancels the work, later ones change nothing.
        Raises KeyboardInterrupt when the work was cancelled.
        """
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            task = self._loop.create_task(work)
            steps = _steps(task, stop, say)
            self._answer = lambda: next(steps)
            try:
                return runner.run(_ended(task))
            except asyncio.CancelledError:
                if self._received < 2:
                    raise
                raise KeyboardInterrupt from None
            finally:
                # What is said may meet a line that is being written: only the loop may say it.
                self._loop = None

    def _take(self, number: int, frame: FrameType | None) -> None:
        self._received += 1
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has closed in between
                self._loop.call_soon_threadsafe(self._answer)
        elif self._received == 1:
            raise KeyboardInterrupt


def _steps(task: asyncio.Task[Any], stop: Stoppable, say: Callable[[str], None]) -> Iterator[None]:
    """What each further signal does."""
    stop.request()
    say("stopping: running games finish their turn; press Ctrl-C again to stop at once")
    yield
    task.cancel()
    say("stopping at once")
    yield
    while True:
        say(f"stopping already; if it takes too long, `kill -9 {os.getpid()}` loses nothing either")
        yield


async def _ended(task: asyncio.Task[T]) -> T:
    return await task


@contextmanager
def stoppable(advice: str) -> Iterator[Interrupts]:
    """Takes the signals of a command; one that is interrupted ends with exit code 130 and this
    advice."""
    with Interrupts() as interrupts:
        try:
            yield interrupts
        except KeyboardInterrupt:
            advise(f"interrupted; {advice}")
            raise typer.Exit(INTERRUPTED) from None
