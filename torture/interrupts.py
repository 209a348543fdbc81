"""Ctrl-C once and twice, and SIGTERM, while games are played."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from torture.databases import Kind, moments
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
# A game that begins at the moment of the signal is one that runs.
HEARD = timedelta(seconds=0.1)
INTERRUPTED = 130


def rows(harness: Harness, service: Service, kind: Kind, alone: Undisturbed) -> Iterator[Row]:
    for name, signals, orphans in PRESSED:
        scene = Scene(harness, service, PART, name, kind)
        yield from _pressed(scene, name, signals, orphans, alone)


def _pressed(
    scene: Scene, name: str, signals: Sequence[int], orphans: int, alone: Undisturbed
) -> Iterator[Row]:
    command = scene.start_and_wait(alone.census.calls.total() // 3)
    first = command.signal(signals[0])
    pressed = datetime.now(UTC) + HEARD
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
        note=f"{ended.at - (first or ended.at):.2f} s after the signal",
    )
    later = sum(start > pressed for start in moments(scene.url, "games", "started_at"))
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
    untold = "to go on: arena " not in ended.stderr
    yield Row(
        PART,
        f"{what}: tracebacks printed, or no word of how to go on",
        ended.stderr.count("Traceback") + untold,
        promised=0,
    )
    yield scene.row_of(name, alone, scene.go_on())
