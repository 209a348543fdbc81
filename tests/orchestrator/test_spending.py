"""A run whose budget is reached asks an operator, and goes on with what is allowed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from arena.config import loads
from arena.orchestrator import run
from db import Repository, get_session
from db.errors import BadAnswer
from db.queries.requests import RequestRow, request_rows
from tests.orchestrator.test_suspended import first_cell
from tests.servers.openai_server import OpenAIServer

TOURNAMENT = """
name: dear
seed: 5
environment: {{name: TicTacToe-v0, players: 2}}
games: 4
concurrency: 1
budget: 0.02
models:
  - name: far
    litellm_model: openai/far
    api_base: "{url}"
    input_price: 10
    output_price: 10
    params: {{max_tokens: 20}}
prompts:
  - {{name: calm, text: "Stay calm."}}
  - {{name: bold, text: "Be bold."}}
agents:
  - {{name: Bob, model: far, prompt: calm}}
  - {{name: Cid, model: far, prompt: bold}}
"""


def asked(url: str) -> list[RequestRow]:
    with get_session(url) as session:
        return request_rows(session)


@pytest.mark.slow
def test_an_operator_lets_a_run_spend_more(database_url: str, tmp_path: Path) -> None:
    with OpenAIServer(first_cell) as server:
        config = loads(TOURNAMENT.format(url=server.url), folder=tmp_path)
        first = asyncio.run(run(config, url=database_url))
        assert first.budget_reached
        assert first.budget == 0.02
        (request,) = asked(database_url)
        again = asyncio.run(run(config, url=database_url))
        assert (again.games_completed, asked(database_url)) == (0, [request])
        with get_session(database_url) as session:
            repo = Repository(session)
            with pytest.raises(BadAnswer, match="expected `yes USD`, such as `yes 5`, or `no`"):
                repo.answer_request(request.id, "sure", "Olga")
            repo.answer_request(request.id, "yes 100", "Olga")
        last = asyncio.run(run(config, url=database_url))

    assert (request.type, request.person, request.tournament) == ("spend", None, "dear")
    assert last.games_left == 0
    assert not last.budget_reached
    assert last.budget == 100.02
    assert asked(database_url) == []


@pytest.mark.slow
def test_a_run_that_waits_goes_on_when_an_operator_answers(sqlite_url: str, tmp_path: Path) -> None:
    async def both(url: str) -> tuple[int, int]:
        config = loads(TOURNAMENT.format(url=url), folder=tmp_path)
        playing = asyncio.create_task(run(config, url=sqlite_url, wait=True))
        answers = 0
        while not playing.done():
            await asyncio.sleep(0.1)
            with get_session(sqlite_url) as session:
                for row in request_rows(session):
                    Repository(session).answer_request(row.id, "yes 100", "Olga")
                    answers += 1
        return answers, (await playing).games_left

    with OpenAIServer(first_cell) as server:
        assert asyncio.run(both(server.url)) == (1, 0)


@pytest.mark.slow
def test_an_operator_lets_one_model_spend_more_than_its_own_budget(
    database_url: str, tmp_path: Path
) -> None:
    dear = TOURNAMENT.replace("budget: 0.02\n", "").replace("20}}", "20}}\n    budget: 0.02")
    with OpenAIServer(first_cell) as server:
        config = loads(dear.format(url=server.url), folder=tmp_path)
        first = asyncio.run(run(config, url=database_url))
        (request,) = asked(database_url)
        assert request.content is not None
        assert request.content.startswith("the budget of model 'far' is reached")
        with get_session(database_url) as session:
            Repository(session).answer_request(request.id, "yes 0.005", "Olga")
        more = asyncio.run(run(config, url=database_url))
        (again,) = asked(database_url)
        with get_session(database_url) as session:
            Repository(session).answer_request(again.id, "yes 100", "Olga")
            assert Repository(session).approved_dollars(1) == {"far": 100.005}
        last = asyncio.run(run(config, url=database_url))

    assert (request.type, request.model, again.model) == ("spend", "far", "far")
    assert first.budget_reached
    assert first.budget is None
    assert first.spent < more.spent <= 0.025
    assert (last.games_left, last.budget_reached) == (0, False)
    assert asked(database_url) == []
