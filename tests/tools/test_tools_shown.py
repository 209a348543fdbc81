"""What was asked of tools and what they said, in the terminal, in frames and in an export; and the
commands that say what there is."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import text

from arena.analysis import tool_calls_df
from arena.config import TournamentConfig
from arena.forecast.cost import ForecastInterval, estimate
from arena.orchestrator import run
from arena.orchestrator.preflight import prepare
from db import get_engine, get_session, schema
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


def test_calls_of_tools_are_listed_and_those_that_failed(played: str) -> None:
    def listed(*said: str) -> dict[str, Any]:
        found = arena("tools", "calls", *said, "--json", "--db", played)
        assert found.exit_code == 0, found.stderr
        told: dict[str, Any] = json.loads(found.stdout)
        return told

    everything = listed("--limit", "1000")["calls"]
    failed = listed("--failed", "any", "--limit", "1000")["calls"]
    frame = tool_calls_df(played, texts=True).sort_values("tool_call_id", ascending=False)

    assert [call["tool_call_id"] for call in everything] == frame.tool_call_id.tolist()
    assert [call["result"] for call in everything] == frame.result.tolist()
    assert failed == [call for call in everything if call["error"] is not None] != []
    assert {call["error"] for call in listed("--failed", "limit")["calls"]} == {"limit"}
    assert {call["agent"] for call in listed("--agent", "Bob")["calls"]} == {"Bob"}
    first = listed("--limit", "2")
    then = listed("--limit", "2", "--before", str(first["older"]))
    assert [*first["calls"], *then["calls"]] == everything[:4]

    plain = arena("tools", "calls", "--agent", "Bob", "--failed", "limit", "--db", played)
    assert "no more than 1 calls in a turn" in plain.stdout
    wrong = arena("tools", "calls", "--failed", "Timeout", "--db", played)
    assert (wrong.exit_code, "expected unknown, arguments, refused" in wrong.stderr) == (2, True)


def usage_of_bob(url: str) -> dict[str, Any]:
    shown = json.loads(arena("agents", "show", "Bob", "--json", "--db", url).stdout)
    usage: dict[str, Any] = shown["agent"]["profile"]["usage"]
    return usage


def test_an_agent_says_how_many_calls_it_made(played: str) -> None:
    frame = tool_calls_df(played, agent="Bob")
    usage = usage_of_bob(played)
    metrics = json.loads(arena("metrics", "--agent", "Bob", "--json", "--db", played).stdout)
    assert usage["tool_calls"] == len(frame) > usage["tool_failures"] > 0
    assert (usage["tool_calls"], usage["tool_failures"]) == (len(frame), frame.error.count())
    assert usage["tool_seconds"] == pytest.approx(frame.took_ms.sum() / 1e3, abs=1e-3)
    assert {row["name"]: row["value"] for row in metrics["metrics"]}["tool_calls"] == len(frame)
    said = f"calls of tools {len(frame)}, {frame.error.count()} failed"
    assert said in arena("agents", "show", "Bob", "--db", played).stdout
    assert arena("counters", "rebuild", "--check", "--db", played).exit_code == 0


def test_what_was_counted_before_calls_of_tools_were_is_counted_again(
    played: str, tmp_path: Path
) -> None:
    shutil.copyfile(played.removeprefix("sqlite:///"), tmp_path / "older.db")
    url = f"sqlite:///{tmp_path}/older.db"
    engine = get_engine(url)
    schema.downgrade(engine, "0030")
    schema.upgrade(engine)
    engine.dispose()

    late = arena("counters", "rebuild", "--check", "--db", url)
    assert (late.exit_code, "not up to date: tooled" in late.stderr) == (1, True)
    assert arena("counters", "rebuild", "--db", url).exit_code == 0
    assert usage_of_bob(url) == usage_of_bob(played)


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
