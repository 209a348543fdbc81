"""A worker as Ray runs it: an actor around the worker's body, which knows nothing of Ray."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
    """The actor's class, with an event loop of its own; `name` is what the run calls the worker by.

    What is delivered is numbered, because Ray may begin calls of an async actor in another order.
    """

    def __init__(self, name: str, path: Sequence[str]) -> None:
        # What the run imports from a folder of its own is imported from there, where it is here.
        sys.path += [entry for entry in path if entry not in sys.path and Path(entry).exists()]
        self._name = name
        self._body: WorkerBody | None = None
        self._outgoing: list[bytes] = []
        self._some = asyncio.Event()
        self._early: dict[int, list[bytes]] = {}
        self._next = 0

    async def begin(self, theirs: Installed) -> Began:
        """Make the body, on the loop that plays its games."""
        import ray.util

        node = f"{socket.gethostname()} ({ray.util.get_node_ip_address()})"
        body = WorkerBody(self._name, lambda message: outbox.send(message), node=node)
        outbox = Outbox(self._put, body.unsendable)
        self._body = body
        return Began(node, time.time(), differences(theirs, installed()))

    async def deliver(self, number: int, pieces: list[bytes]) -> None:
        """Take pieces of messages from the run: those of its call of this `number`, from 0 on."""
        self._early[number] = pieces
        while self._next in self._early:
            assert self._body is not None
            for piece in self._early.pop(self._next):
                self._body.received(opened(piece))
            self._next += 1

    async def collect(self, seconds: float) -> list[bytes]:
        """Pieces of messages for the run, as soon as there is one; none after so many seconds."""
        if not self._outgoing:
            self._some.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._some.wait()
            except TimeoutError:
                return []
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    async def alive(self) -> None:
        """Answers on a loop of its own, however long a game or an import holds the other."""

    def _put(self, data: bytes) -> None:
        self._outgoing.append(data)
        self._some.set()
