"""One end of the socket between the parent and a worker: messages in order, many in one write."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from arena.executors.workers.outbox import Outbox, Packet, opened

_LENGTH = struct.Struct(">Q")


class MessageStream(asyncio.Protocol):
    """Sends and receives messages.

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
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._outbox = Outbox(self._write, refused)
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
        self._outbox.send(message)

    def close(self) -> None:
        """Close the socket, once what was sent is written."""
        self._outbox.flush()
        if self._transport is not None:
            self._transport.close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.writelines((_LENGTH.pack(len(data)), data))

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
                messages = opened(view[begin:at])
            self._received(messages)
        if at:
            del buffer[:at]

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._lost()
