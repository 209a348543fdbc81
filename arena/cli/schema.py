"""`arena schema`: the JSON Schemas of tournament files and of what commands print."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.cli.output import write_json


def schema(
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="COMMAND...",
            help="A command, such as `games` or `tournaments list`: the schema of its --json.",
            show_default=False,
        ),
    ] = None,
    scenario: Annotated[bool, typer.Option("--scenario", help="That of scenario files.")] = False,
) -> None:
    """Print the JSON Schema of a file or a command.

    Of tournament files without a COMMAND, or of scenario files; else of what a command prints with
    --json.

    Editors use it to complete and to check what is typed, programs to read what is printed."""
    if scenario:
        from arena.scenarios.reading import json_schema as of_scenarios

        write_json(of_scenarios())
        return
    if not command:
        from arena.config import json_schema

        write_json(json_schema())
        return
    from arena.cli.json_outputs import schemas
    from arena.core import UsageError
    from arena.registry import unknown

    known = schemas()
    name = " ".join(command).removeprefix("arena ")
    if name not in known:
        raise UsageError(unknown("command with --json", name, sorted(known)))
    write_json(known[name])
