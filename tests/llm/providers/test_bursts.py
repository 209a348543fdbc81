"""A stream whose chunks are all there at once leaves the event loop to others in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from arena.llm.failures.inside import Heard
from arena.llm.providers.litellm import _streamed


def _chunk() -> dict[str, Any]:
    time.sleep(0.001)
    return {"choices": [{"delta": {"content": "x"}}]}


class Burst:
    """Fifty chunks without a wait, each of which takes a millisecond to be made."""

    received_finish_reason = "stop"
    chunks: tuple[Any, ...] = ()

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        for _ in range(50):
            yield _chunk()


def test_others_have_their_turn_while_a_burst_is_read() -> None:
    async def main() -> tuple[str, int]:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        answer = await _streamed(Burst(), Heard(), False)
        task.cancel()
        return answer.completion.text, turns

    text, turns = asyncio.run(main())

    assert text == "x" * 50
    assert turns >= 2
