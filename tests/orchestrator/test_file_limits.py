"""A command raises the limit of open files; a run that needs more is refused with what to type."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

pytestmark = pytest.mark.slow

pytest.importorskip("resource", reason="the limit is a Unix one")

TRY = """
import os, resource, sys
from arena.core import UsageError
from arena.orchestrator.file_limits import allow_files, check_files
for line in sys.stdin:
    soft, hard, calls, allow = map(int, line.split())
    if os.fork():
        os.wait()
        continue
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        if allow:
            allow_files(calls)
        check_files(calls)
        print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], flush=True)
    except UsageError as error:
        print(" ".join(str(error).split()), flush=True)
    os._exit(0)
"""

Allowed = Callable[..., str]


@pytest.fixture(scope="module")
def allowed() -> Iterator[Allowed]:
    """Says what becomes of limits: each time in a process of its own, because a hard limit does not
    come back, forked from one that has imported everything."""
    with subprocess.Popen(
        [sys.executable, "-c", TRY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asks, says = process.stdin, process.stdout

        def ask(soft: int, hard: int, calls: int, *, allow: bool = True) -> str:
            print(soft, hard, calls, int(allow), file=asks, flush=True)
            return says.readline().strip()

        yield ask


def test_a_limit_that_is_high_enough_stays(allowed: Allowed) -> None:
    assert allowed(200, 200, 50) == "200"


def test_a_limit_that_is_too_low_is_raised(allowed: Allowed) -> None:
    assert allowed(80, 400, 100) == "164"


def test_a_limit_that_cannot_be_raised_is_refused_with_what_to_type(allowed: Allowed) -> None:
    said = allowed(80, 100, 200)
    assert "200 games at once need 264 open files, and this process may open 100" in said
    assert "ulimit -n 264" in said
    assert "--concurrency 36" in said


def test_a_run_from_python_leaves_the_limit_as_it_was_and_says_what_to_raise(
    allowed: Allowed,
) -> None:
    said = allowed(80, 400, 100, allow=False)
    assert "need 164 open files, and this process may open 80" in said
    assert "raise resource.RLIMIT_NOFILE" in said
