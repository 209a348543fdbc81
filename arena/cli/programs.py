"""`arena programs`: which programs tournament files may start on this machine."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from arena.cli.options import AsJson
from arena.cli.output import Column, print_json, print_table, tell

app = typer.Typer(help="Programs: which may be started here.", no_args_is_help=True)

Command = Annotated[
    list[str],
    typer.Argument(metavar="COMMAND...", help="As the file has it, behind `--`: -- python3 bot.py"),
]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List what was allowed."""
    from arena.llm.programs import allowed_programs, ascii_words

    found = allowed_programs()
    if as_json:
        print_json(
            {"programs": [{"folder": one.folder, "command": [*one.command]} for one in found]}
        )
    else:
        columns = [Column("folder"), Column("may start")]
        print_table(columns, [[one.folder, ascii_words(one.command)] for one in found])


@app.command()
def add(
    command: Command,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Allow a program to be started here.

    It is asked for once, for this user and all databases: a tournament file may be a stranger's,
    and a program that it starts can do here what you can."""
    from arena.core import UsageError
    from arena.llm.programs import allow_program, ascii_words

    words = ascii_words(command)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("nobody can be asked here: add --yes before the `--`")
        typer.confirm(f"Let tournaments start `{words}` here?", abort=True, err=True)
    tell(f"`{words}` may be started in {allow_program(command).folder}")


@app.command()
def delete(command: Command) -> None:
    """Take back what was allowed in this folder."""
    from arena.core import UsageError
    from arena.llm.programs import ascii_words, forget_program

    words = ascii_words(command)
    if not forget_program(command):
        raise UsageError(f"`{words}` was not allowed in this folder")
    tell(f"`{words}` may not be started any more")
