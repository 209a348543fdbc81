"""Keeps the chunks of clearance that workers have on record, in the transactions of their run."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from arena.core import RecordError
from arena.llm.chunks import LAPSES, Chunk
from db.delegates import Delegation
from db.errors import DatabaseError
from db.recorder import Recorder
from db.writer.granted_chunks import ChunkGranted, ChunkReturned


class RecordedChunks:
    """The chunks that the holder of a tournament's lease grants to workers that record games for
    it (`arena.llm.handed_out.ChunkBook`)."""

    def __init__(self, recorder: Recorder, lease: Delegation) -> None:
        self._recorder = recorder
        self._lease = lease

    async def granted(self, worker: str, slot: int, chunk: Chunk) -> None:
        """Commit that a worker is told of a chunk next. Raises RecordError: also where another
        process has taken over."""
        needs, now = chunk.needs, datetime.now(UTC)
        row = ChunkGranted(
            *self._key(worker, slot),
            chunk=chunk.chunk_id,
            model=needs.model,
            calls=chunk.calls,
            tokens=needs.tokens,
            dollars=needs.worst,
            granted_at=now,
            until=now + timedelta(seconds=LAPSES),
        )
        try:
            await self._recorder.append(row)
        except DatabaseError as error:
            raise RecordError(str(error)) from error

    def returned(self, worker: str, slot: int, chunk_id: int, calls: int) -> None:
        """Say that so many calls of a chunk will not be sent; nothing waits until that is on
        record."""
        # A database that takes no rows says so to the games.
        with suppress(DatabaseError):
            self._recorder.post(ChunkReturned(*self._key(worker, slot), chunk_id, calls))

    def _key(self, worker: str, slot: int) -> tuple[int, str, int, int]:
        return self._lease.key, worker, slot, self._lease.fence
