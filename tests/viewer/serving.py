"""`arena view` as a person types it, for the length of a block."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from torture.commands import Commands

Served = Callable[[str | Path], AbstractContextManager[str]]


@contextmanager
def serving(commands: Commands, url: str | Path) -> Iterator[str]:
    """The pages of a database: their address, with the token."""
    server = commands.start("view", "--db", str(url), "--port", "0")
    try:
        address = server.first_line()
        assert address.startswith("http://127.0.0.1:"), address
        yield address
    finally:
        server.signal(signal.SIGINT)
        assert server.wait().code == 130
