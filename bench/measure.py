"""What a measurement is: one figure, its spread, its target, and the numbers behind it."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Unit = Literal["x", "ms", "s", "KiB", "MiB"]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: the median of `values`, one for each repetition, in `unit`.

    `target` is a lower bound, or an upper bound with `at_most`; None where nothing is promised.
    `numbers` are the absolute medians behind the figure, by name.
    """

    part: str
    what: str
    values: Sequence[float]
    unit: Unit = "x"
    target: float | None = None
    at_most: bool = False
    numbers: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def figure(self) -> float:
        """The median over the repetitions."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target."""
        if self.target is None:
            return None
        return self.figure <= self.target if self.at_most else self.figure >= self.target


@dataclass(frozen=True, slots=True)
class Sample:
    """Work done once: how many pieces of it, and the seconds it took."""

    count: int
    cpu: float
    wall: float

    @property
    def per_cpu(self) -> float:
        """Pieces per second of CPU."""
        return self.count / self.cpu

    @property
    def per_second(self) -> float:
        """Pieces per second of wall time."""
        return self.count / self.wall


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Ours over theirs, repetition by repetition: what shakes the machine shakes both."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def children_cpu() -> float:
    """Seconds of CPU of the processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(work: Callable[[], int]) -> Sample:
    """Run work that says how many pieces it did; CPU seconds of every thread of the process."""
    cpu, wall = time.process_time(), time.perf_counter()
    count = work()
    return Sample(count, time.process_time() - cpu, time.perf_counter() - wall)


def peak_memory() -> float:
    """The most memory that this process has held so far, in MiB. Not `ru_maxrss`, which a process
    inherits from the one that started it."""
    peak = _status("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20 if peak is None else peak


def memory() -> float:
    """The memory that this process holds now, in MiB; where no system says so the most so far."""
    held = _status("VmRSS")
    return peak_memory() if held is None else held


def _status(name: str) -> float | None:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/self/status names no {name}")
