"""A command raises the limit of open files; a run that needs more is refused with what to type."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

pytest.importorskip("resource", reason="the limit is a Unix one")

TRY = """
import resource, sys
from arena.core import UsageError
from arena.orchestrator.file_limits import allow_files, check_files
soft, hard, calls = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
try:
    allow_files(calls)
    check_files(calls)
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
except UsageError as error:
    print(error)
"""


def allowed(soft: int, hard: int, calls: int) -> str:
    """In a process of its own, because a hard limit does not come back."""
    command = [sys.executable, "-c", TRY, str(soft), str(hard), str(calls)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_limit_that_is_high_enough_stays() -> None:
    assert allowed(200, 200, 50) == "200"


def test_a_limit_that_is_too_low_is_raised() -> None:
    assert allowed(80, 400, 100) == "164"


def test_a_limit_that_cannot_be_raised_is_refused_with_what_to_type() -> None:
    said = allowed(80, 100, 200)
    assert "200 games at once need 264 open files, and this process may open 100" in said
    assert "ulimit -n 264" in said
    assert "--concurrency 36" in said


def test_a_run_from_python_leaves_the_limit_as_it_was_and_says_what_to_raise() -> None:
    said = subprocess.run(
        [sys.executable, "-c", TRY.replace("    allow_files(calls)\n", ""), "80", "400", "100"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "need 164 open files, and this process may open 80" in said
    assert "raise resource.RLIMIT_NOFILE" in said
