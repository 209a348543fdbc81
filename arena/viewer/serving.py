"""Serves the pages on loopback until it is stopped."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from arena.core import UsageError
from arena.viewer.access import Access
from arena.viewer.app import application
from arena.viewer.boards import BoardWorker
from arena.viewer.streams import Streams
from db import Database, Repository

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of a certificate and of its key."""

    certificate: Path
    key: Path


def serve(
    url: str | None,
    port: int,
    ready: Callable[[str], None],
    *,
    host: str = LOOPBACK,
    tls: Tls | None = None,
) -> None:
    """Serve the pages of a database, and tell the address when it can be opened: on loopback with a
    token in it, and elsewhere without, for people to log in.

    Port 0 is any that is free. Raises UsageError for a port that is taken, and for a host beyond
    loopback where nobody has access; and what `Database` raises for a database that cannot be read.
    """
    anywhere = host not in ("127.0.0.1", "localhost")
    with (
        Database(url, read_only=True) as database,
        Database(url) as writable,
        closing(BoardWorker(writable)) as worker,
    ):
        database.check(create=False)
        if anywhere:
            with database.session(create=False) as session:
                if not Repository(session).has_access():
                    raise UsageError(
                        "pages are shown to other machines only where people have access: type "
                        "`arena access add NAME --role viewer` first; for yourself alone, "
                        f"`ssh -L {port}:127.0.0.1:{port} MACHINE` without --host does as well"
                    )
        listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((LOOPBACK if host == "localhost" else host, port))
            # Whoever reads the address connects at once.
            listening.listen()
        except OSError as error:
            listening.close()
            raise UsageError(
                f"port {port} of {host} cannot be used ({error.strerror}): --port names another"
            ) from error
        with listening:
            bound = listening.getsockname()[1]
            token = secrets.token_urlsafe(24)
            streams = Streams(database, worker)
            app = application(
                database,
                worker,
                token=token,
                port=bound,
                streams=streams,
                access=Access(database, writable),
                anywhere=anywhere,
            )
            config = uvicorn.Config(
                app,
                log_level="warning",
                # It would show the token.
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=2,
                ws="none",
                ssl_certfile=None if tls is None else tls.certificate,
                ssl_keyfile=None if tls is None else tls.key,
            )
            scheme = "http" if tls is None else "https"
            named = f"[{host}]" if ":" in host else host
            there = f"{scheme}://{named}:{bound}/"
            ready(there if anywhere else f"{there}?token={token}")
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
