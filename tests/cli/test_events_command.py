"""`arena events`: what happened in a game, and how it is told again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from db import get_session
from tests.cli.commands import Arena


@pytest.fixture
def copy(played: str, tmp_path: Path) -> str:
    return str(shutil.copy(played, tmp_path / "copy.db"))


def change(db: str, statement: str) -> None:
    with get_session(db) as session:
        session.connection().execute(text(statement))


def test_a_game_that_was_played_has_its_events(arena: Arena, played: str) -> None:
    result = arena("events", "1", "--db", played, "--json")

    told = json.loads(result.stdout)
    assert (told["events_version"], told["error"]) == (1, None)
    last = told["events"][-1]
    assert last["kind"] == "result"
    assert last["data"]["winners"] in ([0], [1], [])
    assert {event["kind"] for event in told["events"]}.isdisjoint({"message", "change"})
    everything = json.loads(arena("events", "1", "--all", "--db", played, "--json").stdout)
    assert len(everything["events"]) > len(told["events"])
    moves = json.loads(arena("events", "1", "--kind", "move", "--db", played, "--json").stdout)
    assert {event["kind"] for event in moves["events"]} <= {"move"}


def test_what_is_stored_is_what_the_record_tells(arena: Arena, copy: str) -> None:
    same = arena("events", "rebuild", "--check", "--db", copy)
    assert (same.exit_code, same.stdout.split(",")[0]) == (0, "6 games")

    change(copy, "UPDATE game_events SET target = 1 WHERE game_id = 2 AND seq = 3")
    change(copy, "DELETE FROM game_events WHERE game_id = 4 AND seq > 4")
    wrong = arena("events", "rebuild", "--check", "--db", copy)
    assert wrong.exit_code == 1
    assert "game 2: event 3 is target None, on record is 1" in wrong.stdout
    assert "game 4: " in wrong.stdout
    assert "on record are 5" in wrong.stdout

    assert arena("events", "rebuild", "--all", "--db", copy).exit_code == 0
    assert arena("events", "rebuild", "--check", "--db", copy).exit_code == 0


def test_a_game_that_cannot_be_told_says_why_and_keeps_what_it_has(arena: Arena, copy: str) -> None:
    before = arena("events", "3", "--db", copy, "--all", "--json").stdout
    change(copy, "UPDATE environments SET version = '0.0.1'")

    lost = arena("events", "rebuild", "--all", "--db", copy)
    assert lost.exit_code == 1
    assert "game 3: the rules were textarena 0.0.1, installed are textarena" in lost.stdout
    assert arena("events", "3", "--db", copy, "--all", "--json").stdout == before

    change(copy, "UPDATE games SET events_version = NULL")
    change(copy, "DELETE FROM game_events")
    arena("events", "rebuild", "--db", copy)
    said = arena("events", "3", "--db", copy)
    assert said.exit_code == 1
    assert "game 3 has no events: the rules were textarena 0.0.1" in said.stderr


def test_the_kinds_of_events_are_listed(arena: Arena, played: str) -> None:
    types = json.loads(arena("events", "types", "--db", played, "--json").stdout)["types"]

    known = {row["name"]: row for row in types}
    assert known["vote"]["description"] == "A player votes for another one to be put out."
    assert known["protect"]["schema"]["required"] == ["saved"]
    assert "A player votes for another one" in arena("events", "types", "--db", played).stdout


def test_what_goes_with_what(arena: Arena, played: str) -> None:
    for wrong, said in (
        (("99",), "there is no game 99"),
        (("one",), "'one' is no game: expected its number, `rebuild` or `types`"),
        (("types", "--kind", "vote"), "`arena events types` goes without --kind"),
        (("1", "--kind", "dance"), "unknown kind of event 'dance'"),
        (("1", "--check"), "--check goes with rebuild: `arena events rebuild --check ...`"),
        (("1", "--chances"), "TicTacToe-v0 does not tell chances"),
        (("1", "--chances", "--all"), "--chances goes without --kind and --all"),
        (("rebuild", "--chances"), "--chances goes with a game: `arena events GAME --chances`"),
        (("rebuild", "--kind", "vote"), "--kind goes with a game"),
    ):
        result = arena("events", *wrong, "--db", played)
        assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
