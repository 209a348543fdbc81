"""A Ray cluster that is joined for the length of a run, or started for it on this machine."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import re
import signal
import threading
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self

from arena.core import UsageError
from arena.core.text import one_line
from arena.core.threads import LEFT_BEHIND, in_spare_thread, in_thread
from arena.executors.ray.head import enters_with_token

# Bytes of the memory in which a Ray of our own keeps objects: its smallest, as messages are short.
_OBJECTS = 80 * 2**20
# Whether Ray may join machines: where it may not, it listens on 127.0.0.1 alone.
_MACHINES = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
_LONGEST = 300
# Seconds in which a cluster that was joined is left.
_LEAVING = 20.0
# How Ray says what it found in a cluster, and then what it found here.
_VERSIONS = re.compile(r"Ray: (\S+)\s+Python: (\S+)")
# How Ray says that the nodes on this machine are those of other clusters.
_NO_NODE = re.compile("No node info found|Failed to get node info for possible node ids")


def check_installed() -> None:
    """Raises UsageError where Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise UsageError(
            "the executor 'ray' needs Ray, which is not installed: type "
            "`pip install 'llm-arena[ray]'`, on every machine of the cluster"
        )


class Cluster:
    """The cluster at an address, HOST:PORT of its head, else one of its own with `cpus`, which
    ends with the block. A process that is in a cluster already stays in it."""

    def __init__(self, address: str | None, cpus: float) -> None:
        self._address = address
        self._cpus = cpus
        self._ours = False

    async def __aenter__(self) -> Self:
        """Raises UsageError where the cluster cannot be joined, or none started."""
        await in_thread(self._join)
        _take_signals_back()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._ours:
            import ray

            leaving = in_spare_thread(ray.shutdown, name=LEFT_BEHIND)
            await asyncio.wait([leaving], timeout=None if self._address is None else _LEAVING)
            # Of a head that nobody reaches Ray would wait for an answer for minutes.
            if leaving.done():
                leaving.result()
            _take_signals_back()

    @property
    def cpus(self) -> int:
        """How many CPUs it has at the moment."""
        import ray

        return int(ray.cluster_resources().get("CPU", 0))

    @property
    def head(self) -> str:
        """HOST:PORT of its head."""
        import ray

        return str(ray.get_runtime_context().gcs_address)

    def _join(self) -> None:
        # What is played here is nobody else's business.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Both are read when Ray is imported.
        if self._address is None:
            os.environ[_MACHINES] = "0"
        elif enters_with_token(self._address):
            # Only for an address of `auto` would Ray find out by itself.
            os.environ["RAY_AUTH_MODE"] = "token"

        import ray

        if ray.is_initialized():
            return
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        started: Mapping[str, Any] = {
            "address": "local",
            "num_cpus": self._cpus,
            "include_dashboard": False,
            "object_store_memory": _OBJECTS,
        }
        joined = {"address": self._address, **_node_of(self._address)}
        if self._address is not None and not ray._private.services.find_node_ids():
            # Ray itself looks for one for a minute, and then says only that it cannot connect.
            raise _no_node(self._address)
        try:
            ray.init(**quiet, **(started if self._address is None else joined))
        except Exception as error:
            where = "no Ray can be started on this machine"
            if self._address is not None:
                if _NO_NODE.search(str(error.__cause__)):
                    raise _no_node(self._address) from error
                where = f"the Ray cluster at {self._address} cannot be joined"
            raise UsageError(f"{where}: {why_not_joined(str(error))}") from error
        self._ours = True
        # Ray would print what befalls workers to standard output, which is for data, and has no
        # option against it. The run says it itself.
        ray._private.worker._worker_logs_enabled = False


def _node_of(address: str | None) -> dict[str, str]:
    """Where this process is in the cluster, for Ray: on a head that has a loopback address it is
    there, else at the machine's own address."""
    host = (address or "").rpartition(":")[0]
    with suppress(ValueError):
        if ip_address(host).is_loopback:
            return {"_node_ip_address": host}
    return {}


def _no_node(address: str) -> UsageError:
    return UsageError(
        f"this machine is no node of the Ray cluster at {address}: type here `ray start --address "
        f"{address}`, with `--num-cpus 0` if no games are to be played here, and as on the others "
        "with RAY_AUTH_MODE=token where it wants a token"
    )


def why_not_joined(said: str) -> str:
    """What Ray says of a cluster that cannot be joined."""
    versions = _VERSIONS.findall(said)
    if len(versions) != len(("theirs", "ours")):
        return one_line(said, _LONGEST)
    (ray, python), (our_ray, our_python) = versions
    return (
        f"it runs Ray {ray} on Python {python}, this process has Ray {our_ray} on Python "
        f"{our_python}: take the same of both on every machine"
    )


def _take_signals_back() -> None:
    """Ray takes SIGTERM for itself; a run ends its turns first."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if handler is not None:
                signal.signal(number, handler)
