"""The whole arena with a scripted model, in turns per second of CPU.

Beside it, in the same run and on the same games: a bare loop of `litellm.acompletion` that sends
the messages of those games and nothing else, and the obvious way of `bench.naive`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlmodel import col, select

from arena import registry
from arena.core.collector import set_aside
from arena.llm.providers import litellm_scripted
from arena.llm.providers.litellm import LiteLLM
from arena.llm.providers.protocol import ProviderSettings
from arena.orchestrator import Progress, run
from bench.measure import Row, Sample, median, ratios
from bench.naive import NaiveGame, play_naively
from bench.tournaments import Call, config, conversations
from bench.workers import Workers
from db import Game, get_session

PART = "arena"
MODELS = {
    "bench-fixed": "fixed answers",
    "random": "scripted/random",
}


@dataclass(frozen=True, slots=True)
class Size:
    games: int
    naive_games: int
    concurrency: int
    repetitions: int
    rounds: int


FULL = Size(games=24, naive_games=8, concurrency=24, repetitions=3, rounds=3)
TOY = Size(games=2, naive_games=1, concurrency=2, repetitions=1, rounds=1)


@dataclass(frozen=True, slots=True)
class Played:
    """A tournament's turns; `start_up` is the CPU before the first game began."""

    steady: Sample
    start_up: float


def play(
    model: str, database: Path, games: int, concurrency: int, rounds: int, turn_limit: int = 500
) -> Played:
    """A tournament, measured from the moment its games begin to the moment the last has ended."""
    marks: list[tuple[float, float, int]] = []

    def mark(progress: Progress) -> None:
        marks.append((time.process_time(), time.perf_counter(), progress.turns))

    begun = time.process_time()
    tournament = config(
        f"scripted/{model}",
        games=games,
        concurrency=concurrency,
        rounds=rounds,
        turn_limit=turn_limit,
    )
    summary = asyncio.run(run(tournament, url=database, on_progress=mark))
    if summary.games_completed != games:
        raise RuntimeError(f"{summary.games_void} games of {games} are void: {summary.first_error}")
    (cpu, wall, _), (cpu_end, wall_end, turns) = marks[0], marks[-1]
    return Played(Sample(turns, cpu_end - cpu, wall_end - wall), cpu - begun)


def send(model: str, calls: Sequence[Call], *, quiet: bool = False) -> Sample:
    """The bare loop. With `quiet`, under the switch that the arena's client calls LiteLLM with."""
    LiteLLM(ProviderSettings(120.0, registry.policy)).load()
    set_aside()
    litellm_scripted.list_free(f"scripted/{model}")
    return asyncio.run(_send(model, registry.policy(model), calls, quiet))


async def _send(model: str, policy: object, calls: Sequence[Call], quiet: bool) -> Sample:
    import litellm
    from litellm._internal_context import is_internal_call

    is_internal_call.set(quiet)
    cpu, wall = time.process_time(), time.perf_counter()
    for call in calls:
        answer = await litellm.acompletion(
            model=f"scripted/{model}",
            messages=call.messages,
            seed=call.seed,
            client=policy,
            max_retries=0,
            timeout=120,
        )
        if answer.choices[0].message.content != call.text:
            raise RuntimeError("the bare loop was answered differently from the tournament")
    return Sample(len(calls), time.process_time() - cpu, time.perf_counter() - wall)


def naive_games(database: Path, played: Sequence[Sequence[Call]], count: int) -> list[NaiveGame]:
    """The first games of a tournament, as `bench.naive` plays them again."""
    with get_session(database, create=False) as session:
        rows = session.exec(
            select(Game).where(Game.status == "completed").order_by(col(Game.id)).limit(count)
        ).all()
        seats = [(row.seed or 0, [player.agent_id for player in row.players]) for row in rows]
    games = []
    for (seed, agents), calls in zip(seats, played, strict=False):
        prompts = [""] * len(agents)
        for call in calls:
            me = str(call.messages[1]["content"]).partition("You are Player ")[2][:1]
            prompts[int(me)] = str(call.messages[0]["content"])
        games.append(NaiveGame(seed, agents, prompts))
    return games


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """The rows of every scripted model."""
    size = TOY if toy else FULL
    rows = []
    with TemporaryDirectory() as folder:
        for model, shown in MODELS.items():
            rows += _model(workers, Path(folder), model, shown, size)
    return rows


def _model(workers: Workers, folder: Path, model: str, shown: str, size: Size) -> list[Row]:
    arena, bare, naive = workers.of("arena"), workers.of("bare"), workers.of("naive")
    whole = {
        "model": model,
        "games": size.games,
        "concurrency": size.concurrency,
        "rounds": size.rounds,
    }
    first = folder / f"{model}.db"
    start_up = arena.run(play, database=first, **whole).start_up
    games = conversations(first)
    calls = [call for game in games for call in game]
    plain = {
        "model": model,
        "games": naive_games(first, games, size.naive_games),
        "rounds": size.rounds,
    }
    bare.run(send, model=model, calls=calls[:20])
    naive.run(play_naively, database=folder / f"{model}-n.db", **{**plain, "games": []})
    ours, loops, switched, naives, insides = [], [], [], [], []
    for turn in range(size.repetitions):
        loops.append(bare.run(send, model=model, calls=calls).per_cpu)
        played = arena.run(play, database=folder / f"{model}-{turn}.db", **whole).steady
        ours.append(played.per_cpu)
        switched.append(bare.run(send, model=model, calls=calls, quiet=True).per_cpu)
        obvious = naive.run(play_naively, database=folder / f"{model}-n{turn}.db", **plain)
        naives.append(obvious.turns / obvious.cpu)
        insides.append(obvious.turns / obvious.inside)
    mine = {"arena turns/CPU s": median(ours)}
    return [
        Row(
            PART,
            f"arena, {shown} / bare litellm.acompletion",
            ratios(ours, loops),
            target=0.85,
            numbers={
                **mine,
                "bare calls/CPU s": median(loops),
                "turns": len(calls),
                "start-up CPU s, once": start_up,
            },
        ),
        Row(
            PART,
            f"arena, {shown} / bare, LiteLLM's callbacks off as in the arena",
            ratios(ours, switched),
            numbers={**mine, "bare calls/CPU s": median(switched)},
        ),
        Row(
            PART,
            f"arena, {shown} / ORM commit per turn, process per game already started",
            ratios(ours, insides),
            target=1.7,
            numbers={**mine, "obvious turns/CPU s": median(insides)},
        ),
        Row(
            PART,
            f"arena, {shown} / the same, with starting the processes",
            ratios(ours, naives),
            numbers={**mine, "obvious turns/CPU s": median(naives)},
        ),
    ]
