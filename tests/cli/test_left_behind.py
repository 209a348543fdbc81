"""A command that has left a thread behind ends at once, with its exit code and its last words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import atexit, sys, threading, time
from arena.cli import main
from arena.core.threads import LEFT_BEHIND

atexit.register(print, "Python ends")
threading.Thread(target=time.sleep, args=(600,), name={name}, daemon=True).start()
sys.argv = ["arena", "leaderboard", "--db", {db!r}]
main()
"""


@pytest.mark.parametrize(("name", "ends"), [("LEFT_BEHIND", False), ("'another'", True)])
def test_a_library_that_would_bring_the_process_down_is_left_as_it_is(
    tmp_path: Path, name: str, ends: bool
) -> None:
    program = PROGRAM.format(name=name, db=str(tmp_path / "none.db"))
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert found.returncode == 2, found.stderr
    assert "error: " in found.stderr
    assert "none.db" in found.stderr
    assert ("Python ends" in found.stdout) == ends
