"""Define, run, look, change, look again; deleting what is used is refused, and then it is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from arena.config import parse
from arena.orchestrator.catalogue import enter
from arena.orchestrator.preflight import prepare
from arena.templates import AgentTemplateCreate, StoredTemplates, TemplateManager
from arena.templates.files import read_template
from db import Database, DatabaseError, Repository, get_session
from tests.cli.commands import Arena
from tests.templates.conftest import AGENT, TOURNAMENT


def stored(db: str, name: str) -> dict[str, Any]:
    """What a tournament was begun with."""
    with get_session(db, create=False) as session:
        row = Repository(session).get_tournament_by_name(name)
        assert row is not None
        return row.config


def uses(arena: Arena, db: str, name: str) -> dict[str, list[str]]:
    shown = json.loads(arena("templates", "show", name, "--db", db, "--json").stdout)
    found: dict[str, list[str]] = shown["template"]["uses"]
    return found


@pytest.mark.slow
def test_templates_are_copied_into_what_is_made_from_them(
    arena: Arena, database_url: str, agent_file: Path, tournament_file: Path
) -> None:
    db = database_url
    for file in (agent_file, tournament_file):
        added = arena("templates", "add", file, "--db", db)
        assert added.exit_code == 0, added.stderr
    assert uses(arena, db, "sceptic") == {"agents": [], "tournaments": [], "templates": ["evening"]}

    ran = arena("run", "--template", "evening", "--set", "games=4", "--db", db)

    assert ran.exit_code == 0, ran.stderr
    config = stored(db, "evening")
    assert config["games"] == 4
    assert [(agent["name"], agent["model"], agent["vars"]) for agent in config["agents"]] == [
        ("sceptic", "random+sceptic", {"name": "Vera", "goal": "proof"}),
        ("Otto", "random+sceptic", {"name": "Otto", "goal": "proof"}),
    ]
    assert [model["params"] for model in config["models"]] == [{}, {"temperature": 0.5}]
    assert "template" not in json.dumps(config)
    assert uses(arena, db, "evening")["tournaments"] == ["evening"]
    assert uses(arena, db, "sceptic")["agents"] == ["sceptic", "Otto"]

    agent_file.write_text(agent_file.read_text().replace("goal: proof", "goal: peace"))
    assert arena("templates", "edit", "sceptic", agent_file, "--db", db).exit_code == 0

    assert stored(db, "evening") == config
    again = arena("run", "--template", "evening", "--set", "games=4", "--db", db)
    assert again.exit_code == 2
    assert "'evening' was begun with" in again.stderr
    later = arena("run", "--template", "evening", "--set", "name=later", "--db", db)
    assert later.exit_code == 0, later.stderr
    assert [agent["vars"]["goal"] for agent in stored(db, "later")["agents"]] == ["peace"] * 2
    assert uses(arena, db, "evening")["tournaments"] == ["evening", "later"]

    refused = arena("templates", "delete", "evening", "--yes", "--db", db)
    assert refused.exit_code == 2
    assert "is used by the tournaments 'evening', 'later'" in refused.stderr
    refused = arena("templates", "delete", "sceptic", "--yes", "--db", db)
    assert "'sceptic', 'Otto', 'sceptic@2', 'Otto@2'; the tournament template 'evening'" in (
        refused.stderr
    )

    for name in ("evening", "later"):
        assert arena("tournaments", "delete", name, "--yes", "--db", db).exit_code == 0
    assert arena("templates", "delete", "evening", "--yes", "--db", db).exit_code == 0
    for name in ("sceptic", "Otto", "sceptic@2", "Otto@2"):
        assert arena("agents", "delete", name, "--yes", "--db", db).exit_code == 0
    assert arena("templates", "delete", "sceptic", "--yes", "--db", db).exit_code == 0
    assert json.loads(arena("templates", "list", "--db", db, "--json").stdout)["templates"] == []


def test_a_template_comes_out_as_the_file_that_it_came_from(
    arena: Arena, sqlite_url: str, agent_file: Path, tournament_file: Path, tmp_path: Path
) -> None:
    db = sqlite_url
    for file in (agent_file, tournament_file):
        arena("templates", "add", file, "--db", db)
    shown = arena("templates", "list", "--db", db, "--json").stdout
    for name in ("sceptic", "evening"):
        out = tmp_path / f"{name}-out.yaml"
        assert arena("templates", "export", name, out, "--db", db).exit_code == 0
        assert "is there already" in arena("templates", "export", name, out, "--db", db).stderr
        printed = arena("templates", "export", name, "--db", db).stdout
        assert printed == out.read_text()

    other = str(tmp_path / "other.db")
    for name in ("sceptic", "evening"):
        assert (
            arena("templates", "add", tmp_path / f"{name}-out.yaml", "--db", other).exit_code == 0
        )

    def said(text: str) -> list[dict[str, Any]]:
        rows = json.loads(text)["templates"]
        return [
            {key: row[key] for key in row.keys() - {"created_at", "updated_at"}} for row in rows
        ]

    assert said(arena("templates", "list", "--db", other, "--json").stdout) == said(shown)


def test_a_template_that_is_deleted_while_it_is_read_leaves_nothing_half_made(
    database_url: str,
) -> None:
    with Database(database_url) as database:
        with database.session() as session:
            manager = TemplateManager(session)
            for text in (AGENT, TOURNAMENT):
                template = read_template(text, "file")
                if isinstance(template, AgentTemplateCreate):
                    manager.create_agent_template(template)
                else:
                    manager.create_tournament_template(template)
            config = parse({"name": "x", "template": "evening"}, templates=StoredTemplates(session))
            manager.delete_tournament_template(1)
            manager.delete_agent_template(1)
        with (
            pytest.raises(DatabaseError, match="the agent template 1 was deleted a moment ago"),
            database.session() as session,
        ):
            enter(session, prepare(config))
        with database.session() as session:
            repo = Repository(session)
            assert (*repo.get_tournaments(), *repo.get_agents(), *repo.get_models()) == ()


def test_an_agent_of_the_catalogue_is_made_from_a_template(
    arena: Arena, sqlite_url: str, agent_file: Path
) -> None:
    db = ("--db", sqlite_url)
    arena("templates", "add", agent_file, *db)
    arena("models", "add", "random", "scripted/random", "--param", "top_p=1", *db)

    made = arena(
        "agents", "add", "Otto", "--template", "sceptic", "--model", "random", "--var",
        "name=Otto", *db,
    )  # fmt: skip

    assert made.exit_code == 0, made.stderr
    otto = json.loads(arena("agents", "show", "Otto", *db, "--json").stdout)["agent"]
    assert (otto["model"], otto["prompt"]) == ("random+sceptic", "sceptic")
    assert otto["options"]["vars"] == {"name": "Otto", "goal": "proof"}
    model = json.loads(arena("models", "show", "random+sceptic", *db, "--json").stdout)["model"]
    assert model["params"] == {"top_p": 1, "temperature": 0.5}
    assert uses(arena, sqlite_url, "sceptic")["agents"] == ["Otto"]
    for more, said in (
        ([], "has no model: add `model: NAME` here"),
        (["--model", "random", "--var", "nme=x"], "does not use 'nme'"),
        (["--template", "sceptik", "--model", "random"], "did you mean 'sceptic'?"),
    ):
        refused = arena("agents", "add", "Ann", "--template", "sceptic", *more, *db)
        assert (refused.exit_code, said in refused.stderr) == (2, True), refused.stderr
    arena("prompts", "edit", "sceptic", "--text", "Another.", *db)
    taken = arena("agents", "add", "Ann", "--template", "sceptic", "--model", "random", *db)
    assert "the prompt of the template 'sceptic' would be called 'sceptic'" in taken.stderr
    assert "has them" in arena("agents", "add", "Ann", *db).stderr
