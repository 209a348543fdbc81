"""A program and what it has started are ended together, and nobody else, whatever number it has."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

from arena.core.groups import end_group

SLEEPS = "import time; print('here', flush=True); time.sleep(600)"
STARTS = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPS!r}])"


def started(program: str) -> subprocess.Popen[bytes]:
    """A program that leads a group, once it or what it starts has said that it is here."""
    found = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True
    )
    assert found.stdout is not None
    assert found.stdout.readline() == b"here\n"
    return found


@dataclass(frozen=True)
class Ended:
    """A leader whose end was seen, under a number that another has now."""

    pid: int
    returncode: int = 0


def test_a_leader_is_ended_and_so_is_what_it_left() -> None:
    with started(SLEEPS) as leader:
        end_group(leader)
        assert leader.wait(60) == -9
    with started(STARTS) as gone:
        assert gone.wait(60) == 0
        end_group(gone)
        assert gone.stdout is not None
        # Its output is at an end when the last that could write it is.
        assert gone.stdout.read() == b""


def test_who_has_the_number_of_one_that_has_ended_is_not_touched() -> None:
    with started(SLEEPS) as other:
        end_group(Ended(other.pid))
        assert other.poll() is None
        other.kill()
        assert other.wait(60) == -9

    # Of a number that nobody has nothing is left, and nothing said.
    end_group(other)
