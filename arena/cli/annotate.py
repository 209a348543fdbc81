"""`arena annotate`: what a person says of a game, or of a turn of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import AsJson, DatabaseUrl

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


def annotate(
    target: Target,
    rating: Annotated[
        int | None, typer.Option("--rating", min=1, max=5, metavar="1-5", help="From 1 to 5.")
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="TAG", help="A tag; again, another."),
    ] = None,
    comment: Annotated[
        str | None, typer.Option("--comment", metavar="TEXT", help="In your own words.")
    ] = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="You have seen neither roles nor names of agents.")
    ] = False,
    as_: As = None,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Rate and tag a game or a turn.

    Each annotator has one annotation of each: what is said again replaces it. `arena games --tag`
    and everything else that chooses games finds them by their tags."""
    from dataclasses import asdict

    from arena.cli.output import print_json, tell
    from db import Database, Repository

    game, turn = target_named(target)
    with Database(db or None) as database, database.session(create=False) as session:
        found = Repository(session).annotate(
            game, turn, annotator_named(as_), rating=rating, tags=tag or (), comment=comment,
            blind=blind,
        )  # fmt: skip
    if as_json:
        print_json({"annotation": asdict(found.now), "replaced": found.before is not None})
        return
    what = f"game {game}" if turn is None else f"turn {turn} of game {game}"
    tell(f"{found.now.annotator} on {what}: {words(found.now)}")
    if found.before is not None:
        tell(f"replaced what was said before: {words(found.before)}")


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
    from arena.core.login import login_name

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
