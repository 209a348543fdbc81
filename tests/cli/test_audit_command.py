"""The trail as a person meets it: define, run, look, change, look again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from db.login import login_name
from tests.cli.commands import Arena
from tests.cli.test_catalogue_changes import TOURNAMENT


def entries(arena: Arena, url: str, *asked: str) -> list[dict[str, Any]]:
    """The oldest first."""
    result = arena("audit", "--db", url, "--json", *asked)
    assert result.exit_code == 0, result.stderr
    return list(reversed(json.loads(result.stdout)["entries"]))


@pytest.mark.slow
def test_what_was_defined_run_and_changed_is_told(
    arena: Arena, tmp_path: Path, database_url: str
) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(TOURNAMENT)
    assert arena("run", file, "--games", "1", "--db", database_url).exit_code == 0

    told = entries(arena, database_url)
    of_run = [row for row in told if row["entity"] == "tournaments"]
    assert [row["action"] for row in of_run] == ["add", "edit", "status", "status"]
    assert [row["reason"] for row in of_run[2:]] == ["its run began", "games are left"]
    assert {row["entity"] for row in told} == {
        "models", "prompts", "kinds", "agents", "environments", "tournaments",
    }  # fmt: skip
    assert {row["actor"] for row in told} == {login_name() or "nobody"}

    assert arena("run", file, "--db", database_url).exit_code == 0
    more = entries(arena, database_url)[len(told) :]
    assert [(row["action"], row["reason"]) for row in more] == [
        ("status", "its run was resumed"), ("status", "every game was played"),
    ], "neither what is played is told nor settings that stay"  # fmt: skip

    loud = ("prompts", "add", "loud", "--text", "SHOUT", "--db", database_url)
    assert arena(*loud).exit_code == 0
    assert arena("prompts", "rename", "loud", "quiet", "--db", database_url).exit_code == 0
    assert arena("prompts", "delete", "quiet", "--yes", "--db", database_url).exit_code == 0
    assert (
        arena("annotate", "1", "--rating", "4", "--as", "Zoe", "--db", database_url).exit_code == 0
    )
    assert [
        (row["action"], row["entity_name"], row["before"], row["after"])
        for row in entries(arena, database_url, "--entity", "prompts", "--name", "loud")
    ] == [
        ("add", "loud", None, {"name": "loud", "content": "SHOUT", "active": True}),
        ("edit", "quiet", {"name": "loud"}, {"name": "quiet"}),
        ("delete", "quiet", {"name": "quiet", "content": "SHOUT", "active": True}, None),
    ]
    lines = arena("audit", "--limit", "2", "--db", database_url)
    assert lines.stdout.splitlines()[0].split() == [
        "#",
        "on",
        "by",
        "action",
        "of",
        "name",
        "change",
    ]
    assert "blind: false; rating: 4" in lines.stdout.splitlines()[2]
    assert lines.stderr == "the newest 2: --limit shows more\n"

    history = json.loads(
        arena("tournaments", "show", "small", "--db", database_url, "--json").stdout
    )["history"]
    assert [move["after"] for move in history] == [
        "created", "running", "paused", "running", "finished",
    ]  # fmt: skip

    # The trail is cut, which it says, and goes on.
    count = len(entries(arena, database_url, "--limit", "500"))
    asked = ("db", "forget", "--before", "2999-01-01", "--db", database_url)
    refused = arena(*asked)
    assert (refused.exit_code, "nobody can be asked here: add --yes" in refused.stderr) == (2, True)
    cut = arena(*asked, "--yes", "--json")
    assert json.loads(cut.stdout)["entries"] == count
    (forgot,) = entries(arena, database_url)
    assert (forgot["action"], forgot["after"]["entries"]) == ("forget", count)
    assert arena("db", "check", "--db", database_url).exit_code == 0


def test_a_strangers_words_are_printed_and_not_obeyed(arena: Arena, tmp_path: Path) -> None:
    url = str(tmp_path / "hostile.db")
    words = "\x1b[2J[bold]x[/bold]\u202e"
    assert arena("prompts", "add", "p", "--text", words, "--db", url).exit_code == 0
    result = arena("audit", "--db", url)
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "[bold]x[/bold]" in result.stdout


def test_what_is_not_on_the_trail_is_refused_with_the_nearest(arena: Arena, played: str) -> None:
    for asked, said in (
        (("--entity", "agent"), "unknown entity 'agent'; did you mean 'agents'? `arena audit`"),
        (("--name", "Anne"), "unknown name on the trail 'Anne'; did you mean 'Ann'?"),
        (("--since", "soon"), "expected a date such as 2026-01-31 or a time"),
    ):
        result = arena("audit", "--db", played, *asked)
        assert (result.exit_code, result.stdout) == (2, "")
        assert said in result.stderr
