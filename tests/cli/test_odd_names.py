"""A database of a server may have any name: what is shown of it can be typed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg import connect, sql

from tests.cli.commands import TOURNAMENT, Arena


@pytest.fixture
def oddly_named(postgresql: str) -> Iterator[str]:
    """The URL of an empty database with a name of spaces, quotes and percents."""
    mark = uuid.uuid4().hex[:6]
    name = f"""Best of '26, 50%20 "off" @ \N{LATIN SMALL LETTER U WITH DIAERESIS} {mark}"""
    head, _, query = postgresql.partition("?")
    with connect(postgresql, autocommit=True) as server:
        named = sql.Identifier(name)
        server.execute(sql.SQL("CREATE DATABASE {}").format(named))
        yield f"{head.rpartition('/')[0]}/{quote(name, safe='')}?{query}"
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(named))


@pytest.mark.slow
@pytest.mark.usefixtures("postgresql_client")
def test_a_database_of_an_odd_name_is_kept_like_any_other(
    arena: Arena, oddly_named: str, empty_postgresql_url: str, tmp_path: Path
) -> None:
    file, folder = tmp_path / "small.yaml", tmp_path / "back ups"
    file.write_text(TOURNAMENT)
    folder.mkdir()

    played = arena("run", file, "--db", oddly_named)
    assert played.exit_code == 0, played.stderr
    again = arena("run", file, "--executor", "processes", "--db", oddly_named)
    assert again.exit_code == 0, again.stderr
    for command in ("stats", "vacuum", "verify", "roles"):
        done = arena("db", command, "--db", oddly_named)
        assert done.exit_code == 0, (command, done.stderr)

    made = arena("db", "backup", "--to", folder, "--keep", "1", "--db", oddly_named)
    assert made.exit_code == 0, made.stderr
    backup = Path(made.stdout.rstrip("\n"))
    assert arena("db", "verify", backup).exit_code == 0
    back = arena("db", "restore", backup, "--db", empty_postgresql_url)
    assert back.exit_code == 0, back.stderr
    copied = arena("db", "copy", oddly_named, tmp_path / "a b%20c.db")
    assert copied.exit_code == 0, copied.stderr

    # What is shown of it can be typed.
    shown = arena("db", "current", "--db", oddly_named).stdout.partition(": revision")[0]
    assert "%20" in shown
    assert arena("db", "current", "--db", shown).exit_code == 0
