"""What the commands of annotations share: what is annotated, by whom, and how that is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from db.queries.annotations import AnnotationRow

Target = Annotated[
    str,
    typer.Argument(metavar="GAME[:TURN]", help="The game, or a turn of it, such as 12 or 12:5."),
]
As = Annotated[
    str | None,
    typer.Option("--as", metavar="NAME", help="Who says it; by default the name of your login."),
]


def target_named(given: str) -> tuple[int, int | None]:
    """`12` as (12, None), `12:5` as (12, 5). Raises UsageError."""
    from arena.cli.search import turn_named
    from arena.core import UsageError

    if ":" in given:
        return turn_named(given, "GAME[:TURN]")
    if not (given.isascii() and given.isdecimal()):
        raise UsageError(f"expected a game or GAME:TURN, such as 12 or 12:5, found {given!r}")
    return int(given), None


def annotator_named(given: str | None) -> str:
    """The annotator that was typed, else whoever is logged in. Raises UsageError where nobody
    is."""
    if given is not None:
        return given
    from arena.core import UsageError
    from db.login import login_name

    name = login_name()
    if name is None:
        raise UsageError("nobody is logged in: --as NAME says who annotates")
    return name


def words(row: AnnotationRow) -> str:
    """An annotation in one line: `4 of 5 · lie, bluff · "…"`."""
    from arena.core.text import one_line

    parts = [
        None if row.rating is None else f"{row.rating} of 5",
        ", ".join(row.tags) or None,
        None if row.comment is None else f'"{one_line(row.comment, 60)}"',
        "blind" if row.blind else None,
    ]
    return " · ".join(part for part in parts if part)
