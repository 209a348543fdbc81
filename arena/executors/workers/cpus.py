"""How many CPUs this process may use: as many as it may run on and is given the time of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def usable_cpus(root: Path = Path("/")) -> int:
    """At least one. A control group, such as a container's `--cpus`, gives the time of a number of
    CPUs, and the process runs on all of the machine's; a part of one counts as none. `root` is
    where /proc and /sys are."""
    if hasattr(os, "sched_getaffinity"):
        number = len(os.sched_getaffinity(0))
    else:
        number = os.cpu_count() or 1
    return max(1, int(min(number, *_quotas(root), number)))


def _quotas(root: Path) -> Iterator[float]:
    """CPUs that each control group of this process is given the time of, where it is limited
    (cgroups(7), and cpu.max and cpu.cfs_quota_us in the kernel's documentation)."""
    groups = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, own = line.split(":", 2)
        if not controllers:
            for folder in _upwards(groups, own):
                quota, _, period = _read(folder / "cpu.max").partition(" ")
                yield from _ratio(quota, period)
        elif "cpu" in controllers.split(","):
            for folder in _upwards(groups / "cpu", own):
                quota = _read(folder / "cpu.cfs_quota_us")
                yield from _ratio(quota, _read(folder / "cpu.cfs_period_us"))


def _upwards(groups: Path, own: str) -> Iterator[Path]:
    """The folder of a group and of those around it; in a container some are not there."""
    folder = groups / own.lstrip("/")
    while folder != groups:
        yield folder
        folder = folder.parent
    yield groups


def _ratio(quota: str, period: str) -> Iterator[float]:
    """Nothing where a group is not limited ("max", -1)."""
    if quota.strip().isdecimal() and period.strip().isdecimal() and int(period):
        yield int(quota) / int(period)


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
