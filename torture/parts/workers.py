"""Worker processes that are killed with SIGKILL at random instants, while their run goes on.

A tournament is played by `--executor processes`. Once its games have asked some number of calls, a
random one of its workers is killed, a random moment later; and again, until it ends. What has to
come out is what an undisturbed run of one process comes to on a fresh database, with plain answers
and with streamed ones. At last the parent is killed: its workers end with it, and another run
takes over.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from torture.commands import PATIENCE, Command
from torture.databases import KINDS, LABELS, Kind
from torture.facts import read_census, read_orphans
from torture.harness import Harness, wait_for
from torture.rows import Row
from torture.scene import GoneOn, Scene
from torture.service import Service
from torture.verdict import Undisturbed
from torture.worker_processes import living, workers_of

PART = "workers"
KILLS = 40  # on each database
PER_TOURNAMENT = 4
LATENCY = (0.1, 0.4)
# Calls that are asked between two kills: more than are in flight, so that turns end in between.
BETWEEN = (10, 40)
AT_ONCE = 4
# Seconds in which a worker without a parent has to be gone.
ORPHANED = 5.0
STREAMED = ("one", "two")


@dataclass(slots=True)
class Tally:
    """What the kills on one database came to."""

    kills: int = 0
    orphans: int = 0
    uncharged: int = 0
    said: int = 0
    rows: list[Row] = field(default_factory=list)


def run(harness: Harness, *, toy: bool = False) -> list[Row]:
    rows: list[Row] = []
    with harness.service(PART, *LATENCY) as service:
        for kind in KINDS:
            rows += killed(harness, service, kind, 2 if toy else KILLS)
    return rows


def killed(harness: Harness, service: Service, kind: Kind, kills: int) -> Iterator[Row]:
    """The rows of one database."""
    rng = random.Random(f"{harness.seed} {kind}")
    alone = _alone(harness, service, kind, "alone", ())
    alone_streamed = _alone(harness, service, kind, "alone streamed", STREAMED)
    tally, number = Tally(), 0
    while tally.kills < kills:
        number += 1
        streamed = number % 2 == 0
        scene = Scene(
            harness, service, PART, str(number), kind,
            concurrency=AT_ONCE, streamed=STREAMED if streamed else (),
        )  # fmt: skip
        _tournament(
            scene, alone_streamed if streamed else alone, rng,
            min(PER_TOURNAMENT, kills - tally.kills), tally, streamed,
        )  # fmt: skip
        harness.say(f"{kind}: {tally.kills} workers killed in {number} tournaments")
    name = LABELS[kind]
    yield Row(PART, f"{name}: workers killed", tally.kills, promised=kills, bound="at least")
    yield from tally.rows
    yield Row(
        PART,
        f"{name}: orphans not named and charged",
        tally.uncharged,
        promised=0,
        note=f"of {tally.orphans}",
    )
    yield Row(PART, f"{name}: kills that the run did not tell of", tally.kills - tally.said,
              promised=0)  # fmt: skip
    yield from _parent_killed(Scene(harness, service, PART, "parent", kind, concurrency=AT_ONCE),
                              alone)  # fmt: skip


def _alone(
    harness: Harness, service: Service, kind: Kind, name: str, streamed: Sequence[str]
) -> Undisturbed:
    """What one process comes to that is left alone."""
    lane = Scene(
        harness, service, PART, name, kind,
        concurrency=AT_ONCE, executor="local", streamed=streamed,
    )  # fmt: skip
    return harness.alone(lane.config, lane.url, service)


def _tournament(
    scene: Scene,
    alone: Undisturbed,
    rng: random.Random,
    kills: int,
    tally: Tally,
    streamed: bool,
) -> None:
    command = scene.start("--executor", "processes")
    done = 0
    while done < kills and _asked(scene, command, rng.randint(*BETWEEN)):
        command.running(rng.uniform(0.0, LATENCY[1]))
        workers = workers_of(command.pid)
        if not workers:
            continue
        with suppress(ProcessLookupError):
            os.kill(rng.choice(workers), signal.SIGKILL)
            done += 1
    ended = command.wait()
    how = "streamed" if streamed else "plain"
    tally.kills += done
    tally.said += ended.stderr.count("was ended by SIGKILL: another is started")
    tally.rows.append(
        scene.row_of(f"{how} answers, {done} workers killed", alone, GoneOn(ended, None))
    )
    orphans = read_census(scene.url, scene.lane).unanswered.total()
    named, charged = read_orphans(scene.url)
    tally.orphans += orphans
    tally.uncharged += orphans - min(named, charged)


def _asked(scene: Scene, command: Command, calls: int) -> bool:
    """Whether so many further calls were asked before the run ended."""
    until = len(scene.books().requests) + calls

    def there() -> bool:
        return len(scene.books().requests) >= until

    wait_for(lambda: there() or not command.running(), PATIENCE, pause=0.02)
    return there() and command.running()


def _parent_killed(scene: Scene, alone: Undisturbed) -> Iterator[Row]:
    command = scene.start_and_wait(alone.census.calls.total() // 4, "--executor", "processes")
    workers = workers_of(command.pid)
    command.signal()
    command.wait()
    wait_for(lambda: not living(workers), ORPHANED)
    yield Row(
        PART,
        f"{scene.label}: workers that outlived their parent by {ORPHANED:g} s",
        len(living(workers)),
        promised=0,
        note=f"of {len(workers)}",
    )
    scene.harness.databases.settle(scene.url)
    yield scene.row_of("a parent killed", alone, scene.go_on("--executor", "processes"))
