"""What a call costs of a provider that wants messages otherwise, without what carries it: LiteLLM's
own rewriting, called again, and our reading, beside the whole of LiteLLM."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from arena import registry
from arena.core import Message, ModelSpec
from arena.llm.providers.lean.path import LeanPath
from arena.llm.providers.litellm import LiteLLM
from arena.llm.providers.protocol import ProviderSettings
from bench.measure import Row, median, ratios
from bench.workers import Workers

PART = "rewriting"
MODELS = {
    "Anthropic": "anthropic/claude-sonnet-4-5",
    "Gemini": "gemini/gemini-2.5-flash",
    "Bedrock, signed": "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "Cohere": "cohere_chat/command-a-03-2025",
}
# Nothing is sent with it.
KEYS = {
    "ANTHROPIC_API_KEY": "a-key-of-the-bench",
    "GEMINI_API_KEY": "a-key-of-the-bench",
    "COHERE_API_KEY": "a-key-of-the-bench",
    "AWS_ACCESS_KEY_ID": "AKIAOFTHEBENCH",
    "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-bench",
    "AWS_REGION_NAME": "us-east-1",
}
SAID: list[Message] = [
    {"role": "system", "content": "You are player 1."},
    *(
        Message(role=role, content=f"[Player {turn}] " + "I say that it is he. " * 20)
        for turn in range(4)
        for role in ("user", "assistant")
    ),
    {"role": "user", "content": "Whom do you choose?"},
]


def costs(model: str, calls: int, repetitions: int) -> dict[str, list[float]]:
    """Seconds of CPU a call of each lane, of as many repetitions."""
    os.environ.update(KEYS)
    return asyncio.run(_costs(model, calls, repetitions))


async def _costs(model: str, calls: int, repetitions: int) -> dict[str, list[float]]:
    import httpx

    from arena.llm.providers.litellm_transport import answered

    provider = LiteLLM(ProviderSettings(60.0, registry.policy))
    endpoint = provider.prepare(ModelSpec("m", model, params={"max_tokens": 400}))
    path = await endpoint.path()
    if not isinstance(path, LeanPath):
        raise SystemExit(f"{model} is asked through LiteLLM: {path}")
    said = path.dialect.body(path.dialect.answers("answered")[0])

    def answer(_: Any, request: httpx.Request) -> httpx.Response:
        headers = {"content-type": "application/json"}
        return httpx.Response(200, headers=headers, content=said, request=request)

    async def theirs() -> None:
        with answered(answer):
            await provider.send(endpoint.kwargs, SAID)

    async def ours() -> None:
        secrets = path.secrets(None, {})
        assert secrets is not None
        assert path.head(secrets, await path.body(SAID, None)) is not None
        assert path.dialect.read(said, {}, path.prefix) is not None

    lanes: Mapping[str, tuple[Callable[[], Awaitable[None]], int]] = {
        "ours": (ours, calls),
        "litellm": (theirs, max(calls // 10, 2)),
    }
    used: dict[str, list[float]] = {name: [] for name in lanes}
    for _ in range(repetitions + 1):
        for name, (lane, times) in lanes.items():
            begun = time.process_time()
            for _ in range(times):
                await lane()
            used[name].append((time.process_time() - begun) / times)
    # What the first one imports and fills is no part of a call.
    return {name: seconds[1:] for name, seconds in used.items()}


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """One row for each provider; nothing is promised of one alone."""
    rows = []
    for name, model in MODELS.items():
        used = workers.of("litellm").run(
            costs, model=model, calls=3 if toy else 300, repetitions=1 if toy else 9
        )
        rows.append(
            Row(
                PART,
                f"CPU a call without HTTP, {name}: LiteLLM / rewritten and read",
                ratios(used["litellm"], used["ours"]),
                numbers={f"{lane}, µs a call": median(used[lane]) * 1e6 for lane in used},
            )
        )
    return rows
