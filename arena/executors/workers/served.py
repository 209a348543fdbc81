"""The parent's side of a game that a worker plays: answers what its ports ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from arena.core import ArenaError, WorkerLost
from arena.core.log_scope import scope_now
from arena.executors.workers.outbox import Packet
from arena.executors.workers.worker_log import log_again
from arena.game.journal import Delegates, Intended, JournalEntry, TurnTaken
from arena.game.task import Ports
from arena.llm.chunks import Taken
from arena.llm.clearance import CallNeeds, Ending, Grant, Returned
from arena.llm.handed_out import GrantsChunks, HandedOut, HasChunkBook
from arena.llm.providers.protocol import Answer


class ServedGame:
    """A game that is played in a worker. `send` sends to it; `chunks` are what it may send without
    asking; `progressed` is called when a turn of it is durable.

    `ended` is what came of it. Once it is `closed`, nothing more of it is written.
    """

    def __init__(
        self,
        number: int,
        ports: Ports,
        send: Callable[[Packet], None],
        chunks: HandedOut,
        progressed: Callable[[], None],
    ) -> None:
        self.number = number
        self.ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._ports = ports
        self._send = send
        self._chunks = chunks
        self._progressed = progressed
        self._appending: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Task[None]] = set()
        # Grants that the worker has, with their worst case, and those with which it may have
        # recorded what it sends: one that records its games itself does so before it tells.
        self._granted: dict[int, float] = {}
        self._sent: set[int] = set()
        self._scope = scope_now()
        self._chunked = ports.clearance if isinstance(ports.clearance, GrantsChunks) else None
        journal = ports.journal
        self._book = journal.chunk_book if isinstance(journal, HasChunkBook) else None
        self._records = isinstance(ports.journal, Delegates) and (
            ports.journal.elsewhere is not None
        )

    def asked(self, request: int, what: str, value: Any) -> None:
        """The worker asks something, or says it."""
        match what:
            case "recorded":
                self._recorded(value)
            case "append":
                self._begin(self._appending, request, self._append(value))
            case "ask":
                self._begin(self._waiting, request, self._ask(*value))
            case "took":
                self._took_one(*value)
            case "give_back":
                self._give_back(value)
            case "wait":
                self._begin(self._waiting, request, self._ports.clearance.wait(value))
            case "get":
                self._begin(self._waiting, request, self._get(value))
            case "log":
                log_again(value, self._scope)
            case "done":
                self._end(value)

    def lost(self, message: str, worker: str) -> None:
        """The worker is gone, which records under this name."""
        self.fail(WorkerLost(message, worker, self._settle))

    def _settle(self, dollars: float) -> None:
        """So many dollars of its calls were in flight, by the record: what is not granted here was
        sent from a chunk before that could be told."""
        self._chunks.settle(max(0.0, dollars - sum(self._granted.values())))

    def fail(self, error: Exception) -> None:
        """The game ends with this error, unless it has ended."""
        if not self.ended.done():
            self.ended.set_exception(error)

    async def closed(self) -> None:
        """Returns when nothing is awaited any more for the worker, and what it wanted recorded is
        durable or refused. Leave that it has is given back where it has certainly recorded no call
        for it; the rest counts as lost."""
        for task in self._waiting:
            task.cancel()
        while left := [*self._waiting, *self._appending]:
            await asyncio.wait(left)
        # The worker has their places for others as soon as they end there.
        for grant_id in self._granted:
            self._chunks.ending(grant_id)
        for grant_id in [*self._granted]:
            if grant_id not in self._sent:
                del self._granted[grant_id]
                self._ports.clearance.give_back(Returned(grant_id, Ending.UNSENT))

    def _begin(
        self, among: set[asyncio.Task[None]], request: int, work: Coroutine[Any, Any, Any]
    ) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(request, work))
        among.add(task)
        task.add_done_callback(among.discard)

    async def _answer(self, request: int, work: Coroutine[Any, Any, Any]) -> None:
        try:
            found, error = await work, None
        except ArenaError as raised:
            found, error = None, raised
        except Exception as bug:
            self.fail(bug)
            return
        self._send(("reply", request, found, error, self._ports.journal.wanted(), self.number))

    def _give_back(self, returned: Returned) -> None:
        self._granted.pop(returned.grant_id, None)
        self._sent.discard(returned.grant_id)
        self._chunks.ending(returned.grant_id)
        try:
            self._ports.clearance.give_back(returned)
        except Exception as bug:
            self.fail(bug)

    async def _append(self, entries: tuple[JournalEntry, ...]) -> None:
        self._intended(entries)
        await self._ports.journal.append(*entries)
        self._took(entries)

    def _recorded(self, entries: Sequence[JournalEntry]) -> None:
        """The worker has recorded these itself."""
        journal = self._ports.journal
        assert isinstance(journal, Delegates)
        self._intended(entries)
        journal.count(*entries)
        self._took(entries)
        if not journal.wanted():
            self._send(("unwanted", self.number))

    def _intended(self, entries: Sequence[JournalEntry]) -> None:
        if any(isinstance(entry, Intended) for entry in entries):
            self._sent.update(self._granted)

    def _took(self, entries: Sequence[JournalEntry]) -> None:
        if any(isinstance(entry, TurnTaken) for entry in entries):
            self._progressed()

    async def _ask(self, needs: CallNeeds, at: float) -> Grant:
        grant = await self._ports.clearance.ask(needs)
        self._grant(grant.grant_id, needs, at)
        return grant

    def _took_one(self, taken: Taken, at: float) -> None:
        """The worker sends a call of a chunk."""
        self._chunks.took(taken, self._chunked)
        self._grant(taken.grant_id, taken.needs, at)

    def _grant(self, grant_id: int, needs: CallNeeds, at: float) -> None:
        self._granted[grant_id] = needs.worst or 0.0
        if self._records:
            self._sent.add(grant_id)
        if self._chunked is not None:
            self._chunks.called(self._chunked, needs, at, self._book)

    async def _get(self, request_hash: str) -> Answer | None:
        assert self._ports.answers is not None
        return await self._ports.answers.get(request_hash)

    def _end(self, value: tuple[bool, Any]) -> None:
        well, result = value
        if not well:
            self.fail(result)
        elif not self.ended.done():
            self.ended.set_result(result)
