"""Whoever is waited for has its own time, whatever holds our loop; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from arena.core import Observation
from arena.core.tools import ToolFunction
from arena.llm.pacing.deadlines import within
from arena.llm.pacing.loop_lag import LoopLag
from arena.llm.providers.stopwatch import Stopwatch, stopwatch, timed
from arena.llm.toolbox import Toolbox
from torture import virtual_time
from torture.virtual_time import VirtualTimeLoop

LIMIT = 5.0


def loop() -> VirtualTimeLoop:
    running = asyncio.get_running_loop()
    assert isinstance(running, VirtualTimeLoop)
    return running


async def holding(seconds: float, answer: asyncio.Event) -> None:
    """Others hold the loop; the answer comes meanwhile, and is read by a task behind a task."""
    loop().hold(seconds)
    for _ in range(4):
        await asyncio.sleep(0)
    answer.set()


@pytest.mark.parametrize("held", [0.0, 4.0, 600.0])
def test_an_answer_that_was_there_before_we_looked_is_no_timeout(held: float) -> None:
    async def main() -> None:
        answer = asyncio.Event()
        async with within(LIMIT):
            await asyncio.sleep(LIMIT - 0.001)
            others = asyncio.create_task(holding(held, answer))
            await answer.wait()
        await others

    virtual_time.run(main())


@pytest.mark.parametrize("held", [0.0, 600.0])
def test_who_says_nothing_has_its_own_time_and_no_more(held: float) -> None:
    async def waited() -> None:
        async with within(LIMIT):
            await asyncio.sleep(1.0)
            loop().hold(held)
            await asyncio.Event().wait()

    async def main() -> float:
        with pytest.raises(TimeoutError):
            await waited()
        return loop().time()

    assert virtual_time.run(main()) == pytest.approx(held + LIMIT, abs=0.05)


def test_an_attempt_leaves_its_end_to_an_endpoint_that_limits_it() -> None:
    """A late answer is a fault of the endpoint's, which is told as one and not as a timeout."""

    async def main() -> tuple[str, Stopwatch]:
        async with timed(LoopLag(), most=LIMIT) as watch:
            stopwatch().preparing()
            await asyncio.sleep(2.0)  # for a connection
            watch.sent()
            with pytest.raises(TimeoutError):
                async with watch.answered_within(LIMIT):
                    await asyncio.Event().wait()
            return "late", watch

    said, watch = virtual_time.run(main())
    assert said == "late"
    assert watch.answering() == pytest.approx(LIMIT, abs=0.05)


class Fetching:
    """A tool that waits for another side, which answers after `seconds`, while others hold the loop
    for as long as they do."""

    version = 1
    repeatable = True
    functions: Sequence[ToolFunction] = (ToolFunction("fetch", "Fetches."),)

    def __init__(self, seconds: float, *, others: float = 0.0) -> None:
        self.seconds = seconds
        self.others = others

    async def call(
        self, function: str, arguments: Mapping[str, Any], observation: Observation
    ) -> str:
        answer = asyncio.Event()
        asyncio.get_running_loop().call_later(self.seconds, answer.set)
        others = asyncio.create_task(holding(self.others, asyncio.Event()))
        await answer.wait()
        await others
        return "fetched"


@pytest.mark.parametrize(
    ("seconds", "others", "error", "took"),
    [
        pytest.param(2.0, 0.0, None, 2.0, id="in time"),
        pytest.param(2.0, 600.0, None, 0.0, id="in time, and the loop was held"),
        pytest.param(700.0, 0.0, "timeout", 5.0, id="late"),
        pytest.param(700.0, 600.0, "timeout", 5.0, id="late, and the loop was held"),
    ],
)
def test_a_tool_is_not_timed_out_by_what_others_do(
    seconds: float, others: float, error: str | None, took: float
) -> None:
    box = Toolbox([("web", Fetching(seconds, others=others))])
    seen = Observation(0, 0, "", "")
    answer = virtual_time.run(box.run("fetch", "{}", seen, LIMIT))

    assert answer.error == error
    assert answer.took_ms == pytest.approx(took * 1e3, abs=50.0), "the lag is none of its time"
