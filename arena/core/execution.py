"""Running many games at once: the executor, and the slot that each of its games has."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar, runtime_checkable

T = TypeVar("T")
TaskT = TypeVar("TaskT")
PortsT = TypeVar("PortsT")
ResultT = TypeVar("ResultT")


def always() -> bool:
    """The answer of whatever has nothing to ask."""
    return True


class Slot(Protocol):
    """One of the executor's slots, while a piece of work has it."""

    def lent(
        self, after: float = 0.0, worth: Callable[[], bool] = always
    ) -> AbstractContextManager[None]:
        """Lets other work have the slot inside the block, once it has taken `after` seconds and
        it is `worth` doing so; has it again afterwards, at once."""
        ...

    async def call(
        self, play: Callable[[TaskT, PortsT], Awaitable[ResultT]], task: TaskT, ports: PortsT
    ) -> ResultT:
        """What `play(task, ports)` returns, called where the executor has its workers: `play` and
        the task can be pickled, and plain data passes through the ports.

        Raises what `play` raises, and WorkerLost when what ran it has ended before: what passed the
        ports until then has passed them."""
        ...


class Executor(Protocol):
    """Runs pieces of work, at most as many at once as it has slots; its factory is given their
    number as `concurrency`."""

    async def run(
        self, work: Iterable[T] | AsyncIterable[T], play: Callable[[T, Slot], Awaitable[None]]
    ) -> None:
        """Play every piece of work, started in order, each taken when a slot is free.

        The first exception of a `play` cancels the rest and is raised as it is; cancelling this
        call cancels what runs.
        """
        ...


@runtime_checkable
class ChecksDatabase(Protocol):
    """An executor whose workers cannot write into every database."""

    def check_database(self, backend: str) -> None:
        """Raises UsageError where games that are kept in this kind of database ("sqlite",
        "postgresql") cannot be played by it."""
        ...


@runtime_checkable
class TellsNews(Protocol):
    """An executor or a provider that has something to say to who started the run."""

    @property
    def news(self) -> Sequence[str]:
        """Everything that it had to say so far, a sentence each."""
        ...
