"""What every page costs the server at a thousand games and at a hundred thousand or a million.

Each page is asked for through the whole application, without a network, over the databases of
`bench.generated`: CPU is counted, its worker's too, once what is computed beside it is there. Of a
page that shows one thing the newest ones are asked for in turn. Lengths are gzipped.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, unquote

from starlette.types import Message, Scope

from arena.viewer.app import ROUTES, application
from arena.viewer.boards import BoardWorker
from bench.generated import Scale, cached, generate
from bench.measure import Row, ratios
from bench.workers import Workers
from db import Database, Repository
from db.queries.agents import agent_names
from db.queries.games import games
from db.selection import Selection

PART = "pages"
TOKEN = "bench"
LARGEST_KIB = 100.0
SLOWEST_MS = 50.0
_TRIES = 6_000


@dataclass(frozen=True, slots=True)
class Size:
    """The databases that are compared, the small one first; those made on a server too; and how
    often each page is asked for."""

    scales: Sequence[Scale]
    on_server: Sequence[Scale]
    rounds: int


FULL = Size(
    (Scale(1_000), Scale(100_000), Scale(1_000_000, texts=20_000)),
    (Scale(1_000), Scale(100_000, texts=2_000)),
    rounds=20,
)
_TINY = Scale(12, agents=6, tournaments=2, sources=2)
TOY = Size((_TINY, Scale(24, agents=6, tournaments=2, sources=2)), (), rounds=2)


@dataclass(frozen=True, slots=True)
class Known:
    """What addresses of a database name: the newest games first."""

    games: Sequence[int]
    agents: Sequence[int]
    models: Sequence[int]
    prompts: Sequence[int]
    tournaments: Sequence[str]

    def of(self, things: Sequence[Any], turn: int) -> Any:
        """One of them, another in every turn."""
        return things[turn % len(things)]


Address = Callable[[Known, int], str]

# By route: what is asked for in each round. A route that is not here is asked for as it stands.
ADDRESSES: dict[str, Sequence[Address]] = {
    "/": (
        lambda known, turn: "/",
        lambda known, turn: f"/?tournament={known.of(known.tournaments, turn)}",
        lambda known, turn: "/?team=Mafia",
        lambda known, turn: "/?by=model",
    ),
    "/games": (
        lambda known, turn: "/games",
        lambda known, turn: f"/games?agent={known.of(known.agents, turn)}&result=loss",
        lambda known, turn: f"/games?before={known.games[0] // 2 + turn}",
    ),
    "/game/{game}": (
        lambda known, turn: f"/game/{known.of(known.games, turn)}",
        lambda known, turn: f"/game/{known.of(known.games, turn)}?as=0",
    ),
    "/game/{game}/turn/{turn}": (
        lambda known, turn: f"/game/{known.of(known.games, turn)}/turn/0",
    ),
    "/game/{game}/against/{other}": (
        lambda known, turn: (
            f"/game/{known.of(known.games, turn)}/against/{known.of(known.games, turn + 1)}"
        ),
    ),
    "/compare/{a}/{b}": (lambda known, turn: f"/compare/{known.agents[0]}/{known.agents[1]}",),
    "/t/{tournament:path}": (lambda known, turn: f"/t/{known.of(known.tournaments, turn)}",),
    "/agent/{agent:path}": (lambda known, turn: f"/agent/{known.of(known.agents, turn)}",),
    "/model/{model:path}": (lambda known, turn: f"/model/{known.of(known.models, turn)}",),
    "/prompt/{prompt:path}": (lambda known, turn: f"/prompt/{known.of(known.prompts, turn)}",),
    "/search": (lambda known, turn: "/search?q=detective", lambda known, turn: "/search"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking for one page took: seconds of CPU, round by round, and the longest answer, in
    KiB, gzipped."""

    cpu: list[float] = field(default_factory=list)
    kib: list[float] = field(default_factory=list)


def asking(databases: Sequence[str | Path], rounds: int) -> list[dict[str, Asked]]:
    """Every page of each database in turn, by its route and which of its addresses it is."""
    found: list[dict[str, Asked]] = []
    for url in databases:
        with (
            Database(url, read_only=True) as database,
            Database(url) as writable,
            closing(BoardWorker(writable)) as worker,
        ):
            app = application(database, worker, token=TOKEN, port=1)
            found.append(asyncio.run(_asking(app, _known(database), rounds)))
    return found


