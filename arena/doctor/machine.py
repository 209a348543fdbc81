"""This machine and this process: Python, its clocks, open files, memory."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from arena.config import TournamentConfig
from arena.core import UsageError
from arena.doctor.diagnosis import Diagnosis
from arena.orchestrator.file_limits import allow_files, check_files

_MEMORY_LOW = 10**9  # bytes
_LOOK_S = 0.05
_DRIFT = 0.5  # of the time between two looks


def of_machine(config: TournamentConfig | None) -> Iterator[Diagnosis]:
    """What a tournament of this configuration, or an ordinary one, needs of it."""
    release = ".".join(map(str, sys.version_info[:3]))
    yield Diagnosis(
        "Python", "ok", f"{release} on {platform.system()}, {os.cpu_count()} processors"
    )
    yield _clocks()
    yield _files(256 if config is None else config.concurrency)
    yield from _memory()


def _clocks() -> Diagnosis:
    wall, steady = time.time(), time.monotonic()
    time.sleep(_LOOK_S)
    passed, told = time.monotonic() - steady, time.time() - wall
    if passed <= 0 or abs(told - passed) > _DRIFT * passed + _LOOK_S:
        return Diagnosis(
            "time",
            "warning",
            f"the clock moved by {told:.2f} s while {passed:.2f} s went by",
            "look at what sets it: no lease and no limit rests on it, but times on record do",
        )
    return Diagnosis("time", "ok", "the clock and the count of seconds agree")


def _files(calls: int) -> Diagnosis:
    try:
        allow_files(calls)
        check_files(calls)
    except UsageError as error:
        said, _, advice = str(error).partition(": type ")
        return Diagnosis("open files", "wrong", said, f"type {advice}")
    return Diagnosis("open files", "ok", f"enough for {calls:,} games at once")


def _memory() -> Iterator[Diagnosis]:
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        free = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        # Another system than Linux says it otherwise.
        return
    said = f"{free / 1e6:,.1f} GB free"
    if free * 1024 < _MEMORY_LOW:
        yield Diagnosis("memory", "warning", said, "a run takes about 0.5 GB, a worker 0.3 GB")
    else:
        yield Diagnosis("memory", "ok", said)
