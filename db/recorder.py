"""The durable append path: one writer thread, one commit for everything that waits.

An append returns when its rows are on disk. Nothing waits for a window: while one batch is being
committed, the next one gathers. Every write can be run again by its key.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import URL

from db.delegates import Delegation
from db.engine import BUSY_TIMEOUT_MS, LONGEST_PAUSE, PATIENCE, get_engine
from db.errors import DatabaseError, FileGone, LeaseLost, Unreachable, WriteFailed
from db.faults import first_line
from db.fold import Fold
from db.leases import HEARTBEAT, Lease
from db.schema import check_schema
from db.urls import resolve_url, shown
from db.writer.batches import Append, BatchWriter
from db.writer.connections import Lost, open_writer
from db.writer.subject import Record

# Appends in one commit: few enough that the interpreter lock is never held for long.
BATCH = 96


@dataclass(slots=True)
class RecorderStats:
    """What a recorder has done: records and commits on disk, appends refused, and the largest
    number of appends in one commit."""

    records: int = 0
    commits: int = 0
    refused: int = 0
    largest_batch: int = 0


class Recorder:
    """Writes the records of many games at once, in one thread of its own.

    `fold` turns finished games into ratings (`db.fold.Fold`), stored in the pools of its system;
    a rebuild finds that in the `rating` of the tournament's configuration. Without a fold, results
    are recorded, and rated with the next one that a fold sees.

    A failed append raises a DatabaseError to its waiter, and the recorder continues; a bug that
    ends its thread raises one to every waiter and to every later append. Enter it in a running
    event loop; leaving it writes what is still queued. With a `lease` every commit says that its
    holder lives, and so does an idle recorder every HEARTBEAT seconds; once another process has
    taken over, appends raise LeaseLost and nothing is written. A server that goes away is waited
    for, `patience` seconds at most.

    With a `db.delegates.Delegation` in the place of a lease it writes for the holder of one, in
    another process. A recorder that `delegates` has a `delegation` for others where the database
    allows it: on a server, without a pooler between.
    """

    def __init__(
        self,
        db_path: str | Path | URL | None = None,
        fold: Fold | None = None,
        *,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
        lease: Lease | Delegation | None = None,
        delegates: bool = False,
        patience: float = PATIENCE,
    ) -> None:
        self._url: URL = resolve_url(db_path)
        self._fold = fold
        self._busy_timeout_ms = busy_timeout_ms
        self._lease = lease
        self._delegates = delegates
        self.delegation: Delegation | None = None
        self._patience = patience
        self._queue: queue.SimpleQueue[list[Append] | None] = queue.SimpleQueue()
        self._gathered: list[Append] = []
        self._taken: list[Append] = []
        self._dead: DatabaseError | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[None] | None = None
        self._unreported: BaseException | None = None
        self._block: asyncio.Task[Any] | None = None
        self._lost: DatabaseError | None = None
        self._closed = True
        self.stats = RecorderStats()

    @property
    def queued(self) -> int:
        """Bundles of appends that no commit has taken up yet."""
        return self._queue.qsize() + len(self._gathered)

    async def __aenter__(self) -> Self:
        """Open the database, making it when it is empty. Raises DatabaseError.

        Whoever holds a lease may wait minutes for an answer: where nobody waits for a commit, as at
        a heartbeat, FileGone and LeaseLost cancel what runs inside the block, which raises them.
        """
        loop = asyncio.get_running_loop()
        if isinstance(self._lease, Lease):
            self._block = asyncio.current_task()
        self._loop = loop
        opened: asyncio.Future[None] = loop.create_future()
        self._ended = loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name="arena-recorder")
        self._thread.start()
        try:
            await opened
        except BaseException:
            self._queue.put(None)
            await asyncio.shield(self._ended)
            raise
        self._closed = False
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.close()
        except DatabaseError:
            # What ended the block is the better reason.
            if error is None:
                raise
        finally:
            block, self._block = self._block, None
        if block is not None and self._lost is not None:
            block.uncancel()
            if error is None or isinstance(error, asyncio.CancelledError):
                raise self._lost from None

    def append(self, *records: Record) -> asyncio.Future[None]:
        """Commit these records together: await the result.

        Raises, when awaited, WriteFailed for rows that the database refuses. Cancelling the
        waiter does not take the records back.
        """
        loop = self._open()
        waiter: asyncio.Future[None] = loop.create_future()
        self._gather(loop, Append(records, waiter))
        return waiter

    def post(self, *records: Record) -> None:
        """Commit these records without waiting; `flush` and `close` raise what was refused."""
        self._gather(self._open(), Append(records))

    def _open(self) -> asyncio.AbstractEventLoop:
        if self._dead is not None:
            raise self._dead
        if self._closed or self._loop is None:
            raise DatabaseError("the recorder is closed: append inside `async with Recorder(...)`")
        return self._loop

    def _gather(self, loop: asyncio.AbstractEventLoop, append: Append) -> None:
        # The writer is woken once for all that one turn of the loop appends: every waking costs
        # two switches of threads, and a commit of its own.
        if not self._gathered:
            loop.call_soon(self._hand_over)
        self._gathered.append(append)

    def _hand_over(self) -> None:
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self._queue.put(gathered)

    async def flush(self) -> None:
        """Wait until everything appended so far is committed."""
        await self.append()
        self._report()

    async def close(self) -> None:
        """Write what is queued and end the thread. Closing twice is fine."""
        if self._ended is None or self._thread is None:
            return
        if not self._closed:
            self._closed = True
            self._hand_over()
            self._queue.put(None)
        # The thread goes on when the waiting task is cancelled.
        await asyncio.shield(self._ended)
        self._thread.join()
        self._report()

    def _report(self) -> None:
        error, self._unreported = self._unreported, None
        if error is not None:
            raise error

    def _tell(self, callback: Callable[..., None], *values: Any) -> None:
        # A loop that was closed early has no waiter left.
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *values)

    def _run(self, opened: asyncio.Future[None]) -> None:
        try:
            self._begin()
        except BaseException as error:
            self._tell(_fail, opened, error)
            self._tell(_resolve, self._ended)
            return
        self._tell(_resolve, opened)
        try:
            try:
                self._serve()
            finally:
                self._connection.close()
        except BaseException as error:
            self._tell(self._die, error)
        finally:
            self._tell(_resolve, self._ended)

    def _begin(self) -> None:
        # The database was there when the run began: who joins it later may meet its restart.
        deadline = time.monotonic() + (
            self._patience if isinstance(self._lease, Delegation) else 0.0
        )
        pause = 0.05
        while True:
            try:
                engine = get_engine(self._url)
                try:
                    check_schema(engine)
                finally:
                    engine.dispose()
                self._connect()
            except Unreachable:
                if time.monotonic() >= deadline:
                    raise
            else:
                return
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _connect(self) -> None:
        self._connection = open_writer(self._url, self._busy_timeout_ms)
        if self._delegates and isinstance(self._lease, Lease) and self._connection.named:
            self.delegation = self._lease.delegated(self._url)
        self._writer = BatchWriter(self._connection, self._fold, self._lease)

    def _serve(self) -> None:
        assert self._loop is not None
        open_ = True
        while open_:
            try:
                gathered = self._queue.get(timeout=HEARTBEAT)
            except queue.Empty:
                if self._loop.is_closed():
                    # Nobody is left to append anything, or to close the recorder.
                    return
                if self._lease is not None:
                    self._commit([])
                continue
            if gathered is None:
                return
            self._taken = gathered
            while len(self._taken) < BATCH:
                try:
                    gathered = self._queue.get_nowait()
                except queue.Empty:
                    break
                if gathered is None:
                    open_ = False
                    break
                self._taken += gathered
            for at in range(0, len(self._taken), BATCH):
                self._commit(self._taken[at : at + BATCH])
            self._taken = []

    def _commit(self, batch: list[Append]) -> None:
        try:
            self._writer.write(batch)
        except Lost as lost:
            self._write_again(batch, lost)
        except Exception as error:
            self._refuse(batch, error)
            waited_for = any(append.waiter is not None for append in batch)
            if isinstance(error, FileGone | LeaseLost) and not waited_for:
                self._tell(self._lose, error)
        self._count(batch)
        self._tell(_settle, batch)

    def _lose(self, error: DatabaseError) -> None:
        if self._block is not None and self._lost is None and not self._closed:
            self._lost = error
            self._block.cancel()

    def _write_again(self, batch: list[Append], lost: Exception) -> None:
        # Whether the last commit happened is not known: every write is run again, by its key.
        deadline = time.monotonic() + self._patience
        pause = 0.05
        while time.monotonic() < deadline:
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                self._connection.close()
                self._connect()
                self._writer.write_apart(batch)
            except LeaseLost as error:
                lost = error
            except (Lost, DatabaseError) as error:
                lost = error
                continue
            except Exception as error:
                lost = error
            else:
                return
            break
        self._refuse(batch, lost)

    def _die(self, error: BaseException) -> None:
        """Fail everything that no commit has acknowledged, and refuse what comes."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        dead = self._dead = DatabaseError(
            f"the recorder was ended by a bug ({type(error).__name__}: {first_line(error)}, at "
            f"{Path(place.filename).name}:{place.lineno}): nothing more is written; what was "
            "acknowledged is safe: report the bug, then type the same command again to resume"
        )
        dead.__cause__ = error
        self._hand_over()
        left = self._taken
        while not self._queue.empty():
            left = left + (self._queue.get_nowait() or [])
        for append in left:
            append.error = append.error or dead
        _settle(left)
        self._unreported = dead

    def _refuse(self, batch: list[Append], error: Exception) -> None:
        for append in batch:
            append.error = error
            if isinstance(error, LeaseLost):
                continue
            if isinstance(error, Lost | self._connection.refused | DatabaseError):
                found = error if isinstance(error, DatabaseError) else self._connection.fault(error)
                append.error = WriteFailed(
                    f"the database {shown(self._url)} cannot be written: {first_line(error)}"
                    if found is None
                    else str(found)
                )
                append.error.__cause__ = error

    def _count(self, batch: list[Append]) -> None:
        stats = self.stats
        if not batch:
            return
        stats.commits += 1
        stats.largest_batch = max(stats.largest_batch, len(batch))
        for append in batch:
            if append.error is None:
                stats.records += len(append.records)
            else:
                stats.refused += 1
                if append.waiter is None:
                    self._unreported = append.error


def _settle(batch: list[Append]) -> None:
    for append in batch:
        waiter = append.waiter
        if waiter is not None and not waiter.done():
            if append.error is None:
                waiter.set_result(None)
            else:
                _fail(waiter, append.error)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _fail(future: asyncio.Future[None], error: BaseException) -> None:
    if isinstance(error, StopIteration):
        # No future takes it, and its waiter would never end.
        bug = RuntimeError(f"a bug raised {error!r}")
        bug.__cause__, error = error, bug
    if not future.done():
        future.set_exception(error)
