"""Work in a thread has ended when its caller goes on, cancelled or not."""

from __future__ import annotations

import asyncio
import threading

import pytest

from arena.core.threads import in_spare_thread, in_thread, noting_steps, read_aside


def test_it_gives_what_the_work_returns_and_raises_what_it_raises() -> None:
    async def main() -> None:
        assert await in_thread(pow, 2, 5) == 32
        assert await in_thread(threading.current_thread) is not threading.current_thread()
        with pytest.raises(ZeroDivisionError):
            await in_thread(divmod, 1, 0)

    asyncio.run(main())


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("fails", [False, True])
def test_a_cancelled_caller_waits_for_the_work_and_undoes_it(times: int, fails: bool) -> None:
    begun, go_on = threading.Event(), threading.Event()
    heard: list[str] = []

    def work() -> str:
        begun.set()
        assert go_on.wait(20)
        heard.append("worked")
        if fails:
            raise OSError("too late to matter")
        return "lease"

    async def main() -> None:
        caller = asyncio.create_task(
            in_thread(work, undo=lambda made: heard.append(f"undid {made}"))
        )
        assert await in_thread(begun.wait, 20)
        for _ in range(times):
            caller.cancel()
            for _ in range(5):
                await asyncio.sleep(0)
        assert not caller.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert heard == ["worked"] if fails else ["worked", "undid lease"]

    asyncio.run(main())


def test_a_loop_that_ends_waits_too() -> None:
    """`asyncio.run` cancels the tasks that are left, and the thread with none of them."""
    begun, go_on = threading.Event(), threading.Event()
    heard: list[str] = []

    async def caller() -> None:
        try:
            await in_thread(work)
        finally:
            heard.append("caller left")

    def work() -> None:
        begun.set()
        assert go_on.wait(20)
        heard.append("worked")

    async def main() -> None:
        left = asyncio.create_task(caller())
        assert await in_thread(begun.wait, 20)
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        assert not left.done()

    asyncio.run(main())

    assert heard == ["worked", "caller left"]


def test_a_long_text_is_read_beside_the_loop_and_a_short_one_at_once() -> None:
    async def main() -> None:
        here = threading.current_thread()
        assert await read_aside("short", threading.current_thread) is here
        assert await read_aside("long" * 10_000, threading.current_thread) is not here

    asyncio.run(main())


@pytest.mark.parametrize("error", [ZeroDivisionError, StopIteration, SystemExit])
def test_work_in_a_spare_thread_raises_what_it_raises(error: type[BaseException]) -> None:
    def work() -> None:
        raise error(3)

    async def main() -> None:
        with pytest.raises(RuntimeError if error is StopIteration else error):
            await in_spare_thread(work, name="spare")

    asyncio.run(main())


def test_work_that_is_given_up_goes_on_and_nobody_hears_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert go_on.wait(20)
        ended.set()
        raise OSError("too late to matter")

    async def main() -> None:
        caller = in_spare_thread(work, name="spare")
        assert await in_thread(begun.wait, 20)
        caller.cancel()
        await asyncio.sleep(0)
        go_on.set()
        assert await in_thread(ended.wait, 20)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert caplog.records == []


def test_steps_are_noted_and_errors_and_cancellation_reach_the_work() -> None:
    steps: list[float] = []
    heard: list[str] = []

    async def work(future: asyncio.Future[int]) -> int:
        try:
            found = await future
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise
        await asyncio.sleep(0)
        if found == 0:
            raise ZeroDivisionError
        return found

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for found in (7, 0):
            future = loop.create_future()
            loop.call_soon(future.set_result, found)
            if found:
                assert await noting_steps(work(future), steps.append) == 7
                assert len(steps) == 3
            else:
                with pytest.raises(ZeroDivisionError):
                    await noting_steps(work(future), steps.append)
        task = asyncio.create_task(noting_steps(work(loop.create_future()), steps.append))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert heard == ["cancelled"]
