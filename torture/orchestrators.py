"""Two orchestrators at one tournament: refused, taken over, and frozen and woken up again."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Iterator

from sqlalchemy import text

from torture.databases import Kind, connected
from torture.harness import Harness, first_request
from torture.rows import Row
from torture.scene import GoneOn, Scene
from torture.service import Service
from torture.verdict import Undisturbed

PART = "stop"
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
    yield from scene.rows_of("one killed, the other takes over", alone, scene.go_on())


def _frozen(scene: Scene, alone: Undisturbed) -> Iterator[Row]:
    """The first one is frozen, the second takes over, and the first wakes up in the middle."""
    first = scene.start_and_wait(alone.census.calls.total() // 4)
    first.signal(signal.SIGSTOP)
    second = scene.start()
    since = first_request(scene.service, second)
    name = f"{scene.label}, first one frozen"
    yield Row(
        PART,
        f"{name}: until the second plays",
        -1 if since is None else since - second.started,
        promised=0,
        bound="at least",
        unit="s",
        note="" if since is not None else second.wait(60).last_words,
    )
    if second.running():
        scene.wait_for_requests(len(scene.books().requests) + 10, second)
    first.signal(signal.SIGCONT)
    woken = first.wait(60)
    yield Row(
        PART,
        f"{name}: exit code of the first when it wakes up",
        woken.code,
        promised=1,
        note=woken.last_words,
    )
    ended = second.wait()
    if ended.code != 0:
        yield Row(PART, f"{name}: exit code of the second", ended.code, promised=0,
                  note=ended.last_words)  # fmt: skip
    yield from scene.rows_of("first one frozen", alone, scene.go_on(), resumes=False)


def _woken_late(scene: Scene, alone: Undisturbed) -> Iterator[Row]:
    """The first one wakes up when the second has finished: nothing in the record may change."""
    first = scene.start_and_wait(alone.census.calls.total() // 4)
    first.signal(signal.SIGSTOP)
    finished = scene.start().wait()
    before = state_of(scene.url)
    first.signal(signal.SIGCONT)
    woken = first.wait(60)
    after = state_of(scene.url)
    name = f"{scene.label}, woken after the tournament's end"
    yield Row(
        PART,
        f"{name}: exit code of the first",
        woken.code,
        promised=1,
        note=woken.last_words,
    )
    yield Row(PART, f"{name}: rows written by it", before != after, promised=0)
    yield from scene.rows_of("woken after the end", alone, GoneOn(finished, None), resumes=False)
