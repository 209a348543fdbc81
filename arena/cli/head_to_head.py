"""`arena head-to-head`: who scored what against whom, in which role, on which team."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.cells import cell_len

from arena.cli.options import (
    AsJson,
    DatabaseUrl,
    ErrorsAsOption,
    ExcludeErrors,
)
from arena.cli.output import (
    GAP,
    NARROWEST,
    Column,
    advise,
    console,
    count,
    print_csv,
    print_json,
    print_line,
    print_table,
    safe,
    tell,
)
from arena.cli.selecting import selecting
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from arena.leaderboard.meetings import Meeting
    from db.selection import Selection

_NAME_WIDTH = 24  # a name that is cut to less says little
_MOST = 12  # agents beside each other that a person can take in


@selecting("environment", "tournament", "termination", "since", "until", "revision", "tag")
def head_to_head(
    by: Annotated[
        Literal["agent", "role", "team"],
        typer.Option(metavar="SIDE", help="Against each agent; or in each role, or on each team."),
    ] = "agent",
    *,
    selection: Selection,
    exclude_errors: ExcludeErrors = None,
    errors_as: ErrorsAsOption = "loss",
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV: a line for each cell of the matrix.")
    ] = False,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show who scored what against whom.

    A cell is the row's score in percent (a draw is half a win) with its 95 % interval. Agents on
    the same team did not play against each other. A game counts once for a pair, however many
    seats they had."""
    from arena.core import UsageError
    from arena.leaderboard import LeaderboardQuery
    from arena.leaderboard.meetings import meetings
    from arena.leaderboard.rows import cells

    if as_csv and as_json:
        raise UsageError("give --csv or --json: both go to standard output")
    query = LeaderboardQuery(
        selection,
        exclude_errors=exclude_errors,
        errors_as=errors_as,
    )
    with reading(db) as session:
        found = meetings(session, query, by)
    if not found:
        which = f"that no error {exclude_errors} " if exclude_errors else ""
        advise(f"no game {which}has been rated yet; `arena games` lists the games")
    if as_json or as_csv:
        for note in dict.fromkeys(note for meeting in found for note in meeting.notes):
            tell(note)
    if as_json:
        print_json({"cells": [cell for meeting in found for cell in cells(meeting)]})
    elif as_csv:
        print_csv([cell for meeting in found for cell in cells(meeting)])
    else:
        for place, meeting in enumerate(found):
            if place:
                console().print()
            _print(meeting, exclude_errors)
        if found:
            tell(
                "the row's score in percent, and its 95 % interval; --json has the games and their "
                "number of seeds"
            )


def _print(meeting: Meeting, without: str | None) -> None:
    from rich.text import Text

    from arena.leaderboard.rows import ordered

    title = Text(style="bold")
    for part in (meeting.tournament, meeting.environment):
        if part:
            title.append_text(safe(part)).append(" · ")
    if meeting.num_players:
        title.append(f"{count(meeting.num_players, 'player')} · ")
    out = console()
    print_line(title.append(count(meeting.games, "game")), out)
    if not meeting.matrix.cells:
        advise("no two agents have played against each other here")
        return
    rows = ordered(meeting)
    columns: Sequence[int | str] = rows if meeting.by == "agent" else meeting.matrix.columns
    whole = [[_cell(meeting, row, column) for column in columns] for row in rows]
    titles = [
        str(place) if isinstance(column, int) else _short(column)
        for place, column in enumerate(columns, start=1)
    ]
    names = [meeting.names[row] for row in rows]
    # Where not one interval fits, scores alone do.
    scores = [[cell.partition(" ")[0] for cell in row] for row in whole]
    cells = whole if _room(names, titles, whole) else scores
    shown = titles[: max(_room(names, titles, cells), 1)]
    print_table(
        [
            Column("", "right", style="dim"),
            Column("agent", shrink=True, style="bold"),
            *(Column(title, "right", order=0) for title in shown),
        ],
        [
            [str(place), name, *row[: len(shown)]]
            for place, (name, row) in enumerate(zip(names, cells, strict=True), start=1)
        ],
    )
    if len(shown) < len(columns):
        tell(f"the first {len(shown)} of {len(columns)} columns; --csv and --json have them all")
    from arena.record.rating_columns import repeats_left_out

    for note in repeats_left_out(meeting.repeats):
        tell(note)
    if meeting.left_out:
        tell(f"left out: {count(meeting.left_out, 'game')} that an error {without}")
    for note in meeting.notes:
        advise(note)


def _room(names: Sequence[str], titles: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    """How many of the columns a terminal has room for; a pipe has it for all."""
    out = console()
    if not out.is_terminal:
        return len(titles)
    widths = [GAP + max(map(cell_len, column)) for column in zip(titles, *cells, strict=True)]
    # A name is cut before a column is left out, to a point.
    name = min(max(map(cell_len, names)), _NAME_WIDTH, max(out.width // 3, NARROWEST))
    room = out.width - len(str(len(names))) - GAP - name
    return bisect_right([*accumulate(widths)], room, hi=min(len(widths), _MOST))


def _cell(meeting: Meeting, row: int, column: int | str) -> str:
    """`95 (83 to 99)`."""
    if row == column:
        return "–"
    cell = meeting.matrix.cells.get((row, column))
    if cell is None:
        return "·"
    low, high = cell.interval
    return f"{100 * cell.score:.0f} ({100 * low:.0f} to {100 * high:.0f})"


def _short(name: str) -> str:
    from arena.core.text import one_line

    return one_line(name, 12)
