"""Prints how well rating systems predicted games: their log losses, and a reliability table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from arena.cli.output import (
    Column,
    advise,
    console,
    count,
    print_json,
    print_line,
    print_table,
    safe,
    tell,
)

if TYPE_CHECKING:
    from arena.leaderboard.calibration import CalibrationBoard
    from arena.stats.calibration import Calibration, ReliabilityBin


def print_calibrations(
    found: Sequence[CalibrationBoard], system: str, *, as_json: bool = False
) -> None:
    """For each environment the systems by log loss, and the reliability table of `system`."""
    from arena.leaderboard.rows import reliability

    if not found:
        advise("no game has been rated yet; `arena games` lists the games")
    if as_json:
        print_json({"bins": [row for board in found for row in reliability(board)]})
    for place, board in enumerate(found):
        if not as_json:
            if place:
                console().print()
            _print(board, system)
        for note in board.notes:
            advise(note)


def _print(board: CalibrationBoard, system: str) -> None:
    from rich.text import Text

    title = Text(style="bold")
    for part in (board.tournament, board.environment):
        if part:
            title.append_text(safe(part)).append(" · ")
    title.append(f"calibration · {board.predicted:,} of {count(board.games, 'game')}")
    print_line(title)
    if not board.systems:
        return
    print_table(
        [
            Column("system", shrink=True, style="bold"),
            Column("log loss", "right"),
            Column("base rate", "right", style="dim"),
            Column("difference", "right"),
            Column("favourites", "right"),
            Column("won", "right"),
            Column("95 %", "right", style="dim"),
        ],
        [
            [
                name,
                f"{each.loss:.3f}",
                f"{each.base_loss:.3f}",
                f"{each.difference:+.3f} ± {each.error:.3f}",
                *_cells(each.whole),
            ]
            for name, each in board.systems
        ],
    )
    shown = next((each for name, each in board.systems if name == system), None)
    if shown is not None:
        _reliability(shown, system)
    tell(
        f"every game is predicted from those before it; the first {board.fitted_at[0]:,} are only "
        f"learned from, and systems without a game-by-game update are fitted again after "
        f"{', '.join(f'{at:,}' for at in board.fitted_at)} games"
    )
    tell(
        "log loss is in nats a game; base rate: that of somebody who knows the roles and no agent; "
        "difference: below 0 is better than that, ± its standard error over seeds; favourites, "
        "won: the mean chance that the likelier side was given, and what it won"
    )


def _reliability(found: Calibration, system: str) -> None:
    print_table(
        [
            Column(f"{system}: favourite given", style="bold", shrink=True),
            Column("games", "right"),
            Column("predicted", "right"),
            Column("won", "right"),
            Column("95 %", "right", style="dim"),
        ],
        [
            [
                f"{100 * each.low:.0f} to {100 * each.high:.0f} %",
                f"{each.games:,.0f}",
                *_cells(each),
            ]
            for each in found.bins
        ],
    )


def _cells(each: ReliabilityBin) -> list[str]:
    low, high = each.interval
    return [
        f"{100 * each.predicted:.1f} %",
        f"{100 * each.observed:.1f} %",
        f"{100 * low:.0f} to {100 * high:.0f}",
    ]
