"""What is to be sent to the other side: messages in order, all of one turn of the loop together."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from typing import Any

from arena.executors.workers.plain import pickled

Packet = tuple[Any, ...]


class Outbox:
    """Takes messages, which are tuples of plain data, and hands on what one turn of the event loop
    sends as one piece of bytes, which `opened` reads.

    `write` takes the bytes; `refused` gets a message that cannot be pickled, and why.
    """

    def __init__(
        self, write: Callable[[bytes], None], refused: Callable[[Packet, Exception], None]
    ) -> None:
        self._write = write
        self._refused = refused
        self._sending: list[Packet] = []

    def send(self, message: Packet) -> None:
        """Send a message with the others of this turn of the loop."""
        if not self._sending:
            asyncio.get_running_loop().call_soon(self.flush)
        self._sending.append(message)

    def flush(self) -> None:
        """Hand on what is there."""
        sending, self._sending = self._sending, []
        if not sending:
            return
        try:
            data = pickled(sending)
        except Exception:
            # Whatever a plug-in put into it: the others are not held up by one.
            data = pickled(self._sendable(sending))
        self._write(data)

    def _sendable(self, sending: list[Packet]) -> list[Packet]:
        sendable = []
        for message in sending:
            try:
                pickled(message)
            except Exception as error:
                self._refused(message, error)
            else:
                sendable.append(message)
        return sendable


def opened(data: bytes | memoryview) -> list[Packet]:
    """The messages in a piece of bytes; only for those of our own side."""
    found: list[Packet] = pickle.loads(data)  # noqa: S301 — from our own process
    return found
