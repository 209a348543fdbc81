"""Whole games with a program that dials in: the run is killed and resumed, others knock at its port
with wrong tokens, nonsense and too much, and the games are the same."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arena.config import loads
from arena.llm.key_places import Pair, allow
from arena.orchestrator import run
from arena.replay.check import check
from tests.remote.test_remote_games import GAMES, TOURNAMENT, TURNS, rows
from tests.servers.programs import CLIENTS

pytestmark = pytest.mark.slow

NODE = shutil.which("node")
TOKEN = "correct-horse-7"
NUMBER = 4

# Each writes a line for every turn and for every game that ends.
PYTHON = """
import sys
sys.path.insert(0, {clients!r})
from arena_remote import play

def agent(observation):
    open("moves", "a").write("move\\n")
    offered = observation.rpartition("Available Moves:")[2].replace("'", "").split(", ")
    return offered[len(observation) % len(offered)].strip()

agent.on_end = lambda message: open("ends", "a").write(message["result"] + "\\n")
play(agent, name="bob", version="1")
"""
JAVASCRIPT = """
import {{ appendFileSync }} from "node:fs";
import {{ play }} from "{clients}/arena_remote.mjs";

const agent = (observation) => {{
  appendFileSync("moves", "move\\n");
  const offered = observation.split("Available Moves:").at(-1).replaceAll("'", "").split(", ");
  return offered[[...observation].length % offered.length].trim();
}};
agent.onEnd = (message) => appendFileSync("ends", message.result + "\\n");
play(agent, {{ name: "bob", version: "1" }});
"""
PROGRAMS = {"python": ("bob.py", PYTHON, sys.executable), "node": ("bob.mjs", JAVASCRIPT, NODE)}


@contextmanager
def dialled_in(folder: Path, language: str, port: int) -> Iterator[None]:
    """The program, which dials in for as long as the block takes."""
    file, text, command = PROGRAMS[language]
    (folder / file).write_text(text.format(clients=str(CLIENTS)), "utf-8")
    process = subprocess.Popen(
        [str(command), file, "--dial", f"http://127.0.0.1:{port}/bob"],
        cwd=folder,
        env={**os.environ, "ARENA_SECRET": TOKEN},
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def lines(file: Path) -> int:
    return len(file.read_text("utf-8").splitlines()) if file.exists() else 0


def knock(port: int, body: bytes, token: str, **headers: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("POST", "/bob", body, {"Authorization": f"Bearer {token}", **headers})
        connection.getresponse().read()
    connection.close()


@contextmanager
def hostile(port: int) -> Iterator[None]:
    """Strangers without the token, and the program's own mistakes with it."""
    over = threading.Event()
    act = b'{"type": "act", "turn": "%s", "action": "[4]"}' % (b"f" * 32)
    knocks: list[Callable[[], None]] = [
        lambda: knock(port, b'{"type": "hello", "protocol": 1}', "guessed"),
        lambda: knock(port, act, ""),
        lambda: knock(port, b'{"type": "act", "action": ' + b"[" * 5_000, TOKEN),
        lambda: knock(port, b'{"type": "act", "action": "' + b"x" * 2**20 + b'"}', TOKEN),
        lambda: knock(port, b"\xff\xfe\x00", TOKEN),
        lambda: knock(port, b"[]", TOKEN),
        lambda: knock(port, b"", TOKEN, **{"Transfer-Encoding": "chunked"}),
    ]

    def all_the_time() -> None:
        while not over.wait(0.2):
            for each in knocks:
                each()

    def drop_by_drop() -> None:
        # Sends a request that never ends, and opens it again where it is thrown out.
        while not over.is_set():
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", port)) as line,
            ):
                line.sendall(b"POST /bob HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n")
                line.sendall(f"Authorization: Bearer {TOKEN}\r\n\r\n".encode())
                while not over.wait(0.05):
                    line.sendall(b"{")
            over.wait(0.05)

    threads = [threading.Thread(target=work) for work in (all_the_time, drop_by_drop)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(30)


@pytest.mark.parametrize(
    ("executor", "language"),
    [
        ("local", "python"),
        pytest.param("processes", "python", marks=pytest.mark.sweep),
        pytest.param("local", "node", marks=pytest.mark.sweep),
        pytest.param(
            "processes",
            "node",
            marks=[pytest.mark.sweep, pytest.mark.skipif(NODE is None, reason="needs Node")],
        ),
    ],
)
def test_a_run_with_a_program_that_dials_in_is_killed_and_resumed_to_the_same_rows(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    executor: str,
    language: str,
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TEST_KEY", TOKEN)
    allow(Pair("TEST_KEY", "remote"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    how = f'params: {{listen: "127.0.0.1:{port}"}}, api_key_env: TEST_KEY'

    def written(executor: str) -> str:
        text = TOURNAMENT.format(url="", executor=executor, games=NUMBER, timeout=30.0)
        # On a busy machine the program is away for longer than usual, and that is nobody's fault.
        text = text.replace("retries: 2, patience: 1", "retries: 20, patience: 300")
        return text.replace('api_base: ""', how)

    whole = f"sqlite:///{tmp_path}/whole.db"
    moves, ends = tmp_path / "moves", tmp_path / "ends"
    with dialled_in(tmp_path, language, port):
        asyncio.run(run(loads(written("local"), source="away.yaml"), url=whole))
    assert lines(ends) == NUMBER
    made = lines(moves)
    moves.unlink()
    ends.unlink()

    (tmp_path / "away.yaml").write_text(written(executor), "utf-8")
    command = [sys.executable, "-m", "arena.cli", "run", "away.yaml", "--db", database_url]
    with dialled_in(tmp_path, language, port), hostile(port):
        run_ = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while lines(moves) < made // 2 and run_.poll() is None:
            time.sleep(0.005)
        run_.send_signal(signal.SIGKILL)
        assert run_.wait() == -signal.SIGKILL
        asked = lines(moves)
        asyncio.run(run(loads(written(executor), source="away.yaml"), url=database_url))

    for query in (GAMES, TURNS):
        assert rows(database_url, query) == rows(whole, query)
    assert rows(database_url, "SELECT COUNT(*) FROM game_turns WHERE lapse IS NOT NULL") == [(0,)]
    for (game,) in rows(database_url, "SELECT id FROM games"):
        assert check(game, database_url).ok
    # A turn that was being asked for is asked for again, and no other.
    assert made <= lines(moves) <= made + 2
    assert asked < made
    # Whoever is killed as a game ends may miss its end, and hears none twice.
    assert NUMBER - 2 <= lines(ends) <= NUMBER
