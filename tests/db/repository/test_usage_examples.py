"""The usage examples of the database module run as people were given them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from db import Repository, get_session, init_db

CREATE = """
from db import get_session, Repository

with get_session() as session:
    repo = Repository(session)

    # Create a model
    model = repo.create_model(
        name="cerebras-llama3.1-8b",
        litellm_model_name="cerebras/llama3.1-8b"
    )

    # Create a kind
    kind = repo.create_kind(name="standard")

    # Create a prompt
    prompt = repo.create_prompt(
        name="v1",
        content="You are playing Secret Mafia..."
    )

    # Create an agent
    agent = repo.create_agent(
        kind_id=kind.id,
        model_id=model.id,
        prompt_id=prompt.id,
        alias="Agent Alpha"
    )
"""

RUN = """
from datetime import datetime
from db import get_session, Repository

with get_session() as session:
    repo = Repository(session)

    # Create game
    game = repo.create_game()

    # Add players
    agents = repo.get_random_agents(count=6)
    for i, agent in enumerate(agents):
        repo.add_game_player(
            game_id=game.id,
            agent_id=agent.id,
            player_index=i
        )

    # Log turns
    for turn_num in range(1, 10):
        for player_idx in range(6):
            turn = repo.add_game_turn(
                game_id=game.id,
                turn_number=turn_num,
                player_index=player_idx,
                observation={"state": "..."},
                action="vote player 3",
                response_time_ms=1500,
                tokens_used=150
            )

            # Track LLM calls
            repo.add_llm_call(
                game_turn_id=turn.id,
                model="cerebras/llama3.1-8b",
                messages={...},
                response={...},
                request_sent_at=datetime.utcnow(),
                response_received_at=datetime.utcnow(),
                total_response_time_ms=1500,
                response_tokens=20,
                total_tokens_consumed=200
            )

    # Finish game
    repo.finish_game(
        game_id=game.id,
        status="completed",
        winning_team="Villager"
    )
"""

QUERY = """
from db import get_session, Repository

with get_session() as session:
    repo = Repository(session)

    # Get active configurations
    models = repo.get_active_models()
    kinds = repo.get_active_kinds()
    prompts = repo.get_active_prompts()

    # Get completed games
    games = repo.get_games(status="completed", limit=10)

    # Get game with full details
    game = repo.get_game_by_id(game_id, with_relations=True)
    for player in game.players:
        print(f"Player {player.player_index}: {player.agent.alias}")

    # Get top agents
    top_agents = repo.get_top_agents_by_trueskill(limit=10)
    for agent, trueskill in top_agents:
        rating = trueskill.mu - 3 * trueskill.sigma
        print(f"{agent.alias}: {rating:.2f}")
"""


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
@pytest.mark.parametrize("prepared", [False, True])
def test_the_three_examples(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    database_url: str,
    prepared: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    if prepared:
        monkeypatch.setenv("ARENA_DATABASE_URL", database_url)
        init_db()
    else:
        monkeypatch.delenv("ARENA_DATABASE_URL", raising=False)
    run("create.py", CREATE)
    run("run.py", RUN)
    with get_session() as session:
        Repository(session).create_or_update_trueskill(agent_id=1, mu=30.0, sigma=2.5)
    run("query.py", QUERY, game_id=1)
    assert capsys.readouterr().out == "Player 0: Agent Alpha\nAgent Alpha: 22.50\n"

    with get_session() as session:
        repo = Repository(session)
        turns = repo.get_game_turns(1)
        assert len(turns) == 54
        assert turns[0].observation == {"state": "..."}
        assert turns[0].action == "vote player 3"
        (call,) = repo.get_turn_llm_calls(turns[7].id)
        assert call.messages == call.response == ["..."]
        assert call.request_sent_at is not None
        assert call.request_sent_at.tzinfo is not None
        (game,) = repo.get_games(winning_team="Villager")
        assert game.status == "completed"


def run(name: str, source: str, **given: int) -> None:
    Path(name).write_text(source)
    runpy.run_path(name, init_globals=given)
