"""`arena memory`, and what boards and comparisons say of agents that remember."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

import pytest

from arena.analysis import memories_df
from arena.core import UsageError
from arena.reports.memory import turn_memory
from db import get_session
from db.queries.transcript import transcript
from tests.cli.commands import run_arena
from tests.orchestrator.test_memory_run import LEARNERS
from tests.viewer.browser import browsing


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
    for point in memory["points"]:
        assert point["game_id"] == point["place"] + 1
        assert point["expires"] == point["written"] + 100


def test_the_frame_the_page_and_the_command_say_the_same(learned: Path) -> None:
    said = json.loads(run_arena("memory", "Bob", "--db", learned, "--json").stdout)["memories"]
    frame = memories_df(learned, agent="Bob")
    with browsing(f"sqlite:///{learned}") as get:
        page = unescape(get("/agent/Bob").text)
        other = get("/agent/Cid").text

    points = [point for memory in said for point in memory["points"]]
    assert frame[["text", "importance", "game_id", "shown", "expires"]].to_dict("records") == [
        {name: point[name] for name in ("text", "importance", "game_id", "shown", "expires")}
        for point in points
    ]
    # It forgets after two games of its own.
    assert frame.expires.gt(frame.games).all()
    assert points
    for point in points:
        assert f"<bdi>{point['text']}</bdi>" in page
    assert "<h2>Memory</h2>" in page
    assert "<h2>Memory</h2>" not in other
    assert {*memories_df(learned).agent} == {"Ann", "Bob"}
    assert memories_df(learned, agent="Cid").dtypes.equals(frame.dtypes)
    with pytest.raises(UsageError, match="memories cannot be chosen by role"):
        memories_df(learned, role="Mafia")


def test_a_game_tells_what_was_learned_and_recalled(learned: Path) -> None:
    with get_session(f"sqlite:///{learned}") as session:
        game, first, told = next(
            (game, turn, told)
            for game in range(6, 0, -1)
            for turn in transcript(session, game)
            if (told := turn_memory(turn.reading)) and told.learned and told.recalled
        )
    plain = run_arena("show", str(game), "--db", learned).stdout
    whole = run_arena("show", str(game), "--calls", "--db", learned).stdout
    with browsing(f"sqlite:///{learned}") as get:
        page = unescape(get(f"/game/{game}/turn/{first.turn_number}").text)
        assert "key point" in get(f"/game/{game}").text
        # Another seat is told nothing of it.
        other = unescape(get(f"/game/{game}?as={1 - first.player_index}").text)
    assert f"learned from its game at place {told.place}: {len(told.learned)} key point" in plain
    assert "'given'" not in plain
    for said in (*told.learned, *told.recalled):
        assert f"┆ {said}" in plain
        assert f"<li><bdi>{said}</bdi></li>" in page
        assert said not in other
    # What it recalled is in its prompt.
    assert all(f"> {said}" in whole for said in told.recalled)


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


def test_a_plan_says_that_games_are_played_in_order(learned: Path) -> None:
    file = learned.parent / "learners.yaml"
    dry = run_arena("run", file, "--dry-run", "--db", learned.parent / "none.db")
    planned = run_arena("plan", file, "--db", learned.parent / "none.db")

    said = "Ann, Bob remember earlier games: games are played one after the other"
    assert f"pairings by random; {said}" in " ".join(dry.stdout.split())
    assert "at the same time" not in dry.stdout
    assert said in " ".join((planned.stdout + planned.stderr).split())
