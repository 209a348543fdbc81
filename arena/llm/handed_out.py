"""What one worker has of a run's clearance: how large its chunks are, and what comes back."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, runtime_checkable

from arena.core import RecordError
from arena.llm.chunks import LAPSES, Chunk, SpareCalls, Taken
from arena.llm.clearance import CallNeeds
from arena.llm.costs.budget import Budget, Reservation
from arena.llm.pacing.limits import Limits, Permit

# The calls of a chunk may need so many times what a worker's largest needed: those of games that go
# on grow.
_LARGER = 1.25
# Calls of a chunk.
_MOST = 200
# Chunks that a worker may have at once.
_SLOTS = 32
# A worker's pace is a mean over about so many calls.
_REMEMBERED = 10


@runtime_checkable
class GrantsChunks(Protocol):
    """A game's clearance from which its worker may have chunks
    (`arena.llm.clearance.LocalClearance`)."""

    @property
    def limits(self) -> Limits: ...

    @property
    def budget(self) -> Budget | None: ...

    def all_due(self) -> bool:
        """Whether every game of the run may call now, in whatever order."""
        ...

    def adopt(self, grant_id: int, permit: Permit, reservation: Reservation | None) -> None:
        """Take a call of a chunk for one of this game's own, granted under this id."""
        ...


class ChunkBook(Protocol):
    """Where the chunks of workers are on record, each in a slot of its worker."""

    async def granted(self, worker: str, slot: int, chunk: Chunk) -> None:
        """Returns when that is on record: the worker is told of the chunk next. Raises RecordError
        where it cannot be, also because another process grants clearance now."""
        ...

    def returned(self, worker: str, slot: int, chunk_id: int, calls: int) -> None:
        """Say that so many calls of a chunk will not be sent; waits for nothing."""
        ...


@runtime_checkable
class HasChunkBook(Protocol):
    """A game's journal whose run has the chunks of its workers on record."""

    @property
    def chunk_book(self) -> ChunkBook | None:
        """None where they are kept in memory: no worker records anything then."""
        ...


@dataclass(slots=True)
class _Handed:
    """A chunk of the worker, on record in a `book` at a `slot`."""

    spare: SpareCalls
    slot: int
    book: ChunkBook | None
    in_flight: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Pace:
    """How fast a worker calls a model, by its own clock, and what its largest calls need."""

    most: CallNeeds
    last: float
    interval: float = LAPSES
    left: int = 0
    asking: bool = False

    def called(self, needs: CallNeeds, at: float) -> None:
        self.interval += (max(0.0, at - self.last) - self.interval) / _REMEMBERED
        self.last = at
        most = self.most
        if needs.tokens > most.tokens or (needs.worst or 0.0) > (most.worst or 0.0):
            worst = None
            if needs.worst is not None:
                worst = max(_LARGER * needs.worst, most.worst or 0.0)
            tokens = max(int(_LARGER * needs.tokens), most.tokens)
            self.most = CallNeeds(needs.model, tokens, worst)

    @property
    def calls(self) -> int:
        """A chunk lasts for about half of the time after which it lapses."""
        return min(_MOST, int(LAPSES / 2.0 / max(self.interval, 1e-6)))


