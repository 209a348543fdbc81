"""Databases that are locked or restarted, files that may not grow, and clocks that are set back."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Literal

from torture.databases import Kind, file_of, moments
from torture.harness import Harness
from torture.rows import Row
from torture.scene import GoneOn, Scene
from torture.service import Service
from torture.verdict import Undisturbed

PART = "stop"
HOUR = 3600.0
# Seconds that a lock is held: less and more than a writer waits for one.
SHORT_LOCK, LONG_LOCK = 3.0, 40.0
# Seconds that PostgreSQL is away, beside what its stopping and starting take.
AWAY = 2.0


def locked(harness: Harness, service: Service, alone: Undisturbed, *, toy: bool) -> Iterator[Row]:
    """Another process holds a write lock on the file, for short and for long."""
    yield from _locked(Scene(harness, service, PART, "short lock"), alone, SHORT_LOCK, 0)
    if not toy:
        yield from _locked(Scene(harness, service, PART, "long lock"), alone, LONG_LOCK, None)


def _locked(scene: Scene, alone: Undisturbed, seconds: float, code: int | None) -> Iterator[Row]:
    command = scene.start_and_wait(alone.census.calls.total() // 3)
    with closing(sqlite3.connect(file_of(scene.url), timeout=10, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        command.running(seconds)
        other.execute("ROLLBACK")
    ended = command.wait()
    what = f"locked for {seconds:g} s"
    yield from ended_rows(
        f"{scene.label}, {what}", ended.code, code, ended.stderr, ended.last_words
    )
    yield scene.row_of(what, alone, scene.go_on())


def ended_rows(
    name: str, code: int, promised: int | None, stderr: str, words: str
) -> Iterator[Row]:
    """How a run ended that met with a fault: `promised` is its exit code, None for a stop with a
    message. A traceback is none."""
    traces = stderr.count("Traceback")
    words = f"{words} ({traces} tracebacks)" if traces else words
    if promised is None:
        yield Row(
            PART,
            f"{name}: exit code",
            -1 if traces else code,
            promised=1,
            bound="at least",
            note=words,
        )
    else:
        yield Row(
            PART,
            f"{name}: exit code",
            -1 if traces else code,
            promised=promised,
            note=words if code or traces else "",
        )


def restarted(harness: Harness, service: Service, alone: Undisturbed) -> Iterator[Row]:
    """PostgreSQL is stopped in the middle of a run and started again."""
    modes: tuple[Literal["fast", "immediate"], ...] = ("fast", "immediate")
    for mode in modes:
        scene = Scene(harness, service, PART, f"restart {mode}", "postgresql")
        command = scene.start_and_wait(alone.census.calls.total() // 3)
        away = harness.databases.server.restart(mode, pause=AWAY)
        ended = command.wait()
        what = f"restarted ({mode})"
        name = f"{scene.label}, {what}"
        yield Row(PART, f"{name}: away for", away, unit="s")
        yield from ended_rows(name, ended.code, 0, ended.stderr, ended.last_words)
        yield scene.row_of(what, alone, GoneOn(ended, None))


def clock(harness: Harness, service: Service, kind: Kind, alone: Undisturbed) -> Iterator[Row]:
    """The clock is set back an hour: in the middle of a run, and between a kill and the next run.

    Inside the run's own process: what `time.time` and `datetime.now` say to the arena and to the
    database's code. The machine's clock, and the monotonic one, stay as they are.
    """
    scene = Scene(harness, service, PART, "clock in mid-run", kind)
    ended = scene.start(clock=(alone.startup + alone.playing / 2, -HOUR)).wait()
    what = "clock set back an hour in mid-run"
    yield from ended_rows(f"{scene.label}, {what}", ended.code, 0, ended.stderr, ended.last_words)
    yield _jump(scene, what)
    yield scene.row_of(what, alone, GoneOn(ended, None))

    scene = Scene(harness, service, PART, "clock between", kind)
    command = scene.start_and_wait(alone.census.calls.total() // 3)
    command.signal()
    command.wait()
    harness.databases.settle(scene.url)
    what = "clock set back an hour after a kill"
    last = scene.go_on(clock=(0.0, -HOUR))
    yield _jump(scene, what)
    yield scene.row_of(what, alone, last)


def _jump(scene: Scene, what: str) -> Row:
    """How far back the times on record go, from a call to a later one: that it did happen."""
    sent = moments(scene.url, "llm_calls", "request_sent_at")
    return Row(
        PART,
        f"{scene.label}, {what}: the record's times go back by",
        (max(sent) - min(sent)).total_seconds() / HOUR,
        promised=0.95,
        bound="at least",
        unit="h",
    )


def small_file(harness: Harness, service: Service, alone: Undisturbed) -> Iterator[Row]:
    """The process may not write a file as large as the database becomes (RLIMIT_FSIZE)."""
    scene = Scene(harness, service, PART, "file size limit")
    limit = file_of(scene.url).stat().st_size + 800_000
    started = time.monotonic()
    ended = scene.start(largest_file=limit).wait()
    what = "file size limited"
    name = f"{scene.label}, {what}"
    yield from ended_rows(name, ended.code, None, ended.stderr, ended.last_words)
    yield Row(
        PART,
        f"{name}: until it stopped",
        ended.at - started,
        unit="s",
        note=f"after {len(scene.books().requests)} requests, {scene.count('completed')} games",
    )
    yield scene.row_of(what, alone, scene.go_on())
