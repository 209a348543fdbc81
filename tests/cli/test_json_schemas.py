"""Every command with --json says the form of it, and prints that; `run_arena` checks all tests."""

import json
from collections.abc import Iterator

import pytest
import typer
from jsonschema import Draft202012Validator

from arena.cli.app import app
from arena.cli.json_outputs import schemas
from arena.cli.output import print_json
from tests.cli.commands import Arena


def commands_with_json() -> Iterator[str]:
    def walk(command: object, path: tuple[str, ...]) -> Iterator[str]:
        context = typer.Context(command)  # type: ignore[arg-type]
        if hasattr(command, "list_commands"):
            for name in command.list_commands(context):
                yield from walk(command.get_command(context, name), (*path, name))
        elif any("--json" in parameter.opts for parameter in command.params):  # type: ignore[attr-defined]
            yield " ".join(path)

    return walk(typer.main.get_command(app), ())


def test_every_command_with_json_has_a_schema() -> None:
    known = schemas()

    assert {*commands_with_json()} == {*known}
    for schema in known.values():
        Draft202012Validator.check_schema(schema)
        forms = schema.get("anyOf", [schema])
        assert all(form["properties"]["version"] == {"const": 1} for form in forms)
        assert all("version" in form["required"] for form in forms)
        assert not any(form["additionalProperties"] for form in forms)


def test_the_schema_of_a_command_is_printed(arena: Arena) -> None:
    printed = json.loads(arena("schema", "tournaments", "list").stdout)

    assert printed["title"] == "arena tournaments list --json"
    assert printed["properties"].keys() == {"version", "tournaments"}
    refused = arena("schema", "gmes")
    assert refused.exit_code == 2
    assert "unknown command with --json 'gmes'; did you mean 'games'?" in refused.stderr


def test_a_field_that_no_schema_names_is_found(
    arena: Arena, played: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.cli.games.print_json", lambda data: print_json({**data, "more": 1}))
    with pytest.raises(AssertionError, match=r"arena games --json: .*'more' was unexpected"):
        arena("games", "--db", played, "--json")
    monkeypatch.undo()
    monkeypatch.setattr("arena.cli.output.JSON_VERSION", 2)
    with pytest.raises(AssertionError, match=r"arena games --json: .*version: 1 was expected"):
        arena("games", "--db", played, "--json")


def test_games_say_what_they_took(arena: Arena, played: str) -> None:
    games = json.loads(arena("games", "--db", played, "--json").stdout)["games"]
    for game in games:
        shown = json.loads(
            arena("show", str(game["game_id"]), "--calls", "--db", played, "--json").stdout
        )
        calls = [call for turn in shown["turns"] for call in turn["calls"]]
        assert game["calls"] == shown["calls"] == len(calls) > 0
        for name in ("prompt_tokens", "response_tokens", "cached_tokens"):
            assert game[name] == sum(call[name] or 0 for call in calls)
        assert game["cost"] == pytest.approx(sum(call["cost"] or 0 for call in calls))
