"""What is wrong with a cluster is said in one sentence, before a game begins."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.core import UsageError
from arena.executors.ray import head
from arena.executors.ray.actor import Began
from arena.executors.ray.cluster import Cluster, why_not_joined
from arena.executors.ray.executor import RayExecutor
from arena.executors.ray.head import enters_with_token
from arena.executors.ray.installed import Installed, differences, installed
from tests.servers.openai_server import OpenAIServer
from torture.ray_nodes import NODES


def test_without_ray_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"not installed: type `pip install 'llm-arena\[ray\]'`"):
        RayExecutor(concurrency=1)


@pytest.mark.parametrize("address", ["head", "head:0", "ray://head:10001", "head:99999", ":6379"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="expected HOST:PORT of the head of a Ray cluster"):
        RayExecutor(concurrency=1, address=address)


def test_an_address_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    with pytest.raises(UsageError, match="found 'auto' in RAY_ADDRESS"):
        RayExecutor(concurrency=1)


def test_an_address_at_which_nobody_listens_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    async def join() -> None:
        async with Cluster(f"127.0.0.1:{port}", 1):
            pass

    with pytest.raises(UsageError, match=f"no Ray cluster answers at 127.0.0.1:{port}"):
        asyncio.run(join())


def test_a_server_that_is_no_ray_is_told_at_once() -> None:
    async def join(address: str) -> None:
        async with Cluster(address, 1):
            pass

    with OpenAIServer(lambda body: "") as server:
        address = server.url.removeprefix("http://").partition("/")[0]
        with pytest.raises(UsageError, match=r"no Ray cluster answers .*is something else"):
            asyncio.run(join(address))


def test_a_server_that_sends_a_byte_now_and_then_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It begins as one of HTTP/2 does, with its settings."""
    monkeypatch.setattr(head, "_PATIENCE", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host, port = listening.getsockname()

        def drip() -> None:
            with listening.accept()[0] as asking, suppress(OSError):
                for byte in (b"\0\0\0\4\0\0\0\0\0", *[b"\0"] * 40):
                    asking.sendall(byte)
                    time.sleep(0.2)

        dripping = threading.Thread(target=drip)
        dripping.start()
        with pytest.raises(UsageError, match=f"no Ray cluster answers at {host}:{port} .timed out"):
            enters_with_token(f"{host}:{port}")
        dripping.join()


def test_what_brings_a_worker_back_is_not_rays() -> None:
    with pytest.raises(UsageError, match="'max_restarts' is the executor's own"):
        RayExecutor(concurrency=1, actor={"max_restarts": 3})


OURS = Installed("1.0", {"games": "2.1"}, frozenset({("arena.environments", "Go")}))


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (OURS, None),
        (replace(OURS, plugins=OURS.plugins | {("arena.agents", "more")}), None),
        (replace(OURS, arena="0.9"), "it has llm-arena 0.9, this machine has 1.0"),
        (replace(OURS, packages={"games": "2.0"}), "it has games 2.0, this machine has 2.1"),
        (replace(OURS, packages={}), "the package games 2.1, which brings plug-ins, is not inst"),
        (replace(OURS, plugins=frozenset()), "the plug-in 'Go' (arena.environments) is not inst"),
    ],
)
def test_what_a_node_lacks_is_named(there: Installed, said: str | None) -> None:
    found = differences(OURS, there)

    assert found is None if said is None else str(found).startswith(said)


def test_this_installation_lacks_nothing_of_itself() -> None:
    here = installed()

    assert ("arena.executors", "ray") in here.plugins
    assert differences(here, here) is None


@pytest.mark.parametrize(
    ("clock", "said"),
    [(100.0, []), (104.0, []), (3700.0, ["3,598 s ahead of"]), (40.0, ["60 s behind"])],
)
def test_a_node_whose_clock_is_wrong_is_told(clock: float, said: list[str]) -> None:
    """Asked at 100 s, answered at 102 s."""
    from arena.executors.ray.worker import _compare_clocks

    news: list[Any] = []
    _compare_clocks(Began("far", clock, None), 100.0, 102.0, news.append)

    assert len(news) == len(said)
    for found, part in zip(news, said, strict=True):
        assert f"the clock of the node far is {part} this machine's" in found


