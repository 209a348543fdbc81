"""A small tournament in a database, and the fold that rates it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from arena.ratings.online.live import LiveFold
from arena.ratings.trueskill import TrueSkill
from db import Repository, get_session
from db.writer.games import GameFinished, GameVoided, PlayerFinished

FOLD = LiveFold("trueskill", TrueSkill())
NOON = datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Pairing:
    schedule_index: int
    seed: int
    agents: tuple[int, ...]
    block: int = 0


def tournament(url: str, games: int = 4, agents: int = 3, name: str = "cup") -> list[int]:
    """The keys of scheduled two-player games in which the agents take turns."""
    with get_session(url) as session:
        repo = Repository(session)
        environment = repo.get_or_create_environment("Nim-v0", 2, package="textarena", version="1")
        kind = repo.get_or_create_kind("thinking")
        prompt = repo.get_or_create_prompt("plain", "You play.")
        keys = []
        for index in range(agents):
            model = repo.get_or_create_model(f"model-{index}", f"scripted/{index}")
            agent = repo.get_or_create_agent(
                kind.id or 0, model.id or 0, prompt.id or 0, alias=f"agent-{index}"
            )
            keys.append(agent.id or 0)
        row = repo.create_tournament(
            name, {"games": games}, 7, games, environment.id or 0, counted=True
        )
        return repo.schedule_games(
            row.id or 0,
            [
                Pairing(index, 100 + index, (keys[index % agents], keys[(index + 1) % agents]))
                for index in range(games)
            ],
        )


def won(game_id: int, winner: int = 0, reason: str = "The last one.") -> GameFinished:
    """The game is over: the player `winner` has won, or nobody for -1."""
    players = [
        PlayerFinished(
            index, None, None, 0 if winner in (index, -1) else 1, 1.0 if winner == index else -1.0
        )
        for index in range(2)
    ]
    return GameFinished(game_id, NOON, None, "natural", reason, 12, players)


def void(game_id: int, *, final: bool = True) -> GameVoided:
    return GameVoided(game_id, NOON, "provider", "no answer", final=final)
