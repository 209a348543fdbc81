"""`arena db prune` that is killed leaves every game where it was or archived, and none between."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from db.database import opened
from db.example import enter, play
from db.queries.transcript import transcript
from db.transcripts.reading import is_archived

# One process forks another for each kill and for each look at what it left: imports take seconds.
KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import pyarrow.parquet
from db import Database
from db.maintenance.prune import bring_back, prune
from db.maintenance.retention import Retention
from tests.db.test_killed_prune import said

url, folder, *points = sys.argv[1:]
policy, later = Retention(transcripts=0, logs=None), datetime(2100, 1, 1, tzinfo=UTC)

def once(work, step, number):
    seen = []
    def told(now, game_id):
        seen.append(now)
        if seen.count(step) == number and now == step:
            os.kill(os.getpid(), signal.SIGKILL)
    with Database(url) as database:
        if work == "prune":
            prune(database, policy, later, folder=Path(folder), told=told)
        else:
            bring_back(database, told=told)

def forked(work):
    child = os.fork()
    if not child:
        try:
            work()
            sys.stdout.flush()
        except BaseException as error:
            print(repr(error), flush=True)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

for point in points:
    work, step, number = point.split("-")
    print(point, forked(lambda: once(work, step, int(number))), end=" ", flush=True)
    forked(lambda: print(*said(url), flush=True))
"""


def said(url: str) -> tuple[str, str]:
    """(a hash of everything said in all games, which of them are archived)."""
    with opened(url) as database, database.session() as session:
        games = [
            *session.connection().exec_driver_sql("SELECT id FROM games ORDER BY id").scalars()
        ]
        texts = [repr(transcript(session, game)) for game in games]
        away = "".join("-+"[is_archived(session, game)] for game in games)
    return sha256("".join(texts).encode()).hexdigest(), away


@pytest.mark.slow
@pytest.mark.parametrize("games", [3, pytest.param(7, marks=pytest.mark.sweep)])
def test_a_kill_at_any_step_loses_nothing(database_url: str, tmp_path: Path, games: int) -> None:
    enter(database_url)
    for _ in range(games):
        play(database_url)
    before, none = said(database_url)
    assert none == "-" * games
    points = [
        "prune-written-2",
        "prune-kept-2",
        "prune-moving-1",
        "prune-moved-1",
        "prune-moving-2",
    ]
    if games > 3:
        steps = ("written", "kept", "moving", "moved")
        points = [f"prune-{step}-{n}" for step in steps for n in range(1, games)]
    points += ["prune-none-0", "undo-moving-1", "undo-moved-1", "undo-moving-2", "undo-none-0"]

    done = subprocess.run(
        [sys.executable, "-c", KILLED, database_url, str(tmp_path / "away"), *points],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == points, done.stdout + done.stderr
    assert {line[2] for line in lines} == {before}
    killed = [line for line in lines if "none" not in line[0]]
    assert {line[1] for line in killed if games == 3} <= {"-9"}
    if games == 3:
        assert [line[3] for line in lines] == [
            "---", "---", "---", "+--", "++-", "+++", "+++", "-++", "--+", "---",
        ]  # fmt: skip
    assert lines[-1][3] == none
    assert list((tmp_path / "away").glob("*.partial")) == []
