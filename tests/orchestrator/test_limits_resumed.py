"""A run that is killed and resumed at once goes on within its limits, by the server's own count."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from arena import registry
from arena.config import TournamentConfig
from arena.llm.pacing.limits import Limits, ModelLimits, SentBefore
from arena.orchestrator import run
from arena.orchestrator.schedule import sent_lately
from db import get_session
from tests.servers.openai_server import OpenAIServer
from torture import virtual_time

Small = Callable[..., TournamentConfig]
PER_MINUTE = 20
KILLED = 4

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


async def killed(config: TournamentConfig, url: str, asked: threading.Event) -> None:
    """Play until one request more has come in; then nothing is said to the database any more."""
    asked.clear()
    running = asyncio.create_task(run(config, url=url))
    await asyncio.to_thread(asked.wait, 60.0)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def test_a_run_that_is_killed_again_and_again_sends_no_more_than_its_limit(
    small: Small, database_url: str
) -> None:
    asked = threading.Event()

    def legal(body: dict[str, Any]) -> str:
        asked.set()
        return registry.policy("random")(body["messages"], random.Random(1))

    with OpenAIServer(legal) as server:
        one = (
            f"api_base: {server.url}, params: {{max_tokens: 50}}, "
            f"limits: {{requests_per_minute: {PER_MINUTE}}}"
        )
        config = small(
            ("{name: random, litellm_model: scripted/random}",
             f"{{name: random, litellm_model: openai/one, {one}}}"),
        )  # fmt: skip
        for _ in range(KILLED):
            asyncio.run(killed(config, database_url, asked))

    times = [request.at for request in server.requests]
    assert len(times) >= KILLED
    # They leave one by one, three seconds apart, whoever sends them.
    assert times[-1] - times[0] > 0.9 * (len(times) - 1) * 60.0 / PER_MINUTE
    with get_session(database_url) as session:
        found = sent_lately(session, 1)
    assert len(found["random"]) == len(times), "what was in flight was sent too"


def sends(limits: ModelLimits, sent: list[SentBefore], calls: int, tokens: int) -> list[float]:
    """At which second each of the calls of a run leaves that begins now."""

    async def main() -> list[float]:
        gate = Limits({"m": limits}, sent={"m": sent}).gate("m")
        loop, left = asyncio.get_running_loop(), []
        for _ in range(calls):
            with await gate.enter(tokens) as permit:
                left.append(loop.time())
                permit.succeeded(tokens)
        return left

    return virtual_time.run(main())


@pytest.mark.parametrize(
    ("sent", "begins"),
    [
        ([], 0),
        ([(0, 6_000)], 61),  # A whole minute's a moment ago
        ([(30, 6_000)], 31),
        ([(59, 3_000), (30, 3_000)], 2),
        ([(70, 6_000)], 0),
        ([(0, None)], 61),  # Nobody knows how large it was
        ([(0, None), (0, 1_500)], 30),  # As large as the other, at most
        ([(-3600, 1_500)], 15),  # By a clock that is ahead
    ],
)
def test_tokens_of_the_last_minute_are_paid_before_the_next_call(
    sent: list[tuple[int, int | None]], begins: int
) -> None:
    now = datetime.now(UTC)
    before = [SentBefore(now - timedelta(seconds=ago), tokens) for ago, tokens in sent]

    first, second = sends(ModelLimits(tokens_per_minute=6_000), before, 2, 600)

    assert first == pytest.approx(begins, abs=2.0)
    assert second - first == pytest.approx(6.0, abs=1.5)
