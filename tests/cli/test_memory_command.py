"""`arena memory`, and what boards and comparisons say of agents that remember."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.commands import run_arena
from tests.orchestrator.test_memory_run import LEARNERS


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learned")
    (folder / "learners.yaml").write_text(LEARNERS)
    result = run_arena("run", folder / "learners.yaml", "--db", folder / "learned.db")
    assert result.exit_code == 0, result.stderr
    assert "Ann, Bob remember earlier games: games are played one after the" in result.stderr
    return folder / "learned.db"


def test_the_memory_of_an_agent_is_shown_by_tournament(learned: Path) -> None:
    shown = run_arena("memory", "Ann", "--db", learned)
    (memory,) = json.loads(run_arena("memory", "Ann", "--db", learned, "--json").stdout)["memories"]

    assert memory["tournament"] == "learners"
    assert memory["points"]
    assert f"learners: {len(memory['points'])} key points from {memory['games']} games" in (
        shown.stdout
    )
    assert memory["points"][0]["text"] in shown.stdout
    assert memory["points"][0]["shown"] > 0


def test_an_agent_that_remembers_nothing_is_said_to(learned: Path) -> None:
    shown = run_arena("memory", "Cid", "--db", learned)

    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "Cid remembers no games: it is of the kind thinking" in shown.stderr
    assert run_arena("memory", "Dan", "--db", learned).exit_code == 2


def test_boards_say_that_games_depend_on_their_order(learned: Path) -> None:
    board = run_arena("leaderboard", "--db", learned)

    assert "games of Ann, Bob depend on their order" in " ".join(board.stderr.split())


def test_a_comparison_is_not_played_and_of_played_games_warns(learned: Path) -> None:
    refused = run_arena("compare", "Ann", "Cid", "--db", learned)
    warned = run_arena("compare", "Ann", "Cid", "--played", "--db", learned)

    assert refused.exit_code == 2
    assert "Ann remembers earlier games" in refused.stderr
    assert "games of Ann depend on their order" in warned.stdout + warned.stderr
