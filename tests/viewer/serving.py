"""`arena view` as a person types it, for the length of a block."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_UNTIL_OURS_ENDS = """
import os, signal, sys, threading

def wait():
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=wait, daemon=True).start()
from arena.cli import main
main()
"""
"""The command, ended by its end of a pipe where the tests are killed."""


@contextmanager
def served(url: str | Path) -> Iterator[str]:
    """`arena view` over a database, as it is typed: its address, with the token. It begins with
    interrupts ignored, as a background job of a shell does, and is interrupted all the same."""
    command = [sys.executable, "-c", _UNTIL_OURS_ENDS, "view", "--db", str(url), "--port", "0"]
    ignoring = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command]
    with subprocess.Popen(
        ignoring, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            address = server.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:"), address
            yield address
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(60) == 130
