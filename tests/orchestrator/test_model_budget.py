"""A budget of one model stops the games that it cannot pay, and no others."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from arena import registry
from arena.config import loads
from arena.orchestrator import run
from tests.replay.test_branch import rows
from tests.servers.openai_server import OpenAIServer, Reply

pytestmark = pytest.mark.slow

CUP = """
name: cup
seed: 5
environment: {{name: TicTacToe-v0, players: 2}}
games: 18
concurrency: 4
matchmaker: {{name: round-robin, blocks: true}}
models:
  - {{name: dear, litellm_model: openai/dear, api_base: "{url}", budget: {cap},
     input_price: 10.0, output_price: 10.0, params: {{max_tokens: 20}}}}
  - {{name: cheap, litellm_model: openai/cheap, api_base: "{url}", input_price: 0.1,
     output_price: 0.1, params: {{max_tokens: 20}}}}
prompts:
  - {{name: plain, text: "You are player {{{{player_index}}}}."}}
  - {{name: calm, text: "Stay calm."}}
agents:
  - {{name: Ann, model: dear, prompt: plain}}
  - {{name: Bob, model: cheap, prompt: plain}}
  - {{name: Cy, model: cheap, prompt: calm}}
"""

STATUSES = (
    "SELECT g.status, COUNT(*) FROM games g WHERE {} EXISTS (SELECT 1 FROM game_players p "
    "JOIN agents a ON a.id = p.agent_id WHERE p.game_id = g.id AND a.alias = 'Ann') "
    "GROUP BY g.status ORDER BY g.status"
)


class Till:
    """Plays a legal move, and counts what it is owed for each model."""

    def __init__(self) -> None:
        self.dollars = {"dear": 0.0, "cheap": 0.0}

    def __call__(self, body: dict[str, Any]) -> Reply:
        prompt = sum(len(message["content"]) for message in body["messages"]) // 4
        price = {"dear": 10e-6, "cheap": 0.1e-6}[body["model"]]
        self.dollars[body["model"]] += (prompt + 5) * price
        text = registry.policy("random")(body["messages"], random.Random(str(body["messages"])))
        usage = {"prompt_tokens": prompt, "completion_tokens": 5, "total_tokens": prompt + 5}
        return Reply(text, usage=usage)


def test_games_whose_model_cannot_pay_are_not_begun_and_the_others_go_on(sqlite_url: str) -> None:
    till = Till()
    with OpenAIServer(till) as server:
        config = loads(CUP.format(url=server.url, cap=0.06))
        summary = asyncio.run(run(config, url=sqlite_url))

    assert till.dollars["dear"] <= 0.06
    assert rows(sqlite_url, STATUSES.format("NOT")) == [("completed", 6)]
    hers = dict(rows(sqlite_url, STATUSES.format("")))
    assert hers["completed"] >= 1
    assert hers["scheduled"] >= 1
    assert hers.get("running", 0) <= 1, "a game is begun only if its model can pay it"
    assert "void" not in hers
    assert summary.budget_reached
    assert summary.stopped is not None
    assert "budget of model 'dear'" in summary.stopped
    left = hers["scheduled"] + hers.get("running", 0)
    assert summary.game_price is not None
    assert summary.game_price.model == "dear"
    assert summary.game_price.next_dollar == left, "a game costs her a few cents"


def test_the_next_dollar_buys_as_many_games_as_were_said(sqlite_url: str) -> None:
    finished = "SELECT COUNT(*) FROM games WHERE status = 'completed'"
    with OpenAIServer(Till()) as server:
        text = CUP.format(url=server.url, cap=100.0).replace("price: 10.0", "price: 100.0")
        text = text.replace("concurrency: 4", "concurrency: 1")
        first = asyncio.run(run(loads(text), url=sqlite_url, budget=1.5))
        before = rows(sqlite_url, finished)[0][0]
        asyncio.run(run(loads(text), url=sqlite_url, budget=2.5))

    assert first.budget_reached
    assert first.game_price is not None
    said = first.game_price.next_dollar
    assert said is not None
    assert rows(sqlite_url, finished)[0][0] - before == said
