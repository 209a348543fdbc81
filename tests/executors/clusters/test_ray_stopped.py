"""A run in a cluster that is interrupted, or whose head dies, ends in order; its workers end with
it, and the same command goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arena.replay.check import check
from db import Database
from db.queries.schedule import open_games
from tests.executors.clusters.test_ray_games import gone
from tests.executors.test_processes import results
from tests.executors.test_processes_stopped import FILE, Held
from tests.servers.openai_server import OpenAIServer
from torture.ray_nodes import newest_head, ray_nodes, ray_workers

pytestmark = [pytest.mark.sweep]


@contextmanager
def started(command: list[str], provider: Held) -> Iterator[subprocess.Popen[str]]:
    """A run that has as many calls in flight as it has games."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert provider.full.wait(120)
        yield process


@pytest.mark.parametrize(
    ("number", "presses"), [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGINT, 2)]
)
def test_signals_end_workers_of_a_cluster_with_the_run_and_nothing_is_lost(
    tmp_path: Path, ray_address: str, postgresql_url: str, number: signal.Signals, presses: int
) -> None:
    provider, path = Held(), tmp_path / "village.yaml"
    with OpenAIServer(provider) as server:
        path.write_text(FILE.format(url=server.url))
        command = [sys.executable, "-m", "arena.cli", "run", str(path), "--db", postgresql_url]
        with started([*command, "--ray-address", ray_address], provider) as process:
            workers = ray_workers()
            process.send_signal(number)
            assert process.stderr is not None
            while "stopping: running games finish their turn" not in process.stderr.readline():
                pass
            assert ray_workers() == workers
            if presses == 1:
                provider.go.set()
            else:
                process.send_signal(number)
            began = time.monotonic()
            _, said = process.communicate(timeout=120)
            took = time.monotonic() - began
        gone()
        asked = provider.requests
        provider.go.set()
        with Database(postgresql_url) as database, database.session() as session:
            begun = [game.begun for game in open_games(session, 1)]

        assert process.returncode == 130, said
        assert f"--ray-address {ray_address}" in said, "what to type to go on"
        assert "Traceback" not in said
        assert took < 30
        assert begun == [True, True]
        resumed = subprocess.run(command, capture_output=True, text=True, check=True)
        assert ("calls were in flight" in resumed.stderr) == (presses == 2)
        again = provider.requests - asked

        alone = f"sqlite:///{tmp_path}/alone.db"
        provider.requests = 0
        subprocess.run([*command[:-1], alone], capture_output=True, check=True)

    assert asked + again == provider.requests + (2 if presses == 2 else 0)
    assert results(postgresql_url) == results(alone)
    assert check(1, postgresql_url).ok


@pytest.mark.parametrize("end", ["gone", "started anew", "frozen"])
def test_the_end_of_the_head_ends_the_run_in_order(
    tmp_path: Path, postgresql_url: str, end: str
) -> None:
    """Ray itself ends the process after a minute, without a word of ours; of one that is started
    anew it waits for workers for ever, and it does not leave one that says nothing."""
    provider, path = Held(), tmp_path / "village.yaml"
    with OpenAIServer(provider) as server, ray_nodes({}) as address:
        path.write_text(FILE.format(url=server.url))
        command = [sys.executable, "-m", "arena.cli", "run", str(path), "--db", postgresql_url]
        with started([*command, "--ray-address", address], provider) as process:
            head = newest_head()
            port = ("--gcs_server_port", address.rpartition(":")[2])
            words = Path(f"/proc/{head}/cmdline").read_text().split("\0")[:-1]
            os.kill(head, signal.SIGSTOP if end == "frozen" else signal.SIGKILL)
            anew = subprocess.Popen([*words, "=".join(port)]) if end == "started anew" else None
            try:
                _, said = process.communicate(timeout=120)
            finally:
                if end == "frozen":
                    os.kill(head, signal.SIGCONT)
        provider.go.set()
        if anew is not None:
            anew.kill()
            anew.wait()

        assert process.returncode == 1, said
        (error,) = [line for line in said.splitlines() if line.startswith("error: ")]
        how = "was started anew" if end == "started anew" else "has been away for"
        assert error.startswith(f"error: the head of the Ray cluster at {address} {how}")
        assert "nothing is lost; type the same command again" in error
        subprocess.run(command, capture_output=True, check=True)
        alone = f"sqlite:///{tmp_path}/alone.db"
        subprocess.run([*command[:-1], alone], capture_output=True, check=True)

    assert results(postgresql_url) == results(alone)
