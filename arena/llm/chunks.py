"""Clearance in chunks: calls that a process may send without asking first, for a few seconds.

A chunk is granted by the one place that grants clearance, as soon as a process calls so often that
asking for each call would cost it time. Until its calls are sent or given back, they hold their
share of what the model may be sent in a minute and their worst case of the budget, and a place at
the model's gate for as many of them as may be in flight at once. Where anything of that is short,
there are no chunks: calls wait in turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from arena.llm.clearance import CallNeeds, Grant
from arena.llm.costs.budget import Budget, Reservation
from arena.llm.pacing.gate import Gate
from arena.llm.pacing.limits import Limits, Permit

# Seconds after which a call of a chunk is not sent any more. What may be sent in a minute by chunks
# is by so much of a minute more than its limit: 3 %.
LAPSES = 2.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """Leave for so many `calls` of a model, each of which `needs` at most so much, and so many of
    which are in flight `at_once`. None of them is sent after `until`, in seconds of the clock of
    the process that it is granted to. `answered` and `largest` are as in `Grant`."""

    chunk_id: int
    needs: CallNeeds
    calls: int
    at_once: int
    until: float
    answered: int
    largest: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A call of a chunk is about to be sent: it is granted under this `grant_id`, below 0."""

    chunk_id: int
    grant_id: int
    needs: CallNeeds


class ChunkStock:
    """The chunks of one process. `give_back` says that so many calls of a chunk will not be sent.
    For one event loop."""

    def __init__(self, give_back: Callable[[int, int], None]) -> None:
        self._give_back = give_back
        self._chunks: dict[int, _Left] = {}
        self._last = 0

    def add(self, chunk: Chunk) -> None:
        """A chunk was granted. What is left of it is given back when it lapses."""
        loop = asyncio.get_running_loop()
        timer = loop.call_at(chunk.until, self._return, chunk.chunk_id)
        self._chunks[chunk.chunk_id] = _Left(chunk, chunk.calls, timer)

    def take(self, needs: CallNeeds) -> tuple[Taken, Grant] | None:
        """Leave for a call from a chunk that covers it; None where there is none."""
        now = asyncio.get_running_loop().time()
        for left in self._chunks.values():
            chunk = left.chunk
            free = len(left.in_flight) < chunk.at_once
            if free and now < chunk.until and _covers(chunk.needs, needs):
                self._last -= 1
                left.in_flight.add(self._last)
                left.calls -= 1
                if not left.calls:
                    left.timer.cancel()
                    del self._chunks[chunk.chunk_id]
                grant = Grant(self._last, answered=chunk.answered, largest=chunk.largest)
                return Taken(chunk.chunk_id, self._last, needs), grant
        return None

    def ended(self, grant_id: int) -> None:
        """A call has ended: if it was of a chunk, another may be in flight in its place."""
        for left in self._chunks.values():
            left.in_flight.discard(grant_id)

    def return_all(self, model: str) -> None:
        """Give back whatever is left for a model."""
        theirs = [key for key, left in self._chunks.items() if left.chunk.needs.model == model]
        for chunk_id in theirs:
            self._return(chunk_id)

    def _return(self, chunk_id: int) -> None:
        if (left := self._chunks.pop(chunk_id, None)) is not None:
            left.timer.cancel()
            self._give_back(chunk_id, left.calls)


@dataclass(slots=True)
class _Left:
    chunk: Chunk
    calls: int
    timer: asyncio.TimerHandle
    in_flight: set[int] = field(default_factory=set)


def _covers(most: CallNeeds, needs: CallNeeds) -> bool:
    if most.model != needs.model or needs.tokens > most.tokens:
        return False
    # Without a worst case there is no cap that a call could pass.
    return most.worst is None or (needs.worst is not None and needs.worst <= most.worst)


@dataclass(slots=True)
class SpareCalls:
    """What is held for the calls of a chunk that are not sent yet: `left` of them, each of which
    `needs` at most so much, and `places` for them at the gate; with a budget, `reserved` has as
    many reservations as calls are left."""

    gate: Gate
    needs: CallNeeds
    left: int
    places: int
    reserved: list[Reservation] | None = field(repr=False)

    @classmethod
    async def held(
        cls, limits: Limits, budget: Budget | None, needs: CallNeeds, calls: int, at_once: int
    ) -> SpareCalls | None:
        """Hold up to so many calls, and places for so many at once; None where nothing is to spare.
        Waits for no call."""
        gate = limits.gate(needs.model)
        if budget is not None:
            calls = 0 if needs.worst is None else budget.plenty(needs.model, needs.worst, calls)
        calls, places = await gate.spare(calls, at_once, needs.tokens)
        if not calls:
            return None
        spare = cls(gate, needs, calls, places, None)
        if budget is not None and needs.worst is not None:
            spare.reserved = await budget.spare(needs.model, needs.worst, calls)
            spare.left = len(spare.reserved)
            spare._free_places()
        return spare if spare.left else None

    def take(self, needs: CallNeeds) -> tuple[Permit, Reservation | None]:
        """One of them is sent."""
        self.left -= 1
        if self.places:
            self.places -= 1
        else:
            # What was in flight in the last place ended without anybody's saying so.
            self.gate.hold_place()
        permit = self.gate.enter_spare(needs.tokens, self.needs.tokens)
        self._free_places()
        if self.reserved is None:
            return permit, None
        reservation = self.reserved.pop()
        if needs.worst is not None and needs.worst < reservation.amount:
            reservation.lower(needs.worst)
        return permit, reservation

    def ending(self) -> None:
        """A call of the chunk ends next: its place is for another."""
        if self.places < self.left:
            self.places += 1
            self.gate.hold_place()

    def drop(self, calls: int | None = None) -> None:
        """So many of them will not be sent, or none that is left."""
        calls = self.left if calls is None else min(calls, self.left)
        self.left -= calls
        for _ in range(calls if self.reserved else 0):
            assert self.reserved is not None
            self.reserved.pop().release()
        self._free_places()

    def _free_places(self) -> None:
        if (more := self.places - self.left) > 0:
            self.places -= more
            self.gate.drop_spare(more)
