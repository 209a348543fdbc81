"""`arena view`: a real server on loopback, from its first line to Ctrl-C."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.commands import Arena


@pytest.mark.slow
def test_pages_are_served_until_ctrl_c(played: str, tmp_path: Path) -> None:
    log = tmp_path / "pages.log"
    command = [sys.executable, "-m", "arena.cli", "view", "--db", played, "--port", "0"]
    command += ["--log-json", str(log)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job starts with interrupts ignored, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    ) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:")
            with httpx.Client(follow_redirects=True, trust_env=False, timeout=120) as browser:
                page = browser.get(address)
                assert page.status_code == 200
                assert "token" not in str(page.url)
                assert browser.get(httpx.URL(address).join("/game/1")).status_code == 200
            plain = httpx.get(httpx.URL(address).join("/games"), trust_env=False, timeout=120)
            assert plain.status_code == 404
        finally:
            server.send_signal(signal.SIGINT)
            _, said = server.communicate(timeout=300)
    assert server.returncode == 130
    assert "Traceback" not in said
    assert "token" not in said
    # What was asked for is logged, an object a line, and nobody's way in.
    lines = [json.loads(line) for line in log.read_text("ascii").splitlines()]
    assert any("/game/1" in line["message"] for line in lines)
    assert all({"at", "level", "logger", "message"} <= line.keys() for line in lines)
    assert httpx.URL(address).params["token"] not in log.read_text("ascii")


def test_a_database_that_is_not_there_is_not_made(arena: Arena, tmp_path: Path) -> None:
    result = arena("view", "--db", tmp_path / "none.db")
    assert result.exit_code == 2
    assert not (tmp_path / "none.db").exists()


def test_a_port_that_is_taken_is_said(arena: Arena, played: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = arena("view", "--db", played, "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 2
    assert "--port names another" in result.stderr
