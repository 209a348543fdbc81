"""The arena against a server on loopback: calls a second, beside bare LiteLLM and beside the ideal.

Every lane has a fixed number of games in flight, each with one call at a time, so that the ideal is
concurrency / latency. A rate is taken between two answers that are a whole number of rounds apart
(a round is one call of every game), after the first rounds: no start, no draining. The bare lane
sends the messages of recorded games in their order.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from arena import registry
from arena.core import Message
from arena.core.collector import set_aside
from arena.llm.providers.litellm import LiteLLM
from arena.llm.providers.protocol import ProviderSettings
from arena.orchestrator import Progress, run
from bench.arena import play
from bench.measure import Row, median, peak_memory, ratios
from bench.server import LoopbackServer
from bench.tournaments import config, conversations
from bench.workers import Workers

PART = "http"
# A name on the price list, as a hosted model's is.
MODEL = "openai/gpt-4o-mini"
TIMEOUT = 120
SHORTEST_GAME = 20  # turns


@dataclass(frozen=True, slots=True)
class Cell:
    """A latency in seconds, the games in flight, and the rounds before and in the window.

    `beyond` rounds are played after it, once, by the arena, so that memory is that of games of
    some length. `together`: the lanes use so little that they may be measured at the same time.
    """

    latency: float
    games: int
    before: int
    rounds: int
    repetitions: int = 3
    beyond: int = 0
    together: bool = False

    @property
    def calls(self) -> int:
        return (self.before + self.rounds) * self.games

    @property
    def ideal(self) -> float:
        """Calls a second; without latency there is no ideal."""
        return self.games / self.latency if self.latency else float("inf")


FULL = (
    Cell(0, 1, 200, 600),
    Cell(0, 100, 2, 6),
    Cell(0, 1000, 1, 1, repetitions=2),
    Cell(0.5, 1, 3, 12, repetitions=1, together=True),
    Cell(0.5, 100, 2, 10),
    Cell(5, 1, 1, 4, repetitions=1, together=True),
    Cell(5, 100, 1, 3, repetitions=1, together=True),
    Cell(5, 1000, 1, 2, repetitions=1),
    Cell(0.5, 1000, 1, 1, repetitions=2, beyond=6),
)
TOY = (Cell(0, 2, 1, 2, repetitions=1), Cell(0.01, 3, 1, 2, repetitions=1, beyond=1))


def through_arena(url: str, database: Path, games: int, calls: int) -> float:
    """Play until `calls` calls were made: the most memory that was held, in MiB."""

    async def until() -> None:
        task: asyncio.Task[object]

        def look(progress: Progress) -> None:
            if progress.games_void:
                raise RuntimeError("a game against the loopback server is void")
            if progress.calls >= calls + games:
                task.cancel()

        total = games + calls // SHORTEST_GAME + 1
        tournament = config(MODEL, games=total, concurrency=games, api_base=url)
        task = asyncio.create_task(run(tournament, url=database, on_progress=look))
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(until())
    return peak_memory()


def through_litellm(
    url: str, games: int, calls: int, conversations: Sequence[Sequence[list[Message]]]
) -> None:
    """As many tasks as games, each sending the messages of one recorded game after another."""
    LiteLLM(ProviderSettings(TIMEOUT, registry.policy)).load()
    set_aside()

    async def all_of_them() -> None:
        import litellm

        left = itertools.count(calls + games, -1)

        async def game(number: int) -> None:
            for conversation in itertools.cycle(conversations[number % len(conversations) :]):
                for messages in conversation:
                    if next(left) <= 0:
                        return
                    await litellm.acompletion(
                        model=MODEL,
                        messages=messages,
                        api_base=url,
                        api_key="none",
                        max_retries=0,
                        timeout=TIMEOUT,
                    )

        await asyncio.gather(*(game(number) for number in range(games)))
        await litellm.close_litellm_async_clients()
        litellm.in_memory_llm_clients_cache.flush_cache()

    asyncio.run(all_of_them())


def rate(times: Sequence[float], cell: Cell) -> float:
    """Calls a second in the cell's window."""
    first, last = cell.before * cell.games - 1, cell.calls - 1
    return (last - first) / (times[last] - times[first])


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """Three rows for each latency and number of games, and the memory."""
    with TemporaryDirectory() as folder, LoopbackServer() as server:
        place = Path(folder)
        recorded = place / "recorded.db"
        workers.of("bare").run(
            play, model="bench-fixed", database=recorded, games=12, concurrency=12, rounds=3
        )
        sent = [[call.messages for call in game] for game in conversations(recorded)]
        return _Measurement(workers, server, place, sent).rows(TOY if toy else FULL)


