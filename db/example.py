"""`python -m db.example`: enters a catalogue, a game and its ratings by hand, and reads them.

Nothing is dropped: a second call finds what the first entered, and writes another game. Tournaments
are played by `arena run`, which records in one durable path; this is for a program of one's own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product

from db.database import Source
from db.errors import DatabaseError
from db.repository import Repository
from db.session import get_session, init_db
from db.urls import resolve_url, shown

FILE = "example_mindgames.db"
PLAYERS = 6
MAFIA = 2
ROUNDS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the example on a database and print what it finds; 2 for one that cannot be opened."""
    parser = argparse.ArgumentParser(
        prog="python -m db.example", description="Write a game through the Repository and read it."
    )
    parser.add_argument(
        "database", nargs="?", default=FILE, help=f"a file or a URL; {FILE} unless it is given"
    )
    source = parser.parse_args(arguments).database
    try:
        init_db(source)
        enter(source)
        query(source, play(source))
    except DatabaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"\nAll of it is in {shown(resolve_url(source))}.")
    return 0


def enter(source: Source) -> None:
    """Models, kinds, prompts and agents, those that are not there yet."""
    with get_session(source) as session:
        repo = Repository(session)
        models = [
            repo.get_or_create_model("cerebras-llama3.1-8b", "cerebras/llama3.1-8b"),
            repo.get_or_create_model("gpt-4o-mini", "openai/gpt-4o-mini"),
        ]
        kind = repo.get_or_create_kind("standard")
        first = repo.get_or_create_prompt("v1", "You are playing Secret Mafia...")
        # A prompt is never changed: a better one is forked from it.
        second = repo.get_prompt_by_name("v2") or repo.create_prompt(
            "v2", "You are playing Secret Mafia. Be brief.", forked_from=first.id
        )
        third = repo.get_or_create_prompt("v3", "You are playing Secret Mafia. Trust nobody.")
        made = product(models, (first, second, third))
        names = ("Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta")
        for name, (model, prompt) in zip(names, made, strict=True):
            repo.get_or_create_agent(_id(kind), _id(model), _id(prompt), alias=f"Agent {name}")


def play(source: Source) -> int:
    """A game with its turns and calls, and what it did to the ratings; its number."""
    with get_session(source) as session:
        repo = Repository(session)
        game_id = _id(repo.create_game())
        agents = repo.get_random_agents(count=PLAYERS)
        for index, agent in enumerate(agents):
            repo.add_game_player(game_id=game_id, agent_id=_id(agent), player_index=index)

        for turn_number in range(1, 1 + ROUNDS):
            for index, agent in enumerate(agents):
                turn = repo.add_game_turn(
                    game_id=game_id,
                    turn_number=turn_number,
                    player_index=index,
                    observation={"day": turn_number, "alive": [*range(PLAYERS)]},
                    action=f"I vote for player {(index + turn_number) % PLAYERS}.",
                    response_time_ms=1500,
                    tokens_used=150,
                )
                sent = datetime.now(UTC)
                repo.add_llm_call(
                    game_turn_id=_id(turn),
                    model=agent.model.litellm_model_name,
                    messages=[{"role": "user", "content": "Whom do you vote for?"}],
                    response={"choices": [{"message": {"content": turn.action}}]},
                    request_sent_at=sent,
                    response_received_at=sent + timedelta(milliseconds=1500),
                    total_response_time_ms=1500,
                    response_tokens=20,
                    total_tokens_consumed=150,
                )

        for index, agent in enumerate(agents):
            mafia = index < MAFIA
            repo.update_game_player(
                game_id, index, role="Mafia" if mafia else "Villager", reward=-1.0 if mafia else 1.0
            )
            before = repo.get_agent_trueskill(_id(agent))
            mu, sigma = (before.mu, before.sigma) if before else (25.0, 25 / 3)
            repo.create_or_update_trueskill(_id(agent), mu + (-2 if mafia else 1), sigma * 0.95)
        repo.finish_game(
            game_id, status="completed", winning_team="Villager", game_info={"days": ROUNDS}
        )
    return game_id


def query(source: Source, game_id: int) -> None:
    """Print what is on record."""
    with get_session(source) as session:
        repo = Repository(session)
        print("Active models: ", ", ".join(model.name for model in repo.get_active_models()))
        print("Active kinds:  ", ", ".join(kind.name for kind in repo.get_active_kinds()))
        print("Active prompts:", ", ".join(prompt.name for prompt in repo.get_active_prompts()))

        print("\nCompleted games, the newest first:")
        for game in repo.get_games(status="completed", limit=10):
            print(f"  Game {game.id}: {game.winning_team} won")

        whole = repo.get_game_by_id(game_id, with_relations=True)
        assert whole is not None
        print(f"\nGame {game_id}:")
        for player in whole.players:
            print(f"  Player {player.player_index}: {player.agent.label}, {player.role}")
        turns = repo.get_game_turns(game_id)
        calls = [call for turn in turns for call in repo.get_turn_llm_calls(_id(turn))]
        tokens = sum(call.total_tokens_consumed or 0 for call in calls)
        print(f"  {len(turns)} turns, {len(calls)} calls, {tokens} tokens")
        print(f"  Turn 1, player 0: {turns[0].observation} -> {turns[0].action}")

        print("\nBest agents, by mu - 3 sigma:")
        for agent, rating in repo.get_top_agents_by_trueskill(limit=10):
            print(f"  {agent.label}: {rating.mu - 3 * rating.sigma:.2f}")


def _id(row: object) -> int:
    number = getattr(row, "id", None)
    assert isinstance(number, int)
    return number


if __name__ == "__main__":
    sys.exit(main())
