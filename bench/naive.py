"""A tournament the obvious way: a process per game, an ORM transaction per turn with the messages
whole, and ratings read, changed and written back through the `trueskill` package at the end."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import configure_mappers
from sqlmodel import Session

from arena import registry
from arena.core import Message
from arena.core.collector import set_aside
from arena.game.loop import turn_seed
from arena.llm.providers import litellm_scripted
from arena.llm.providers.litellm import LiteLLM
from arena.llm.providers.protocol import ProviderSettings
from arena.llm.request import call_seed
from arena.ratings.trueskill_package import load
from bench.measure import children_cpu
from bench.plain import PlainGame, PlainPlayer, PlainRating, now, open_plain, record


@dataclass(frozen=True, slots=True)
class NaiveGame:
    """A game to play: `prompts[i]` and `agents[i]` sit at player_index i."""

    seed: int
    agents: Sequence[int]
    prompts: Sequence[str]


@dataclass(frozen=True, slots=True)
class NaiveRun:
    """`cpu` is everything; `inside` only what the processes used from a game's first row to its
    last commit: not to start, nor for what LiteLLM does once in a process."""

    turns: int
    cpu: float
    inside: float
    wall: float


def play_naively(model: str, games: Sequence[NaiveGame], database: Path, rounds: int) -> NaiveRun:
    """Play the games with `scripted/<model>`, as many at once as there are cores."""
    policy = registry.policy(model)
    LiteLLM(ProviderSettings(120.0, registry.policy)).load()
    set_aside()
    litellm_scripted.list_free(f"scripted/{model}")
    load()
    configure_mappers()
    open_plain(database).dispose()
    environment = registry.environment("SecretMafia-v0", {"discussion_rounds": rounds})
    environment().reset(seed=0, num_players=6)
    context = multiprocessing.get_context("fork")
    cpu, children, wall = time.process_time(), children_cpu(), time.perf_counter()
    turns, inside, waiting = 0, 0.0, list(games)
    running: list[tuple[Any, Any]] = []
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=_game_process,
                args=(theirs, environment, policy, model, waiting.pop(), database),
            )
            process.start()
            theirs.close()
            running.append((process, ours))
        process, pipe = running.pop(0)
        played, used = pipe.recv()
        process.join()
        turns, inside = turns + played, inside + used
    used = time.process_time() - cpu + children_cpu() - children
    return NaiveRun(turns, used, inside, time.perf_counter() - wall)


def _game_process(
    pipe: Any, environment: Any, policy: Any, model: str, game: NaiveGame, database: Path
) -> None:
    engine = open_plain(database)
    pipe.send(asyncio.run(_warm_and_play(engine, environment(), policy, model, game)))
    engine.dispose()


async def _warm_and_play(
    engine: Engine, environment: Any, policy: Any, model: str, game: NaiveGame
) -> tuple[int, float]:
    # The first call of a process makes and imports what the others use.
    await _ask(model, policy, [{"role": "user", "content": "[GAME] Are you there?"}], 0)
    started = time.process_time()
    turns = await _play(engine, environment, policy, model, game)
    return turns, time.process_time() - started


async def _ask(model: str, policy: Any, messages: list[Message], seed: int) -> Any:
    import litellm

    return await litellm.acompletion(
        model=f"scripted/{model}",
        messages=messages,
        seed=seed,
        client=policy,
        max_retries=0,
        timeout=120,
    )


async def _play(engine: Engine, environment: Any, policy: Any, model: str, game: NaiveGame) -> int:
    with Session(engine) as session:
        row = PlainGame()
        session.add(row)
        session.flush()
        game_id = row.id
        assert game_id is not None
        for index, agent in enumerate(game.agents):
            session.add(PlainPlayer(game_id=game_id, agent_id=agent, player_index=index))
        session.commit()
    environment.reset(seed=game.seed, num_players=len(game.agents))
    turns, done = 0, False
    while not done:
        observation = environment.observe()
        messages: list[Message] = [
            {"role": "system", "content": game.prompts[observation.player_index]},
            {"role": "user", "content": observation.text},
        ]
        sent_at = now()
        answer = await _ask(model, policy, messages, call_seed(turn_seed(game.seed, turns), 0))
        text = answer.choices[0].message.content
        record(
            engine,
            game_id=game_id,
            turn_number=turns,
            player_index=observation.player_index,
            model=model,
            messages=messages,
            text=text,
            sent_at=sent_at,
            prompt_tokens=answer.usage.prompt_tokens,
            response_tokens=answer.usage.completion_tokens,
        )
        done = environment.step(environment.prepare(text)).done
        turns += 1
    _finish(engine, game_id, game, environment.outcome())
    return turns


def _finish(engine: Engine, game_id: int, game: NaiveGame, outcome: Any) -> None:
    package = load().TrueSkill()
    with Session(engine) as session:
        row = session.get_one(PlainGame, game_id)
        row.status, row.winning_team, row.finished_at = "completed", outcome.winning_team, now()
        ratings = [
            session.get(PlainRating, agent) or PlainRating(agent_id=agent) for agent in game.agents
        ]
        teams: dict[int, dict[int, Any]] = {}
        for index, player in enumerate(outcome.players):
            rated = ratings[index]
            skill = package.create_rating(rated.mu, rated.sigma)
            teams.setdefault(player.rank, {})[index] = skill
        if len(teams) > 1:
            for group in package.rate(list(teams.values()), ranks=list(teams)):
                for index, skill in group.items():
                    ratings[index].mu, ratings[index].sigma = float(skill.mu), float(skill.sigma)
        session.add_all(ratings)
        session.commit()
