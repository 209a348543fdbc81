"""Runs that are killed with SIGKILL at random instants and resumed.

A tournament is killed ten times and then finished. The ten instants are uniform over the time that
an undisturbed run takes to play it; the run between two of them is given as much time after its
first request as lies between them. Every sixth kill comes earlier, uniform over the start-up,
where a run reads and replays its record. The first tournament on each database begins without
tables. What the server wrote down is the truth that the database is held against, and an
undisturbed run on a fresh database, with the same replies, is what has to come out.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from torture.commands import Command
from torture.databases import KINDS, LABELS, Kind
from torture.facts import Census, read_census, read_facts, read_orphans
from torture.harness import Harness, first_request, of_run
from torture.rows import Row
from torture.service import Service
from torture.tournaments import write
from torture.verdict import Undisturbed, Verdict, judge, lost_in_flight

PART = "kill"
KILLS = 100  # on each database
PER_TOURNAMENT = 10
IN_START_UP = 6  # one kill in this many
LATENCY = (0.1, 0.4)
# Answers that one kill may lose, by the promise for each database.
LOST = {"sqlite": 1.0, "postgresql": 3.0}


@dataclass(slots=True)
class Tally:
    """What the kills on one database came to."""

    lost: list[int] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)
    orphans: int = 0
    uncharged: int = 0
    unsent: int = 0
    attempts: int = 0
    places: int = 0
    failed: list[str] = field(default_factory=list)
    calls: int = 0

    @property
    def where(self) -> str:
        return next((verdict.where for verdict in self.verdicts if verdict.where), "")


def run(harness: Harness, *, toy: bool = False) -> list[Row]:
    rows: list[Row] = []
    with harness.service(PART, *LATENCY) as service:
        for kind in KINDS:
            rows += _Killing(harness, service, kind).rows(3 if toy else KILLS)
    return rows


class _Killing:
    """The kills on one database."""

    def __init__(self, harness: Harness, service: Service, kind: Kind) -> None:
        self.harness = harness
        self.service = service
        self.kind = kind
        self.rng = random.Random(f"{harness.seed} {kind}")
        self.tally = Tally()

    def rows(self, kills: int) -> list[Row]:
        config = self._config("alone")
        url = self.harness.databases.fresh(self.kind, f"kill-{self.kind}-alone")
        alone = self.harness.alone(config, url, self.service)
        self.harness.say(
            f"{self.kind}: an undisturbed run starts in {alone.startup:.1f} s and plays for "
            f"{alone.playing:.1f} s"
        )
        number = 0
        while len(self.tally.lost) < kills:
            number += 1
            self._tournament(number, alone, kills - len(self.tally.lost))
            self.harness.say(
                f"{self.kind}: {len(self.tally.lost)} kills, {number} tournaments, last "
                f"{'clean' if self.tally.verdicts[-1].clean else self.tally.verdicts[-1]}"
            )
        return list(_rows(self.kind, self.tally))

    def _config(self, name: str) -> Path:
        lane = f"kill-{self.kind}-{name}"
        return write(self.harness.folder / "files", lane, self.service.url(lane))

    def _tournament(self, number: int, alone: Undisturbed, kills: int) -> None:
        config = self._config(str(number))
        make = self.harness.databases.empty if number == 1 else self.harness.databases.fresh
        url = make(self.kind, config.stem)
        census = Census()
        for gap in _gaps(self.rng, min(kills, PER_TOURNAMENT)):
            command = self.harness.commands.start("run", config, "--db", url)
            killed = self._kill(command, alone, gap)
            if killed is None:
                self._note_failure(command)
                break
            command.wait()
            self.harness.databases.settle(url)
            before, census = census, _census(url, config.stem)
            books = of_run(self.service.books(config.stem), command, killed)
            self.tally.lost.append(lost_in_flight(books, killed, before, census))
        self._finish(config, url, alone)

    def _kill(self, command: Command, alone: Undisturbed, gap: float) -> float | None:
        """Kill a run at its instant: the moment, None when it had ended before."""
        if self.rng.randrange(IN_START_UP) == 0:
            command.running(self.rng.uniform(0, alone.startup))
        elif first_request(self.service, command) is not None:
            command.running(gap * alone.playing)
        return command.signal()

    def _finish(self, config: Path, url: str, alone: Undisturbed) -> None:
        tally = self.tally
        command = self.harness.commands.start("run", config, "--db", url)
        first = first_request(self.service, command)
        if first is not None:
            tally.resumed.append(first - command.started)
        self._note_failure(command)
        time.sleep(LATENCY[1])
        census = read_census(url, config.stem)
        books = self.service.books(config.stem)
        tally.verdicts.append(judge(alone, read_facts(url, config.stem), census, books))
        named, charged = read_orphans(url)
        orphans = census.unanswered.total()
        tally.orphans += orphans
        tally.uncharged += orphans - min(named, charged)
        tally.unsent += (census.calls - books.digests()).total()
        tally.attempts += sum(census.statuses.values())
        tally.places += alone.places
        tally.calls += len(books.requests)

    def _note_failure(self, command: Command) -> None:
        ended = command.wait()
        if ended.code != 0:
            self.tally.failed.append(f"{ended.code}: {ended.last_words}")


def _census(url: str, name: str) -> Census:
    """The census of a run that may have been killed before there were tables."""
    from db.errors import MissingDatabase

    try:
        return read_census(url, name)
    except MissingDatabase:
        return Census()


def _gaps(rng: random.Random, count: int) -> Iterator[float]:
    """The time up to each of `count` uniform instants of (0, 1), from the one before it."""
    before = 0.0
    for instant in sorted(rng.random() for _ in range(count)):
        yield instant - before
        before = instant


def _rows(kind: Kind, tally: Tally) -> Iterator[Row]:
    name, kills = LABELS[kind], len(tally.lost)
    yield Row(PART, f"{name}: runs killed and resumed", kills, note=f"{tally.calls:,} calls")
    totals = (
        ("requests unknown to the database", sum(v.unknown for v in tally.verdicts), ""),
        ("acknowledged answers repaid", sum(v.repaid for v in tally.verdicts), ""),
        ("turns doubled", sum(v.doubled for v in tally.verdicts), ""),
        ("games rated twice", sum(v.rated_twice for v in tally.verdicts), ""),
        ("games lost", sum(v.lost for v in tally.verdicts), ""),
        (
            "facts that differ from the undisturbed run",
            sum(v.different for v in tally.verdicts),
            tally.where,
        ),
        ("games begun again", tally.attempts - tally.places, ""),
        ("runs that ended with an error", len(tally.failed), "; ".join(tally.failed[:2])),
        ("orphans not named and charged", tally.uncharged, f"of {tally.orphans}"),
    )
    for what, value, note in totals:
        yield Row(PART, f"{name}: {what}", value, promised=0, note=note)
    yield Row(
        PART,
        f"{name}: answers lost in flight per kill, on average",
        sum(tally.lost) / kills,
        promised=LOST[kind],
        bound="at most",
    )
    yield Row(
        PART,
        f"{name}: answers lost in flight, the most in one kill",
        max(tally.lost),
        promised=LOST[kind],
        bound="at most",
        note=", ".join(f"{tally.lost.count(n)} kills lost {n}" for n in sorted({*tally.lost})),
    )
    yield Row(
        PART,
        f"{name}: orphans per kill",
        tally.orphans / kills,
        note=f"{tally.unsent} of {tally.orphans} were never sent",
    )
    if tally.resumed:
        yield Row(
            PART,
            f"{name}: from the command to the first new request",
            max(tally.resumed),
            unit="s",
            note="the slowest",
        )
