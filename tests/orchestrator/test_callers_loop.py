"""A caller with an event loop of its own keeps running while a tournament is prepared."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from arena.config import TournamentConfig
from arena.orchestrator import run
from arena.replay.branch import branch

pytestmark = pytest.mark.slow

T = TypeVar("T")

# Says on which thread a module was imported first.
WATCH_IMPORTS = """
import asyncio, sys, threading
from pathlib import Path

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in ("litellm", "textarena", "openai.resources"):
            print(name, threading.current_thread() is threading.main_thread(), flush=True)

sys.meta_path.insert(0, Watch())
from arena.config import load
from arena.orchestrator import run

file, database = sys.argv[1:]
config = load(Path(file))
assert not {"litellm", "textarena"} & sys.modules.keys()
asyncio.run(run(config, url=database, games=1))
"""


def test_what_is_imported_is_imported_beside_the_loop(tmp_path: Path) -> None:
    file = Path(__file__).parents[2] / "configs" / "quickstart.yaml"

    ran = subprocess.run(
        [sys.executable, "-c", WATCH_IMPORTS, str(file), str(tmp_path / "a.db")],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert ran.returncode == 0, ran.stderr
    assert dict(line.split() for line in ran.stdout.splitlines()) == {
        "litellm": "False",
        "textarena": "False",
    }


async def while_locked(path: Path, work: Callable[[], Awaitable[T]]) -> T:
    """Await the work while another process's transaction locks the file; the lock is released by
    the caller's own loop, so that the work never ends if it holds the loop."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        working = asyncio.ensure_future(work())
        for _ in range(50):
            await asyncio.sleep(0.01)
        assert not working.done()
        other.execute("COMMIT")
        return await working


@pytest.mark.slow
def test_a_locked_database_is_waited_for_beside_the_loop(
    small: Callable[..., TournamentConfig], sqlite_url: str
) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    config = small(("games: 12", "games: 2"))

    played = asyncio.run(while_locked(path, lambda: run(config, url=sqlite_url)))
    assert played.games_completed == 2

    with closing(sqlite3.connect(path)) as database:
        (other,) = database.execute(
            "SELECT alias FROM agents WHERE id NOT IN "
            "(SELECT agent_id FROM game_players WHERE game_id = 1 AND player_index = 0)"
        ).fetchone()
    again = while_locked(path, lambda: branch(1, 3, {0: other}, url=sqlite_url))
    assert len(asyncio.run(again).branches) == 1
