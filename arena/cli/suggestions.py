"""`arena suggestions`: findings that were kept, what was decided, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.annotating import As
from arena.cli.catalogue import Yes
from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from arena.reports.suggestions import SuggestionReport

app = typer.Typer(help="Suggestions: findings to act on.", no_args_is_help=True)

SuggestionId = Annotated[int, typer.Argument(metavar="ID", help="Its number.")]
STATUSES = "open|accepted|rejected|done"


@app.command("list")
def list_(
    status: Annotated[
        str | None, typer.Option("--status", metavar=STATUSES, help="Only with this status.")
    ] = None,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List suggestions, the greatest impact first."""
    from dataclasses import asdict

    from arena.cli.output import Column, print_json, print_table, tell
    from arena.reports.suggestions import effect_words, suggestions

    with reading(db) as session:
        found = suggestions(session, status)
    if as_json:
        print_json({"suggestions": [asdict(each) for each in found]})
        return
    print_table(
        [
            Column("id", "right", order=0),
            Column("status", order=0),
            Column("impact", "right", order=1),
            Column("suggestion", shrink=True, order=0, least=40),
            Column("effect", shrink=True, order=1),
        ],
        [
            [
                str(each.id),
                each.status,
                f"{100 * each.impact:.1f}",
                each.description,
                "" if each.effect is None else effect_words(each.effect),
            ]
            for each in found
        ],
    )
    if not found:
        tell("none is on record: `arena insights --save` keeps what stands out")


@app.command()
def show(number: SuggestionId, db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show a suggestion, and what came of it."""
    from dataclasses import asdict

    from arena.cli.output import print_json
    from arena.reports.suggestions import suggestion_report
    from db import Repository

    with reading(db) as session:
        found = suggestion_report(Repository(session).get_suggestion_by_id(number))
    if as_json:
        print_json({"suggestion": asdict(found)})
        return
    _print(found)


def _print(found: SuggestionReport) -> None:
    from arena.cli.output import moment, print_fields
    from arena.reports.suggestions import effect_words

    seen = found.evidence
    places = [
        f"game {game}" if turn is None else f"game {game}, turn {turn}"
        for game, turn in seen["places"]
    ]
    interval = f"{100 * seen['low']:+.1f} to {100 * seen['high']:+.1f}"
    print_fields(
        {
            "suggestion": found.id,
            "status": found.status,
            "category": found.category,
            "description": found.description,
            "why": seen["why"],
            "points apart": f"{100 * seen['difference']:+.1f}, interval {interval}",
            "rests on": f"{seen['trials']:,} in {seen['games']:,} games",
            "games of": ", ".join(f"{key} {value}" for key, value in seen["scope"].items())
            or "all games",
            "for example": "; ".join(places) or None,
        }
    )
    for change in found.changes:
        reason = "" if change.reason is None else f": {change.reason}"
        _line(f"{moment(change.at)[:16]}  {change.before} → {change.after}, {change.by}{reason}")
    for effect in found.effects:
        _line(f"{moment(effect.at)[:16]}  {effect_words(effect)}: {effect.conclusion}")


def _line(text: str) -> None:
    from arena.cli.output import console, print_line, safe

    print_line(safe(text), console())


@app.command()
def edit(
    number: SuggestionId,
    status: Annotated[str, typer.Option("--status", metavar=STATUSES, help="Its new status.")],
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why, in your own words.")
    ] = None,
    as_: As = None,
    db: DatabaseUrl = None,
) -> None:
    """Give a suggestion another status.

    What is open is accepted or rejected; what is accepted becomes done, or is rejected; what is
    rejected or done is opened again. Who changed it, when and why are kept."""
    from arena.cli.annotating import annotator_named
    from arena.cli.output import tell
    from db import Repository

    by = annotator_named(as_)
    with reading(db) as session:
        row = Repository(session).set_suggestion_status(number, status, by, reason)
        before = row.history["changes"][-1]["from"]
    tell(f"suggestion {number} is {status} now, and was {before}")
    if status == "accepted":
        tell(f"once it is tried: arena compare NEW OLD --for-suggestion {number}")


@app.command()
def delete(number: SuggestionId, yes: Yes = False, db: DatabaseUrl = None) -> None:
    """Delete a suggestion."""
    from arena.cli.catalogue import confirm_deletion
    from arena.cli.output import tell
    from db import Repository

    with reading(db) as session:
        row = Repository(session).get_suggestion_by_id(number)
        said = f"{row.status}, {row.description}"
    confirm_deletion(f"suggestion {number}", said, yes=yes)
    with reading(db) as session:
        Repository(session).delete_suggestion(number)
    tell(f"deleted suggestion {number}")
