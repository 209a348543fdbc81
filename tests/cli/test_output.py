"""What is printed is aligned, whole when it is piped, and cannot act on a terminal."""

from __future__ import annotations

import csv
import io
import json
import resource
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from arena.cli.options import key_values
from arena.cli.output import (
    Column,
    advise,
    duration,
    money,
    print_csv,
    print_fields,
    print_in_parts,
    print_json,
    print_line,
    print_table,
    tell,
)
from arena.cli.run_to_end import Wish
from arena.core import UsageError
from db import Database
from tests.cli.commands import Terminal


def test_a_table_is_whole_when_it_is_piped(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(
        [Column("name", shrink=True), Column("games", "right")],
        [["x" * 150, "7"], ["[bold]\x1b[31m:smile:", "12"]],
    )

    lines = capsys.readouterr().out.splitlines()
    assert [len(line.rstrip()) for line in lines[2:]] == [len(lines[0]), len(lines[0])]
    assert lines[2].startswith("x" * 150)
    assert lines[3].startswith("[bold]\\x1b[31m:smile:")


COLUMNS = [
    Column("", "right"),
    Column("agent", shrink=True, order=0, least=24),
    Column("rating", "right", order=0),
    Column("95 %", "right", order=1),
    Column("won", "right", order=2),
    Column("errors", "right", order=3),
    Column("empty", order=1),
]
ROW = ["1", "Anna of the tall mountains", "25.41", "23.7 to 27.1", "56 %", "invalid 59 %", ""]


@pytest.mark.parametrize(
    ("width", "kept"),
    [
        (20, "agent rating"),
        (40, "agent rating 95 %"),
        (60, "agent rating 95 % won"),
        (80, "agent rating 95 % won errors"),
        (120, "agent rating 95 % won errors"),
    ],
)
def test_a_narrow_terminal_keeps_what_matters_most(
    width: int, kept: str, terminal: Terminal
) -> None:
    shown = terminal(width)
    print_table(COLUMNS, [ROW])

    title, _, row, *footer = shown.lines
    assert " ".join(title.split()) == kept
    assert row.startswith("1  Anna o")
    assert "25.41" in row
    assert ("25.41  23.7 to 27.1" in row) == ("95 %" in kept)
    left_out = [each for each in ("95 %", "won", "errors") if each not in kept]
    said = f"no room for {', '.join(left_out)}: a wider terminal or --json has them"
    assert " ".join(" ".join(footer).split()) == (said if left_out else "")


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_lines_are_broken_between_words_in_a_terminal(width: int, terminal: Terminal) -> None:
    said = "rows that share a letter of their group cannot be told apart by that test"
    shown = terminal(width)
    tell(said)
    advise(said)
    print_line(said)
    print_fields({"name": "p", "agents": said})

    words = {*said.split(), "note:", "name", "p", "agents"}
    assert words == {word for line in shown.lines for word in line.split()}


def test_a_pipe_gets_lines_whole(capsys: pytest.CaptureFixture[str]) -> None:
    said = "words " * 50
    tell(said)
    print_line(said)

    out, err = capsys.readouterr()
    assert out.splitlines() == err.splitlines() == [said]


def test_a_table_in_parts_leaves_nothing_out(terminal: Terminal) -> None:
    shown = terminal(40)
    print_in_parts(COLUMNS, [ROW], repeated=2)

    titles = [line.split() for line in shown.lines if "agent" in line]
    assert titles == [["agent", "rating"], ["agent", "95", "%", "won"], ["agent", "errors"]] or (
        [title for part in titles for title in part if title != "agent"]
        == ["rating", "95", "%", "won", "errors"]
    )
    assert sum("Anna o" in line for line in shown.lines) == len(titles)


def test_json_is_ascii_and_keeps_every_character(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\x1b[31m \u202e \ud800 日本"
    print_json({"text": text, "at": datetime(2026, 1, 2, tzinfo=UTC)})

    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    assert json.loads(out) == {
        "version": 1,
        "text": text,
        "at": "2026-01-02T00:00:00+00:00",
    }


def test_fields_put_a_long_text_below_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields({"name": "p", "options": {"a": 1}, "content": "one\n\x1btwo", "parent": None})

    assert capsys.readouterr().out == (
        'name     p\noptions  {"a": 1}\ncontent\n  one\n  \\x1btwo\nparent   \n'
    )


def test_keys_and_values_are_json_where_they_can_be() -> None:
    assert key_values(["a=1", "b=0.5", "c=true", "d=END", "e=x=y", "f=[1]"], "--param") == {
        "a": 1,
        "b": 0.5,
        "c": True,
        "d": "END",
        "e": "x=y",
        "f": [1],
    }
    with pytest.raises(UsageError, match="expects KEY=VALUE, found 'a'"):
        key_values(["a"], "--param")
    with pytest.raises(UsageError, match="twice"):
        key_values(["a=1", "a=2"], "--param")


def test_numbers_are_short() -> None:
    shown = [money(dollars) for dollars in (0, 0.00123, 12.345, None)]
    assert shown == ["$0.00", "$0.0012", "$12.35", "-"]
    assert [duration(3.21), duration(42.9), duration(190), duration(7500)] == [
        "3.2 s",
        "42 s",
        "3 min 10 s",
        "2 h 5 min",
    ]


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1+1", "\uff1d1+1", '"=1+1', "'=1"]
)
def test_a_name_that_a_spreadsheet_would_run_is_text(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_csv([{"name": name, "share": -0.5}])
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["name"][0] in "'\\"
    assert row["share"] == "-0.5"


def test_other_texts_are_as_they_were(capsys: pytest.CaptureFixture[str]) -> None:
    print_csv([{"name": 'An "agent", 3-1;=2'}])
    out = capsys.readouterr().out
    assert next(csv.DictReader(io.StringIO(out))) == {"name": 'An "agent", 3-1;=2'}
    assert out.splitlines()[1].startswith('"')


# What every system has, and what Linux alone has.
CLOSED = [
    (">&-", 2, "error: standard output is closed, and nothing was done: open it"),
    ("> /dev/null 2>&-", 0, ""),
]
FULL = [
    ("> /dev/full", 1, "error: standard output cannot be written: No space left on device"),
    ("--json > /dev/full", 1, "error: standard output cannot be written: No space left on"),
    ("> /dev/full 2> /dev/full", 1, ""),
]


@pytest.mark.slow
def test_a_stdout_that_takes_nothing_ends_in_a_line() -> None:
    shell = shutil.which("sh")
    assert shell is not None
    arena = f"{sys.executable} -m arena.cli kinds list"
    for into, code, said in CLOSED + (FULL if Path("/dev/full").exists() else []):
        done = subprocess.run([shell, "-c", f"{arena} {into}"], capture_output=True, text=True)
        assert (done.returncode, done.stderr.strip()[: len(said) or None]) == (code, said), into
        assert len(done.stderr.splitlines()) <= 1


def test_a_crash_leaves_no_core_file() -> None:
    from arena.cli import _leave_no_memory

    before = resource.getrlimit(resource.RLIMIT_CORE)
    try:
        _leave_no_memory()
        assert resource.getrlimit(resource.RLIMIT_CORE) == (1 if before[1] else 0, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def test_a_command_to_type_again_has_no_password() -> None:
    url = "postgresql://me:hunter2pass@host/arena"
    with Database(url) as database:
        wish = Wish(("arena", "run", "x.yaml"), database, games=3, db=url)
        assert wish.again() == (
            "arena run x.yaml --games 3 --db 'postgresql+psycopg://me:***@host/arena'"
        )
        assert "hunter2pass" not in wish.again_with_more()
