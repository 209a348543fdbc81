"""`arena head-to-head`: who scored what against whom, in which role, on which team."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from arena.cli.options import (
    AsJson,
    DatabaseUrl,
    EnvironmentOption,
    ErrorsAsOption,
    ExcludeErrors,
    RevisionOption,
    SinceOption,
    TerminationOption,
    TournamentOption,
    UntilOption,
)
from arena.cli.output import (
    Column,
    advise,
    console,
    count,
    print_csv,
    print_json,
    print_table,
    safe,
    tell,
)
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from arena.leaderboard.meetings import Meeting
    from arena.stats.head_to_head import Cell

_NAME_WIDTH = 24
_CELL_WIDTH = 9  # `100 ±12` and the gap
_MOST = 12  # agents beside each other that a person can take in


def head_to_head(
    by: Annotated[
        Literal["agent", "role", "team"],
        typer.Option(metavar="SIDE", help="Against each agent; or in each role, or on each team."),
    ] = "agent",
    environment: EnvironmentOption = None,
    tournament: TournamentOption = None,
    termination: TerminationOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    revision: RevisionOption = None,
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
    from db.selection import Selection

    if as_csv and as_json:
        raise UsageError("give --csv or --json: both go to standard output")
    query = LeaderboardQuery(
        Selection(
            tournament=tournament,
            environment=environment,
            termination=termination,
            since=since,
            until=until,
            revision=revision,
        ),
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
        print_json([cell for meeting in found for cell in cells(meeting)])
    elif as_csv:
        print_csv([cell for meeting in found for cell in cells(meeting)])
    else:
        for place, meeting in enumerate(found):
            if place:
                console().print()
            _print(meeting, exclude_errors)
        if found:
            tell(
                "the row's score in percent, ± half of its 95 % interval; --json has games and "
                "intervals"
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
    out.print(title.append(count(meeting.games, "game")), soft_wrap=True)
    rows = ordered(meeting)
    columns: Sequence[int | str] = rows if meeting.by == "agent" else meeting.matrix.columns
    if not meeting.matrix.cells:
        advise("no two agents have played against each other here")
        return
    room = max((out.width - _NAME_WIDTH - 5) // _CELL_WIDTH, 1)
    most = min(room, _MOST) if out.is_terminal else len(columns)
    shown = columns[:most]
    print_table(
        [
            Column("", "right", style="dim"),
            Column("agent", shrink=True, style="bold"),
            *(
                Column(str(place) if isinstance(column, int) else _short(column), "right")
                for place, column in enumerate(shown, start=1)
            ),
        ],
        [
            [
                str(place),
                meeting.names[row],
                *(
                    "–" if row == column else _cell(meeting.matrix.cells.get((row, column)))
                    for column in shown
                ),
            ]
            for place, row in enumerate(rows, start=1)
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


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "·"
    low, high = cell.interval
    return f"{100 * cell.score:.0f} ±{50 * (high - low):.0f}"


def _short(name: str) -> str:
    from arena.core.text import one_line

    return one_line(name, 12)
