"""Serves the pages on loopback until it is stopped."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from contextlib import closing
from types import FrameType

import uvicorn

from arena.core import UsageError
from arena.viewer.app import application
from arena.viewer.boards import BoardWorker
from arena.viewer.streams import Streams
from db import Database

_HOST = "127.0.0.1"


def serve(url: str | None, port: int, ready: Callable[[str], None]) -> None:
    """Serve the pages of a database, and tell the address, its token in it, when it can be opened.

    Port 0 is any that is free. Raises UsageError for a port that is taken, and what `Database`
    raises for a database that cannot be read.
    """
    with (
        Database(url, read_only=True) as database,
        Database(url) as writable,
        closing(BoardWorker(writable)) as worker,
    ):
        database.check(create=False)
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((_HOST, port))
            # Whoever reads the address connects at once.
            listening.listen()
        except OSError as error:
            listening.close()
            raise UsageError(
                f"port {port} cannot be used ({error.strerror}): --port names another"
            ) from error
        with listening:
            bound = listening.getsockname()[1]
            token = secrets.token_urlsafe(24)
            streams = Streams(database, worker)
            app = application(database, worker, token=token, port=bound, streams=streams)
            config = uvicorn.Config(
                app,
                log_level="warning",
                # It would show the token.
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=2,
                ws="none",
            )
            ready(f"http://{_HOST}:{bound}/?token={token}")
            _Server(config, streams).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Ends the open streams with a signal to stop, which it would wait for otherwise."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What a signal does."""
        self._streams.close()
        super().handle_exit(sig, frame)
