"""`arena games`: the games of a database."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from arena.cli.options import AsJson, Database


class Status(StrEnum):
    """How far a game is."""

    scheduled = "scheduled"
    running = "running"
    completed = "completed"
    void = "void"


def games(
    tournament: Annotated[
        str | None, typer.Option(metavar="T", help="Only games of this tournament.")
    ] = None,
    agent: Annotated[
        str | None, typer.Option(metavar="A", help="Only games with this agent.")
    ] = None,
    status: Annotated[
        Status | None, typer.Option(metavar="S", help="scheduled, running, completed or void.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, metavar="N", help="At most so many, the latest first.")
    ] = 50,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """List games, the latest first."""
