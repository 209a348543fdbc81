"""`arena place` rates an agent against a pool: the budget is said first, and it resumes."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from arena import registry
from tests.cli.commands import Arena
from tests.servers.openai_server import OpenAIServer

TOURNAMENT = """\
name: {name}
environment: {{name: TicTacToe-v0, players: 2}}
games: 4
{pool}
models:
  - {{name: paid, litellm_model: openai/m, api_base: "{url}", input_price: 1.0,
      output_price: 2.0, params: {{max_tokens: 50}}}}
prompts:
  - {{name: "{one}", text: "You are {one}."}}
  - {{name: "{two}", text: "You are {two}."}}
agents:
  - {{name: "{one}", model: paid, prompt: "{one}"}}
  - {{name: "{two}", model: paid, prompt: "{two}"}}
"""


def moves(body: dict[str, Any]) -> str:
    rng = random.Random(body["messages"][-1]["content"])
    return registry.policy("random")(body["messages"], rng)


@pytest.mark.slow
def test_an_agent_is_placed_within_a_budget_and_the_same_command_resumes(
    arena: Arena, tmp_path: Path
) -> None:
    db = str(tmp_path / "arena.db")
    with OpenAIServer(moves) as server:
        for name, one, two, pool in (
            ("reference", "Ann", "Bob", "pool: {name: noughts, frozen: true, games: 4}"),
            ("newcomers", "Cid", "Dot", ""),
        ):
            file = tmp_path / f"{name}.yaml"
            file.write_text(
                TOURNAMENT.format(name=name, one=one, two=two, pool=pool, url=server.url)
            )
            assert arena("run", file, "--db", db).exit_code == 0
        question = ("place", "Cid", "--against", "noughts", "--db", db)

        asked = len(server.requests)
        unsaid = arena(*question)
        planned = arena(*question, "--budget", "1", "--dry-run")
        assert len(server.requests) == asked
        poor = arena(*question, "--budget", "0.0004", "--concurrency", "1")
        done = arena(*question, "--budget", "1")
        asked = len(server.requests)
        again = arena(*question, "--json")
        assert len(server.requests) == asked

    assert unsaid.exit_code == 2
    assert "costs money" in unsaid.stderr
    assert "place Cid against noughts: 4 games of TicTacToe-v0" in planned.stdout
    assert "the budget of $1.00 is enough" in planned.stdout
    assert poor.exit_code == 1
    assert "to go on: arena place Cid --against noughts" in poor.stderr
    assert done.exit_code == 0, done.stderr
    assert "4 games, the same for whoever is placed against this pool" in done.stdout
    assert "rating of Cid: " in done.stdout
    assert "4 games played, 4 games rated, $0.00" in done.stdout
    assert "25 is the mean of the pool's 2 agents" in done.stderr
    found = json.loads(again.stdout)
    assert (found["finished"], found["games"], found["pool_games"]) == (True, 4, 4)
    assert found["dollars"] > 0
    assert found["found"]["low"] < found["found"]["rating"] < found["found"]["high"]
