"""The example package, built and installed as a stranger would, and played."""

from __future__ import annotations

import json
import subprocess
import sys
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


def test_its_tournament_is_played_by_the_real_command(target: Path, tmp_path: Path) -> None:
    arena = ("-m", "arena.cli")

    played = run(target, tmp_path, *arena, "run", str(EXAMPLE / "challenge.yaml"))
    games = run(target, tmp_path, *arena, "games", "--json")
    replayed = run(target, tmp_path, *arena, "replay", "1", "--check")
    openings = run(target, tmp_path, *arena, "openings", "--tournament", "challenge", "--json")
    rebuilt = run(target, tmp_path, *arena, "ratings", "rebuild", "--check")

    assert played.returncode == 0, played.stderr
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
    assert replayed.returncode == 0, replayed.stderr
    # Its own rating system was stored game by game, to the bit what the games say.
    with get_session(tmp_path / "arena.db") as session:
        stored = [(pool.tournament, pool.games) for pool in pools(session, system="glicko")]
        assert stored == [(None, 8)]
        assert pools(session, system="trueskill") == []
    assert "8 games in 2 pools: the stored ratings are those of the games" in rebuilt.stdout
    assert openings.returncode == 0, openings.stderr
    assert [[*row.values()] for row in json.loads(openings.stdout)["openings"]] == [
        ["[1]", 3, 3], ["[2]", 3, 3], ["[3]", 2, 1],
    ]  # fmt: skip


@pytest.mark.sweep
def test_its_provider_answers_for_the_model_that_names_it(target: Path, tmp_path: Path) -> None:
    arena = ("-m", "arena.cli")

    played = run(target, tmp_path, *arena, "run", str(EXAMPLE / "echo.yaml"))
    shown = run(target, tmp_path, *arena, "show", "1", "--calls", "--json")
    again = run(target, tmp_path, *arena, "run", str(EXAMPLE / "echo.yaml"))
    replayed = run(target, tmp_path, *arena, "replay", "1", "--check")
    models = run(target, tmp_path, *arena, "models", "list", "--json")

    assert played.returncode == 0, played.stderr
    calls = [call for turn in json.loads(shown.stdout)["turns"] for call in turn["calls"]]
    assert {
        (call["model_asked"], call["text"]) for call in calls if "echo" in call["model_asked"]
    } == {("echo/[1]", "[1]")}
    assert again.returncode == 0, again.stderr
    assert replayed.returncode == 0, replayed.stderr
    providers = {model["name"]: model["provider"] for model in json.loads(models.stdout)["models"]}
    assert providers == {"one": "echo", "subtraction": None}


def test_its_own_test_passes(target: Path, tmp_path: Path) -> None:
    test = EXAMPLE / "test_arena_example.py"
    quiet = ("-q", "-p", "no:cacheprovider", "-W", "error", "--rootdir", str(tmp_path))

    done = run(target, tmp_path, "-m", "pytest", *quiet, "--import-mode=importlib", str(test))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


def test_it_is_listed_among_the_environments(target: Path, tmp_path: Path) -> None:
    done = run(target, tmp_path, "-m", "arena.cli", "environments", "list", "--json")

    listed = {
        environment["name"]: environment for environment in json.loads(done.stdout)["environments"]
    }
    assert listed["Subtraction-v0"]["package"] == "arena-example"
