"""A run with four worker processes, whatever CPUs there are: for a process of its own."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from arena import registry
from arena.config import load
from arena.executors.processes.executor import ProcessExecutor
from arena.llm.handed_out import HandedOut
from arena.orchestrator import run

WORKERS = 4


def main(config: str, url: str) -> None:
    """Plays it, and prints how many calls were sent from chunks and what the run came to."""
    registry.executor = lambda name, concurrency: ProcessExecutor(  # type: ignore[assignment]
        concurrency=concurrency, workers=WORKERS
    )
    taken = 0
    took = HandedOut.took

    def counted(*args: object) -> None:
        nonlocal taken
        taken += 1
        took(*args)  # type: ignore[arg-type]

    HandedOut.took = counted  # type: ignore[method-assign,assignment]
    summary = asyncio.run(run(load(Path(config)), url=url))
    print(taken, summary.stopped or "")


if __name__ == "__main__":
    main(*sys.argv[1:])
