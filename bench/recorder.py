"""The recorder alone: committed turns a second, beside an ORM commit for every turn.

Both write the same turns, into a file with synchronous=FULL and into a PostgreSQL server with
fsync: an observation, the messages of one call, its answer, the action. The recorder commits a turn
twice, as the arena has it do: the intent before the request, the rest before the game moves.
"""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from arena.core import CallAnswer, Message, Pairing, Usage
from bench.measure import Row, Sample, median, ratios
from bench.plain import PlainGame, open_plain, record
from bench.policies import prose
from bench.postgres import postgresql
from bench.tournaments import PROMPTS
from bench.workers import Workers
from db import Recorder, Repository, get_session, init_db
from db.writer.calls import CallAnswered, CallIntended
from db.writer.subject import Record
from db.writer.turns import TurnActed, TurnOpened

PART = "recorder"
MODEL = "openai/some-model"
PLAYERS = 6
TICK = 0.001


@dataclass(frozen=True, slots=True)
class Size:
    games: int
    orm_games: int
    turns: int
    repetitions: int


FULL = Size(games=256, orm_games=24, turns=30, repetitions=5)
TOY = Size(games=6, orm_games=2, turns=4, repetitions=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """What there is to record of one turn of a game."""

    number: int
    player: int
    observation: str
    messages: list[Message]
    text: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """Turns committed, and the longest time in seconds for which the event loop was held; `own`
    is the CPU that the loop's thread used in that time. The rest it waited, for the interpreter
    lock or for other programs."""

    sample: Sample
    held: float
    own: float


def turns_of_a_game(count: int, rng: random.Random) -> list[Turn]:
    """A game of talk: every player sees the rules and everything that was said before."""
    system = (PROMPTS / "mafia-plain.md").read_text()
    rules = f"[GAME] Welcome to Secret Mafia! {prose(rng, 600)}"
    said = ""
    turns = []
    for number in range(count):
        observation = f"{rules}{said}"
        text = prose(rng, 300)
        messages: list[Message] = [
            {"role": "system", "content": system},
            {"role": "user", "content": observation},
        ]
        turns.append(Turn(number, number % PLAYERS, observation, messages, text))
        said += f"\n[Player {number % PLAYERS}] {text}"
    return turns


def scheduled(database: Path | str, games: int) -> list[int]:
    """A fresh database with a tournament of `games` games: their keys."""
    init_db(database)
    with get_session(database) as session:
        repo = Repository(session)
        model = repo.create_model(name="one", litellm_model_name=MODEL)
        kind = repo.create_kind(name="thinking")
        agents = []
        for index in range(PLAYERS):
            prompt = repo.create_prompt(name=f"p{index}", content=f"Play {index}.")
            parts = (model.id or 0, kind.id or 0, prompt.id or 0)
            agents.append(repo.create_agent(parts[1], parts[0], parts[2]).id or 0)
        rules = repo.get_or_create_environment("Bench-v0", PLAYERS, package="bench", version="0")
        tournament = repo.create_tournament("bench", {}, 0, games, rules.id or 0)
        pairings = [Pairing(index, 0, index, tuple(agents)) for index in range(games)]
        return repo.schedule_games(tournament.id or 0, pairings)


def records_of(game_id: int, turn: Turn) -> tuple[Sequence[Record], Sequence[Record]]:
    """What is committed before the request leaves, and before the game moves."""
    key = (game_id, turn.number, turn.player)
    moment = datetime.now(UTC)
    stored = {
        "id": "chatcmpl-0123456789abcdef",
        "model": MODEL,
        "created": 1700000000,
        "choices": [{"text": turn.text, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 800, "completion_tokens": 75},
    }
    before = (
        TurnOpened(*key, observation=turn.observation, observed_at=moment),
        CallIntended(
            *key,
            call_index=0,
            call_number=0,
            attempt=0,
            model=MODEL,
            messages=turn.messages,
            request={"temperature": 0.7, "max_tokens": 400},
            request_hash="0123456789abcdef0123456789abcdef",
        ),
    )
    after = (
        CallAnswered(
            *key,
            CallAnswer(
                call_index=0,
                request_sent_at=moment,
                response_received_at=moment,
                total_ms=1.0,
                text=turn.text,
                response=stored,
                model_answered=MODEL,
                finish_reason="stop",
                usage=Usage(800, 75),
            ),
        ),
        TurnActed(*key, action=turn.text, acted_at=moment, response_time_ms=1, tokens_used=875),
    )
    return before, after


@contextmanager
def still_heap() -> Iterator[None]:
    """What was made for the measurement is not searched for garbage again and again."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def ticking(work: Awaitable[Any]) -> tuple[float, float]:
    """The longest time by which a task that only sleeps was late while the work was done, and the
    CPU of this thread in it."""
    worst = own = 0.0

    async def tick() -> None:
        nonlocal worst, own
        while True:
            due, used = time.perf_counter() + TICK, time.thread_time()
            await asyncio.sleep(TICK)
            late = time.perf_counter() - due
            if late > worst:
                worst, own = late, time.thread_time() - used

    ticker = asyncio.create_task(tick())
    try:
        await work
    finally:
        ticker.cancel()
    return worst, own


def idle(seconds: float) -> float:
    """The same with nothing to do: what the machine itself holds up."""
    return asyncio.run(ticking(asyncio.sleep(seconds)))[0]


def through_recorder(database: Path | str, games: int, turns: int) -> Recorded:
    """Every game at once, each a task that waits for its own commits."""
    rng = random.Random(1)
    keys = scheduled(database, games)
    bodies = [turns_of_a_game(turns, rng) for _ in range(16)]
    work = [[records_of(k, turn) for turn in bodies[i % 16]] for i, k in enumerate(keys)]

    async def game(recorder: Recorder, records: list[Any]) -> None:
        for before, after in records:
            await recorder.append(*before)
            await recorder.append(*after)

    async def play() -> Recorded:
        async with Recorder(database) as recorder:
            cpu, wall = time.process_time(), time.perf_counter()
            held, own = await ticking(
                asyncio.gather(*(game(recorder, records) for records in work))
            )
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            return Recorded(Sample(games * turns, cpu, wall), held, own)

    with still_heap():
        return asyncio.run(play())


def through_orm(database: Path | str, games: int, turns: int, *, executor: bool) -> Recorded:
    """Every game at once; each turn one ORM transaction, on the loop's thread or in another."""
    rng = random.Random(1)
    engine = open_plain(database)
    bodies = [turns_of_a_game(turns, rng) for _ in range(16)]
    with ThreadPoolExecutor(1) as pool:

        async def game(game_id: int, body: Sequence[Turn]) -> None:
            loop = asyncio.get_running_loop()
            for turn in body:
                commit = _committing(engine, game_id, turn)
                if executor:
                    await loop.run_in_executor(pool, commit)
                else:
                    commit()
                    await asyncio.sleep(0)

        async def play() -> Recorded:
            cpu, wall = time.process_time(), time.perf_counter()
            work = asyncio.gather(*(game(i + 1, bodies[i % 16]) for i in range(games)))
            held, own = await ticking(work)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            return Recorded(Sample(games * turns, cpu, wall), held, own)

        from sqlmodel import Session

        with Session(engine) as session:
            session.add_all([PlainGame() for _ in range(games)])
            session.commit()
        with still_heap():
            done = asyncio.run(play())
    engine.dispose()
    return done


def _committing(engine: Any, game_id: int, turn: Turn) -> Callable[[], None]:
    def commit() -> None:
        record(
            engine,
            game_id=game_id,
            turn_number=turn.number,
            player_index=turn.player,
            model=MODEL,
            messages=turn.messages,
            text=turn.text,
            sent_at=datetime.now(UTC),
            prompt_tokens=800,
            response_tokens=75,
        )

    return commit


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """Turns a second of wall time, because a commit is mostly waiting for the disk."""
    size = TOY if toy else FULL
    ours = {"games": size.games, "turns": size.turns}
    theirs = {"games": size.orm_games, "turns": size.turns}
    recorder, orm = workers.of("recorder"), workers.of("orm")
    recorded: list[Recorded] = []
    plain: list[Recorded] = []
    threaded: list[Recorded] = []
    still: list[float] = []
    with TemporaryDirectory() as folder:
        for turn in range(size.repetitions):
            place = Path(folder)
            threaded.append(
                orm.run(through_orm, database=place / f"e{turn}.db", executor=True, **theirs)
            )
            recorded.append(recorder.run(through_recorder, database=place / f"r{turn}.db", **ours))
            still.append(recorder.run(idle, seconds=0.01 if toy else recorded[-1].sample.wall))
            plain.append(
                orm.run(through_orm, database=place / f"o{turn}.db", executor=False, **theirs)
            )
    rates, on_loop, in_executor = (
        [run.sample.per_second for run in runs] for runs in (recorded, plain, threaded)
    )
    mine = {"recorder turns/s": median(rates), "games at once": size.games}
    return [
        Row(
            PART,
            "recorder / ORM commit per turn on the loop's thread",
            ratios(rates, on_loop),
            target=8.0,
            numbers={**mine, "ORM turns/s": median(on_loop)},
        ),
        Row(
            PART,
            "recorder / ORM commit per turn in an executor",
            ratios(rates, in_executor),
            target=8.0,
            numbers={**mine, "ORM turns/s": median(in_executor)},
        ),
        *_postgresql(workers, size),
        Row(
            PART,
            "recorder / ORM, turns per second of CPU",
            ratios([r.sample.per_cpu for r in recorded], [r.sample.per_cpu for r in plain]),
            numbers={
                "recorder turns/CPU s": median([r.sample.per_cpu for r in recorded]),
                "ORM turns/CPU s": median([r.sample.per_cpu for r in plain]),
            },
        ),
        Row(
            PART,
            "longest time the event loop was held",
            [run.held * 1e3 for run in recorded],
            unit="ms",
            target=20.0,
            at_most=True,
            numbers={
                "of it CPU of the loop's thread ms": median([run.own for run in recorded]) * 1e3,
                "worst repetition ms": max(run.held for run in recorded) * 1e3,
                "idle loop, same machine ms": median(still) * 1e3,
                "idle loop, worst ms": max(still) * 1e3,
                "ORM on the loop's thread ms": median([run.held for run in plain]) * 1e3,
            },
        ),
    ]


def _postgresql(workers: Workers, size: Size) -> list[Row]:
    recorder, orm = workers.of("recorder"), workers.of("orm")
    ours: list[float] = []
    theirs: list[float] = []
    with postgresql() as fresh:
        for _ in range(size.repetitions):
            mine = recorder.run(
                through_recorder, database=fresh(), games=size.games, turns=size.turns
            )
            other = orm.run(
                through_orm,
                database=fresh(),
                games=size.orm_games,
                turns=size.turns,
                executor=False,
            )
            ours.append(mine.sample.per_second)
            theirs.append(other.sample.per_second)
    return [
        Row(
            PART,
            "PostgreSQL: recorder / ORM commit per turn on the loop's thread",
            ratios(ours, theirs),
            target=5.0,
            numbers={"recorder turns/s": median(ours), "ORM turns/s": median(theirs)},
        )
    ]
