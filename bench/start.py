"""What a command costs that does nothing: the CPU of a whole process of `arena --help`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.measure import Row, children_cpu, median
from bench.workers import Workers

PART = "start"


def command() -> list[str]:
    """The installed script where it is, else the module behind it."""
    script = Path(sys.executable).parent / "arena"
    return [str(script)] if script.exists() else [sys.executable, "-m", "arena.cli"]


def cpu_of(arguments: list[str]) -> float:
    """Seconds of CPU of a process from its start to its end."""
    before = children_cpu()
    subprocess.run(
        arguments, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "100"}
    )
    return children_cpu() - before


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """One row; a bare interpreter beside it, because it is part of the figure."""
    helped, bare = [], []
    for _ in range(1 if toy else 9):
        helped.append(cpu_of([*command(), "--help"]))
        bare.append(cpu_of([sys.executable, "-c", "pass"]))
    return [
        Row(
            PART,
            "CPU of `arena --help`",
            helped,
            unit="s",
            target=0.4,
            at_most=True,
            numbers={"a bare interpreter s": median(bare)},
        )
    ]
