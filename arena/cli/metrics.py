"""`arena metrics`: what agents and others counted up to, by name and time."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import (
    AsJson,
    DatabaseUrl,
    Several,
)
from arena.cli.output import Column, advise, moment, print_json, print_table, tell
from arena.cli.selecting import selecting
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from db.selection import Selection


@selecting("tournament", "environment", "agent", "kind", "model", "prompt", "role", "team")
def metrics(
    entities: Annotated[
        str,
        typer.Option(
            "--entity",
            metavar="E",
            help="Of agents, models, prompts, kinds, environments, tournaments, roles or teams.",
        ),
    ] = "agents",
    name: Annotated[
        Several,
        typer.Option("--name", metavar="M", help="Only this metric: cost, calls, silences, ..."),
    ] = None,
    *,
    selection: Selection,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="Only tournaments of then or later."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Only tournaments of before then.")
    ] = None,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Metrics by entity, name and time.

    A value for each tournament, at the time when it ended or was last heard of: what calls used,
    in void attempts too, and what happened in finished games. Read from the counters."""
    from db.queries.metrics import metrics as metrics_of

    selection = replace(selection, since=since, until=until)
    with reading(db) as session:
        found = metrics_of(session, selection, entities=entities, names=tuple(name or ()))
    if as_json:
        print_json(
            {"metrics": [asdict(row) for row in found.rows], "behind": [*found.behind]},
        )
        return
    # What nothing was counted of says nothing, unless it was asked for.
    shown = [row for row in found.rows if row.value or name]
    print_table(
        [
            Column(entities, shrink=True, order=0),
            Column("metric", order=0),
            Column("tournament", shrink=True, order=2),
            Column("time", order=1),
            Column("value", "right", order=0),
        ],
        [
            [row.entity, row.name, row.tournament, moment(row.at)[:16], _value(row.value)]
            for row in shown
        ],
    )
    if not shown:
        tell("nothing is counted that fits")
    if found.behind:
        advise(f"not counted yet: {', '.join(found.behind)}; `arena counters rebuild` counts them")


def _value(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.6f}"
