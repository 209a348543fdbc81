"""Prints what ratings combinations of parts would have that have not played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from arena.cli.output import (
    Column,
    advise,
    console,
    print_json,
    print_line,
    print_table,
    safe,
    tell,
)

if TYPE_CHECKING:
    from arena.leaderboard.parts import Prediction
    from arena.leaderboard.scopes import Scope


def print_predictions(
    found: Sequence[tuple[Scope, list[Prediction]]], *, as_json: bool, limit: int
) -> None:
    """The ratings that combinations of parts would have, those of each environment best first."""
    from rich.text import Text

    if not found:
        advise("no game has been rated yet; `arena games` lists the games")
    if as_json:
        print_json(
            {
                "combinations": [
                    {
                        "environment": scope.environment,
                        "num_players": scope.num_players,
                        **asdict(row),
                    }
                    for scope, rows in found
                    for row in rows[:limit]
                ]
            }
        )
        return
    out = console()
    for place, (scope, rows) in enumerate(found):
        if place:
            out.print()
        title = Text(style="bold").append_text(safe(scope.environment or ""))
        print_line(title.append(" · combinations that have not played"), out)
        print_table(
            [
                Column("kind", shrink=True),
                Column("model", shrink=True),
                Column("prompt", shrink=True),
                Column("rating", "right", order=0),
                Column("95 %", "right", style="dim"),
            ],
            [
                [
                    row.kind,
                    row.model,
                    row.prompt,
                    f"{row.rating:.2f}",
                    f"{row.low:.1f} to {row.high:.1f}",
                ]
                for row in rows[:limit]
            ],
        )
    if found:
        tell("predicted from their parts; 25 is the average of the agents that played")
