"""What comes with the arena is added once, and what people made of it stays."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from arena.templates.seed import SeededRow, seed, starters
from arena.templates.stored import StoredTemplates
from db import Database, Repository
from db.models.columns import Table
from tests.cli.commands import Arena


def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with database.engine.connect() as connection:
        return {
            name: [tuple(row) for row in connection.execute(table.select())]
            for name, table in Table.metadata.tables.items()
        }


def test_a_second_time_the_rows_are_the_same(database_url: str) -> None:
    with Database(database_url) as database:
        with database.session() as session:
            first = seed(session)
        before = contents(database)
        with database.session() as session:
            second = seed(session)

        assert contents(database) == before
    assert {row.state for row in second} == {"unchanged"}
    assert [(row.noun, row.name) for row in first] == [(row.noun, row.name) for row in second]
    added = {row.noun for row in first if row.state == "added"}
    assert added == {"kind", "model", "prompt", "agent template", "tournament template"}
    kinds = [row for row in first if row.noun == "kind of event"]
    assert {row.state for row in kinds} == {"unchanged"}, "the first tables have them"


def test_two_at_the_same_time_add_one_of_each(database_url: str) -> None:
    together = Barrier(2)

    def add() -> list[str]:
        with Database(database_url) as database, database.session() as session:
            together.wait()
            return [row.state for row in seed(session)]

    with ThreadPoolExecutor(2) as threads:
        one, other = (future.result() for future in [threads.submit(add), threads.submit(add)])

    assert sorted(state.count("added") for state in (one, other))[0] == 0
    assert max(one.count("added"), other.count("added")) > 0


def test_what_was_changed_stays_and_what_was_deleted_comes_back(
    arena: Arena, sqlite_url: str
) -> None:
    db = ("--db", sqlite_url)
    assert arena("db", "seed", *db).exit_code == 0
    for command in (
        ["templates", "edit", "sceptic", "--set", "personality.vars.goals=To win."],
        ["prompts", "edit", "any-game", "--text", "Play."],
        ["models", "edit", "random", "--param", "temperature=1"],
        ["templates", "delete", "village", "--yes"],
    ):
        assert arena(*command, *db).exit_code == 0

    again = arena("db", "seed", *db, "--json")

    rows = {SeededRow(**row) for row in json.loads(again.stdout)["rows"]}
    assert {row for row in rows if row.state != "unchanged"} == {
        SeededRow("agent template", "sceptic", "differs"),
        SeededRow("prompt", "any-game", "differs"),
        SeededRow("model", "random", "differs"),
        SeededRow("tournament template", "village", "added"),
    }
    with Database(sqlite_url) as database, database.session() as session:
        assert StoredTemplates(session).agent("sceptic").vars["goals"] == "To win."
        prompt = Repository(session).get_prompt_by_name("any-game")
        assert prompt is not None
        assert prompt.content == "Play."
    assert "1 there otherwise" not in again.stderr
    assert "3 there otherwise, which stay" in again.stderr


@pytest.mark.slow
def test_the_templates_that_come_with_the_arena_are_played(arena: Arena, tmp_path: Path) -> None:
    db = ("--db", str(tmp_path / "new.db"))
    assert arena("db", "seed", *db).exit_code == 0

    ran = arena("run", "--template", "first-steps", "--set", "games=6", *db)

    assert ran.exit_code == 0, ran.stderr
    shown = json.loads(arena("templates", "show", "first-steps", *db, "--json").stdout)
    assert (shown["unseen"], shown["template"]["uses"]["tournaments"]) == ([], ["first-steps"])
    arena("templates", "edit", "first-steps", "--set", "event_flow=[{event: vote}]", *db)
    later = arena("templates", "show", "first-steps", *db)
    assert "no game has told these expected events yet: vote" in later.stderr
    assert [each.name for each in starters()][-2:] == ["first-steps", "village"]
