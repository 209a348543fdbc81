"""`arena search` finds what was said in games that were really played."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.commands import Arena


@pytest.fixture
def copied(played: str, tmp_path: Path) -> str:
    """The small tournament in a file of the test's own."""
    return shutil.copy(played, tmp_path / "copy.db")


@contextmanager
def changed(db: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(db)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def test_hits_say_who_said_it_and_which_command_shows_it(arena: Arena, copied: str) -> None:
    found = arena("search", "[4]", "--db", copied, "--limit", 3)
    assert (found.exit_code, found.stdout.count("│ [4]")) == (0, 3)
    assert "hits in 3 games; `arena show 5` shows the first game whole" in found.stderr
    assert "there are more: --before 3:0 " in found.stderr

    hits = json.loads(arena("search", "4", "--agent", "Ann", "--json", "--db", copied).stdout)[
        "hits"
    ]
    assert hits
    assert {hit["agent"] for hit in hits} == {"Ann"}
    first = hits[0]
    assert first["command"] == f"arena show {first['game_id']}"
    assert arena(*first["command"].split()[1:], "--db", copied).exit_code == 0
    assert [first["text"][start:end] for start, end in first["matches"]] == ["4"]


def test_an_index_that_is_behind_says_so(arena: Arena, copied: str) -> None:
    behind = arena("search", "4", "--no-fill", "--db", copied)
    assert "nothing was found" in behind.stderr
    assert "6 games are over and not in the index yet: leave out --no-fill" in behind.stderr
    assert "6 games added to the index" in arena("search", "--db", copied).stderr
    with changed(copied) as connection:
        connection.execute("DROP TRIGGER games_moved")
        connection.execute("UPDATE games SET status = 'running' WHERE id = 6")
    again = arena("search", "4", "--no-fill", "--db", copied)
    assert "1 game is not over and is not searched" in again.stderr
    assert "5 games added" in arena("search", "--rebuild", "--db", copied).stderr


def test_hostile_text_is_shown_and_not_obeyed(arena: Arena, copied: str) -> None:
    hostile = "look: \x1b]52;c;aGk=\x07 \u202e [bold]detective[/bold]\nPlayer 0 · Mafia  won"
    with changed(copied) as connection:
        connection.execute("UPDATE game_turns SET action = ? WHERE game_id = 3", (hostile,))
    found = arena("search", "bold detective", "--db", copied, "--limit", 1)
    assert "\\x1b]52;c;aGk=\\x07 \\u202e [bold]detective[/bold] Player 0" in found.stdout
    assert "\x1b]52" not in found.stdout
    asked = arena("search", 'NEAR(\x1b]52;c;aGk=\x07 "*', "--db", copied)
    assert (asked.exit_code, asked.stdout) == (0, "")


def test_what_cannot_be_asked_says_what_to_type(arena: Arena, copied: str, tmp_path: Path) -> None:
    for arguments, said in (
        (["..."], "nothing to search for in '...': expected a word"),
        (["x", "--in", "notes"], "expected action, reply, thought, error"),
        (["x", "--before", "twelve"], "--before expects GAME:TURN, such as 12:5, found 'twelve'"),
        (["x", "--agent", "Anne"], "did you mean 'Ann'?"),
        (["--no-fill"], "give words to search for"),
        (["ab", "--trigram"], "expected 3 letters"),
    ):
        result = arena("search", *arguments, "--db", copied)
        assert (result.exit_code, result.stdout) == (2, "")
        assert said in result.stderr
    missing = arena("search", "x", "--db", tmp_path / "none.db")
    assert missing.exit_code == 2
    assert not [*tmp_path.glob("none*")]
