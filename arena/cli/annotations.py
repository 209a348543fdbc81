"""`arena annotations`: what people said of games, and how far they agree."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from arena.cli.annotating import As, Target
from arena.cli.catalogue import Yes
from arena.cli.options import (
    LIMIT,
    AsJson,
    DatabaseUrl,
    EnvironmentOption,
    GameOption,
    LimitOption,
    SinceOption,
    TagOption,
    TournamentOption,
    UntilOption,
)
from arena.cli.sessions import reading

app = typer.Typer(help="Annotations: ratings, tags and comments.", no_args_is_help=True)

ByOption = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Only what this annotator says.")
]


@app.command("list")
def list_(
    tournament: TournamentOption = None,
    environment: EnvironmentOption = None,
    tag: TagOption = None,
    game: GameOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    by: ByOption = None,
    limit: LimitOption = LIMIT,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List annotations, the newest first."""
    from dataclasses import asdict

    from arena.cli.output import Column, moment, print_json, print_table, tell
    from arena.core.text import one_line
    from db.queries.annotations import annotation_rows

    asked = {"tournament": tournament, "environment": environment, "tag": tag, "game": game}
    with reading(db) as session:
        chosen = _selection(**asked, since=since, until=until)
        rows = annotation_rows(session, chosen, annotator=by, limit=limit + 1)
    shown = rows[:limit]
    if as_json:
        print_json({"annotations": [asdict(row) for row in shown]})
        return
    print_table(
        [
            Column("game", "right", order=0),
            Column("turn", "right", order=0),
            Column("by", shrink=True, order=1),
            Column("rating", "right", order=0),
            Column("tags", shrink=True, order=1),
            Column("blind", order=3),
            Column("on", order=3),
            Column("comment", shrink=True, order=2),
        ],
        [
            [
                str(row.game_id),
                "" if row.turn is None else str(row.turn),
                row.annotator,
                "" if row.rating is None else str(row.rating),
                ", ".join(row.tags),
                "blind" if row.blind else "",
                moment(row.updated_at)[:16],
                one_line(row.comment or "", 200),
            ]
            for row in shown
        ],
    )
    if len(rows) > limit:
        tell(f"the newest {limit}: --limit shows more")


@app.command()
def show(target: Target, as_: As = None, db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show what is said of a game or a turn.

    By everybody, or with --as by one annotator."""
    from dataclasses import asdict

    from arena.cli.annotating import target_named
    from arena.cli.output import print_fields, print_json
    from arena.core import UsageError
    from db.queries.annotations import annotations_of

    number, turn = target_named(target)
    with reading(db) as session:
        rows = [
            row
            for row in annotations_of(session, number)
            if row.turn == turn and as_ in (None, row.annotator)
        ]
    if as_json:
        print_json({"annotations": [asdict(row) for row in rows]})
        return
    if not rows:
        raise UsageError(f"nobody annotated {target}: `arena annotate {target}` does")
    for place, row in enumerate(rows):
        if place:
            typer.echo()
        print_fields(asdict(row))


@app.command()
def delete(target: Target, as_: As = None, yes: Yes = False, db: DatabaseUrl = None) -> None:
    """Delete an annotation.

    That of the annotator on a game or a turn."""
    from arena.cli.annotating import annotator_named, target_named, words
    from arena.cli.catalogue import confirm_deletion
    from arena.cli.output import tell
    from arena.core import UsageError
    from db import Repository
    from db.queries.annotations import annotation

    number, turn = target_named(target)
    name = annotator_named(as_)
    with reading(db) as session:
        row = annotation(session, number, turn, name)
    if row is None:
        raise UsageError(f"{name} has not annotated {target}: `arena annotations list` lists all")
    confirm_deletion(f"the annotation of {target} by {name}", words(row), yes=yes)
    with reading(db) as session:
        Repository(session).delete_annotation(number, turn, name)
    tell(f"deleted the annotation of {target} by {name}")


@app.command()
def agreement(
    tournament: TournamentOption = None,
    environment: EnvironmentOption = None,
    tag: TagOption = None,
    game: GameOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    blind: Annotated[bool, typer.Option("--blind", help="Only what was given blind.")] = False,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Measure how far annotators agree.

    Krippendorff's alpha of ratings (ordinal) and of each tag (given or not): 1 is perfect
    agreement, 0 what chance gives. The 95 % intervals resample games."""
    from dataclasses import asdict

    from arena.cli.output import Column, print_json, print_table, tell
    from arena.reports.agreement import agreement as agreement_of
    from arena.reports.agreement import said
    from db.queries.annotations import annotation_rows

    asked = {"tournament": tournament, "environment": environment, "tag": tag, "game": game}
    with reading(db) as session:
        rows = annotation_rows(session, _selection(**asked, since=since, until=until))
    found = agreement_of(row for row in rows if row.blind or not blind)
    if as_json:
        print_json(asdict(found))
        return
    print_table(
        [
            Column("judged", shrink=True),
            Column("alpha", "right"),
            Column("95 %", "right"),
            Column("by two or more", "right"),
            Column("which is", shrink=True),
        ],
        [
            [
                what,
                "" if each.alpha is None else f"{each.alpha:.2f}",
                "" if each.low is None else f"{each.low:.2f} to {each.high:.2f}",
                str(each.units),
                said(each),
            ]
            for what, each in [("rating", found.ratings), *found.tags.items()]
        ],
    )
    people = ", ".join(f"{name} {number:,}" for name, number in found.annotators.items())
    tell(f"{found.targets:,} games and turns were annotated: {people or 'by nobody'}")


def _selection(**asked: Any) -> Any:
    from db.selection import Selection

    return Selection(**asked)
