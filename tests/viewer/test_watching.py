"""What a page watches moves with what it shows, and with nothing else."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from arena.core import UsageError
from arena.viewer.watching import TOPICS, Topic, state_of, watched
from db import get_session

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


def test_a_topic_is_read_back_from_an_address_and_nothing_else_is_one(file: Path) -> None:
    for noun in TOPICS:
        assert Topic.parsed(str(Topic(noun, 12))) == Topic(noun, 12)
    for wrong in ("", "game", "game-", "game--1", "game-x", "game-\u0663", "agent-1", "game-1-2",
                  f"game-{10**10}"):  # fmt: skip
        with pytest.raises(UsageError, match="cannot be watched: expected one of all, tourn"):
            Topic.parsed(wrong)
    with get_session(f"sqlite:///{file}", create=False) as session:
        assert not watched(session, Topic("game", 10**9)).moving
