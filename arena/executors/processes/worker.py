"""A worker process: plays the tasks that its parent sends over a socket, and ends with it."""

from __future__ import annotations

import asyncio
import ctypes
import os
import select
import signal
import socket
import sys
import threading

from arena.executors.processes.stream import MessageStream
from arena.executors.workers.body import WorkerBody

# The number of PR_SET_PDEATHSIG: prctl(2).
_SIGNAL_AT_PARENTS_DEATH = 1


def main(descriptor: int, name: str) -> None:
    """Play what comes over the socket of this number until the parent closes it, as the worker of
    this name."""
    end = socket.socket(fileno=descriptor)
    # What a game starts outlives this process, whose end the parent would not see.
    end.set_inheritable(False)
    if sys.platform == "linux":
        # Also while code in C lets no other thread run.
        ctypes.CDLL(None).prctl(_SIGNAL_AT_PARENTS_DEATH, signal.SIGKILL)
    # Also while a game holds the event loop.
    threading.Thread(target=_end_with_parent, args=(end.fileno(),), daemon=True).start()
    asyncio.run(_serve(end, name))


def _end_with_parent(descriptor: int) -> None:
    watch = select.poll()
    watch.register(descriptor, 0)
    watch.poll()
    os._exit(0)


async def _serve(end: socket.socket, name: str) -> None:
    gone = asyncio.Event()
    body = WorkerBody(name, lambda message: stream.send(message))
    stream = await MessageStream.over(end, body.received, body.unsendable, gone.set)
    await gone.wait()
    # Nothing is to be said to anybody any more, and no answer is waited for.
    os._exit(0)
