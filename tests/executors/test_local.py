"""The local executor: so many at once, in order, and the first error ends it."""

from __future__ import annotations

import asyncio

import pytest

from arena.core.execution import Slot
from arena.executors.local import LocalExecutor


def test_no_more_than_concurrency_run_at_once_and_they_start_in_order() -> None:
    running, most, started = 0, 0, []

    async def play(item: int, slot: Slot) -> None:
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

    async def play(item: int, slot: Slot) -> None:
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


def test_a_piece_that_only_waits_lends_its_slot_and_has_it_again() -> None:
    woken = asyncio.Event()
    running, most, diary = 0, 0, []

    async def play(item: int, slot: Slot) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if item == 0:
            running -= 1
            with slot.lent():
                await woken.wait()
            running += 1
            most = max(most, running)
        elif item == 3:
            woken.set()
        await asyncio.sleep(0)
        diary.append(item)
        running -= 1

    asyncio.run(LocalExecutor(concurrency=1).run(range(6), play))

    assert most <= 2, "one that plays, one that has come back"
    assert diary[:2] == [1, 2]
    assert sorted(diary) == [0, 1, 2, 3, 4, 5]


def test_pieces_that_wait_are_not_opened_without_end() -> None:
    opened = []

    async def main() -> None:
        never = asyncio.Event()

        async def play(item: int, slot: Slot) -> None:
            opened.append(item)
            with slot.lent():
                await never.wait()

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await LocalExecutor(concurrency=2).run(range(100), play)

    asyncio.run(main())

    assert len(opened) == 8


def test_the_last_piece_has_its_slot_again_when_no_work_is_left() -> None:
    done = []

    async def play(item: int, slot: Slot) -> None:
        with slot.lent():
            await asyncio.sleep(0.01)
        done.append(item)

    async def main() -> None:
        async with asyncio.timeout(5):
            await LocalExecutor(concurrency=1).run(range(2), play)

    asyncio.run(main())

    assert done == [0, 1]


def test_who_comes_back_waits_for_nobody() -> None:
    """Whoever has the slot meanwhile may wait for what the first one holds."""

    async def main() -> None:
        lock, woken = asyncio.Lock(), asyncio.Event()

        async def play(item: int, slot: Slot) -> None:
            if item == 0:
                with slot.lent():
                    await lock.acquire()
                    await woken.wait()
                lock.release()
            else:
                woken.set()
                async with lock:
                    pass

        async with asyncio.timeout(5):
            await LocalExecutor(concurrency=1).run(range(3), play)

    asyncio.run(main())


def test_a_slot_is_only_lent_when_that_is_worth_it() -> None:
    most, playing = 0, set()

    async def play(item: int, slot: Slot) -> None:
        nonlocal most
        playing.add(item)
        with slot.lent(worth=lambda: False):
            most = max(most, len(playing))
            await asyncio.sleep(0.02)
        playing.remove(item)

    asyncio.run(LocalExecutor(concurrency=2).run(range(6), play))

    assert most == 2
