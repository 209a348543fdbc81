"""Opens the search indexes that belong to a database."""

from __future__ import annotations

from sqlalchemy import URL

from db.search.store import SearchStore


def open_store(url: URL) -> SearchStore:
    """The indexes that belong to a database. Raises DatabaseError where there can be none."""
    if url.drivername == "sqlite":
        from db.search.file_store import FileStore

        return FileStore(url)
    from db.search.server_store import ServerStore

    return ServerStore(url)
