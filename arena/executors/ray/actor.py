"""A worker as Ray runs it: an actor around the worker's body, which knows nothing of Ray."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from arena.executors.ray.installed import Installed, differences, installed
from arena.executors.workers.body import WorkerBody
from arena.executors.workers.outbox import Outbox, opened


@dataclass(frozen=True, slots=True)
class Began:
    """What a worker says of itself: its `node`, by name, its clock in seconds since 1970, and what
    of the run's installation is not there, in a sentence."""

    node: str
    clock: float
    unfit: str | None


class RayWorker:
    """The actor's class, with a thread for the event loop that plays its games; `name` is what the
    run calls the worker by.

    Ray's own threads call it, each of a concurrency group one: calls of an actor whose methods are
    coroutines would cost more, and on the loop of the games. What is sent is numbered, because Ray
    may begin calls of two groups in another order.
    """

    def __init__(self, name: str, path: Sequence[str]) -> None:
        # What the run imports from a folder of its own is imported from there, where it is here.
        sys.path += [entry for entry in path if entry not in sys.path and Path(entry).exists()]
        self._name = name
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="games", daemon=True).start()
        self._body: WorkerBody | None = None
        self._outgoing: SimpleQueue[bytes] = SimpleQueue()
        self._early: dict[int, list[bytes]] = {}
        self._next = 0

    def begin(self, theirs: Installed) -> Began:
        """Make the body, on the loop that plays its games."""
        import ray.util

        node = f"{socket.gethostname()} ({ray.util.get_node_ip_address()})"
        asyncio.run_coroutine_threadsafe(self._make_body(node), self._loop).result()
        return Began(node, time.time(), differences(theirs, installed()))

    async def _make_body(self, node: str) -> None:
        body = WorkerBody(self._name, lambda message: outbox.send(message), node=node)
        outbox = Outbox(self._outgoing.put, body.unsendable)
        self._body = body

    def deliver(self, number: int, pieces: list[bytes]) -> None:
        """Take pieces of messages from the run: those of its call of this `number`, from 0 on."""
        self._loop.call_soon_threadsafe(self._received, number, pieces)

    def exchange(self, number: int, pieces: list[bytes], seconds: float) -> list[bytes]:
        """Take pieces as `deliver` does: pieces of messages for the run, as soon as there is one;
        none after so many seconds."""
        self.deliver(number, pieces)
        outgoing = []
        with suppress(Empty):
            outgoing.append(self._outgoing.get(timeout=seconds))
            while True:
                outgoing.append(self._outgoing.get_nowait())
        return outgoing

    def alive(self) -> None:
        """Answers in a thread of its own, however long a game or an import holds the loop."""

    def _received(self, number: int, pieces: list[bytes]) -> None:
        self._early[number] = pieces
        while self._next in self._early:
            assert self._body is not None
            for piece in self._early.pop(self._next):
                self._body.received(opened(piece))
            self._next += 1