async def _asking(app: Any, known: Known, rounds: int) -> dict[str, Asked]:
    found: dict[str, Asked] = {}
    for route, _ in ROUTES:
        for place, address in enumerate(ADDRESSES.get(route) or [_as_it_stands(route)]):
            name = route if not place else f"{route} ({place + 1})"
            asked = found[name] = Asked()
            for turn in range(rounds):
                path = address(known, turn)
                await _settled(app, path)
                begun = time.process_time()
                status, body = await _get(app, path)
                asked.cpu.append(time.process_time() - begun)
                if status != 200:
                    raise RuntimeError(f"{path}: {status}, {body[-2000:].decode()}")
                asked.kib.append(len(gzip.compress(body)) / 1024)
    return found


def _as_it_stands(route: str) -> Address:
    if "{" in route:
        raise RuntimeError(f"{route} has no address in bench/pages.py: say there what is asked for")
    return lambda known, turn: route


async def _settled(app: Any, path: str) -> None:
    """Ask until nothing is computed beside the page any more."""
    for _ in range(_TRIES):
        _, body = await _get(app, path)
        if b'http-equiv="refresh"' not in body:
            return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"{path}: what is computed beside it is still not there")


async def _get(app: Any, path: str) -> tuple[int, bytes]:
    """The status and the body of an answer."""
    parts: list[bytes] = []
    status = 0
    name, _, query = path.partition("?")
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(name),
        "raw_path": name.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:1"), (b"cookie", f"arena_1={TOKEN}".encode())],
        "client": ("127.0.0.1", 2),
        "server": ("127.0.0.1", 1),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, b"".join(parts)


def _known(database: Database) -> Known:
    with database.session(create=False) as session:
        repo = Repository(session)
        newest = games(session, Selection(status="completed"), limit=20)
        return Known(
            games=[row.game_id for row in newest],
            agents=[*agent_names(session)][:20],
            models=[row.id or 0 for row in repo.get_models()][:20],
            prompts=[row.id or 0 for row in repo.get_prompts()][:20],
            tournaments=[quote(row.name, safe="") for row in repo.get_tournaments()][:20],
        )


def _made(file: Path, scale: Scale) -> Path:
    generate(file, scale)
    return file


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """Three rows for each page and database: its time, that beside the smallest, its length."""
    size = TOY if toy else FULL
    # Less, for who tries something: a thousand games alone, or without a server.
    most = int(os.environ.get("ARENA_BENCH_GAMES", 10**9))
    scales = [scale for scale in size.scales if scale.games <= most]
    with TemporaryDirectory() as folder:
        files = [
            _made(Path(folder) / f"{scale.games}.db", scale) if toy else cached(scale)
            for scale in scales
        ]
        found = workers.of("pages").run(asking, databases=files, rounds=size.rounds)
    rows = _rows("SQLite", scales, found)
    on_server = [scale for scale in size.on_server if scale.games <= most]
    if on_server and "ARENA_BENCH_SQLITE" not in os.environ:
        from torture.databases import PostgreSQL

        server = PostgreSQL()
        try:
            urls = [_database(server, scale) for scale in on_server]
            found = workers.of("pages").run(asking, databases=urls, rounds=size.rounds)
        finally:
            server.close()
        rows += _rows("PostgreSQL", on_server, found)
    return rows


def _database(server: Any, scale: Scale) -> str:
    """A database of this scale on the server."""
    import psycopg
    from sqlalchemy import make_url

    name = f"bench_{scale.games}"
    with psycopg.connect(server.base.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = make_url(server.base).set(database=name).render_as_string(hide_password=False)
    generate(url, scale)
    return url


def _rows(where: str, scales: Sequence[Scale], found: Sequence[dict[str, Asked]]) -> list[Row]:
    rows = []
    for scale, pages in zip(scales, found, strict=True):
        for name, asked in pages.items():
            label = f"{name}, {scale.games:,} games, {where}"
            slowest = _percentile(asked.cpu, 0.95) * 1e3
            rows.append(
                Row(
                    PART, f"{label}: 95th percentile", [slowest], "ms", SLOWEST_MS, at_most=True,
                    numbers={"gzipped, KiB": max(asked.kib)},
                )
            )  # fmt: skip
            if max(asked.kib) > LARGEST_KIB / 2:
                rows.append(
                    Row(PART, f"{label}: gzipped", [max(asked.kib)], "KiB", LARGEST_KIB,
                        at_most=True)
                )  # fmt: skip
    for scale, pages in zip(scales[1:], found[1:], strict=True):
        for name, asked in pages.items():
            rows.append(
                Row(
                    PART,
                    f"{name}, {where}: at {scale.games:,} games / at {scales[0].games:,}",
                    ratios(sorted(asked.cpu), sorted(found[0][name].cpu)),
                    # Below a few milliseconds a ratio says nothing.
                    target=1.5 if scale.games >= 1_000_000 else None,
                    at_most=True,
                )
            )
    return rows


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
