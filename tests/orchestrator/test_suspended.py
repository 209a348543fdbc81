"""A game whose agent waits for hours is suspended, and resumes in a later run."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from arena.config import TournamentConfig, loads
from arena.orchestrator import run
from arena.replay.check import check
from db import get_session
from tests.cli.commands import run_arena
from tests.servers.openai_server import OpenAIServer
from tests.strangers import Install, install

__all__ = ["install"]

ASKS = """
    import os
    from arena.core import Action, Suspend

    class Approved:
        '''Drafts a move, and has a person approve of it: whose answer comes as a file.'''
        version = 1

        def __init__(self, *, prompt, options):
            self.options = options

        async def act(self, observation, llm):
            messages = [{"role": "user", "content": observation.text}]
            draft = await llm.complete(messages)
            if observation.turn_number >= self.options["from_turn"]:
                if not os.path.exists(self.options["approval"]):
                    raise Suspend("an approval of " + self.options["approval"])
            messages += [{"role": "assistant", "content": draft.text},
                         {"role": "user", "content": "It is approved. Say it again."}]
            return Action((await llm.complete(messages)).text)
"""

TOURNAMENT = """
name: approved
seed: 5
environment: {{name: TicTacToe-v0, players: 2}}
games: 4
concurrency: 2
attempts: 1
matchmaker: {{name: round-robin}}
models:
  - {{name: far, litellm_model: openai/far, api_base: "{url}"}}
prompts:
  - {{name: plain, text: "You are player {{{{player_index}}}}."}}
  - {{name: calm, text: "Stay calm."}}
  - {{name: bold, text: "Be bold."}}
agents:
  - name: Ann
    kind: approved
    model: far
    prompt: plain
    options: {{approval: {approval}, from_turn: 2}}
  - {{name: Bob, model: far, prompt: calm}}
  - {{name: Cid, model: far, prompt: bold}}
"""

GAMES = (
    "SELECT schedule_index, attempt, status, winning_team, termination, reason, turn_count "
    "FROM games ORDER BY 1, 2"
)
TURNS = (
    "SELECT g.schedule_index, t.turn_number, t.player_index, t.action, t.invalid, t.lapse "
    "FROM game_turns t JOIN games g ON g.id = t.game_id ORDER BY 1, 2"
)
CALLS = (
    "SELECT g.schedule_index, t.turn_number, c.call_index, c.call_number, c.request_hash "
    "FROM llm_calls c JOIN game_turns t ON t.id = c.game_turn_id JOIN games g ON g.id = t.game_id "
    "ORDER BY 1, 2, 3"
)
RATINGS = "SELECT agent_id, mu, sigma, games FROM agent_trueskill ORDER BY pool_id, agent_id"


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


def first_cell(body: dict[str, Any]) -> str:
    """The first free cell of the last board that was shown."""
    shown = [message["content"] for message in body["messages"] if "Available" in str(message)]
    board = shown[-1].rpartition("Available Moves:")[2]
    cell = board.partition("[")[2].partition("]")[0]
    return f"[{cell.strip(chr(39))}]"


def approved(server: OpenAIServer, approval: Path) -> TournamentConfig:
    text = TOURNAMENT.format(url=server.url, approval=approval)
    return loads(text, source="approved.yaml", folder=approval.parent)


@pytest.mark.slow
def test_a_suspended_game_resumes_in_a_later_run_and_nothing_is_repaid(
    install: Install, database_url: str, tmp_path: Path
) -> None:
    install(ASKS, {"agents": {"approved": "Approved"}})
    approval, whole = tmp_path / "approval", f"sqlite:///{tmp_path}/whole.db"
    with OpenAIServer(first_cell) as server:
        config = approved(server, approval)
        waits = asyncio.run(run(config, url=database_url))
        again = asyncio.run(run(config, url=database_url))
        asked = len(server.requests)
        approval.touch()
        done = asyncio.run(run(config, url=database_url))
        requests = Counter(str(request.body["messages"]) for request in server.requests)
        server.requests.clear()
        undisturbed = asyncio.run(run(config, url=whole))
        anew = Counter(str(request.body["messages"]) for request in server.requests)

    assert waits.suspended > 0
    assert (waits.paused, waits.games_void, waits.interrupted) == (0, 0, False)
    assert waits.games_left == waits.suspended == again.suspended
    assert again.resumed == waits.suspended
    assert (again.turns, again.calls, again.cost) == (0, 0, 0.0), "nothing is asked while it waits"
    assert asked == waits.calls
    assert done.suspended == done.games_left == 0
    assert done.resumed == waits.suspended
    assert requests == anew, "every answer was asked for once"
    assert undisturbed.suspended == 0
    for query in (GAMES, TURNS, CALLS, RATINGS):
        assert rows(database_url, query) == rows(whole, query)
    for (game,) in rows(database_url, "SELECT id FROM games"):
        assert check(game, database_url).ok


def test_the_command_says_how_many_wait_and_what_to_type(
    install: Install, sqlite_url: str, tmp_path: Path
) -> None:
    install(ASKS, {"agents": {"approved": "Approved"}})
    with OpenAIServer(first_cell) as server:
        file = tmp_path / "approved.yaml"
        file.write_text(TOURNAMENT.format(url=server.url, approval=tmp_path / "approval"))
        result = run_arena("run", file, "--db", sqlite_url)

    assert result.exit_code == 1
    assert "suspended: the agents wait for an answer; once it is there, resume with:" in (
        " ".join(result.stderr.split())
    )
