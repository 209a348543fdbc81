"""An event loop that stands still for minutes of its own clock while a program really answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from arena.core import Message
from arena.llm.pacing.loop_lag import LoopLag
from arena.llm.providers.protocol import Answer, ProviderSettings
from arena.llm.providers.stopwatch import timed
from arena.remote.provider import RemoteEndpoint
from arena.testing.providers import no_policy

LIMIT = 60.0
HELD = 600.0


class HeldLoop(asyncio.SelectorEventLoop):
    """`time()` is in seconds, of which `hold` adds some."""

    held = 0.0

    def time(self) -> float:
        return super().time() + self.held

    def hold(self, seconds: float, until: Callable[[], bool]) -> None:
        """The callback that is running takes so long, and until then something has happened."""
        while not until():
            time.sleep(0.005)
        self.held += seconds


def held_until(
    prepare: Callable[[ProviderSettings], RemoteEndpoint],
    turns: Sequence[Sequence[Message]],
    *,
    asked: Callable[[], bool],
    answer_now: Callable[[], None],
    answered: Callable[[], bool],
) -> tuple[Answer, float]:
    """The answer to the last of the turns, and the seconds of lag on its record. Once the program
    was `asked`, the loop is held, the program is told to `answer_now`, which it has waited for, and
    the loop stands still until it has `answered`, and for ten times its limit."""
    loop = HeldLoop()

    async def main() -> tuple[Answer, float]:
        endpoint = prepare(ProviderSettings(LIMIT, no_policy))

        def look() -> None:
            if asked():
                answer_now()
                loop.hold(HELD, answered)
            else:
                loop.call_later(0.001, look)

        try:
            for turn in turns[:-1]:
                await endpoint.ask(turn, None)
            async with timed(LoopLag(), most=LIMIT) as watch:
                # What it is asked has left with the first step of the task.
                asking = asyncio.create_task(endpoint.ask(turns[-1], None))
                loop.call_soon(loop.call_soon, look)
                answer = await asking
            assert watch.answering() < LIMIT
            return answer, watch.lagging()
        finally:
            await endpoint.program.aclose()
            await asyncio.sleep(0.05)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main())
