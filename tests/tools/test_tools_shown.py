"""What was asked of tools and what they said, in the terminal, in frames and in an export; and the
commands that say what there is."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import text

from arena.analysis import tool_calls_df
from arena.config import TournamentConfig
from arena.forecast.cost import ForecastInterval, estimate
from arena.orchestrator import run
from arena.orchestrator.preflight import prepare
from db import get_session
from tests.cli.commands import run_arena as arena
from tests.orchestrator.test_tools_run import tooled

CATALOGUE = (
    ("models", "add", "quick", "scripted/mafia-diligent"),
    ("prompts", "add", "plain", "--text", "Play."),
)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('shown')}/shown.db"
    asyncio.run(run(tooled(("games: 2", "games: 1")), url=url))
    return url


def test_a_game_shows_its_calls_of_tools(played: str) -> None:
    plain = arena("show", "1", "--db", played).stdout
    whole = arena("show", "1", "--calls", "--db", played).stdout
    rows = json.loads(arena("show", "1", "--json", "--db", played).stdout)

    assert 'tool write_note({"text": ' in plain
    assert "written as note 1" not in plain
    assert "written as note 1" in whole
    assert any(turn["tools"] for turn in rows["turns"])


def test_calls_of_tools_are_a_frame_and_an_export(played: str, tmp_path: Path) -> None:
    frame = tool_calls_df(played, texts=True, agent="Bob")
    refused = frame[frame.error == "limit"]

    assert set(frame.tool) == {"notes"}
    assert refused.result.str.startswith("no more than 1 calls in a turn").all()
    assert frame[frame.error.isna()].took_ms.min() >= 0
    assert "result" not in tool_calls_df(played).columns

    arena("export", str(tmp_path / "out"), "--format", "csv", "--db", played)
    (written,) = (tmp_path / "out").glob("**/tool_calls*")
    assert len(pd.read_csv(written)) == len(tool_calls_df(played))


def test_an_agent_of_the_catalogue_is_given_tools(sqlite_url: str) -> None:
    for command in CATALOGUE:
        assert arena(*command, "--db", sqlite_url).exit_code == 0
    like = ("--model", "quick", "--prompt", "plain", "--db", sqlite_url)
    added = arena("agents", "add", "ann", *like, "--tool", "notes", "--tool", "calculator=9")
    assert (added.exit_code, "as keys and values, found 9" in added.stderr) == (2, True)
    added = arena("agents", "add", "ann", *like, "--tool", 'calculator={"digits": 9}')
    assert added.exit_code == 0, added.stderr
    (shown,) = json.loads(arena("agents", "list", "--json", "--db", sqlite_url).stdout)["agents"]
    assert shown["options"]["tools"] == [{"calculator": {"version": 1, "digits": 9}}]

    misspelt = arena("agents", "edit", "ann", "--tool", "note", "--db", sqlite_url)
    assert "did you mean 'notes'" in misspelt.stderr
    assert arena("agents", "edit", "ann", "--tool", "null", "--db", sqlite_url).exit_code == 0
    (shown,) = json.loads(arena("agents", "list", "--json", "--db", sqlite_url).stdout)["agents"]
    assert "tools" not in shown["options"]


def test_what_is_installed_is_listed() -> None:
    listed = json.loads(arena("tools", "list", "--json").stdout)["tools"]
    assert {"calculator", "mcp", "notes", "search", "votes"} <= {each["name"] for each in listed}
    assert "digits: 40" in arena("tools", "show", "calculator").stdout


@pytest.mark.slow
def test_the_calls_that_tools_lead_to_are_expected(sqlite_url: str) -> None:
    config = tooled()
    expected = estimate(config, prepare(config), url=sqlite_url, games_left=2)
    asyncio.run(run(config, url=sqlite_url))
    with get_session(sqlite_url) as session:
        made = session.connection().execute(text("SELECT count(*) FROM llm_calls")).scalar_one()

    # The models are scripted: all that they will ask is known.
    assert (expected.rehearsed, round(expected.calls.mean)) == (2, made)


def test_a_model_that_is_not_scripted_is_taken_to_call_a_tool_in_each_turn() -> None:
    far = "{name: diligent, litellm_model: openai/far, stream: false}"
    near = "{name: diligent, litellm_model: scripted/mafia-diligent, stream: false}"
    tools = ("[notes, votes, calculator, search]", "[notes]")
    without = tooled((near, far), (f"tools: {tools[0]}", "options: {}"))

    def calls(config: TournamentConfig) -> ForecastInterval:
        return estimate(
            config, prepare(config), url="sqlite:///none.db", games_left=2, rehearsals=1
        ).calls

    assert calls(tooled((near, far))).mean > 1.1 * calls(without).mean
