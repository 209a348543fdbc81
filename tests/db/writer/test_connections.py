"""What writes connects as everything else does, and notices that its file is gone."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import socket
import socketserver
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, make_url, text

from db import Recorder, get_session
from db.engine import connect_server, is_pooled
from db.errors import WriteFailed
from db.writer.connections import PostgreSQLConnection
from db.writer.games import GameStarted
from tests.db.tournaments import tournament

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def started(recorder: Recorder, game_id: int) -> None:
    await recorder.append(GameStarted(game_id, NOON))


def change(path: Path, what: str) -> None:
    elsewhere = path.with_suffix(".elsewhere")
    path.rename(elsewhere)
    if what == "replaced":
        shutil.copyfile(elsewhere, path)


@pytest.mark.parametrize("what", ["moved", "replaced"])
def test_a_recorder_notices_that_its_file_is_gone(sqlite_url: str, what: str) -> None:
    path = Path(str(make_url(sqlite_url).database))
    games = tournament(sqlite_url, games=2)

    async def main() -> None:
        async with Recorder(sqlite_url) as recorder:
            await started(recorder, games[0])
            await asyncio.to_thread(change, path, what)
            with pytest.raises(WriteFailed, match="was opened and is now gone or another one"):
                await started(recorder, games[1])

    asyncio.run(main())


ODD = "p w@d:/%?#é'\\"


@pytest.fixture
def odd_user(postgresql_url: str) -> Iterator[str]:
    """A database's URL for a user whose name and password hold everything that URLs mind."""
    name = f'a user "with" @ and % {uuid.uuid4().hex[:8]}'
    quoted = '"' + name.replace('"', '""') + '"'
    url = make_url(postgresql_url)
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE ROLE {quoted} LOGIN SUPERUSER PASSWORD {psycopg.sql.quote(ODD)}"
        )
        try:
            odd = url.set(username=name, password=ODD)
            yield odd.render_as_string(hide_password=False)
        finally:
            connection.execute(f"DROP ROLE {quoted}")


@pytest.mark.parametrize("options", ["-c search_path=public -c work_mem=8MB", None])
def test_a_recorder_opens_a_server_as_the_commands_do(
    odd_user: str, options: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=8MB")
    url = make_url(odd_user)
    if options is not None:
        url = url.update_query_dict({"options": options})
    typed = url.render_as_string(hide_password=False)
    [game_id] = tournament(typed, games=1)

    async def main() -> None:
        async with Recorder(typed) as recorder:
            await started(recorder, game_id)

    asyncio.run(main())
    with get_session(typed) as session:
        assert session.execute(text("SELECT status FROM games")).scalar_one() == "running"
        assert session.execute(text("SHOW work_mem")).scalar_one() == "8MB"
    connection = PostgreSQLConnection(make_url(typed).set(drivername="postgresql+psycopg"))
    try:
        assert connection.query("SHOW work_mem") == [("8MB",)]
        [(limit,)] = connection.query("SHOW idle_in_transaction_session_timeout")
        assert limit == "5s", "of a frozen process the server lets go"
    finally:
        connection.close()


def connected(url: URL) -> socket.socket:
    """To the server itself, by its socket of this machine or its address."""
    host, port = str(url.query.get("host") or url.host or "127.0.0.1"), url.port or 5432
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{host}/.s.PGSQL.{port}")
    return server


@contextmanager
def pooler(url: URL) -> Iterator[int]:
    """Stands between as pgbouncer does: the process that it names is its own. Its port."""

    class Between(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with connected(url) as server:
                ends = {self.request: server, server: self.request}
                while True:
                    for source in select.select([*ends], [], [])[0]:
                        data = source.recv(65_536)
                        if not data:
                            return
                        at = data.find(b"K\x00\x00\x00\x0c") if source is server else -1
                        if at >= 0:
                            data = data[: at + 5] + b"\x00\x00\x00\x01" + data[at + 9 :]
                        ends[source].sendall(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Between) as listener:
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        yield int(listener.server_address[1])
        listener.shutdown()
        thread.join()


def test_behind_a_pooler_nothing_is_prepared_and_nothing_is_set(postgresql_url: str) -> None:
    url = make_url(postgresql_url)
    [game_id] = tournament(postgresql_url, games=1)
    with pooler(url) as port:
        behind = url.set(host="127.0.0.1", port=port, query={})
        typed = behind.render_as_string(hide_password=False)

        async def main() -> None:
            async with Recorder(typed) as recorder:
                await started(recorder, game_id)

        asyncio.run(main())
        connection = PostgreSQLConnection(behind.set(drivername="postgresql+psycopg"))
        try:
            raw: Any = connection._connection
            assert is_pooled(raw)
            assert raw.prepare_threshold is None
            [(limit,)] = connection.query("SHOW idle_in_transaction_session_timeout")
            assert limit == "0"
        finally:
            connection.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the options have other names")
def test_a_server_that_vanished_is_noticed_also_while_its_answer_is_waited_for(
    postgresql_url: str,
) -> None:
    """Without a question the kernel asks after two hours."""
    url = make_url(postgresql_url)
    with pooler(url) as port:
        behind = url.set(drivername="postgresql+psycopg", host="127.0.0.1", port=port, query={})
        connection = connect_server(behind)
        with socket.socket(fileno=os.dup(connection.fileno())) as ours:
            asked = ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            after = ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            again = ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
            given_up = ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) / 1000
        connection.close()

    assert asked
    assert after + again <= given_up <= 20