@pytest.fixture
def head_with_token(loopback_nodes: None, tmp_path: Path) -> Iterator[str]:
    """HOST:PORT of a head, without any node, that is entered with the token `right`."""
    import ray

    with socket.create_server((NODES[0], 0)) as listening:
        port = listening.getsockname()[1]
    program = Path(ray.__file__).parent / "core" / "src" / "ray" / "gcs" / "gcs_server"
    words = {
        "log_dir": tmp_path,
        "config_list": base64.b64encode(b"{}").decode(),
        "gcs_server_port": port,
        "metrics-agent-port": 0,
        "node-ip-address": NODES[0],
        "session-name": "session_of_a_head",
        "session-dir": tmp_path,
        "node-id": "00" * 28,
    }
    command = [str(program), *(f"--{name}={value}" for name, value in words.items())]
    environment = os.environ | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "right"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as head:
        try:
            address = f"{NODES[0]}:{port}"
            until = time.monotonic() + 30
            while True:
                with socket.socket() as asking:
                    if asking.connect_ex((NODES[0], port)) == 0:
                        break
                assert time.monotonic() < until
                time.sleep(0.05)
            yield address
        finally:
            head.kill()


def test_a_cluster_that_wants_a_token_says_so(
    head_with_token: str, ray_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray itself tries for half a minute, and says only that it cannot connect."""
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    with pytest.raises(UsageError, match="is entered with a token, and there is none here: copy"):
        enters_with_token(head_with_token)
    (tmp_path / "token").write_text("wrong" * 50)
    with pytest.raises(UsageError, match="does not take the token that is here: copy"):
        enters_with_token(head_with_token)
    (tmp_path / "token").write_text("right\n")
    assert enters_with_token(head_with_token)
    assert not enters_with_token(ray_address)


JOINED = """
import asyncio, sys
from arena.executors.ray.cluster import Cluster

async def main():
    async with Cluster(sys.argv[1], 1):
        pass

asyncio.run(main())
"""


def test_a_machine_without_a_node_is_told_how_it_becomes_one(ray_address: str) -> None:
    """Ray itself says after a minute that it failed to connect. The head answers at this address
    too, and no node has it."""
    elsewhere = f"127.0.0.9:{ray_address.rpartition(':')[2]}"
    joined = subprocess.run(
        [sys.executable, "-c", JOINED, elsewhere],
        env=os.environ | {"RAY_gcs_server_request_timeout_seconds": "3"},
        capture_output=True,
        text=True,
        check=False,
    )

    said = f"UsageError: this machine is no node of the Ray cluster at {elsewhere}: type here `ray"
    assert said in joined.stderr


OPENED = """
import asyncio, os
from pathlib import Path
from arena.executors.ray.cluster import Cluster

def ours():
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[stat.parent] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            pass
    found = {os.getpid()}
    while more := {int(p.name) for p, parent in parents.items() if parent in found} - found:
        found |= more
    return found

def sockets():
    for pid in ours():
        for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                yield os.readlink(descriptor)
            except OSError:
                pass

async def main():
    async with Cluster(None, 1):
        mine = set(sockets())
        for table in ("tcp", "tcp6"):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == "0A" and f"socket:[{words[9]}]" in mine:
                    print(words[1].partition(":")[0])

asyncio.run(main())
"""
# 127.0.0.1, and the same as an address of IPv6, as the kernel shows them.
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F"}


@pytest.mark.sweep
def test_a_ray_of_this_machine_alone_listens_on_the_loopback_address_alone() -> None:
    listening = subprocess.run(
        [sys.executable, "-c", OPENED], capture_output=True, text=True, check=True
    ).stdout.split()

    assert len(listening) > 3
    assert set(listening) <= LOOPBACK


def test_another_version_of_ray_or_python_is_named() -> None:
    """As Ray 2.60 says it."""
    said = (
        "Version mismatch: The cluster was started with:\n    Ray: 2.59.0\n    Python: 3.12.1\n"
        "This process on node 127.0.0.2 was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
    )

    assert why_not_joined(said) == (
        "it runs Ray 2.59.0 on Python 3.12.1, this process has Ray 2.60.0 on Python 3.11.7: take "
        "the same of both on every machine"
    )
    assert why_not_joined("No.\n") == "No."
