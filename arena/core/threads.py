"""Keeps long work from holding the event loop: beside it in a thread, or in pieces on it.

Even a caller that is cancelled waits for what a thread does, unless it is work that may be given up
(`in_spare_thread`).
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import Any, TypeVar, cast

T = TypeVar("T")

LEFT_BEHIND = "left behind"
"""The name of a spare thread for work of a library in another language that would bring down a
process which ends before it (`in_spare_thread`): the process has to end at once then."""

# Seconds for which one piece of work may hold the event loop.
_HELD = 0.005

# Characters that are read in a few milliseconds, whatever they are.
_SHORT = 8_192


async def read_aside(text: str, read: Callable[[], T]) -> T:
    """What `read()` returns, which reads this text; in a thread where the text is long, so that the
    event loop is not held for it."""
    return read() if len(text) <= _SHORT else await in_thread(read)


class Shared:
    """The event loop, for work of many pieces on it that never waits."""

    __slots__ = ("_since",)

    def __init__(self) -> None:
        self._since = perf_counter()

    async def others(self) -> None:
        """Others have their turn now, if this work has held the loop for some milliseconds."""
        if perf_counter() - self._since > _HELD:
            await asyncio.sleep(0)
            self._since = perf_counter()


async def in_thread(
    work: Callable[..., T], *args: object, undo: Callable[[T], object] | None = None
) -> T:
    """What `work(*args)` returns, called in a thread. Raises what it raises.

    A thread cannot be cancelled. A caller that is cancelled waits until the work has ended, so
    that nothing is closed while it is in use; `undo`, in a thread too, gets what it returned.
    """
    working = _begun(work, *args)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await _ended(working)
        if working.exception() is None and undo is not None:
            await _ended(_begun(undo, working.result()))
        raise


async def noting_steps(work: Coroutine[Any, Any, T], held: Callable[[float], object]) -> T:
    """What `work` returns, awaited. After each of its steps, `held` is told for how many seconds
    the event loop has had to wait for it. Raises what `work` and `held` raise."""
    return cast(T, await _Stepped(work, held))


class _Stepped:
    __slots__ = ("_held", "_work")

    def __init__(self, work: Coroutine[Any, Any, Any], held: Callable[[float], object]) -> None:
        self._work = work
        self._held = held

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[], Any] = partial(self._work.send, None)
        while True:
            since = perf_counter()
            try:
                waits_for = step()
            except StopIteration as ended:
                return ended.value
            finally:
                self._held(perf_counter() - since)
            try:
                step = partial(self._work.send, (yield waits_for))
            except BaseException as error:
                step = partial(self._work.throw, error)


def in_spare_thread(work: Callable[..., T], *args: object, name: str) -> asyncio.Future[T]:
    """What `work(*args)` will return, called in a thread of its own with this `name`. The future
    raises what that raises, SystemExit too.

    For work that may never end: who has cancelled the future, or no longer awaits it, has given the
    work up. Its thread takes no place of those that `in_thread` uses, and a process that ends does
    not wait for it.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: T | None, error: BaseException | None) -> None:
        if found.done():
            return
        if error is None:
            found.set_result(cast(T, result))
        else:
            found.set_exception(error)

    def main() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = context.run(work, *args)
        except StopIteration as raised:
            # A future takes none, and whoever waits would wait for ever.
            error = RuntimeError(f"it raised StopIteration: {raised}")
        except BaseException as raised:
            error = raised
        # The loop may be gone by now, and with it whoever asked.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=main, name=name, daemon=True).start()
    return found


def is_left_behind() -> bool:
    """Whether a spare thread of this process with the name LEFT_BEHIND has not ended."""
    return any(thread.name == LEFT_BEHIND for thread in threading.enumerate())


def _begun(work: Callable[..., T], *args: object) -> asyncio.Future[T]:
    # A future, not a task: a loop that shuts down cancels its tasks.
    context = contextvars.copy_context()
    return asyncio.get_running_loop().run_in_executor(None, context.run, work, *args)


async def _ended(working: asyncio.Future[T]) -> None:
    while not working.done():
        # A caller that is cancelled again still waits.
        with suppress(asyncio.CancelledError):
            await asyncio.wait([working])
