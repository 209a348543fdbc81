"""A person plays whole games by hand: in a terminal, killed and gone on, and in a browser."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from arena.core.text import visible
from arena.replay.check import check
from db import get_session
from db.queries.requests import observed, request_rows
from tests.cli.commands import run_arena

EVENING = """
name: evening
seed: 3
environment: {name: TicTacToe-v0, players: 2}
games: 1
agents:
  - {name: Ann, kind: human}
  - {name: Bob, kind: human}
"""
_PATIENCE_S = 120.0


class Terminal:
    """`arena play` at a terminal of its own."""

    def __init__(self, *words: str) -> None:
        self._master, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "arena.cli", *words],
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.shown = ""

    def until(self, pattern: str) -> str:
        """What is shown until a pattern comes, from where the last one ended."""
        deadline = time.monotonic() + _PATIENCE_S
        while (found := re.search(pattern, self.shown)) is None:
            assert time.monotonic() < deadline, self.shown
            self._read()
        before, self.shown = self.shown[: found.end()], self.shown[found.end() :]
        return before

    def _read(self) -> None:
        ready, _, _ = select.select([self._master], [], [], 1.0)
        if ready:
            try:
                self.shown += os.read(self._master, 65536).decode(errors="replace")
            except OSError:
                self.shown += "\n[the terminal is closed]\n"

    def type(self, words: str) -> None:
        os.write(self._master, words.encode())

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)


def first_cell(seen: str) -> str:
    board = seen.rpartition("Available Moves:")[2]
    return board.partition("'")[2].partition("'")[0]


@pytest.fixture
def evening(tmp_path: Path) -> Path:
    """The file of a tournament of two people, beside its database."""
    file = tmp_path / "evening.yaml"
    file.write_text(EVENING)
    return file


def ask(db: Path, query: str) -> list[tuple[object, ...]]:
    with get_session(db) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


def who_is_up(db: Path) -> str:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        with get_session(db) as session:
            for row in request_rows(session):
                return str(row.person)
        time.sleep(0.1)
    raise AssertionError("nobody is asked")


@pytest.mark.slow
def test_a_game_is_played_in_terminals_that_are_killed(evening: Path) -> None:
    db = evening.parent / "evening.db"
    begun = run_arena("run", evening, "--db", db)
    assert begun.exit_code == 1
    assert "1 game is suspended" in begun.stderr
    terminals: dict[str, Terminal] = {}
    try:
        for move in range(7):
            name = who_is_up(db)
            if name not in terminals:
                terminals[name] = Terminal("play", "--as", name, "--db", str(db))
            at = terminals[name]
            at.type(f"{first_cell(at.until('Available Moves[^>]*> '))}\r")
            at.until("taken")
            if move == 3:
                for killed in terminals.values():
                    os.killpg(killed.process.pid, signal.SIGKILL)
                    killed.end()
                # Whoever comes back first plays the game on.
                terminals = {
                    who: Terminal("play", "--as", who, "--db", str(db)) for who in ("Ann", "Bob")
                }
        for at in terminals.values():
            assert "won by" in at.until(r"all games are over")
            assert at.process.wait(_PATIENCE_S) == 0
    finally:
        for at in terminals.values():
            at.end()

    actions = ask(db, "SELECT action FROM game_turns ORDER BY turn_number")
    assert [action for (action,) in actions] == [f"[{cell}]" for cell in range(7)]
    assert ask(db, "SELECT COUNT(*), COUNT(answered_at) FROM requests") == [(7, 7)]
    assert ask(db, "SELECT COUNT(*) FROM llm_calls") == [(7,)]
    assert check(1, db).ok


@pytest.mark.slow
def test_the_terminal_shows_what_the_seat_observes_and_no_more(tmp_path: Path) -> None:
    file, db = tmp_path / "poker.yaml", tmp_path / "poker.db"
    file.write_text(EVENING.replace("TicTacToe-v0", "KuhnPoker-v0"))
    run_arena("run", file, "--db", db)
    name = who_is_up(db)
    at = Terminal("play", "--as", name, "--elsewhere", "--db", str(db))
    try:
        shown = at.until("> ")
        at.type("\x04")
        at.until("it waits for you")
        assert at.process.wait(_PATIENCE_S) == 0
    finally:
        at.end()
    with get_session(db) as session:
        (row,) = request_rows(session)
        assert row.game_id is not None
        assert row.turn is not None
        seen_text = observed(session, row.game_id, row.turn)
    head = f"-- evening, game {row.game_id}, turn {row.turn}: you are player {row.player_index} --"
    printed = re.sub(r"\x1b\[[\d;?]*[a-z]", "", shown).replace("\r", "")
    body = printed[printed.index(head) + len(head) :].rpartition("> ")[0]
    assert "".join(body.split()) == "".join(visible(seen_text, keep="\n\t").split())
    assert ask(db, "SELECT COUNT(answered_at) FROM requests") == [(0,)]
