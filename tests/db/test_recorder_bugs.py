"""A recorder whose thread is ended by a bug leaves nobody waiting, and says what it was."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import db
from db import DatabaseError, Recorder
from db.writer.turns import TurnOpened
from tests.db.test_recorder import opened, read
from tests.db.tournaments import NOON, tournament


class Bug(BaseException):
    """What no `except Exception` holds up."""


class Wrong(str):
    """An observation that ends the thread that stores it, when it is told to."""

    go = threading.Event()

    def encode(self, *_: Any) -> bytes:
        self.go.wait()
        raise Bug("seen\nin a test")


@pytest.fixture(autouse=True)
def at_once() -> None:
    Wrong.go.set()


def wrong(game_id: int, turn: int = 0) -> TurnOpened:
    return TurnOpened(game_id, turn, 0, Wrong("look" * 20), NOON)


def ended(error: BaseException) -> bool:
    """Whether an error is the one of a recorder that was ended by the bug above."""
    said = "the recorder was ended by a bug (Bug: seen, at test_recorder_bugs.py:"
    return isinstance(error, DatabaseError) and str(error).startswith(said)


def test_whoever_waits_is_told(database_url: str) -> None:
    first, *_ = tournament(database_url)

    async def main() -> None:
        recorder = await Recorder(database_url).__aenter__()
        await recorder.append(opened(first, 0, 0, "kept"))
        Wrong.go.clear()
        same_batch = [recorder.append(opened(first, 1, 0, "lost")), recorder.append(wrong(first))]
        await asyncio.sleep(0)
        next_batch = recorder.append(opened(first, 2, 0, "lost"))
        await asyncio.sleep(0)
        gathered = recorder.append(opened(first, 3, 0, "lost"))
        recorder.post(opened(first, 4, 0, "lost"))
        Wrong.go.set()

        told = await asyncio.gather(*same_batch, next_batch, gathered, return_exceptions=True)
        assert [ended(error) for error in told if error is not None] == [True] * 4

        for use in (recorder.append, recorder.post):
            with pytest.raises(DatabaseError, match="ended by a bug"):
                use(opened(first, 5, 0, "refused"))
        with pytest.raises(DatabaseError, match="ended by a bug") as closing:
            await recorder.close()
        assert isinstance(closing.value.__cause__, Bug)
        await recorder.close()

    asyncio.run(main())
    assert [turn.observation for turn in read(database_url, first)] == ["kept"]


def test_it_is_told_while_the_recorder_closes(sqlite_url: str) -> None:
    first, *_ = tournament(sqlite_url)

    async def main() -> None:
        async with Recorder(sqlite_url) as recorder:
            recorder.post(wrong(first))
            recorder.post(opened(first, 1, 0, "lost"))

    with pytest.raises(DatabaseError) as told:
        asyncio.run(main())
    assert ended(told.value)
    assert read(sqlite_url, first) == []


def test_a_cancelled_waiter_is_no_trouble(sqlite_url: str) -> None:
    first, *_ = tournament(sqlite_url)

    async def main() -> None:
        recorder = await Recorder(sqlite_url).__aenter__()
        Wrong.go.clear()
        waiting = recorder.append(wrong(first))
        beside = recorder.append(opened(first, 1, 0, "lost"))
        await asyncio.sleep(0)
        waiting.cancel()
        Wrong.go.set()
        (told,) = await asyncio.gather(beside, return_exceptions=True)
        assert ended(told) if isinstance(told, BaseException) else False
        with pytest.raises(DatabaseError):
            await recorder.close()

    asyncio.run(main())


def test_a_stop_iteration_is_an_error_like_any_other(sqlite_url: str) -> None:
    """A future refuses to hold one: its waiter would never be told."""
    first, *_ = tournament(sqlite_url)

    class Stops(str):
        def encode(self, *_: Any) -> bytes:
            raise StopIteration("no more")

    async def main() -> None:
        async with Recorder(sqlite_url) as recorder:
            bad = TurnOpened(first, 0, 0, Stops("look" * 20), NOON)
            results = await asyncio.gather(
                recorder.append(bad),
                recorder.append(opened(first, 1, 0, "fine")),
                return_exceptions=True,
            )
            assert "no more" in str(results[0])
            assert isinstance(results[0], RuntimeError)
            assert results[1] is None

    asyncio.run(main())


LEFT_OPEN = """
import asyncio, sys, threading
from db import Recorder
from tests.db.test_recorder import opened
from tests.db.test_recorder_bugs import Wrong, wrong

async def main(bug):
    recorder = await Recorder(sys.argv[1]).__aenter__()
    await recorder.append(opened(int(sys.argv[2]), 0, 0, "kept"))
    if bug:
        Wrong.go.clear()
        recorder.append(wrong(int(sys.argv[2])))
        await asyncio.sleep(0)

asyncio.run(main(sys.argv[3] == "bug"))
Wrong.go.set()
for thread in threading.enumerate():
    if thread.name == "arena-recorder":
        thread.join()
print("ended")
"""


@pytest.mark.slow
@pytest.mark.parametrize("bug", ["bug", "none"])
def test_a_loop_that_is_closed_first_keeps_no_thread(sqlite_url: str, bug: str) -> None:
    """Nobody can close the recorder any more: its thread ends by itself, without a word."""
    first, *_ = tournament(sqlite_url)
    root = str(Path(db.__file__).parent.parent)
    command = [sys.executable, "-W", "error", "-c", LEFT_OPEN, sqlite_url, str(first), bug]

    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")
    assert [turn.observation for turn in read(sqlite_url, first)] == ["kept"]
