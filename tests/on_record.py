"""A catalogue with three agents, and finished games of theirs that nobody had to play."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from sqlmodel import func, select

from arena import registry
from db import Game, GamePlayer, Repository, get_session

MAFIA = "SecretMafia-v0"


def catalogue(url: str) -> None:
    """Three agents, and two environments that somebody has played."""
    with get_session(url) as session:
        repo = Repository(session)
        kind = repo.get_or_create_kind("thinking", version=registry.kind("thinking").version)
        prompt = repo.create_prompt("plain", "You are player {{player_index}}.")
        for name in ("Sharp", "Naive", "Random"):
            scripted = "random" if name == "Random" else f"mafia-{name.lower()}"
            model = repo.create_model(scripted, f"scripted/{scripted}")
            repo.create_agent(kind.id or 0, model.id or 0, prompt.id or 0, alias=name)
        rules = {"package": "textarena", "version": version("textarena")}
        options = {"discussion_rounds": 1, "turn_limit": 200}
        repo.get_or_create_environment(MAFIA, 6, options, **rules)
        repo.get_or_create_environment("TicTacToe-v0", 2, {"turn_limit": 20}, **rules)


def record(
    url: str, environment: str, games: Sequence[tuple[int, Sequence[tuple[object, ...]]]]
) -> None:
    """Finished games from a seed each; a seat is (agent, role, team, rank[, reward])."""
    with get_session(url) as session:
        key = Repository(session).get_environments(environment)[0].id
        before = session.exec(select(func.count()).select_from(Game)).one()
        for index, (seed, seats) in enumerate(games):
            game = Game(
                environment_id=key,
                seed=seed,
                block=seed,
                status="completed",
                final=True,
                finished_at=datetime.now(UTC),
                fold_index=before + index,
            )
            session.add(game)
            session.flush()
            for place, (agent, role, team, rank, *reward) in enumerate(seats):
                row = {"agent_id": agent, "role": role, "team": team, "rank": rank}
                row["reward"] = reward[0] if reward else 1.0
                session.add(GamePlayer(game_id=game.id, player_index=place, **row))
