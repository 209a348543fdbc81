"""Two orchestrators at one tournament: refused, taken over, and frozen and woken up again."""

from __future__ import annotations

import hashlib
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

from sqlalchemy import text

from torture.commands import Command, Ended
from torture.databases import Kind, connected, file_of
from torture.harness import Harness, first_request
from torture.rows import Row
from torture.scene import GoneOn, Scene
from torture.service import Service
from torture.verdict import Undisturbed

PART = "stop"
# Seconds in which a frozen process has to be taken for dead.
TAKEOVER = 60.0
TABLES = ("games", "game_players", "game_turns", "turn_payloads", "llm_calls", "call_payloads",
          "rating_pools", "agent_trueskill", "rating_changes", "tournaments")  # fmt: skip


def rows(harness: Harness, service: Service, kind: Kind, alone: Undisturbed) -> Iterator[Row]:
    yield from _second(Scene(harness, service, PART, "two at once", kind), alone)
    yield from _frozen(Scene(harness, service, PART, "frozen", kind), alone)
    yield from _woken_late(Scene(harness, service, PART, "woken late", kind), alone)


def state_of(url: str) -> str:
    """A digest of every row of the record."""
    digest = hashlib.sha256()
    with connected(url) as connection:
        for table in TABLES:
            found = connection.execute(text(f"SELECT * FROM {table}"))
            for row in sorted(map(repr, found)):
                digest.update(row.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _second(scene: Scene, alone: Undisturbed) -> Iterator[Row]:
    """The first one plays on while the second is refused; then it is killed, and the third takes
    its place."""
    first = scene.start_and_wait(alone.census.calls.total() // 4)
    asked = len(scene.books().requests)
    second = scene.start()
    refused = second.wait(60)
    name = f"{scene.label}, two orchestrators"
    yield Row(
        PART,
        f"{name}: exit code of the second",
        refused.code,
        promised=2,
        note=refused.last_words,
    )
    yield Row(PART, f"{name}: until the second was refused", refused.at - second.started, unit="s")
    yield Row(
        PART,
        f"{name}: the first still plays",
        first.running(),
        promised=1,
        note=f"{len(scene.books().requests) - asked} requests meanwhile",
    )
    first.signal()
    first.wait()
    scene.harness.databases.settle(scene.url)
    yield scene.row_of("one killed, the other takes over", alone, scene.go_on())


def _frozen(scene: Scene, alone: Undisturbed) -> Iterator[Row]:
    """The first one is frozen, the second takes over, and the first wakes up in the middle."""
    first = scene.start_and_wait(alone.census.calls.total() // 4)
    _freeze(first, scene)
    second = scene.start()
    since = first_request(scene.service, second, TAKEOVER)
    name = f"{scene.label}, first one frozen"
    yield _taken_over(name, second, since)
    if since is not None:
        scene.wait_for_requests(len(scene.books().requests) + 10, second)
    first.signal(signal.SIGCONT)
    woken = first.wait(60)
    if since is not None:
        yield _refused(f"{name}: exit code of the first when it wakes up", woken)
    last = GoneOn(second.wait(), None)
    if since is None:
        last = scene.go_on()
    yield scene.row_of("first one frozen", alone, last)


def _woken_late(scene: Scene, alone: Undisturbed) -> Iterator[Row]:
    """The first one wakes up when the second has finished: nothing in the record may change."""
    first = scene.start_and_wait(alone.census.calls.total() // 4)
    _freeze(first, scene)
    second = scene.start()
    since = first_request(scene.service, second, TAKEOVER)
    name = f"{scene.label}, woken after the tournament's end"
    yield _taken_over(name, second, since)
    if since is not None:
        second.wait()
        before = state_of(scene.url)
    first.signal(signal.SIGCONT)
    woken = first.wait(60)
    if since is not None:
        yield _refused(f"{name}: exit code of the first", woken)
        changed = before != state_of(scene.url)
        yield Row(PART, f"{name}: rows written by it", changed, promised=0)
    last = GoneOn(second.wait(), None)
    if since is None:
        last = scene.go_on()
    yield scene.row_of("woken after the end", alone, last)


def _freeze(command: Command, scene: Scene) -> None:
    """Stop a run where it stands; on SQLite between two commits: a lock on the file is the
    operating system's, and no one can take it from a living process."""
    while True:
        command.signal(signal.SIGSTOP)
        if scene.kind != "sqlite":
            return
        try:
            with closing(sqlite3.connect(file_of(scene.url), timeout=0.2)) as other:
                other.execute("BEGIN IMMEDIATE")
                other.rollback()
        except sqlite3.OperationalError:
            command.signal(signal.SIGCONT)
            time.sleep(0.01)
        else:
            return


def _taken_over(name: str, second: Command, since: float | None) -> Row:
    if since is not None:
        note = ""
    elif second.running():
        note = f"it has not begun within {TAKEOVER:g} s"
    else:
        note = second.wait().last_words
    return Row(
        PART,
        f"{name}: until the second plays",
        TAKEOVER if since is None else since - second.started,
        promised=TAKEOVER,
        bound="below",
        unit="s",
        note=note,
    )


def _refused(name: str, ended: Ended) -> Row:
    return Row(PART, name, ended.code, promised=1, bound="at least", note=ended.last_words)
