"""Processes that stay, each with its own imports and memory, and do one piece of work when asked.

Lanes that are compared run in processes of their own, one after another: neither pays for the
other's threads, garbage or imports, and the imports of both are paid before the first measurement.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class WorkerFailed(Exception):
    """Work raised in its process; the message is the traceback there."""


class Worker:
    """One process. It ends with `close`, and by itself when this process is gone. `before` is a
    folder whose modules it imports in the place of others of their names."""

    def __init__(self, before: Path | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,))
        # A spawned process is given the path of the one that starts it.
        path = [*sys.path]
        if before is not None:
            sys.path.insert(0, str(before))
        self._process.start()
        sys.path[:] = path
        theirs.close()

    def start(self, work: Callable[..., T], **kwargs: Any) -> Callable[[], T]:
        """Begin a piece of work, a function of a module; the result waits for it."""
        self._pipe.send((work, kwargs))
        return self._result

    def run(self, work: Callable[..., T], **kwargs: Any) -> T:
        """A piece of work and its result. Raises WorkerFailed."""
        return self.start(work, **kwargs)()

    def close(self) -> None:
        self._pipe.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()

    def _result(self) -> Any:
        try:
            done, value = self._pipe.recv()
        except EOFError:
            self._process.join(10)
            ended = self._process.exitcode
            raise WorkerFailed(f"the process of a lane has ended, with the code {ended}") from None
        if not done:
            raise WorkerFailed(value)
        return value


class Workers:
    """The processes of a run by name; with `shared`, one process does the work of all."""

    def __init__(self, *, shared: bool = False) -> None:
        self._shared = shared
        self._workers: dict[str, Worker] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers.values():
            worker.close()

    def of(self, name: str, before: Path | None = None) -> Worker:
        """The process of a lane, started when it is first asked for; one with modules of its own
        (`before`) is nobody else's."""
        key = "all" if self._shared and before is None else f"{name} {before or ''}"
        if key not in self._workers:
            self._workers[key] = Worker(before)
        return self._workers[key]


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _serve(pipe: Connection) -> None:
    # Also in the middle of a piece of work, which may take minutes.
    threading.Thread(target=_end_with_parent, name="watch", daemon=True).start()
    while True:
        try:
            work, kwargs = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            answer = (True, work(**kwargs))
        except Exception:
            answer = (False, traceback.format_exc())
        pipe.send(answer)
