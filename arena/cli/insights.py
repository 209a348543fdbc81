"""`arena insights`: what differs in the games on record, by how much, and how sure that is."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import (
    AsJson,
    DatabaseUrl,
)
from arena.cli.output import Column, count, print_json, print_table, tell
from arena.cli.selecting import selecting
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from arena.reports.insights import InsightFinding, InsightsReport
    from db.selection import Selection

FINDINGS = 20


@selecting("tournament", "environment", "since", "until")
def insights(
    selection: Selection,
    games: Annotated[
        int | None,
        typer.Option("--games", min=1, metavar="N", help="Look at the newest N games."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, metavar="N", help="Show at most N findings.")
    ] = FINDINGS,
    sql: Annotated[
        str | None,
        typer.Option(
            "--sql",
            metavar="QUESTION",
            help="Only print the query behind this question, to be run by anybody.",
        ),
    ] = None,
    save: Annotated[bool, typer.Option("--save", help="Keep the findings as suggestions.")] = False,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Find what stands out in the games.

    That is: illegal moves, votes against one's own words, seats that win, prompts that lose in one
    role, claims that are believed, calls that fail, replies that are cut, repetitions, refusals.
    Every agent, role, prompt, seat, phase or model is compared with the others in the same place.
    All comparisons are tested together, so that of what is found at most 5 % is chance on average,
    however many questions are asked; the intervals shown hold in the same way. What was looked for
    and not found is said too. Branches are left out. `arena view` shows the same at /insights.

    --save keeps each finding as a suggestion, once: `arena suggestions` decides upon it, and
    `arena compare --for-suggestion` measures what came of it."""
    from arena.core import UsageError
    from arena.reports.insights import MOST, question_sql
    from arena.reports.insights import insights as report_of
    from arena.reports.suggestions import save_suggestions

    most = MOST if games is None else games
    if save and sql is not None:
        raise UsageError("--sql prints a query and finds nothing to keep: leave out --save")
    with reading(db) as session:
        if sql is not None:
            typer.echo(question_sql(session, sql, selection, most=most))
            return
        report = report_of(session, selection, most=most)
    kept = None
    if save:
        # Games are read for seconds, in which a run may write: what is kept begins anew.
        with reading(db) as session:
            kept = save_suggestions(session, report, selection)
    if as_json:
        print_json(asdict(report))
    else:
        _print(report, limit)
    if kept is not None:
        tell(
            f"{count(kept['added'], 'suggestion')} added, {kept['refreshed']} refreshed, "
            f"{kept['unchanged']} unchanged: `arena suggestions list` lists them"
        )


def _print(report: InsightsReport, limit: int) -> None:
    asked = {question.name: question for question in report.questions}
    if report.findings:
        print_table(
            [
                Column("what", order=0),
                Column("who", shrink=True, order=0),
                Column("points apart", "right", order=1),
                Column("interval", "right", order=2),
                Column("finding", shrink=True, order=0, least=40),
                Column("for example", order=3),
            ],
            [_row(found) for found in report.findings[:limit]],
        )
    games = count(report.games, "game")
    tell(
        f"{count(len(report.findings), 'finding')} among {count(report.asked, 'comparison')} in "
        f"{'the newest ' if report.left_out else ''}{games}, tested together: at most "
        f"{100 * report.alpha:.0f} % of them are chance on average"
    )
    if len(report.findings) > limit:
        tell(f"{len(report.findings) - limit} more: --limit shows them")
    missed = [each.title for each in asked.values() if each.asked and not each.found]
    if missed:
        tell(f"looked for and not found: {'; '.join(missed)}")
    silent = [each.title for each in asked.values() if not each.asked]
    if silent:
        tell(f"too few to ask: {'; '.join(silent)}")


def _row(found: InsightFinding) -> list[str]:
    place = ""
    if found.places:
        game, turn = found.places[0]
        place = f"game {game}" if turn is None else f"game {game}, turn {turn}"
    return [
        found.question,
        found.label,
        f"{100 * found.difference:+.1f}",
        f"{100 * found.low:+.1f} to {100 * found.high:+.1f}",
        found.sentence,
        place,
    ]
