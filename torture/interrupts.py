"""Ctrl-C once and twice, and SIGTERM, while games are played."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence

from torture.databases import Kind
from torture.facts import read_census
from torture.harness import Harness
from torture.rows import Row
from torture.scene import Scene
from torture.service import Service
from torture.verdict import Undisturbed

PART = "stop"
# What is pressed, and how many calls may be left without an answer: one of each running game when
# the run is not allowed to end its turns.
PRESSED: tuple[tuple[str, Sequence[int], int], ...] = (
    ("Ctrl-C once", (signal.SIGINT,), 0),
    ("Ctrl-C twice", (signal.SIGINT, signal.SIGINT), 4),
    ("SIGTERM", (signal.SIGTERM,), 0),
)
BETWEEN = 0.05  # seconds
INTERRUPTED = 130


def rows(harness: Harness, service: Service, kind: Kind, alone: Undisturbed) -> Iterator[Row]:
    for name, signals, orphans in PRESSED:
        scene = Scene(harness, service, PART, name, kind)
        yield from _pressed(scene, name, signals, orphans, alone)


def _pressed(
    scene: Scene, name: str, signals: Sequence[int], orphans: int, alone: Undisturbed
) -> Iterator[Row]:
    command = scene.start_and_wait(alone.census.calls.total() // 3)
    begun = scene.count("running", "completed")
    first = command.signal(signals[0])
    for number in signals[1:]:
        time.sleep(BETWEEN)
        command.signal(number)
    ended = command.wait(60)
    what = f"{scene.label}, {name}"
    yield Row(
        PART,
        f"{what}: exit code",
        ended.code,
        promised=INTERRUPTED,
        note=ended.last_words,
    )
    yield Row(
        PART,
        f"{what}: from the signal to the end",
        ended.at - (first or ended.at),
        unit="s",
    )
    # A game that began between the look and the signal is one that ran.
    later = scene.count("running", "completed") - begun
    yield Row(PART, f"{what}: games begun after it", later, promised=0)
    census = read_census(scene.url, scene.lane)
    left = census.unanswered.total()
    yield Row(
        PART,
        f"{what}: calls left without an answer",
        left,
        promised=orphans,
        bound="at most",
    )
    told = sum("arena run" in line or "arena resume" in line for line in ended.stderr.splitlines())
    yield Row(PART, f"{what}: lines that say how to go on", told, promised=1, bound="at least")
    traces = ended.stderr.count("Traceback")
    yield Row(PART, f"{what}: tracebacks printed", traces, promised=0)
    yield from scene.rows_of(name, alone, scene.go_on())
