"""`arena annotate`: what a person says of a game, or of a turn of it."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.cli.annotating import As, Target, annotator_named, target_named, words
from arena.cli.options import AsJson, DatabaseUrl


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