class _Measurement:
    """What the cells share: the lanes' processes, the server, and what LiteLLM alone can do."""

    def __init__(
        self,
        workers: Workers,
        server: LoopbackServer,
        folder: Path,
        sent: Sequence[Sequence[list[Message]]],
    ) -> None:
        self.arena = workers.of("arena")
        self.bare = workers.of("bare")
        self.server = server
        self.folder = folder
        self.sent = sent
        self.ceiling = 0.0

    def rows(self, cells: Sequence[Cell]) -> list[Row]:
        # Imports and first connections, so that no cell pays for them.
        self._lanes(Cell(0, 2, 1, 1), "warm-up")
        rows = []
        for cell in cells:
            rows += self._cell(cell)
        return rows

    def _cell(self, cell: Cell) -> list[Row]:
        ours, bare, peak = [], [], 0.0
        for turn in range(cell.repetitions):
            played = replace(cell, beyond=0) if turn else cell
            mine, other, held = self._lanes(played, f"{cell.latency}-{cell.games}-{turn}")
            print(f"        {cell}: arena {mine:.4g}, bare {other:.4g} calls/s", file=sys.stderr)
            ours.append(mine)
            bare.append(other)
            peak = max(peak, held)
        if not cell.latency:
            self.ceiling = max(self.ceiling, median(bare))
        what = f"{cell.latency:g} s, {cell.games:,} in flight"
        rows = [
            Row(
                PART,
                f"{what}: arena / bare litellm.acompletion",
                ratios(ours, bare),
                target=0.9,
                numbers={"arena calls/s": median(ours), "bare calls/s": median(bare)},
            )
        ]
        if cell.latency:
            below = cell.ideal < self.ceiling
            rows.append(
                Row(
                    PART,
                    f"{what}: arena / the ideal",
                    [value / cell.ideal for value in ours],
                    target=0.95 if below else None,
                    numbers={
                        "ideal calls/s": cell.ideal,
                        "bare / the ideal": median(bare) / cell.ideal,
                    },
                    note="" if below else f"LiteLLM alone: {self.ceiling:.0f} calls/s at most",
                )
            )
        if cell.beyond:
            rows.append(
                Row(
                    PART,
                    f"{what}: peak memory of the arena",
                    [peak],
                    unit="MiB",
                    target=1024.0,
                    at_most=True,
                    numbers={"calls of each game": cell.before + cell.rounds + cell.beyond},
                )
            )
        return rows

    def _lanes(self, cell: Cell, name: str) -> tuple[float, float, float]:
        """Calls a second of the arena and of bare LiteLLM, and the arena's peak memory."""
        arena = {
            "url": self.server.url(f"arena-{name}", cell.latency, cell.games),
            "database": self.folder / f"{name}.db",
            "games": cell.games,
            "calls": cell.calls + cell.beyond * cell.games,
        }
        bare = {
            "url": self.server.url(f"bare-{name}", cell.latency, cell.games),
            "games": cell.games,
            "calls": cell.calls,
            "conversations": self.sent,
        }
        if cell.together:
            waiting = self.arena.start(through_arena, **arena)
            self.bare.run(through_litellm, **bare)
            peak = waiting()
        else:
            self.bare.run(through_litellm, **bare)
            peak = self.arena.run(through_arena, **arena)
        ours = rate(self.server.times(f"arena-{name}"), cell)
        return ours, rate(self.server.times(f"bare-{name}"), cell), peak
