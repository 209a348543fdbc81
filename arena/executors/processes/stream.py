"""One end of the socket between the parent and a worker: messages in order, many in one write."""

from __future__ import annotations

import asyncio
import pickle
import socket
import struct
from collections.abc import Callable
from typing import Any

from arena.executors.processes.plain import pickled

_LENGTH = struct.Struct(">Q")

Packet = tuple[Any, ...]


class MessageStream(asyncio.Protocol):
    """Sends and receives messages, which are tuples of plain data.

    What one turn of the event loop sends leaves in one write. `received` is called with what came
    in together; `refused` with a message that cannot be pickled, and why; `lost` once, when the
    other end is gone.
    """

    def __init__(
        self,
        received: Callable[[list[Packet]], None],
        refused: Callable[[Packet, Exception], None],
        lost: Callable[[], None],
    ) -> None:
        self._received = received
        self._refused = refused
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._sending: list[Packet] = []
        self._buffer = bytearray()

    @classmethod
    async def over(
        cls,
        end: socket.socket,
        received: Callable[[list[Packet]], None],
        refused: Callable[[Packet, Exception], None],
        lost: Callable[[], None],
    ) -> MessageStream:
        """A stream over one end of a pair of sockets, which belongs to it from now on."""
        loop = asyncio.get_running_loop()
        _, made = await loop.create_unix_connection(lambda: cls(received, refused, lost), sock=end)
        return made

    def send(self, message: Packet) -> None:
        """Send a message with the others of this turn of the loop; what is sent to an end that is
        gone is dropped."""
        if not self._sending:
            asyncio.get_running_loop().call_soon(self._flush)
        self._sending.append(message)

    def close(self) -> None:
        """Close the socket, once what was sent is written."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        sending, self._sending = self._sending, []
        if not sending or self._transport is None or self._transport.is_closing():
            return
        try:
            data = pickled(sending)
        except Exception:
            # Whatever a plug-in put into it: the others are not held up by one.
            data = pickled(self._sendable(sending))
        self._transport.writelines((_LENGTH.pack(len(data)), data))

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

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        at = 0
        while len(buffer) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer, at)
            begin = at + _LENGTH.size
            if len(buffer) - begin < length:
                break
            at = begin + length
            with memoryview(buffer) as view:
                messages = pickle.loads(view[begin:at])  # noqa: S301 — from our own process
            self._received(messages)
        if at:
            del buffer[:at]

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._lost()
