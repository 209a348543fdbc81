"""`arena show`: the transcript of a game."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.cli.options import AsJson, Database


def show(
    game: Annotated[
        int, typer.Argument(metavar="GAME", help="The game's number, as `arena games` shows it.")
    ],
    calls: Annotated[
        bool, typer.Option("--calls", help="Also every call: messages, answer, tokens, errors.")
    ] = False,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Read a game, from the cast to the outcome.

    Nothing that a model wrote is obeyed: control characters and escapes are made visible, and
    every line of a player stands behind a bar."""
