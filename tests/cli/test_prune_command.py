"""`arena db prune`: what is old leaves the database, and is read as before."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal
from pyarrow import parquet
from sqlalchemy import text
from sqlmodel import col, select

from arena.analysis import calls_df, messages_df, tool_calls_df, turns_df
from db import Database, GameTurn, LLMCall, Session, get_session
from db.errors import LeaseHeld
from db.keys import call_key, turn_key
from db.maintenance.prune import bring_back, prunable, prune
from db.maintenance.retention import Retention
from db.transcripts.files import TranscriptFile, read_game
from db.transcripts.moved import MOVED, StoredTexts, hash_of, read_rows
from tests.cli.commands import TOURNAMENT, Arena
from tests.viewer.browser import browsing

NOW = "transcripts: 0\nlogs: never\n"
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "keep-nothing.yaml"
    file.write_text(NOW)
    return file


@pytest.fixture
def copied(played: str, tmp_path: Path) -> str:
    return str(shutil.copy(played, tmp_path / "copy.db"))


def said(arena: Arena, *arguments: Any) -> str:
    result = arena(*arguments)
    assert result.exit_code == 0, (arguments, result.stderr)
    return str(result.stdout)


def everything(arena: Arena, url: str, folder: Path) -> dict[str, Any]:
    """What people read of games, by who tells it."""
    archive = folder / "tournament.zip"
    archive.unlink(missing_ok=True)
    said(arena, "export", "--archive", archive, "--tournament", "small", "--db", url)
    with zipfile.ZipFile(archive) as file:
        parts = {name: file.read(name) for name in file.namelist() if name != "audit_log.jsonl"}
    frames = {
        "turns": turns_df(url, observations=True),
        "actions": turns_df(url, columns=["action", "submitted"], agent="Ann"),
        "first": turns_df(url, limit=7),
        "calls": calls_df(url, messages=True),
        "some calls": calls_df(url, messages=True, limit=9, game=[2, 4]),
        "messages": messages_df(url),
        "tools": tool_calls_df(url, texts=True),
    }
    with get_session(url) as session:
        models = [
            (turn.observation, turn.action, turn.submitted)
            for turn in session.exec(select(GameTurn).order_by(col(GameTurn.id)))
        ] + [
            (call.messages, call.text, call.response)
            for call in session.exec(select(LLMCall).order_by(col(LLMCall.id)))
        ]
    return {
        "show": [said(arena, "show", n, "--json", "--db", url) for n in (1, 4, 6)],
        "replay": said(arena, "replay", 4, "--check", "--db", url),
        "diff": arena("diff", 1, 2, "--db", url).stdout,
        "board": said(arena, "leaderboard", "--json", "--db", url),
        "archive": parts,
        "frames": frames,
        "models": models,
    }


def with_a_tool(url: str) -> None:
    """A call of a tool and a vector in a turn of game 1, as agents and searches make them."""
    from db.codec import Codec

    pack = Codec().pack
    with get_session(url) as session:
        turn = turn_key(1, 0, 0)
        first = session.connection().execute(
            text("SELECT MIN(id) FROM game_turns WHERE game_id = 1")
        )
        turn = int(first.scalar_one())
        session.execute(
            text(
                "INSERT INTO tool_calls (id, game_turn_id, tool_index, call_number, tool, function,"
                " called_at, arguments, result) SELECT :id, :turn, 0, 0, 'dice', 'roll', "
                "observed_at, :asked, :told FROM game_turns WHERE id = :turn"
            ),
            {
                "id": call_key(turn, 0),
                "turn": turn,
                "asked": pack(json.dumps(["roll", '{"sides": 6}'])),
                "told": pack("4"),
            },
        )
        session.execute(
            text(
                "INSERT INTO text_vectors (space, game_turn_id, text_hash, vector) "
                "VALUES ('words', :turn, :hash, :vector)"
            ),
            {"turn": turn, "hash": b"h" * 32, "vector": b"\0" * 8},
        )


def stored(session: Session, games: range) -> list[bytes]:
    return [hash_of(read_rows(session.connection(), game)) for game in games]


@pytest.mark.slow
def test_what_was_archived_is_read_as_before_and_comes_back_to_the_last_bit(
    arena: Arena, database_url: str, tmp_path: Path, policy: Path
) -> None:
    url = database_url
    (tmp_path / "small.yaml").write_text(TOURNAMENT)
    said(arena, "run", tmp_path / "small.yaml", "--db", url)
    with_a_tool(url)
    said(arena, "counters", "rebuild", "--all", "--db", url)
    said(arena, "search", "--db", url)
    with get_session(url) as session:
        rows = stored(session, range(1, 7))
    before = everything(arena, url, tmp_path)

    asked = ("db", "prune", "--policy", policy, "--folder", tmp_path / "away", "--db", url)
    preview = json.loads(said(arena, *asked, "--dry-run", "--json"))
    assert (preview["found"]["games"], preview["archived"]) == (6, None)
    refused = arena(*asked)
    assert (refused.exit_code, "add --yes" in refused.stderr) == (2, True)
    done = json.loads(said(arena, *asked, "--yes", "--json"))["archived"]
    assert (done["games"], done["rows"], done["bytes"]) == (
        6, preview["found"]["rows"], preview["found"]["bytes"],
    )  # fmt: skip
    with get_session(url) as session:
        left = [sum(len(part.read(session.connection(), g)) for part in MOVED) for g in range(1, 7)]
        # What a call of a tool was asked is never empty: a mark is left.
        assert left == [1, 0, 0, 0, 0, 0]

    after = everything(arena, url, tmp_path)
    for name, frame in before.pop("frames").items():
        assert_frame_equal(after["frames"][name], frame)
    for what, told in before.items():
        assert after[what] == told, what
    for check in (
        ["ratings", "rebuild", "--check"], ["counters", "rebuild", "--check"],
        ["events", "rebuild", "--all", "--check"], ["db", "verify"], ["db", "check"],
    ):  # fmt: skip
        said(arena, *check, "--db", url)
    assert json.loads(said(arena, *asked, "--yes", "--json"))["archived"] is None

    nothing = arena("search", "4", "--db", url)
    assert "nothing was found" in nothing.stderr
    assert "archived, the first is game" in nothing.stderr
    branched = arena("branch", 4, "--turn", 2, "--set", "0=Cy", "--db", url)
    assert branched.exit_code == 2
    assert "game 4 is archived, and cannot be branched: type `arena db prune" in branched.stderr
    entries = json.loads(said(arena, "audit", "--entity", "archived_games", "--db", url, "--json"))
    assert [row["after"]["games"] for row in entries["entries"]] == [6]

    assert "of 1 game;" in said(arena, "db", "prune", "--undo", "--game", 4, "--db", url)
    assert " in 1 game; `arena show 4`" in arena("search", "4", "--db", url).stderr
    assert "of 5 games;" in said(arena, "db", "prune", "--undo", "--db", url)
    with get_session(url) as session:
        assert stored(session, range(1, 7)) == rows


def test_pages_of_an_archived_game_are_those_of_before(
    arena: Arena, watched_copy: str, policy: Path
) -> None:
    with browsing(watched_copy) as get:
        paths = ["/games", "/game/1", "/search?q=Player"]
        for path in paths:
            if len(paths) < 60:
                found = links(get(path).text)
                paths += [p for p in found if p.startswith("/game/1") and p not in paths]
        assert len(paths) > 15
        before = {path: get(path).text for path in paths}
    said(arena, "db", "prune", "--policy", policy, "--yes", "--db", watched_copy)
    with browsing(watched_copy) as get:
        for path, told in before.items():
            answer = get(path)
            assert answer.status_code == 200, path
            if not path.startswith("/search"):
                assert answer.text == told, path
    folder = Path(watched_copy.removeprefix("sqlite:///") + "-transcripts")
    for file in folder.glob("*.parquet"):
        file.unlink()
    with browsing(watched_copy) as get:
        for path in before:
            answer = get(path)
            assert "Traceback" not in answer.text, path
        assert "is not there: put the file back" in get("/game/1").text


@pytest.fixture
def watched_copy(played: str, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(played, tmp_path / 'watched.db')}"


def links(page: str) -> list[str]:
    import re

    return [each.replace("&amp;", "&") for each in re.findall(r'<a[^>]* href="([^"#]+)', page)]


def test_a_file_that_is_missing_or_changed_is_said_in_a_sentence(
    arena: Arena, copied: str, policy: Path
) -> None:
    said(arena, "db", "prune", "--policy", policy, "--yes", "--db", copied)
    (file,) = Path(f"{copied}-transcripts").glob("*.parquet")
    good = file.read_bytes()
    footer = 8 + int.from_bytes(good[-8:-4], "little")
    swapped = Path(f"{copied}-others") / "sound.parquet"
    with TranscriptFile(swapped) as sound:
        # Each game where another one was.
        for group in reversed(range(6)):
            sound.add(stored_in(file, group))
        sound.keep()
    turned = good[:4] + bytes(each ^ 1 for each in good[4:-footer]) + good[-footer:]
    for bad, what in (
        (None, "is not there"),
        (good[: len(good) // 2], "cannot be read"),
        (turned, "game 1 is archived, and its transcript"),
        (b"", "cannot be read"),
        (swapped.read_bytes(), "is not what was written"),
    ):
        file.unlink(missing_ok=True)
        if bad is not None:
            file.write_bytes(bad)
        for command in (
            ["show", 1], ["replay", 1, "--check"], ["db", "verify"], ["db", "prune", "--undo"],
        ):  # fmt: skip
            result = arena(*command, "--db", copied)
            assert result.exit_code in (1, 2), command
            told = result.stderr + result.stdout
            assert what in told, (command, told)
            assert "put the file back" in told
    file.write_bytes(good)
    assert "of 6 games;" in said(arena, "db", "prune", "--undo", "--db", copied)


def stored_in(file: Path, group: int) -> StoredTexts:
    """The game of a row group of a file that six games are in."""
    rows = parquet.ParquetFile(file).metadata.row_group(group).num_rows
    return read_game(file, group, group + 1, rows)


def test_a_database_of_hostile_hands_reads_and_copies_no_other_file(
    arena: Arena, copied: str, policy: Path, tmp_path: Path
) -> None:
    said(arena, "db", "prune", "--policy", policy, "--yes", "--db", copied)
    (file,) = Path(f"{copied}-transcripts").glob("*.parquet")
    secret = tmp_path / "id_rsa"
    secret.write_text("the key of somebody, in a file that is longer than a few bytes")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    huge = file.with_name("huge.parquet")
    rows = pa.table({"table": pa.nulls(20_000_000, pa.string())})
    parquet.write_table(rows, huge, row_group_size=20_000_000)
    assert huge.stat().st_size < 200_000, "what looks small, and is no memory's"

    for named, what in (
        ("../id_rsa", "is no name in"),
        (str(secret), "cannot be read: put the file back"),
        (str(pipe), "cannot be read: put the file back"),
        (str(tmp_path), "cannot be read: put the file back"),
        ("/dev/zero", "cannot be read: put the file back"),
        ("huge.parquet", "is not what was written: put the file back"),
    ):
        with closing(sqlite3.connect(copied)) as other, other:
            other.execute("UPDATE archived_games SET file = ?, row_group = 0", (named,))
        shown = arena("show", 1, "--db", copied)
        assert (shown.exit_code, what in shown.stderr) == (2, True), shown.stderr
        target = tmp_path / f"{what[:5]}-{len(named)}"
        target.mkdir()
        kept = arena("db", "backup", "--db", copied, "--to", target)
        assert kept.exit_code == (1 if Path(named).is_absolute() else 2 if "/" in named else 0)
        copies = [each.read_bytes() for each in target.glob("backup-transcripts/*")]
        assert copies == ([huge.read_bytes()] if named == huge.name else [])


def test_bad_asking_says_what_to_type(arena: Arena, copied: str, tmp_path: Path) -> None:
    for written, what in (
        ("transcripts: -1\n", "transcripts: expected a number from 0 up or 'never', found -1\n"),
        ("transcript: 3\n", "did you mean 'transcripts'"),
        ("logs: soon\n", "policy.yaml:1: logs: expected a number or 'never', found 'soon'\n"),
        ("answers: no\n", "answers: expected a number, 'never' or 'ttl', found 'no'\n"),
        ("- 1\n", "expected a retention policy"),
        ("", "the file is empty; expected a retention policy"),
    ):
        (tmp_path / "policy.yaml").write_text(written)
        result = arena("db", "prune", "--policy", tmp_path / "policy.yaml", "--db", copied)
        assert result.exit_code == 2
        assert what in result.stderr, (written, result.stderr)
    for arguments, what in (
        (["--undo", "--game", "3"], "game 3 is not archived"),
        (["--game", "3"], "--game goes with --undo"),
        (["--undo", "--dry-run"], "--undo takes --game alone"),
        (["--policy", tmp_path / "none.yaml"], "no such file"),
    ):
        result = arena("db", "prune", *arguments, "--db", copied)
        assert (result.exit_code, what in result.stderr) == (2, True), result.stderr
    (tmp_path / "policy.yaml").write_text(NOW)
    (tmp_path / "taken").write_text("no folder")
    asked = ("db", "prune", "--policy", tmp_path / "policy.yaml", "--yes", "--db", copied)
    result = arena(*asked, "--folder", tmp_path / "taken")
    assert "cannot be made" in result.stderr
    with get_session(copied) as session:
        assert prunable(session, Retention(transcripts=0), LATER).games == 6


def test_games_that_are_played_or_branched_stay(copied: str) -> None:
    with closing(Database(copied)) as database:
        policy = Retention(transcripts=0, logs=None)
        lease = database.lease(1)
        with database.session() as session:
            assert prunable(session, policy, LATER).games == 0
        assert prune(database, policy, LATER).games == 0
        lease.release()
        with database.session() as session:
            session.execute(
                text(
                    "INSERT INTO games (environment_id, seed, attempt, status, environment_crashed,"
                    " final, parent_game_id, parent_turn, created_at) "
                    "SELECT environment_id, seed, 0, 'running', 0, 0, 3, 2, created_at "
                    "FROM games WHERE id = 3"
                )
            )
        with database.session() as session:
            found = prunable(session, policy, LATER)
        assert (found.games, found.busy) == (5, 1)
        folder = Path(f"{copied}-transcripts")

        folder.mkdir(exist_ok=True)
        lock = (
            f"import fasteners, sys; lock = fasteners.InterProcessLock({str(folder / '.lock')!r})"
        )
        wait = "; lock.acquire(); print('held', flush=True); sys.stdin.read()"
        other = Popen([sys.executable, "-c", lock + wait], stdin=PIPE, stdout=PIPE)
        with other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"held\n"
            with pytest.raises(LeaseHeld, match="another process writes transcripts"):
                prune(database, policy, LATER)
            other.communicate()

        def meanwhile(step: str, game_id: int) -> None:
            # A text that is changed after it was written stays.
            if step == "kept" and game_id == 1:
                with database.session() as session:
                    session.execute(text("UPDATE game_turns SET action = 'x' WHERE game_id = 2"))

        assert prune(database, policy, LATER, told=meanwhile).games == 4
        assert bring_back(database) == 4
        assert [each.name for each in folder.glob("*.partial")] == []


def test_expired_answers_and_logs_go_and_nothing_else(copied: str) -> None:
    with closing(Database(copied)) as database:
        with database.session() as session:
            call = session.execute(text("SELECT MIN(id) FROM llm_calls")).scalar_one()
            for day in (1, 20, 50):
                at = LATER - timedelta(days=day)
                session.execute(
                    text("INSERT INTO cached_answers VALUES (:hash, :call, :at)"),
                    {"hash": f"h{day}", "call": call, "at": f"{at:%Y-%m-%d %H:%M:%S.%f}"},
                )
                session.execute(
                    text(
                        "INSERT INTO execution_logs (at, level, logger, message) "
                        "VALUES (:at, 20, 'arena', 'x')"
                    ),
                    {"at": int(at.timestamp() * 1e6)},
                )
        kept = Retention(transcripts=None, logs=30)
        assert (prune(database, kept, LATER).answers, prune(database, kept, LATER).lines) == (0, 0)
        with database.session() as session:
            left = session.execute(text("SELECT COUNT(*) FROM execution_logs WHERE message = 'x'"))
            assert left.scalar_one() == 2
            session.execute(
                text("UPDATE tournaments SET config = json_set(config, '$.cache.ttl', 864000)")
            )
        by_ttl = prune(database, Retention(transcripts=None, logs=None), LATER)
        assert (by_ttl.answers, by_ttl.games, by_ttl.lines) == (2, 0, 0)
        own = Retention(transcripts=None, answers=0.5, logs=None)
        assert prune(database, own, LATER).answers == 1
