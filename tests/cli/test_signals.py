"""The first signal asks a run to end, the second cancels it, and none prints a traceback."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
import typer

from arena.cli.signals import Interrupts, stoppable
from tests.cli.commands import run_arena

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")


class Asked:
    """A stop that remembers how often it was requested."""

    def __init__(self) -> None:
        self.times = 0

    def request(self) -> None:
        self.times += 1


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 (nothing announces it)
        await asyncio.sleep(0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_the_work_end_by_itself(number: signal.Signals) -> None:
    stop, said = Asked(), list[str]()

    async def work() -> str:
        signal.raise_signal(number)
        await until(lambda: stop.times)
        return "the summary"

    before = signal.getsignal(number)
    with stoppable("to go on: arena run x") as interrupts:
        assert interrupts.run(work(), stop, said.append) == "the summary"
        assert interrupts.received == 1

    assert stop.times == 1
    assert said == ["stopping: running games finish their turn; press Ctrl-C again to stop at once"]
    assert signal.getsignal(number) is before


def test_the_second_cancels_and_what_comes_after_it_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stop, said = Asked(), list[str]()
    cleaned = False

    async def work() -> None:
        nonlocal cleaned
        try:
            signal.raise_signal(signal.SIGINT)
            await until(lambda: stop.times)
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)
        finally:
            signal.raise_signal(signal.SIGINT)
            await until(lambda: len(said) == 3)
            cleaned = True

    with pytest.raises(typer.Exit) as exit_, stoppable("to go on: arena run x") as interrupts:
        interrupts.run(work(), stop, said.append)

    assert exit_.value.exit_code == 130
    assert cleaned
    assert stop.times == 1
    assert said[1] == "stopping at once"
    assert f"kill -9 {os.getpid()}" in said[2]
    assert capsys.readouterr().err == "note: interrupted; to go on: arena run x\n"


def test_work_that_ends_in_spite_of_the_second_signal_has_ended() -> None:
    stop = Asked()

    async def work() -> int:
        signal.raise_signal(signal.SIGINT)
        await until(lambda: stop.times)
        signal.raise_signal(signal.SIGTERM)
        return 7

    with stoppable("to go on: arena run x") as interrupts:
        assert interrupts.run(work(), stop, lambda _: None) == 7


def test_a_signal_before_anything_runs_ends_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit) as exit_, stoppable("to go on: arena resume x"):
        signal.raise_signal(signal.SIGTERM)

    assert exit_.value.exit_code == 130
    assert "interrupted; to go on: arena resume x" in capsys.readouterr().err


def test_signals_after_the_first_do_not_disturb_the_end_of_the_command() -> None:
    stop = Asked()

    async def work() -> None:
        signal.raise_signal(signal.SIGINT)
        await until(lambda: stop.times)

    with stoppable("to go on: arena run x") as interrupts:
        interrupts.run(work(), stop, lambda _: None)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert interrupts.received == 3


def test_what_the_work_raises_is_raised() -> None:
    async def work() -> None:
        raise ValueError("no")

    async def cancelled() -> None:
        raise asyncio.CancelledError

    with Interrupts() as interrupts:
        with pytest.raises(ValueError, match="no"):
            interrupts.run(work(), Asked())
        with pytest.raises(asyncio.CancelledError):
            interrupts.run(cancelled(), Asked())


def test_any_command_that_is_interrupted_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.config.json_schema", lambda: signal.raise_signal(signal.SIGINT))
    # A background job is started with interrupts ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = run_arena("schema")
    finally:
        signal.signal(signal.SIGINT, before)

    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "")


CHILD = """\
import asyncio, sys
import typer
from arena.cli import app, main
from arena.cli.signals import stoppable

class Stop:
    def request(self): pass

async def work():
    print("ready", flush=True)
    try:
        await asyncio.sleep(20)
    except asyncio.CancelledError:
        print("ending", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        raise

def command():
    with stoppable("to go on: arena run x") as interrupts:
        interrupts.run(work(), Stop())

app.app = typer.Typer()
app.app.command()(command)
sys.argv = ["arena"]
main()
"""


def test_a_background_job_can_be_interrupted_and_a_third_time_is_no_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As a shell starts its background jobs.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        assert child.stderr.readline().startswith("stopping: ")
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "ending\n"
        child.send_signal(signal.SIGINT)
        _, err = child.communicate("\n", timeout=60)

    assert child.returncode == 130
    assert "interrupted; to go on: arena run x" in err
    assert "Traceback" not in err
