"""The example package, built and installed as a stranger would, and played."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from db import get_session
from db.queries.leaderboard import pools
from tests.setup.conftest import build
from tests.setup.shell import ROOT, clean_environment

pytestmark = pytest.mark.slow

EXAMPLE = ROOT / "docs" / "example-package"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed package, and nothing else of the example."""
    folder = tmp_path_factory.mktemp("example")
    wheel = build(EXAMPLE, folder / "dist")
    packages = folder / "packages"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
         "--disable-pip-version-check", "--target", str(packages), str(wheel)],
        check=True,
    )  # fmt: skip
    return packages


TYPED = """
import json, sys
from contextlib import redirect_stderr, redirect_stdout
from tempfile import TemporaryFile
from arena.cli import main

def read(file):
    file.seek(0)
    return file.read()

done = []
for words in json.loads(sys.argv[1]):
    sys.argv, code = ["arena", *words], 0
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
            except SystemExit as end:
                code = end.code
        done.append((code, read(out), read(err)))
print(json.dumps(done))
"""
"""Types commands one after the other in one process: their imports take seconds."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it printed."""

    code: int
    stdout: str
    stderr: str


def run(target: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python, with the package on its path, in another folder."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**clean_environment(), "PYTHONPATH": str(target)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def typed(target: Path, folder: Path, *commands: Sequence[str]) -> list[Done]:
    """The commands `arena`, with the package on the path, in another folder."""
    done = run(target, folder, "-c", TYPED, json.dumps(commands))
    assert done.returncode == 0, done.stderr
    return [Done(*each) for each in json.loads(done.stdout)]


def test_its_tournament_is_played_by_the_real_command(target: Path, tmp_path: Path) -> None:
    played, games, replayed, openings, rebuilt, environments = typed(
        target,
        tmp_path,
        ("run", str(EXAMPLE / "challenge.yaml")),
        ("games", "--json"),
        ("replay", "1", "--check"),
        ("openings", "--tournament", "challenge", "--json"),
        ("ratings", "rebuild", "--check"),
        ("environments", "list", "--json"),
    )

    assert played.code == 0, played.stderr
    assert "Champion" in played.stdout
    found = json.loads(games.stdout)["games"]
    assert [game["status"] for game in found] == ["completed"] * 8
    assert {game["termination"] for game in found} == {"natural"}
    assert {player["kind"] for game in found for player in game["players"]} == {"terse"}
    # The champion sits in turn on either side: that is the matchmaker `challenge`.
    in_order = sorted(found, key=lambda game: game["schedule_index"])
    assert [game["players"][0]["agent"] for game in in_order] == ["Champion", "Challenger"] * 4
    # One game after the other, though the tournament allows 50 at once: that is the executor.
    for before, after in pairwise(in_order):
        assert before["finished_at"] <= after["started_at"]
    assert replayed.code == 0, replayed.stderr
    # Its own rating system was stored game by game, to the bit what the games say.
    with get_session(tmp_path / "arena.db") as session:
        stored = [(pool.tournament, pool.games) for pool in pools(session, system="glicko")]
        assert stored == [(None, 8)]
        assert pools(session, system="trueskill") == []
    assert "8 games in 2 pools: the stored ratings are those of the games" in rebuilt.stdout
    assert openings.code == 0, openings.stderr
    listed = {each["name"]: each for each in json.loads(environments.stdout)["environments"]}
    assert listed["Subtraction-v0"]["package"] == "arena-example"
    assert [[*row.values()] for row in json.loads(openings.stdout)["openings"]] == [
        ["[1]", 3, 3], ["[2]", 3, 3], ["[3]", 2, 1],
    ]  # fmt: skip


@pytest.mark.sweep
def test_its_provider_answers_for_the_model_that_names_it(target: Path, tmp_path: Path) -> None:
    played, shown, again, replayed, models = typed(
        target,
        tmp_path,
        ("run", str(EXAMPLE / "echo.yaml")),
        ("show", "1", "--calls", "--json"),
        ("run", str(EXAMPLE / "echo.yaml")),
        ("replay", "1", "--check"),
        ("models", "list", "--json"),
    )

    assert played.code == 0, played.stderr
    calls = [call for turn in json.loads(shown.stdout)["turns"] for call in turn["calls"]]
    assert {
        (call["model_asked"], call["text"]) for call in calls if "echo" in call["model_asked"]
    } == {("echo/[1]", "[1]")}
    assert again.code == 0, again.stderr
    assert replayed.code == 0, replayed.stderr
    providers = {model["name"]: model["provider"] for model in json.loads(models.stdout)["models"]}
    assert providers == {"one": "echo", "subtraction": None}


def test_its_own_test_passes(target: Path, tmp_path: Path) -> None:
    test = EXAMPLE / "test_arena_example.py"
    quiet = ("-q", "-p", "no:cacheprovider", "-W", "error", "--rootdir", str(tmp_path))

    done = run(target, tmp_path, "-m", "pytest", *quiet, "--import-mode=importlib", str(test))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout
