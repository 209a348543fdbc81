"""What a page watches moves with what it shows, and with nothing else."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from arena.core import UsageError
from arena.viewer.watching import TOPICS, Topic, state_of, watched
from db import get_session
from tests.cli.commands import run_arena
from tests.small import SMALL
from tests.viewer.browser import browsing

ALL, LIST = Topic("all"), Topic("tournaments")
CUP, GAME, OTHER = Topic("tournament", 1), Topic("game", 1), Topic("game", 2)


@pytest.fixture
def file(watched: str, tmp_path: Path) -> Path:
    """The small tournament in a file of its own."""
    copy = tmp_path / "moving.db"
    shutil.copyfile(watched.removeprefix("sqlite:///"), copy)
    return copy


def states(file: Path, computed: int = 0) -> dict[Topic, str]:
    with get_session(f"sqlite:///{file}", create=False) as session:
        return {
            topic: state_of(session, topic, computed) for topic in (ALL, LIST, CUP, GAME, OTHER)
        }


@pytest.mark.parametrize(
    ("moves", "told"),
    [
        ("UPDATE games SET turn_count = turn_count + 1 WHERE id = 1", {GAME}),
        ("DELETE FROM game_events WHERE game_id = 2", {OTHER}),
        ("UPDATE games SET fold_index = 99 WHERE id = 2", {ALL, LIST}),
        ("UPDATE leases SET told_at = '2031-01-01 00:00:00+00:00'", {LIST, CUP}),
        ("UPDATE tournaments SET next_fold_index = 99", {ALL, LIST, CUP}),
        ("UPDATE prompts SET name = name", set()),
    ],
)
def test_a_page_is_drawn_again_for_what_it_shows(file: Path, moves: str, told: set[Topic]) -> None:
    before = states(file)
    with closing(sqlite3.connect(file)) as connection, connection:
        assert connection.execute(moves).rowcount > 0
    after = states(file)
    assert {topic for topic in before if before[topic] != after[topic]} == told


def test_an_answer_that_was_computed_moves_the_pages_that_may_show_it(file: Path) -> None:
    before, after = states(file), states(file, computed=1)
    assert {topic for topic in before if before[topic] != after[topic]} == {ALL}


def test_a_page_and_the_state_that_it_watches_are_of_one_moment(
    database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    played = run_arena("run", tmp_path / "small.yaml", "--games", "1", "--db", database_url)
    assert played.exit_code == 0, played.stderr
    moves = iter(["UPDATE tournaments SET name = 'renamed', next_fold_index = 99"])

    def renamed_meanwhile(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM tournaments" in statement:
            for move in moves:
                with get_session(database_url, create=False) as other:
                    other.connection().execute(text(move))

    with browsing(database_url) as get:

        def drawn() -> tuple[str, str]:
            """The name on the page, and the state that the page watches."""
            page = get("/tournaments").text
            state = re.findall(r'data-about="tournaments-0" data-state="(\w+)"', page)
            return "renamed" if "renamed" in page else "small", state[0]

        before = drawn()
        event.listen(Engine, "after_cursor_execute", renamed_meanwhile)
        try:
            meanwhile = drawn()
        finally:
            event.remove(Engine, "after_cursor_execute", renamed_meanwhile)
        after = drawn()
    assert next(moves, None) is None
    assert (before[0], after[0]) == ("small", "renamed")
    assert before[1] != after[1]
    assert meanwhile == before


def test_a_topic_is_read_back_from_an_address_and_nothing_else_is_one(file: Path) -> None:
    for noun in TOPICS:
        assert Topic.parsed(str(Topic(noun, 12))) == Topic(noun, 12)
    for wrong in ("", "game", "game-", "game--1", "game-x", "game-\u0663", "agent-1", "game-1-2",
                  f"game-{10**10}"):  # fmt: skip
        with pytest.raises(UsageError, match="cannot be watched: expected one of all, tourn"):
            Topic.parsed(wrong)
    with get_session(f"sqlite:///{file}", create=False) as session:
        assert not watched(session, Topic("game", 10**9)).moving
