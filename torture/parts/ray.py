"""Workers of a Ray cluster that are killed or frozen, while their run is killed and resumed and
the database is stopped and started.

A tournament on PostgreSQL is played by `--executor ray` on three nodes of this machine, one model
of two streamed and two agents of six `remembering`. Every so many calls a random worker gets
SIGKILL; one is frozen, taken for dead and woken up; the run itself is killed and typed again; and
the server is restarted as after a crash. What has to come out is what one process comes to that is
left alone.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from torture.commands import PATIENCE, Command, Ended
from torture.facts import read_census, read_orphans
from torture.harness import Harness, wait_for
from torture.ray_nodes import NODES, ray_nodes, ray_workers
from torture.rows import Row
from torture.scene import GoneOn, Scene
from torture.service import Service

PART = "ray"
LATENCY = (0.02, 0.1)
STREAMED = ("one",)
# Seconds after which a worker that says nothing is taken for dead.
SILENCE = 12.0
# Seconds in which the workers of a run that was killed have to be gone.
ORPHANED = 20.0
_TOOK_FOR_DEAD = f"has said nothing for {SILENCE:g} s"


@dataclass(frozen=True, slots=True)
class Size:
    """Games, kills of workers and of the run, and games at once."""

    games: int
    kills: int
    runs: int
    at_once: int


FULL = Size(games=1_000, kills=24, runs=2, at_once=24)
TOY = Size(games=60, kills=4, runs=1, at_once=9)


def run(harness: Harness, *, toy: bool = False) -> list[Row]:
    size = TOY if toy else FULL
    with harness.service(PART, *LATENCY) as service, ray_nodes(harness.env) as address:
        return _Disturbed(harness, service, address, size).rows()


class _Disturbed:
    """One tournament and what is done to it."""

    def __init__(self, harness: Harness, service: Service, address: str, size: Size) -> None:
        self._harness = harness
        self._service = service
        self._size = size
        self._rng = random.Random(harness.seed)
        self._scene = self._of("disturbed", "ray", {
            "address": address, "workers": len(NODES), "silence": SILENCE,
        })  # fmt: skip
        self._stderr = ""
        self._command: Command | None = None
        self._killed = self._runs = self._frozen = self._restarts = 0
        self._outlived = 0

    def _of(self, name: str, executor: str, options: dict[str, object]) -> Scene:
        return Scene(
            self._harness, self._service, PART, name, "postgresql",
            games=self._size.games, concurrency=self._size.at_once, streamed=STREAMED,
            executor=executor, executor_options=options,
        )  # fmt: skip

    def rows(self) -> list[Row]:
        """Play it alone, and disturbed: what is promised of both."""
        lane = self._of("alone", "local", {})
        alone = self._harness.alone(lane.config, lane.url, self._service)
        calls = alone.census.calls.total()
        self._harness.say(f"alone: {calls:,} calls")
        deeds = self._deeds()
        # Calls go on while something is done to a worker.
        between = calls // (2 * len(deeds))
        ended = self._played(deeds, between)
        label, size = self._scene.label, self._size
        census = read_census(self._scene.url, self._scene.lane)
        orphans = census.unanswered.total()
        named, charged = read_orphans(self._scene.url)
        told = self._stderr.count(": another is started")
        return [
            Row(PART, f"{label}: workers killed", self._killed, promised=size.kills),
            Row(PART, f"{label}: runs killed", self._runs, promised=size.runs),
            Row(PART, f"{label}: workers that outlived their run by {ORPHANED:g} s",
                self._outlived, promised=0),
            Row(PART, f"{label}: workers frozen that were taken for dead",
                self._stderr.count(_TOOK_FOR_DEAD), promised=self._frozen, bound="at least"),
            Row(PART, f"{label}: crashes of the server", self._restarts, promised=1),
            Row(PART, f"{label}: ends of workers that a run told of", told,
                note="what a killed run had to say is not counted"),
            Row(PART, f"{label}: orphans not named and charged",
                orphans - min(named, charged), promised=0, note=f"of {orphans}"),
            self._scene.row_of(
                f"{size.games:,} games on {len(NODES)} nodes", alone, GoneOn(ended, None)
            ),
        ]  # fmt: skip

    def _deeds(self) -> list[str]:
        deeds = ["kill"] * self._size.kills + ["run"] * self._size.runs
        deeds += ["restart"] if self._harness.databases.ours else []
        self._rng.shuffle(deeds)
        # Last, as many calls pass meanwhile.
        return [*deeds, "freeze"]

    def _played(self, deeds: list[str], between: int) -> Ended:
        left = deque(deeds)
        while True:
            command = self._command = self._scene.start()
            again = False
            while left and not again and self._asked(command, between):
                deed = left.popleft()
                self._harness.say(f"{deed}, {len(left)} to come")
                again = self._do(deed, command)
            ended = command.wait()
            self._stderr += ended.stderr
            if not again:
                return ended
            wait_for(lambda: not ray_workers(), ORPHANED, pause=0.2)
            self._outlived += len(ray_workers())

    def _do(self, deed: str, command: Command) -> bool:
        """Whether the run has to be typed again."""
        match deed:
            case "kill":
                self._killed += self._signal(signal.SIGKILL) is not None
            case "freeze":
                pid = self._signal(signal.SIGSTOP)
                if pid is not None:
                    self._frozen += 1
                    command.running(SILENCE * 2)
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
            case "restart":
                self._restarts += 1
                self._harness.databases.server.restart("immediate", pause=1.0)
            case "run":
                command.signal()
                self._runs += 1
                return True
        return False

    def _signal(self, number: int) -> int | None:
        """A random worker gets a signal: which."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            wait_for(lambda: len(ray_workers()) == len(NODES), 60, pause=0.1)
            if not (workers := ray_workers()):
                continue
            pid = self._rng.choice(workers)
            with suppress(ProcessLookupError):
                os.kill(pid, number)
                return pid
        return None

    def _asked(self, command: Command, calls: int) -> bool:
        until = len(self._scene.books().requests) + calls

        def there() -> bool:
            return len(self._scene.books().requests) >= until

        wait_for(lambda: there() or not command.running(), PATIENCE, pause=0.1)
        return there() and command.running()
