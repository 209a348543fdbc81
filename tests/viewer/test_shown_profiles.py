"""What `show` says of an agent, a model and a prompt: the same reports as their pages."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.commands import run_arena
from tests.viewer.browser import NAMES


def shown(url: str, noun: str, name: str) -> dict[str, Any]:
    result = run_arena(f"{noun}s", "show", name, "--db", url, "--json")
    assert result.exit_code == 0, result.stderr
    profile: dict[str, Any] = json.loads(result.stdout)[noun]["profile"]
    return profile


def test_an_agent_is_shown_with_what_it_did(boarded: str) -> None:
    profile = shown(boarded, "agent", NAMES[0])
    (place,) = profile["board"]["places"]
    assert (place["of"], place["games"]) == (6, 3)
    assert profile["newest_games"] == [3, 2, 1]
    assert [each["game_id"] for each in profile["sessions"]] == [3, 2, 1]
    for each in profile["sessions"]:
        assert each["turns"] == each["calls"] > 0
        assert (each["errors"], each["lapses"]) == (0, 0)
    (met,) = profile["meetings"]
    assert {each["name"] for each in met["opponents"]} <= {*NAMES[1:]}
    assert sum(cell["games"] for cell in met["teams"].values()) == 3
    assert sum(role["games"] for role in profile["roles"]) == 3
    (rated,) = profile["ratings"]
    assert [step["place"] for step in rated["steps"]] == [1, 2, 3]
    assert rated["steps"][-1]["mu"] == rated["mu"]
    assert profile["sample"]["whole"]
    said = run_arena("agents", "show", NAMES[0], "--db", boarded)
    for part in ("tenable", "against", "votes and words", "what it took", "mean ms"):
        assert part in said.stdout


def test_a_model_and_a_prompt_are_shown_with_who_plays_with_them(watched: str) -> None:
    model, prompt = shown(watched, "model", "sharp"), shown(watched, "prompt", "plain")
    (span,) = model["sample"]["names"]
    assert (span["name"], span["first_game"], span["last_game"]) == ("mafia-sharp", 1, 3)
    # The counters and the calls themselves say the same.
    slices = model["sample"]["slices"]
    assert model["usage"]["calls"] == sum(part["calls"] for part in slices) == span["calls"]
    assert model["usage"]["turns"] == sum(part["turns"] for part in slices) > 0
    assert sorted(prompt["agents"]) == [NAMES[at] for at in (0, 1, 4, 5)]
    assert prompt["variables"] == ["player_index", "num_players"]
    assert prompt["difference"] == []
    said = run_arena("models", "show", "sharp", "--db", watched)
    assert "no board is stored" in said.stderr or "tenable" in said.stdout
    assert "who answered, in 3 games" in said.stdout
