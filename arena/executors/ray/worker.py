"""One worker of a Ray cluster as the run has it."""

from __future__ import annotations

import asyncio
import itertools
import re
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, RayError

from arena.core.execution import PortsT, ResultT, TaskT
from arena.core.text import one_line
from arena.executors.ray.actor import Began, RayWorker
from arena.executors.ray.installed import installed
from arena.executors.workers.outbox import Outbox, opened
from arena.executors.workers.parent import GamesThere
from arena.executors.workers.pool import WorkerNotStarted, WorkerUnfit
from arena.llm.pacing.deadlines import within

# Seconds after which a worker that has nothing to say says so, and for how long none is asked
# whether it lives.
_POLL = 2.0
# A thread for each of what is asked of a worker for as long as it lives.
_ALIVE, _TALK = "alive", "talk"
# A call of an actor takes about as long as a turn: while there is more to say, one is made for all
# of so many seconds, which takes along what is said there.
_GATHERED = 0.05
# Seconds by which the clock of another machine may differ.
_CLOCKS = 5.0
_LONGEST = 300
# How Ray says why a worker is dead, before all that may have led to it.
_CAUSE = re.compile(r"The actor is dead because (.+?)(?:\.\s|\.?$)", re.MULTILINE)

_ADDRESS = re.compile(r"\bip: (\S+)")


class StartRayWorker:
    """Starts workers, as Ray's `options` say; one that says nothing for `silence` seconds is taken
    for dead (`arena.executors.workers.pool.StartWorker`)."""

    def __init__(self, options: Mapping[str, Any], silence: float) -> None:
        made = ray.remote(concurrency_groups={_ALIVE: 1, _TALK: 1}, max_restarts=0)(RayWorker)
        self._make = made.options(**options)
        self._silence = silence
        self._ours = installed()

    async def __call__(
        self,
        lost: Callable[[Any], None],
        progressed: Callable[[], None],
        told: Callable[[str], None],
    ) -> PlacedWorker:
        """A worker, once Ray has found a place for it. Raises WorkerUnfit for one that cannot play
        the run, WorkerNotStarted for one that ended before it could."""
        name = uuid.uuid4().hex[:12]
        try:
            actor = self._make.remote(name, sys.path)
            asked = time.time()
            began: Began = await actor.begin.remote(self._ours)
        except RayError as error:
            raise WorkerNotStarted(
                f"no worker starts on {_place(error)} ({_cause(error)}): look there whether the "
                "disk is full, memory is short, or llm-arena is missing"
            ) from error
        if began.unfit is not None:
            _kill(actor)
            raise WorkerUnfit(f"the node {began.node} of the cluster plays nothing: {began.unfit}")
        _compare_clocks(began, asked, time.time(), told)
        return PlacedWorker(name, began.node, actor, lost, progressed, told, self._silence)


def _compare_clocks(
    began: Began, asked: float, answered: float, told: Callable[[str], None]
) -> None:
    # It read its clock some time between the two.
    ahead = began.clock - min(max(began.clock, asked), answered)
    if abs(ahead) > _CLOCKS:
        told(
            f"the clock of the node {began.node} is {abs(ahead):,.0f} s "
            f"{'ahead of' if ahead > 0 else 'behind'} this machine's: so are the times of the "
            "games that it plays; nothing else depends on them"
        )


class PlacedWorker:
    """A worker that has its place in the cluster (`arena.executors.workers.pool.Worker`)."""

    def __init__(
        self,
        name: str,
        node: str,
        actor: Any,
        lost: Callable[[PlacedWorker], None],
        progressed: Callable[[], None],
        told: Callable[[str], None],
        silence: float,
    ) -> None:
        self.name = name
        self._node = node
        self._actor = actor
        self._lost = lost
        self._silence = silence
        self._how = "was ended"
        self._calls = itertools.count()
        self._pieces: list[bytes] = []
        self._written = -_GATHERED
        self._listening = False
        self._outbox = Outbox(self._write, self._unsendable)
        self._games = GamesThere(self._outbox.send, progressed, told, name)
        self._collecting = asyncio.create_task(self._listen())

    @property
    def games(self) -> int:
        """How many games it has."""
        return len(self._games)

    async def play(
        self, play: Callable[[TaskT, PortsT], Awaitable[ResultT]], task: TaskT, ports: Any
    ) -> ResultT:
        """What `play(task, ports)` returns there (`arena.executors.workers.parent`)."""
        return await self._games.play(play, task, ports)

    async def ended(self) -> str:
        """End it, unless it has ended: how it did, for messages."""
        self._collecting.cancel()
        await asyncio.wait([self._collecting])
        _kill(self._actor)
        self._games.lost(*self._gone())
        return self._how

    def _gone(self) -> tuple[str, str]:
        return f"the Ray worker {self.name} {self._how}", self.name

    def _write(self, data: bytes) -> None:
        if not self._pieces:
            loop = asyncio.get_running_loop()
            loop.call_at(max(self._written + _GATHERED, loop.time()), self._deliver)
        self._pieces.append(data)

    def _deliver(self) -> None:
        # While none listens, the next exchange takes them along.
        if self._listening and self._pieces:
            # One that is gone is noticed where it is heard.
            with suppress(RayError):
                self._actor.deliver.remote(*self._taken())

    def _taken(self) -> tuple[int, list[bytes]]:
        pieces, self._pieces = self._pieces, []
        self._written = asyncio.get_running_loop().time()
        return next(self._calls), pieces

    def _unsendable(self, message: tuple[Any, ...], error: Exception) -> None:
        self._games.unsendable(message, error)

    async def _listen(self) -> None:
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._collect())
                both.create_task(self._watch())
        except* TimeoutError:
            self._how = f"on {self._node} has said nothing for {self._silence:g} s"
        except* RayError as errors:
            self._how = f"on {self._node} {_ended(errors.exceptions[0])}"
        except* Exception as errors:
            # A bug: nobody may wait for the worker for ever.
            self._how = f"on {self._node} cannot be understood ({errors.exceptions[0]!r})"
        # Nothing that it wants to write is written from here on.
        _kill(self._actor)
        self._lost(self)
        self._games.lost(*self._gone())

    async def _collect(self) -> None:
        exchange = self._actor.exchange.options(concurrency_group=_TALK)
        while True:
            self._listening = True
            pieces = await exchange.remote(*self._taken(), _POLL)
            self._listening = False
            for piece in pieces:
                self._games.received(opened(piece))
            if pieces:
                await asyncio.sleep(_GATHERED)

    async def _watch(self) -> None:
        """Raises TimeoutError once the worker is frozen, or cut off."""
        alive = self._actor.alive.options(concurrency_group=_ALIVE)
        while True:
            async with within(self._silence):
                await alive.remote()
            await asyncio.sleep(_POLL)


def _kill(actor: Any) -> None:
    with suppress(RayError):
        ray.kill(actor, no_restart=True)


def _ended(error: Exception) -> str:
    """How a worker ended, by what Ray raises for a call of it."""
    if isinstance(error, ActorUnavailableError):
        return "cannot be reached any more"
    return f"has ended ({_cause(error)})"


def _cause(error: Exception) -> str:
    """The first that Ray says, or if it says so why a worker is dead."""
    cause = _CAUSE.search(str(error))
    return one_line(cause[1] if cause else str(error).strip().partition("\n")[0], _LONGEST)


def _place(error: Exception) -> str:
    """The node of which an error of Ray tells."""
    found = _ADDRESS.search(str(error))
    return "a node of the cluster" if found is None else f"the node {found[1]} of the cluster"
