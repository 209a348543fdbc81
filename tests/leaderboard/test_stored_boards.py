"""A board is computed once for a question, and read until something changes."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from typer.testing import CliRunner

from arena.analysis import leaderboard_df
from arena.cli.app import app
from arena.cli.fresh_boards import fresh_boards
from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.rebuild import rebuild
from arena.leaderboard.stored import BoardAnswer, answered, keep, question, refresh
from db import Database, Recorder, get_session
from db.models import StoredBoard
from db.queries.boards import kept_boards
from db.selection import Selection
from db.writer.subject import Record
from tests.db.tournaments import FOLD, tournament, void, won

EVERYTHING = LeaderboardQuery()
CUP = LeaderboardQuery(Selection(tournament="cup"))


def write(url: str, *records: Record) -> None:
    async def main() -> None:
        async with Recorder(url, FOLD) as recorder:
            for record in records:
                await recorder.append(record)

    asyncio.run(main())


def ask(url: str, query: LeaderboardQuery = EVERYTHING, *, stored: bool = False) -> BoardAnswer:
    """As a command does."""
    with get_session(url) as session:
        answer = answered(session, query, stored=stored)
    keep(url, answer)
    return answer


def test_a_board_is_read_until_a_game_ends(database_url: str) -> None:
    first, second, third, *_ = tournament(database_url)
    write(database_url, won(first), won(second, 1))

    computed, read = ask(database_url), ask(database_url)
    assert (computed.stored, read.stored, read.behind) == (False, True, False)
    assert read.boards == computed.boards
    assert len(read.boards[0].rows) == 3
    assert computed.newest == read.newest == second

    write(database_url, won(third))
    behind = ask(database_url, stored=True)
    assert (behind.stored, behind.behind, behind.newest) == (True, True, second)
    assert behind.boards == computed.boards
    fresh = ask(database_url)
    assert (fresh.stored, fresh.newest, fresh.boards[0].games) == (False, third, 3)
    assert ask(database_url, stored=True).behind is False


@pytest.mark.parametrize("change", ["void", "waiting", "agent", "tournament", "version"])
def test_whatever_a_board_says_that_changes_makes_it_behind(
    database_url: str, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third, *_ = tournament(database_url)
    write(database_url, won(first))
    ask(database_url, CUP)
    assert ask(database_url, CUP).stored

    if change == "void":
        write(database_url, void(second, final=False))
    elif change == "waiting":
        write(database_url, won(third))
    elif change == "version":
        monkeypatch.setattr("arena.leaderboard.stored.VERSION", 99)
    else:
        name = {"agent": "UPDATE agents SET alias = 'Ann' WHERE id = 1",
                "tournament": "UPDATE tournaments SET name = 'mug'"}[change]  # fmt: skip
        with get_session(database_url) as session:
            session.execute(text(name))
    again = ask(database_url, LeaderboardQuery(Selection(tournament=1)))

    assert not again.stored
    said = repr(again.boards)
    assert {"void": "void", "waiting": "1 more games are finished", "agent": "'Ann'",
            "tournament": "tournament='mug'", "version": ""}[change] in said  # fmt: skip


def test_a_question_has_one_answer_however_it_is_asked(database_url: str) -> None:
    first, *_ = tournament(database_url)
    write(database_url, won(first))
    asked = [
        CUP,
        LeaderboardQuery(Selection(tournament=1)),
        LeaderboardQuery(Selection(tournament=["cup"])),
    ]
    others = [
        EVERYTHING,
        LeaderboardQuery(Selection(tournament=1), system="bradley-terry"),
        LeaderboardQuery(Selection(until=datetime(2030, 1, 1, tzinfo=UTC)), anchor="agent-0"),
        LeaderboardQuery(overall=True, weights={"Nim-v0": 2.0}),
    ]
    found = [ask(database_url, query).stored for query in (*asked, *others)]

    assert found == [False, True, True, False, False, False, False]
    with get_session(database_url) as session:
        assert len(kept_boards(session)) == 5
        known = [question(session, query) for query in (*asked, *others)]
    assert json.loads(json.dumps(known)) == known


def test_a_worker_computes_what_is_behind_and_nothing_else(database_url: str) -> None:
    first, second, *_ = tournament(database_url)
    write(database_url, won(first))
    ask(database_url)
    assert refresh(database_url) == 0

    write(database_url, won(second))
    assert refresh(database_url, [CUP]) == 2
    assert refresh(database_url, [CUP]) == 0
    assert ask(database_url).stored
    assert ask(database_url, CUP).boards[0].games == 2

    gone = LeaderboardQuery(Selection(tournament="no such cup"))
    assert refresh(database_url, [gone]) == 0


def test_while_a_tournament_is_played_its_board_is_kept_fresh(database_url: str) -> None:
    first, *_ = tournament(database_url)
    write(database_url, won(first))
    with Database(database_url) as database:
        with fresh_boards(database, "cup", pause=0.01):
            stored = False
            while not stored:
                with database.session() as session:
                    stored = bool(kept_boards(session))
        assert ask(database_url, CUP).stored


def test_boards_are_forgotten_and_computed_again(database_url: str) -> None:
    first, *_ = tournament(database_url)
    write(database_url, won(first))
    before = ask(database_url)
    with get_session(database_url) as session:
        session.execute(text("UPDATE stored_boards SET body = :body"), {"body": b"\x00"})
    rebuild(database_url, check=True)
    with get_session(database_url) as session:
        assert session.scalar(select(func.count()).select_from(StoredBoard)) == 1

    rebuild(database_url)
    again = ask(database_url)

    assert not again.stored
    assert again.boards == before.boards


@pytest.mark.slow
def test_what_cannot_be_stored_is_answered(tmp_path: Path) -> None:
    place = tmp_path / "arena.db"
    first, *_ = tournament(str(place))
    write(str(place), won(first))
    with get_session(place) as session:
        answer = answered(session, EVERYTHING)
    place.rename(tmp_path / "elsewhere.db")

    assert not keep(place, answer)
    assert answer.boards[0].games == 1


def test_the_command_and_frames_read_one_store(sqlite_url: str) -> None:
    first, second, *_ = tournament(sqlite_url)
    write(sqlite_url, won(first))
    frame = leaderboard_df(sqlite_url)
    with get_session(sqlite_url) as session:
        assert answered(session, EVERYTHING).stored
    write(sqlite_url, won(second))

    command = ["leaderboard", "--db", sqlite_url]
    old = CliRunner().invoke(app, [*command, "--stored", "--json"])
    new = CliRunner().invoke(app, [*command, "--json"])
    told = CliRunner().invoke(app, [*command, "--stored"])
    wrong = CliRunner().invoke(app, [*command, "--stored", "--calibration"])

    shown = json.loads(old.stdout)
    assert [row["rating"] for row in shown["rows"]] == frame["rating"].tolist()
    assert (shown["as_of_game"], shown["behind"]) == (first, True)
    assert "something has changed since" in old.stderr
    assert (json.loads(new.stdout)["as_of_game"], json.loads(new.stdout)["behind"]) == (
        second,
        False,
    )
    assert told.stderr.rstrip().endswith(f"as of game {second}")
    assert wrong.exit_code == 2
