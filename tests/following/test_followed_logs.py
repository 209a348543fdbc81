"""Lines that are followed as they come, and lines of worker processes."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from arena.core.log_scope import about, scope_of
from arena.executors.processes.executor import ProcessExecutor
from db import Recorder
from db.writer.execution_logs import Logged
from tests.db.tournaments import tournament
from tests.executors import probes
from tests.executors.test_worker_faults import called

pytestmark = pytest.mark.slow


async def log(url: str, message: str, level: int = logging.WARNING) -> None:
    async with Recorder(url) as recorder:
        recorder.post(Logged(datetime.now(UTC), level, "arena.mine", message, 1))


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_what_is_logged_while_one_looks_on_is_printed_until_ctrl_c(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'followed.db'}"
    tournament(url)
    asyncio.run(log(url, "before"))
    typed = ["logs", "--follow", "--level", "warning", "--db", url]
    with subprocess.Popen(
        [sys.executable, "-m", "arena.cli", *typed],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            first = process.stdout.readline()
            asyncio.run(log(url, "of no interest", logging.INFO))
            asyncio.run(log(url, "meanwhile\x1b[31m"))
            second = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            rest, said = process.stdout.read(), process.stderr.read()
            assert process.wait(60) == 130
        finally:
            process.kill()
    assert first.rstrip().endswith("cup: before")
    assert "warning cup: meanwhile" in second
    assert "\x1b" not in second
    assert rest == ""
    assert "Traceback" not in said


def test_what_a_game_logs_in_a_worker_is_a_line_of_that_game(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, logger="arena"), about(tournament_id=4, game_id=7):
        pid = called(ProcessExecutor(concurrency=1), probes.logs, "seen")

    (line,) = [record for record in caplog.records if record.name == "arena.mine"]
    assert pid != os.getpid()
    assert (line.levelno, line.getMessage()) == (logging.WARNING, "in a worker: seen")
    scope = scope_of(line)
    assert (scope.tournament_id, scope.game_id) == (4, 7)
