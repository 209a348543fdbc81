"""How many workers there are: a machine of many CPUs may give a container the time of few."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from arena.executors.auto import AutoExecutor
from arena.executors.local import LocalExecutor
from arena.executors.workers.cpus import usable_cpus


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of sixteen CPUs."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    return tmp_path


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({}, 16),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 16),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "250000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "6400000 100000\n"}, 16),
        (
            {
                "proc/self/cgroup": "0::/pod/box\n",
                "sys/fs/cgroup/pod/box/cpu.max": "max 100000\n",
                "sys/fs/cgroup/pod/cpu.max": "300000 100000\n",
            },
            3,
        ),
        (
            {
                "proc/self/cgroup": "3:cpuset:/\n2:cpu,cpuacct:/docker/abc\n0::/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            4,
        ),
        (
            {
                "proc/self/cgroup": "1:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            16,
        ),
    ],
    ids=["none", "unlimited", "limited", "half", "more", "around it", "first", "first unlimited"],
)
def test_a_control_group_limits_how_many_cpus_there_are(
    root: Path, files: dict[str, str], cpus: int
) -> None:
    assert usable_cpus(written(root, files)) == cpus


@pytest.mark.parametrize(("concurrency", "workers"), [(200, 2), (350, 3), (5_000, 16)])
def test_auto_takes_no_worker_for_fewer_than_a_hundred_games(
    root: Path, concurrency: int, workers: int
) -> None:
    executor = AutoExecutor(concurrency=concurrency, cpus=usable_cpus(root))

    assert not isinstance(executor._taken, LocalExecutor)
    assert executor._taken.workers == workers
    assert executor.news == [
        f"games are played in {workers} worker processes: {concurrency:,} at once, on 16 CPUs"
    ]
