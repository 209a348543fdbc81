"""Opens the search indexes that belong to a database."""

from __future__ import annotations

from sqlalchemy import URL
from sqlmodel import Session

from db.search.store import IndexName, SearchStore


def open_store(url: URL) -> SearchStore:
    """The indexes that belong to a database. Raises DatabaseError where there can be none."""
    if url.drivername == "sqlite":
        from db.search.file_store import FileStore

        return FileStore(url)
    from db.search.server_store import ServerStore

    return ServerStore(url)


def open_made_store(session: Session, name: IndexName) -> SearchStore | None:
    """The indexes of the database of a session, to be read as they are; None where nobody has made
    the index of this name, or another release has. Raises DatabaseError for a damaged one."""
    engine = session.get_bind().engine
    if engine.url.drivername == "sqlite":
        from db.search.file_store import FileStore, index_path

        if not index_path(engine.url).is_file():
            return None
        store: SearchStore = FileStore(engine.url, read_only=True)
    else:
        from db.search.server_store import ServerStore

        store = ServerStore(engine.url, engine)
    if store.is_current(name):
        return store
    store.__exit__(None, None, None)
    return None
