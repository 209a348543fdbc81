"""A database that is damaged, or was made by an attacker, is opened without running anything of it,
and what is damaged is named by game and turn."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from db import get_session
from db.codec import COMPRESSED, JSON, Codec
from db.errors import Damaged
from db.queries.transcript import transcript
from tests.cli.commands import Arena

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"
CELLS = (
    ("turn_payloads", "game_turn_id", "body", 0),
    ("call_payloads", "llm_call_id", "messages", 8),
    ("call_payloads", "llm_call_id", "response", 8),
)


@pytest.fixture
def copy(played: str, tmp_path: Path) -> Path:
    return Path(shutil.copy(played, tmp_path / "copy.db"))


def execute(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def flipped(file: Path, flips: int) -> Iterator[tuple[int, int, str]]:
    """(game, turn, column) after one bit of one payload was flipped; it is flipped back after."""
    rng = random.Random(3)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        cells = [
            (table, key, column, row_id, shift, blob)
            for table, key, column, shift in CELLS
            for row_id, blob in connection.execute(f"SELECT {key}, {column} FROM {table}")
            if blob is not None
        ]
        for table, key, column, row_id, shift, blob in rng.sample(cells, min(flips, len(cells))):
            update = f"UPDATE {table} SET {column} = ? WHERE {key} = ?"
            bits = bytearray(blob)
            bit = rng.randrange(8 * len(bits))
            bits[bit // 8] ^= 1 << bit % 8
            connection.execute(update, (bytes(bits), row_id))
            turn_id = row_id >> shift
            yield turn_id >> 24, turn_id >> 8 & 0xFFFF, column
            connection.execute(update, (blob, row_id))


@pytest.mark.slow
def test_every_flipped_bit_is_named_by_game_and_turn(copy: Path, arena: Arena) -> None:
    assert "nothing is damaged" in arena("db", "verify", "--db", copy).stdout
    found = 0
    for game, turn, column in flipped(copy, 80):
        with pytest.raises(Damaged) as caught, get_session(copy) as session:
            transcript(session, game)
        assert f"the record of game {game} is damaged at turn {turn} " in str(caught.value), column
        found += 1
    assert found == 80
    for game, turn, _ in flipped(copy, 1):
        result = arena("db", "verify", "--db", copy)
        assert result.exit_code == 1
        assert f"game {game} is damaged at turn {turn} " in result.stdout
        said = json.loads(arena("db", "verify", "--json", "--db", copy).stdout)
        assert len(said["damage"]) == 1
        shown = arena("show", str(game), "--calls", "--db", copy)
        assert (shown.exit_code, len(shown.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE game_turns SET action = 'x' || action WHERE id = (SELECT min(id) FROM game_turns)",
         "is damaged at turn 0"),
        ("UPDATE llm_calls SET request = '{\"temperature\": 1}' WHERE id = "
         "(SELECT min(id) FROM llm_calls)", "is not the one whose hash was stored"),
        ("DELETE FROM turn_payloads WHERE game_turn_id = (SELECT min(id) FROM game_turns)",
         "the texts of a turn are missing"),
        ("UPDATE tournaments SET config = replace(config, 'Ann', 'Eve')",
         "is not the one whose hash was stored"),
        ("UPDATE games SET created_at = 'yesterday'", "the table games cannot be read whole"),
        ("UPDATE llm_calls SET prompt_tokens = 'many'", "llm_calls.prompt_tokens holds what is no"),
        ("UPDATE turn_payloads SET body = 4611686018427387904", "is damaged at turn 0"),
    ],
)  # fmt: skip
def test_other_damage_is_listed(copy: Path, arena: Arena, statement: str, said: str) -> None:
    execute(copy, statement)
    result = arena("db", "verify", "--db", copy)
    assert result.exit_code == 1
    assert said in result.stdout


@pytest.mark.parametrize(
    "statements",
    [
        [f"CREATE TRIGGER t AFTER INSERT ON games BEGIN {ENDLESS} i FROM n; END"],
        ["CREATE TRIGGER t AFTER UPDATE ON leases BEGIN DELETE FROM games; END"],
        ["DROP TRIGGER prompts_immutable",
         "CREATE TRIGGER prompts_immutable BEFORE UPDATE ON prompts BEGIN DELETE FROM games; END"],
        ["ALTER TABLE games RENAME TO old", f"CREATE VIEW games AS {ENDLESS} i AS id FROM n"],
        [f"CREATE VIEW alembic_versions AS {ENDLESS} i AS version_num FROM n"],
        ["DROP TABLE alembic_version", f"CREATE VIEW alembic_version AS {ENDLESS} i FROM n"],
        ["CREATE VIRTUAL TABLE words USING fts5(word)"],
        ["CREATE TABLE x (a TEXT CHECK (length(randomblob(1000000000)) > 0))"],
        ["CREATE TABLE x (a TEXT, b AS (zeroblob(1000000000)))"],
        ["CREATE TABLE x (a TEXT, b TEXT GENERATED ALWAYS AS (upper(a)) STORED)"],
        ["CREATE TABLE x (a TEXT DEFAULT (hex(zeroblob(1000000))))"],
        ["CREATE INDEX i ON games (abs(id))"],
        ["CREATE INDEX i ON games (id) WHERE length(status) > 3"],
    ],
)  # fmt: skip
def test_what_a_file_would_run_is_refused(
    copy: Path, arena: Arena, config: Path, statements: list[str]
) -> None:
    execute(copy, "PRAGMA legacy_alter_table=ON", *statements)
    commands = [["games"], ["run", config]]
    if "leases" in statements[0]:
        commands += [
            ["show", "1"], ["resume"], ["db", "verify"], ["db", "upgrade"], ["db", "check"],
            ["leaderboard"],
        ]  # fmt: skip
    for command in commands:
        result = arena(*command, "--db", copy)
        assert result.exit_code == 2, command
        assert "which would run what somebody else wrote" in result.stderr, command


def test_a_text_that_unpacks_without_end_is_refused(copy: Path, arena: Arena) -> None:
    zeros = Codec()._compressor.compress(b"a" * (1 << 30))
    bomb = bytes((COMPRESSED | JSON,)) + zeros
    assert len(bomb) < 100_000
    deep = bytes((JSON,)) + b"[" * 100_000
    for blob in (bomb, deep, b""):
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.execute("UPDATE call_payloads SET messages = ?, prefix_len = 0", (blob,))
        for command in (["show", "1", "--calls"], ["db", "verify"]):
            result = arena(*command, "--db", copy)
            assert result.exit_code in (1, 2)
            assert "is damaged at turn 0" in result.stdout + result.stderr


def test_values_that_no_table_of_ours_holds_end_in_a_line(copy: Path, arena: Arena) -> None:
    for statement in (
        "UPDATE games SET finished_at = 'yesterday'",
        "UPDATE tournaments SET config = '{'",
        "UPDATE tournaments SET config = printf('%.*c', 200000, '[')",
    ):
        execute(copy, statement)
    for command in (["games"], ["resume"], ["tournaments", "list"], ["db", "verify"]):
        result = arena(*command, "--db", copy)
        assert result.exit_code in (0, 1, 2)
        assert all("Traceback" not in line for line in result.stderr.splitlines())


SHAPES = (
    ("agents", "options", "12345678901234567890", ["agents", "list"]),
    ("agents", "options", "'[1]'", ["agents", "show", "Ann", "--json"]),
    ("agents", "kind_id", "77 + kind_id", ["agents", "list", "--json"]),
    ("games", "error_raw", "1e999", ["games"]),
    ("games", "turn_count", "'many'", ["show", "1"]),
    ("games", "created_at", "5", ["games", "--json"]),
    ("models", "params", "'\"x\"'", ["models", "list"]),
    ("prompts", "content", "X'ff00'", ["prompts", "tree"]),
    ("agent_trueskill", "mu", "'high'", ["leaderboard"]),
    ("tournaments", "config", "'[[[]]]'", ["resume"]),
)


@pytest.mark.parametrize(("table", "column", "value", "command"), SHAPES)
def test_what_is_of_another_type_or_shape_ends_in_a_line(
    copy: Path, arena: Arena, table: str, column: str, value: str, command: list[str]
) -> None:
    execute(
        copy,
        "PRAGMA foreign_keys = OFF",
        "DROP TRIGGER prompts_immutable",
        f"UPDATE {table} SET {column} = {value}",
    )
    result = arena(*command, "--db", copy)
    assert result.exit_code in (0, 2)
    if result.exit_code:
        assert result.stderr.startswith("error: ")
        assert "is damaged" in result.stderr
    verified = arena("db", "verify", "--db", copy)
    assert verified.exit_code == 1
    assert table in verified.stdout


def test_a_reason_without_end_is_not_printed(copy: Path, arena: Arena) -> None:
    execute(copy, "UPDATE games SET reason = printf('%.*c', 3000000, 'a')")
    assert len(arena("show", "1", "--db", copy).stdout) < 100_000


def test_a_pipe_is_not_waited_for(tmp_path: Path, arena: Arena) -> None:
    os.mkfifo(tmp_path / "pipe.db")
    for file in (tmp_path / "pipe.db", Path("/dev/zero")):
        result = arena("games", "--db", file)
        assert result.exit_code == 2
        assert "is no regular file" in result.stderr
