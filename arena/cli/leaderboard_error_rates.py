"""Prints how often the agents of a board erred."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from arena.cli.output import Column, advise, percent, print_table, tell
from arena.reports.error_rates import error_rates

if TYPE_CHECKING:
    from arena.leaderboard.board import BoardRow
    from arena.reports.error_rates import ErrorRates


def shown_rates(rates: ErrorRates) -> str:
    """`invalid 2.1 %, decided 5.0 %`: what is not 0."""
    return ", ".join(f"{name} {percent(share)}" for name, share in rates.by_name.items() if share)


def error_table(rows: Sequence[BoardRow], by: str) -> None:
    """A row for each agent, or part, with the shares of its turns that went wrong."""
    known = [(row, found) for row in rows if row.conduct and (found := error_rates([row.conduct]))]
    if not known:
        advise("of these games it is not on record how the turns went")
        return
    kinds = [*known[0][1].by_name]
    print_table(
        [
            Column("", "right", style="dim"),
            Column(by, shrink=True, style="bold"),
            Column("turns", "right"),
            *(Column(kind, "right") for kind in kinds),
        ],
        [
            [
                str(row.rank),
                row.name,
                f"{found.turns:,}",
                *(percent(share) for share in found.by_name.values()),
            ]
            for row, found in known
        ],
    )
    tell(
        "shares of an agent's turns; unclear: of its turns that had a player to choose; "
        "notes lost: of its notes; decided, thrown out: of its games, by or for its own "
        "error"
    )
