"""The local executor: so many at once, in order, and the first error ends it."""

from __future__ import annotations

import asyncio

import pytest

from arena.executors.local import LocalExecutor


def test_no_more_than_concurrency_run_at_once_and_they_start_in_order() -> None:
    running, most, started = 0, 0, []

    async def play(item: int) -> None:
        nonlocal running, most
        started.append(item)
        running += 1
        most = max(most, running)
        for _ in range(item % 5):
            await asyncio.sleep(0)
        running -= 1

    asyncio.run(LocalExecutor(concurrency=3).run(range(20), play))

    assert started == list(range(20))
    assert most == 3


def test_the_first_error_cancels_the_others_and_comes_out_as_it_is() -> None:
    cancelled = []

    async def play(item: int) -> None:
        if item == 1:
            raise ValueError("one")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(item)
            raise

    with pytest.raises(ValueError, match="one"):
        asyncio.run(LocalExecutor(concurrency=3).run(range(9), play))

    assert sorted(cancelled) == [0, 2]
