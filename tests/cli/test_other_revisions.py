"""Every command refuses tables of another revision, says what to type, and changes nothing."""

from __future__ import annotations

import json
import shlex
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer.main

from arena.cli.app import app
from db import get_engine, schema
from tests.cli.commands import Arena

TYPED = {
    "agents add": "Zoe --model random --prompt plain",
    "agents edit": "Ann --option answer=last_line",
    "ask": "random Hello",
    "branch": "1 --turn 0 --set 0=Ann",
    "compare": "Ann Bob --games 2",
    "db downgrade": "0001 --yes",
    "export": "out",
    "import": "{archive}",
    "kinds add": "thinking",
    "models add": "new scripted/random",
    "models edit": "random --input-price 1",
    "plan": "{config}",
    "place": "Ann --against small",
    "prompts add": "new --text Play.",
    "prompts edit": "plain --text Play.",
    "prompts fork": "plain new --text Play.",
    "replay": "1 --check",
    "run": "{config}",
    "search": "king",
    "templates add": "{template}",
    "templates edit": "one --set description=two",
}
"""What is typed after a command that needs more than its arguments, each of which is 1."""

LOOK = {"db current", "verify-card"}
"""These need no table of this release."""

ELSEWHERE = {"db backup", "db roles"}
"""These have tests of their own: tables of every release are backed up, and only a server has
roles."""

TEMPLATE = """\
template: agent
name: one
personality: {kind: thinking, text: Play.}
model: {name: random}
"""


def commands() -> Iterator[tuple[str, int]]:
    """Every command that takes a database, and how many arguments it must have."""

    def below(command: Any, words: list[str]) -> Iterator[tuple[str, int]]:
        context = typer.Context(command)
        if hasattr(command, "list_commands"):
            for name in command.list_commands(context):
                yield from below(command.get_command(context, name), [*words, name])
        elif any(parameter.name == "db" for parameter in command.params):
            needed = [
                each
                for each in command.params
                if each.required and each.param_type_name == "argument"
            ]
            yield " ".join(words), len(needed)

    return below(typer.main.get_command(app), [])


@pytest.fixture(scope="module")
def others(played: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Copies of a played database, of a later, of the one earlier and of no known revision."""
    folder = tmp_path_factory.mktemp("others")
    found = {name: Path(shutil.copy(played, folder / f"{name}.db")) for name in REFUSED}
    for name, revision in (("later", "9999"), ("unknown", "feature_7"), ("early", "0000")):
        set_revision(found[name], revision)
    with closing(sqlite3.connect(found["two"])) as connection, connection:
        connection.execute("INSERT INTO alembic_version VALUES ('feature_7')")
    engine = get_engine(found["earlier"])
    schema.downgrade(engine, f"{int(schema.HEAD) - 1:04}")
    engine.dispose()
    return found


REFUSED = {
    "later": f"of revision 9999, this release knows only {schema.HEAD}: upgrade the arena",
    "earlier": f"this release needs {schema.HEAD}: type `arena db upgrade`",
    "unknown": "of revision feature_7, which no release of the arena has",
    "early": "of revision 0000, which no release of the arena has",
    "two": "of several revisions at once",
}


def set_revision(file: Path, revision: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])


def dumped(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


@pytest.fixture
def places(played: str, config: Path, tmp_path: Path, arena: Arena) -> dict[str, Path]:
    """Files that commands read."""
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE)
    archive = tmp_path / "small.zip"
    made = arena("export", "--archive", archive, "--tournament", "small", "--db", played)
    assert made.exit_code == 0, made.stderr
    return {"config": config, "archive": archive, "template": template}


@pytest.mark.slow
@pytest.mark.parametrize("which", ["later", "earlier"])
def test_every_command_refuses_other_tables_and_says_what_to_type(
    which: str,
    others: dict[str, Path],
    places: dict[str, Path],
    tmp_path: Path,
    arena: Arena,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = dumped(others[which])
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    wrong, refused = {}, set()
    for name, needed in commands():
        if name in LOOK | ELSEWHERE or (
            which == "earlier" and name in ("db upgrade", "db downgrade")
        ):
            continue
        words = shlex.split(TYPED[name]) if name in TYPED else ["1"] * needed
        typed = [*name.split(), *(word.format(**places) for word in words), "--db"]
        result = arena(*typed, others[which])
        said = " ".join(result.stderr.split())
        if (result.exit_code, result.stdout) == (2, "") and REFUSED[which] in said:
            refused.add(name)
        # What is refused without a database too is wrong in itself.
        elif (again := arena(*typed, "none/such.db")).stderr != result.stderr or name in TYPED:
            wrong[name] = (result.exit_code, result.stdout[:80], said, again.stderr)
    assert wrong == {}, "\n".join(f"{name}: {found}" for name, found in wrong.items())
    assert len(refused) > 60
    assert dumped(others[which]) == before
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("which", REFUSED)
def test_tables_of_no_release_are_refused_too(
    which: str, others: dict[str, Path], config: Path, arena: Arena
) -> None:
    before = dumped(others[which])
    upgraded = [["db", "upgrade"], ["db", "downgrade", "0001", "--yes"]]
    for typed in (["games"], ["run", config], ["view"], *(upgraded if which != "earlier" else [])):
        result = arena(*typed, "--db", others[which])
        assert (result.exit_code, result.stdout) == (2, "")
        assert REFUSED[which] in " ".join(result.stderr.split())
    assert dumped(others[which]) == before


def test_a_backup_of_another_revision_says_which(
    others: dict[str, Path], tmp_path: Path, arena: Arena
) -> None:
    for which, revision in (("later", "9999"), ("earlier", f"{int(schema.HEAD) - 1:04}")):
        before = dumped(others[which])
        made = arena("db", "backup", "--to", tmp_path, "--db", others[which])
        assert made.exit_code == 0
        assert f"rows of revision {revision}" in made.stderr
        backup = Path(made.stdout.strip())
        assert json.loads(Path(f"{backup}.json").read_text())["revision"] == revision

        verified = arena("db", "verify", backup)
        assert verified.exit_code == 0
        assert verified.stdout.splitlines()[-1] == (
            f"{backup}: of revision {revision}, compared with its manifest; this release reads "
            f"rows of revision {schema.HEAD} alone; nothing is damaged"
        )
        assert json.loads(arena("db", "verify", backup, "--json").stdout)["revision"] == revision

        new = tmp_path / f"{which}.db"
        restored = arena("db", "restore", backup, "--db", new)
        if which == "later":
            assert (restored.exit_code, restored.stdout, new.exists()) == (2, "", False)
            assert REFUSED[which] in restored.stderr
        else:
            assert restored.exit_code == 0
            assert f"rows of revision {revision}\n" in restored.stdout
            assert f"needs revision {schema.HEAD}: type `arena db upgrade`" in restored.stderr
            assert dumped(new) == before
        assert dumped(others[which]) == before


def test_roles_are_given_on_tables_of_this_release(postgresql_url: str, arena: Arena) -> None:
    asked = ("db", "roles", "--db", postgresql_url)
    printed = arena(*asked)
    assert printed.exit_code == 0
    assert "not seen" not in printed.stderr

    engine = get_engine(postgresql_url)
    schema.downgrade(engine, f"{int(schema.HEAD) - 1:04}")
    earlier = arena(*asked)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    later = arena(*asked)
    engine.dispose()

    for refused, which in ((earlier, "earlier"), (later, "later")):
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert REFUSED[which] in refused.stderr
    assert arena(*asked, "--schema", "other").exit_code == 0, "no tables are there"
