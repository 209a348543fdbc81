"""Ctrl-C, two orchestrators, full and locked and restarted databases, and clocks set back.

Each tournament is disturbed in one way in the middle, resumed to its end, and then held
against the books of the server and against an undisturbed run.
"""

from __future__ import annotations

from collections.abc import Iterable

from torture import disk, interrupts, orchestrators, outages
from torture.databases import KINDS
from torture.harness import Harness
from torture.rows import Row
from torture.scene import Scene

PART = "stop"
LATENCY = (0.02, 0.1)


def run(harness: Harness, *, toy: bool = False) -> list[Row]:
    rows: list[Row] = []

    def add(found: Iterable[Row]) -> None:
        for row in found:
            rows.append(row)
            if row.met is False:
                harness.say(f"broken: {row.name}: {row.value:g} {row.note}")

    with harness.service(PART, *LATENCY) as service:
        scene = Scene(harness, service, PART, "alone")
        alone = harness.alone(scene.config, scene.url, service)
        for kind in KINDS[:1] if toy else KINDS:
            harness.say(f"{kind}: signals, clocks and orchestrators")
            add(interrupts.rows(harness, service, kind, alone))
            add(outages.clock(harness, service, kind, alone))
            if not toy:
                add(orchestrators.rows(harness, service, kind, alone))
        harness.say("locks, disks and restarts")
        add(outages.locked(harness, service, alone, toy=toy))
        add(outages.small_file(harness, service, alone))
        if disk.possible():
            add(disk.rows(harness, service, alone))
        if harness.databases.ours:
            add(outages.restarted(harness, service, alone))
    return rows
