"""Commands in processes of their own: their output, their end, and signals to them."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime, timedelta

import pytest

from torture.harness import Harness
from torture.scene import Scene
from torture.service import Service

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(harness: Harness) -> Service:
    return harness.service("commands", 0.2, 0.4)


def test_what_a_command_prints_and_ends_with_is_kept(harness: Harness) -> None:
    shown = harness.commands.run("--version")
    refused = harness.commands.run("run", "nowhere.yaml")

    assert (shown.code, shown.stdout[:6], shown.stderr) == (0, "arena ", "")
    assert (refused.code, refused.stdout) == (2, "")
    assert "nowhere.yaml: no such file" in refused.last_words


def test_a_command_is_killed_at_a_moment_that_is_known(harness: Harness, service: Service) -> None:
    with service:
        scene = Scene(harness, service, "commands", "killed")
        command = scene.start_and_wait(2)
        assert command.running()
        before = time.monotonic()
        at = command.signal()
        ended = command.wait(20)

    assert at is not None
    assert before <= at <= ended.at
    assert ended.code == -signal.SIGKILL
    assert command.signal() is None


def test_a_clock_that_is_set_back_is_what_the_record_goes_by(
    harness: Harness, service: Service
) -> None:
    with service:
        scene = Scene(harness, service, "commands", "clock")
        command = scene.start_and_wait(1, clock=(0.0, -3600.0))
        command.signal()
        command.wait(20)

    from sqlmodel import select

    from db import Game, get_session

    with get_session(scene.url, create=False) as session:
        started = session.exec(select(Game.started_at).where(Game.status == "running")).first()
    assert started is not None
    assert started < datetime.now(UTC) - timedelta(minutes=50)


def test_a_file_that_may_not_grow_stops_the_run_with_a_message(
    harness: Harness, service: Service
) -> None:
    with service:
        scene = Scene(harness, service, "commands", "small file")
        ended = scene.start(largest_file=4096).wait(60)

    assert ended.code not in (0, 130)
    assert "Traceback" not in ended.stderr
