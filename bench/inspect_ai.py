"""Inspect AI playing what the arena plays: a sample a game, a call of its OpenAI provider a turn.

It runs in a process that has Inspect's own packages in front of the arena's (`make` puts them into
`.venv/inspect`), so that nothing of the arena is imported here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.measure import Sample


def inspecting(
    url: str, logs: Path, games: Sequence[Sequence[Sequence[dict[str, Any]]]], in_flight: int
) -> Sample:
    """Ask for every turn of these games, each with the conversation that the arena sent for it,
    with as many games in flight, and Inspect's usual log: the calls, and the CPU and the time from
    the first sample's beginning to the end of the log."""
    ai, model = import_module("inspect_ai"), import_module("inspect_ai.model")
    solvers = import_module("inspect_ai.solver")
    dataset = import_module("inspect_ai.dataset")
    begun: list[tuple[float, float]] = []
    speakers = {"system": model.ChatMessageSystem, "user": model.ChatMessageUser}

    @solvers.solver  # type: ignore[untyped-decorator]
    def turns() -> Any:
        async def solve(state: Any, generate: Any) -> Any:
            begun.append((time.process_time(), time.perf_counter()))
            for said in games[state.sample_id - 1]:
                state.messages = [speakers[one["role"]](content=one["content"]) for one in said]
                state = await generate(state)
                if not state.output.completion:
                    raise RuntimeError("the loopback server gave Inspect no answer")
            return state

        return solve

    asked = model.get_model(
        "openai/gpt-4o-mini", base_url=url, api_key="none", responses_api=False, memoize=False
    )
    samples = [dataset.Sample(id=n + 1, input="Play.") for n in range(len(games))]
    (log,) = ai.eval(
        ai.Task(dataset=samples, solver=turns()),
        model=asked,
        log_dir=str(logs),
        display="none",
        max_samples=in_flight,
        max_connections=in_flight,
    )
    if log.status != "success":
        raise RuntimeError(f"Inspect's run ended with {log.status}: {log.error}")
    cpu, wall = begun[0]
    return Sample(sum(map(len, games)), time.process_time() - cpu, time.perf_counter() - wall)
