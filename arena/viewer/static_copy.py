"""Writes the pages as files, to be opened without a server: the same handlers and templates."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from starlette.responses import Response
from starlette.routing import Match, Route

from arena.core import ArenaError, UsageError
from arena.leaderboard.stored import answered, keep, stored_answer
from arena.viewer.app import ROUTES, STATIC
from arena.viewer.copy_plan import ASSETS, INDEX, CopyPlan, CopyRequest, StaticLinks
from arena.viewer.pages.leaderboard import board_query
from arena.viewer.templating import environment
from arena.viewer.visit import Visit
from db import Database
from db.errors import BadSelection
from db.queries.games import game_numbers
from db.selection import Selection

MARK = "arena-pages.json"
"""The file by which a folder is known as a copy that may be replaced."""

POLICY = ";".join(
    (
        "default-src 'none'",
        # A file has no origin that `'self'` could stand for.
        *(f"{what}-src 'self' file:" for what in ("script", "style", "font")),
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""What a page says itself where no server does."""


@dataclass(frozen=True, slots=True)
class CopyReport:
    """A copy that was written: its first page, and how much it holds; `size` is in bytes."""

    index: Path
    games: int
    pages: int
    size: int


def write_copy(
    url: str | None,
    folder: Path,
    *,
    where: Mapping[str, str],
    calls: bool = False,
    on_page: Callable[[int, int], None] | None = None,
) -> CopyReport:
    """Write the pages of the games that `where` chooses, fields of a Selection, into a folder.

    It is written beside the folder and takes its place when it is whole: what goes wrong leaves
    everything as it was. Boards that are not stored are computed, and kept in the database where it
    can be written. `on_page` is told how many pages are written, and how many are known of so far.

    Raises UsageError for a folder that holds something else or cannot be written, a full disk and a
    filter that no game fits, BadSelection, and what `Database` raises.
    """
    folder = folder.absolute()
    _check_ours(folder)
    words: dict[str, Any] = dict(where)
    with Database(url, read_only=True) as database, Database(url) as writable:
        database.check(create=False)
        with database.session(create=False) as session:
            games = game_numbers(session, Selection(**words))
        if not games:
            raise UsageError("no game fits: `arena games` with the same options lists them")
        plan = CopyPlan(CopyRequest(frozenset(games), where, calls))
        about = _about(len(games), where)
        first, others = (
            StaticLinks(plan, POLICY, said) for said in (f"{about} {_left_out(calls)}", about)
        )
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        except OSError as error:
            raise UsageError(
                f"nothing can be written into {folder.parent} ({error.strerror}): name a folder "
                "elsewhere"
            ) from error
        try:
            made.chmod(0o755)
            size = _assets(made)
            drawing = _Drawing(database, writable)
            first.address("/")
            pages = 0
            while plan.waiting:
                path = plan.waiting.popleft()
                name = plan.file(path)
                assert name is not None
                size += (made / name).write_bytes(drawing.page(path, others if pages else first))
                pages += 1
                if on_page is not None:
                    on_page(pages, pages + len(plan.waiting))
            told = {"games": len(games), "pages": pages, "where": dict(where), "about": first.about}
            (made / MARK).write_text(json.dumps(told, indent=2) + "\n")
            _put(made, folder)
        except OSError as error:
            raise UsageError(f"{folder} cannot be written: {error.strerror or error}") from error
        finally:
            # The whole of it is in its place by now, or nothing of it is of use.
            shutil.rmtree(made, ignore_errors=True)
    return CopyReport(folder / INDEX, len(games), pages, size)


class _Drawing:
    """Draws pages by their paths, as the server does."""

    def __init__(self, database: Database, writable: Database) -> None:
        self._database = database
        self._writable = writable
        self._templates = environment()
        self._routes = [(Route(path, lambda _: None), handler) for path, handler in ROUTES]

    def page(self, path: str, links: StaticLinks) -> bytes:
        """A page as bytes; what the server refuses is a page that says why."""
        split = urlsplit(path)
        query = dict(parse_qsl(split.query))
        scope = {"type": "http", "method": "GET", "path": unquote(split.path), "headers": []}
        matches = ((*route.matches(scope), handler) for route, handler in self._routes)
        found, handler = next((f, each) for match, f, each in matches if match is Match.FULL)
        if split.path == "/":
            self._store_board(query)
        with self._database.session(create=False) as session:
            visit = Visit(session, self._templates, links, found["path_params"], query)
            try:
                answer: Response = handler(visit)
            except (BadSelection, ArenaError) as error:
                answer = visit.draw("error.html", 200, said=str(error))
        return bytes(answer.body)

    def _store_board(self, query: Mapping[str, str]) -> None:
        """Compute and store a board that is not stored, or is behind the games."""
        with suppress(ArenaError, BadSelection):
            asked = board_query(query)
            with self._database.session(create=False) as session:
                known = stored_answer(session, asked)
                if known is not None and not known.behind:
                    return
                answer = answered(session, asked)
            keep(self._writable, answer)


def _check_ours(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder that is not there yet")
    if any(folder.iterdir()) and not (folder / MARK).is_file():
        raise UsageError(
            f"{folder} holds something else: name a folder that is empty, not there yet, or was "
            "written by `arena view --export`, which is replaced"
        )


def _assets(made: Path) -> int:
    shutil.copytree(STATIC, made / ASSETS, ignore=shutil.ignore_patterns("live.*", "__pycache__"))
    return sum(file.stat().st_size for file in (made / ASSETS).iterdir())


def _put(made: Path, folder: Path) -> None:
    """The new copy in the place of the old one, which is only then deleted."""
    if not folder.exists():
        made.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent)) / "old"
    try:
        folder.rename(old)
        made.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        with suppress(OSError):
            old.parent.rmdir()
        raise
    shutil.rmtree(old.parent, ignore_errors=True)


def _about(games: int, where: Mapping[str, str]) -> str:
    """What is in the copy, in a sentence."""
    chosen = "".join(f", {name} {value}" for name, value in where.items())
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    return f"A copy of {games:,} game{'' if games == 1 else 's'}{chosen}, made {today}."


def _left_out(calls: bool) -> str:
    """What `arena view` shows and the copy does not."""
    without = "" if calls else " what models were sent and answered (--calls),"
    return (
        f"It is without{without} the lanes and tables of a game as a player saw it, games with "
        "their roles hidden, annotations in a list and search: `arena view` shows them."
    )
