"""A Ray cluster of three nodes on this machine, and its workers, found from outside."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# The head and two others, each on a loopback address of its own, with one CPU.
NODES = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
_THEIRS = b"ray::RayWorker"


@contextmanager
def ray_nodes(environment: Mapping[str, str]) -> Iterator[str]:
    """HOST:PORT of the head. The nodes are started with this beside the environment of this
    process, and end with the block."""
    before = dict(os.environ)
    os.environ.update(environment)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    cluster: Any = Cluster()
    try:
        for node in NODES:
            cluster.add_node(
                node_ip_address=node,
                num_cpus=1,
                object_store_memory=80 * 2**20,
                include_dashboard=False,
            )
        for name in environment:
            os.environ.pop(name)
            if name in before:
                os.environ[name] = before[name]
        yield cluster.address
    finally:
        cluster.shutdown()


def ray_workers() -> list[int]:
    """The processes of workers that live on nodes which this process has started, sorted."""
    parents: dict[int, int] = {}
    workers: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            theirs = (folder / "cmdline").read_bytes().startswith(_THEIRS)
        except OSError:
            continue
        pid = int(folder.name)
        parents[pid] = int(parent)
        if theirs and state != "Z":
            workers.append(pid)
    return sorted(pid for pid in workers if parents.get(parents[pid]) == os.getpid())


def newest_head() -> int:
    """The process at the head of the cluster that this process has started last."""
    heads: list[tuple[int, int]] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            facts = (folder / "stat").read_text().rpartition(")")[2].split()
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(facts[1]) == os.getpid() and words[0].endswith(b"gcs_server"):
            # When it started: proc(5), the 22nd.
            heads.append((int(facts[19]), int(folder.name)))
    return max(heads)[1]