class HandedOut:
    """The chunks of the `worker` of this name. `send` tells it of a new one, `recall` to give back
    what it has for a model. As many of its calls are in flight at once as it has `games`, at most.

    A chunk that is half used is followed by another. Its calls count as sent and spent until the
    worker says otherwise, or has ended and the record shows what it sent (`settle`). For one event
    loop.
    """

    def __init__(
        self,
        send: Callable[[Chunk], None],
        recall: Callable[[str], None],
        worker: str,
        games: Callable[[], int],
    ) -> None:
        self._send = send
        self._recall = recall
        self._worker = worker
        self._games = games
        self._numbers = itertools.count(1)
        self._chunks: dict[int, _Handed] = {}
        # The one that was free for longest is next: what is said late of its last chunk is said.
        self._slots = deque(range(_SLOTS))
        self._paces: dict[str, _Pace] = {}
        self._recalls: dict[str, Callable[[], None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._owing: int | None = None

    def called(
        self, clearance: GrantsChunks, needs: CallNeeds, at: float, book: ChunkBook | None = None
    ) -> None:
        """A game of the worker, whose `clearance` this is, needed leave for a call, at this moment
        of the worker's clock. What is granted to it then is on record in the `book` before."""
        if self._owing is not None:
            return
        pace = self._paces.get(needs.model)
        if pace is None:
            pace = self._paces[needs.model] = _Pace(CallNeeds(needs.model, 0, None), at - LAPSES)
        pace.called(needs, at)
        if not pace.asking and pace.left <= (calls := pace.calls) // 2 and calls:
            pace.asking = True
            task = asyncio.get_running_loop().create_task(self._add(clearance, pace, book))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def took(self, taken: Taken, clearance: GrantsChunks | None) -> None:
        """The worker sends a call of a chunk for a game, None where that has ended already: then
        it counts as spent."""
        handed = self._chunks[taken.chunk_id]
        permit, reservation = handed.spare.take(taken.needs)
        handed.in_flight.add(taken.grant_id)
        self._fewer(taken.chunk_id, 1)
        if clearance is not None:
            clearance.adopt(taken.grant_id, permit, reservation)
            return
        permit.cancelled()
        if reservation is not None:
            reservation.settle(reservation.amount)

    def ending(self, grant_id: int) -> None:
        """A call of the worker ends next, perhaps one of a chunk; one that is gone sends none in
        its place."""
        if self._owing is not None:
            return
        for handed in self._chunks.values():
            if grant_id in handed.in_flight:
                handed.in_flight.discard(grant_id)
                handed.spare.ending()

    def returned(self, chunk_id: int, calls: int) -> None:
        """The worker will not send so many calls of a chunk."""
        handed = self._chunks[chunk_id]
        handed.spare.drop(calls)
        if handed.book is not None:
            handed.book.returned(self._worker, handed.slot, chunk_id, calls)
        self._fewer(chunk_id, calls)

    def gone(self, games: int) -> None:
        """The worker has ended, with so many games. What it has counts as spent until the record
        of each of them was read (`settle`)."""
        for handed in self._chunks.values():
            chunk = handed.spare
            chunk.gate.on_shortage.discard(self._recalls[chunk.needs.model])
        self._owing = games
        self._free()

    def settle(self, untold: float) -> None:
        """A game of the worker was read from the record after its end: so many dollars of calls
        that it sent without that being told here."""
        for handed in self._chunks.values():
            chunk = handed.spare
            while untold > 0.0 and chunk.left and chunk.reserved:
                permit, reservation = chunk.take(chunk.needs)
                assert reservation is not None
                permit.cancelled()
                charged = min(untold, reservation.amount)
                reservation.settle(charged)
                untold -= charged
        if self._owing:
            self._owing -= 1
        self._free()

    def _free(self) -> None:
        if self._owing == 0:
            for handed in self._chunks.values():
                handed.spare.drop()
            self._chunks.clear()

    def _fewer(self, chunk_id: int, calls: int) -> None:
        handed = self._chunks[chunk_id]
        self._paces[handed.spare.needs.model].left -= calls
        if not handed.spare.left:
            del self._chunks[chunk_id]
            self._slots.append(handed.slot)

    async def _add(self, clearance: GrantsChunks, pace: _Pace, book: ChunkBook | None) -> None:
        try:
            heard = pace.last
            if not self._slots or not clearance.all_due():
                return
            spare = await SpareCalls.held(
                clearance.limits, clearance.budget, pace.most, pace.calls, self._games()
            )
            if spare is None:
                return
            slot, number = self._slots.popleft(), next(self._numbers)
            gate = spare.gate
            # By the clock of the worker, which read it before this was granted: one that was
            # stopped meanwhile, or hears of it late, sends nothing late.
            until = heard + LAPSES
            chunk = Chunk(
                number, spare.needs, spare.left, spare.places, until, gate.answered, gate.largest
            )
            if not await self._kept(chunk, slot, book) or self._owing is not None:
                spare.drop()
                self._slots.append(slot)
                return
            model = spare.needs.model
            self._chunks[number] = _Handed(spare, slot, book)
            pace.left += spare.left
            if model not in self._recalls:
                self._recalls[model] = partial(self._recall, model)
            gate.on_shortage.add(self._recalls[model])
            self._send(chunk)
        finally:
            pace.asking = False

    async def _kept(self, chunk: Chunk, slot: int, book: ChunkBook | None) -> bool:
        """Whether a chunk is on record, where there is one."""
        if book is not None:
            try:
                await book.granted(self._worker, slot, chunk)
            except RecordError:
                # The games meet the same.
                return False
        return True
