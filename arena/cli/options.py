"""The options that many commands share."""

from __future__ import annotations

import math
import os
from typing import Annotated

import typer

Database = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="URL",
        help="A database's URL or an SQLite file; else ARENA_DATABASE_URL, else sqlite:///arena.db.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
GameNumber = Annotated[
    int, typer.Argument(metavar="GAME", help="The game's number, as `arena games` shows it.")
]


def _dollars(amount: float | None) -> float | None:
    if amount is not None and not (math.isfinite(amount) and amount > 0):
        raise typer.BadParameter("expected dollars above 0, such as 2.50")
    return amount


Games = Annotated[
    int | None,
    typer.Option(
        "--games", min=1, metavar="N", help="Play so many games of the schedule, not all."
    ),
]
Concurrency = Annotated[
    int | None,
    typer.Option(
        "--concurrency",
        min=1,
        metavar="N",
        help="Games at the same time, instead of the tournament's.",
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(
        "--budget",
        metavar="USD",
        callback=_dollars,
        help="Most dollars for the whole tournament, earlier runs included; replaces its own cap.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Check everything, say what would be played and what it may cost."
    ),
]

DEFAULT_URL = "sqlite:///arena.db"


def database_url(db: str | None) -> str:
    """Where the database is: the option, the environment, or the file in this folder."""
    return db or os.environ.get("ARENA_DATABASE_URL") or DEFAULT_URL


def key_values(pairs: list[str], option: str) -> dict[str, object]:
    """`["temperature=0.2", "stop=END"]` as a mapping; a value that is JSON is read as JSON.

    Raises UsageError for a pair without `=` and for a key that occurs twice.
    """
    import json

    from arena.core import UsageError

    found: dict[str, object] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{option} expects KEY=VALUE, found {pair!r}")
        if key in found:
            raise UsageError(f"{option} {key}=... is given twice")
        try:
            found[key] = json.loads(value, parse_constant=lambda name: name)
        except ValueError:
            found[key] = value
    return found
