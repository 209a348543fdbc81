"""64 games at once against a cap in dollars, which is raised whenever it is reached.

The spending that counts is the server's own: every request that it took is billed, also those of
a run that was killed and heard no answer. The second run is killed in the middle. At the end every
game has been finished, and no call was made that is not part of one, but for the orphans.

Then against a server that says what its calls took in every form of `torture.usages`, streamed and
whole: its own count never passes a cap, whatever it says.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from torture.databases import KINDS
from torture.facts import read_census, read_dollars, read_facts
from torture.harness import Harness, first_request
from torture.rows import Row
from torture.scene import Scene
from torture.service import Books

PART = "budget"
GAMES = 64
FIRST_CAP = 0.15  # dollars; 64 games cost about three times as much
MOST_RAISES = 12
LATENCY = (0.3, 1.0)
SHAPED_GAMES = 64
MOST_SHAPED = 5


@dataclass(frozen=True, slots=True)
class Step:
    """A run against a cap: what it ended with, and the server's count after it, in dollars."""

    cap: float
    code: int
    spent: float
    finished: int
    void: int
    words: str


def run(harness: Harness, *, toy: bool = False) -> list[Row]:
    rows: list[Row] = []
    with harness.service(PART, *LATENCY) as service:
        for kind in KINDS:
            games = 8 if toy else GAMES
            scene = Scene(harness, service, PART, "cap", kind, games=games, concurrency=games)
            rows += _measure(scene, harness, games)
    with harness.service(f"{PART}-usage", 0.0, 0.05) as service:
        for kind in KINDS:
            for streamed in ((), ("one", "two")):
                scene = Scene(
                    harness, service, PART, f"usage{len(streamed)}", kind, mode="usage",
                    games=2 if toy else SHAPED_GAMES, concurrency=8, streamed=streamed,
                )  # fmt: skip
                rows += _shapes(scene, "streamed" if streamed else "whole", toy=toy)
    return rows


def _shapes(scene: Scene, form: str, *, toy: bool = False) -> Iterator[Row]:
    """Caps against a server that says what a call took in every form."""
    cap = FIRST_CAP / 8
    steps: list[Step] = []
    while len(steps) < (2 if toy else MOST_SHAPED):
        steps.append(_step(scene, cap))
        scene.harness.say(f"{scene.kind}, {form}: ${steps[-1].spent:.4f} of ${cap:g}")
        cap *= 2
    over = [step for step in steps if step.spent > step.cap]
    asked = len(scene.books().requests)
    yield Row(
        PART,
        f"{scene.label}: caps that were exceeded by usages of every form, {form}",
        len(over),
        promised=0,
        note=f"{asked:,} requests; "
        + ", ".join(f"${step.spent:.4f} of ${step.cap:.4g}" for step in steps),
    )
    yield Row(
        PART,
        f"{scene.label}: what the record says was spent on them, of the server's count, {form}",
        read_dollars(scene.url) / scene.books().dollars,
        promised=1.0,
        bound="at least",
        unit="x",
    )


def _measure(scene: Scene, harness: Harness, games: int) -> Iterator[Row]:
    cap = FIRST_CAP * games / GAMES
    steps = [_step(scene, cap)]
    cap *= 2
    killed_at = _kill(scene, cap, harness.seed)
    while len(steps) < MOST_RAISES:
        steps.append(_step(scene, cap))
        step = steps[-1]
        harness.say(f"{scene.kind}: cap ${step.cap:g}, spent ${step.spent:.4f}, {step.words}")
        if step.finished + step.void >= games:
            break
        # The last cap is one that does not bind.
        cap = cap * 2 if len(steps) < MOST_RAISES - 1 else 1000.0
    yield from _rows(scene, steps, games, killed_at)


def _step(scene: Scene, cap: float) -> Step:
    ended = scene.go_on("--budget", f"{cap:.6f}").ended
    return Step(
        cap,
        ended.code,
        scene.books().dollars,
        scene.count("completed"),
        scene.count("void"),
        ended.last_words,
    )


def _kill(scene: Scene, cap: float, seed: int) -> int:
    """Kill a run against the cap in the middle: the number of requests it was in the middle of."""
    command = scene.start("--budget", f"{cap:.6f}")
    if first_request(scene.service, command) is not None:
        command.running(random.Random(seed).uniform(0.5, 2.0))
    at = command.signal()
    command.wait()
    scene.harness.databases.settle(scene.url)
    if at is None:
        return 0
    return sum(1 for r in scene.books().requests if r.at <= at and (r.sent or at + 1) > at)


def _together(books: Books) -> int:
    """The most requests that the server had in hand at one moment."""
    ends = [(request.sent, -1) for request in books.requests if request.sent is not None]
    starts = [(request.at, 1) for request in books.requests if request.sent is not None]
    return max(accumulate(change for _, change in sorted([*ends, *starts])))


def _rows(scene: Scene, steps: list[Step], games: int, killed: int) -> Iterator[Row]:
    name = scene.label
    over = [step for step in steps if step.spent > step.cap]
    reached = [step for step in steps if step.finished < games]
    yield Row(
        PART,
        f"{name}: most that was spent, of the cap, by the server's count",
        max(step.spent / step.cap for step in steps),
        promised=1.0,
        bound="at most",
        unit="x",
        note=", ".join(f"${step.spent:.4f} of ${step.cap:.4g}" for step in steps),
    )
    yield Row(PART, f"{name}: caps that were exceeded", len(over), promised=0)
    yield Row(
        PART,
        f"{name}: caps that were reached",
        len(reached),
        promised=1,
        bound="at least",
        note=f"{games} games at once, {_together(scene.books())} requests; "
        f"exit codes {[step.code for step in steps]}",
    )
    if reached:
        yield Row(
            PART,
            f"{name}: exit code when the cap is reached",
            reached[0].code,
            promised=1,
            note=reached[0].words,
        )
    yield Row(
        PART,
        f"{name}: games finished in the end",
        steps[-1].finished,
        promised=games,
        note=f"{steps[-1].void} attempts void",
    )
    census = read_census(scene.url, scene.lane)
    facts = read_facts(scene.url, scene.lane)
    needed = sum(
        len({call["call_number"] for call in turn["calls"]})
        for game in facts.games.values()
        for turn in game["turns"]
    )
    asked = scene.books().digests()
    orphans = census.unanswered.total()
    yield Row(
        PART,
        f"{name}: answers on record that no finished game needed",
        census.answered.total() - needed,
        promised=0,
        note=f"{needed:,} are needed",
    )
    yield Row(
        PART,
        f"{name}: requests beyond the answers and the orphans on record",
        (asked - census.calls).total() + max(0, asked.total() - needed - orphans),
        promised=0,
        note=f"{asked.total():,} requests, {orphans} orphans, {killed} in flight at the kill",
    )
    spent = scene.books().dollars
    yield Row(
        PART,
        f"{name}: what the record says was spent, of the server's count",
        read_dollars(scene.url) / spent,
        promised=1.0,
        bound="at least",
        unit="x",
        note=f"${spent:.4f}; orphans are charged at their worst case",
    )
