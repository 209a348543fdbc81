"""Who scored what against whom, as a matrix that a page draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from arena.stats.head_to_head import Cell, HeadToHead
from arena.viewer.charts import Axis, axis
from arena.viewer.links import path_of


@dataclass(frozen=True, slots=True)
class DrawnCell:
    """A cell: `look` is `won` or `lost` where the interval leaves one half, `open` where it does
    not; `path` leads to the games that it is of. A page has a thousand of them: their texts are
    made once, `score` in percent, its `span` and what is `told` of both."""

    cell: Cell
    look: str
    path: str
    score: str
    span: str
    told: str


@dataclass(frozen=True, slots=True)
class DrawnMatrix:
    """Rows and columns by name, in their order; a cell is None where there are no games, and on the
    diagonal. `intervals` says that there is room for them in the cells. `first` is the number of
    the first row among all of them."""

    rows: tuple[tuple[int, str, tuple[DrawnCell | None, ...]], ...]
    columns: tuple[tuple[int | str, str], ...]
    by: str
    intervals: bool
    first: int = 1


_WIDTH = 260
_ROOM = 14
"""Columns up to which every cell has room for its interval."""


def look(cell: Cell) -> str:
    """What a cell shows, with the 95 % confidence of its interval."""
    low, high = cell.interval
    return "won" if low > 0.5 else "lost" if high < 0.5 else "open"


def drawn_matrix(
    matrix: HeadToHead,
    agents: Sequence[int],
    names: Mapping[int, str],
    *,
    by: str = "agent",
    asked: Mapping[str, object] | None = None,
    first: int = 1,
) -> DrawnMatrix:
    """The matrix with its agents in this order, each cell leading to its games among those that
    are `asked` for."""
    columns: Sequence[int | str] = agents if by == "agent" else matrix.columns

    base = path_of("games", **(asked or {}))
    base += "&" if "?" in base else "?"
    other = "against" if by == "agent" else by

    def cell(row: int, column: int | str) -> DrawnCell | None:
        found = matrix.cells.get((row, column))
        if found is None:
            return None
        low, high = (f"{100 * edge:.0f}" for edge in found.interval)
        score = f"{100 * found.score:.0f}"
        games = "1 game" if found.games == 1 else f"{found.games:,} games"
        return DrawnCell(
            found,
            look(found),
            f"{base}agent={row}&{other}={quote(str(column), safe='')}",
            score,
            f"{low}–{high}",
            f"{score} %, {low} to {high} in {games}",
        )

    return DrawnMatrix(
        tuple(
            (agent, names.get(agent, f"agent {agent}"), tuple(cell(agent, c) for c in columns))
            for agent in agents
        ),
        tuple((c, names.get(c, f"agent {c}") if isinstance(c, int) else c) for c in columns),
        by,
        intervals=len(columns) <= _ROOM,
        first=first,
    )


@dataclass(frozen=True, slots=True)
class DrawnOpponent:
    """One that an agent has met: `low`, `at` and `high` are places on the axis of shares."""

    agent: int
    name: str
    cell: Cell
    look: str
    low: float
    at: float
    high: float


@dataclass(frozen=True, slots=True)
class DrawnOpponents:
    """Those that an agent has met, those that it does worst against first, with the sentence that
    says how many it is surely better than."""

    said: str
    rows: tuple[DrawnOpponent, ...]
    scale: Axis


def drawn_row(cells: Mapping[int, Cell], names: Mapping[int, str]) -> DrawnOpponents:
    """An agent's cells by opponent."""
    scale = axis([0, 1], 4, _WIDTH - 4, wanted=4)
    rows = [
        DrawnOpponent(
            other,
            names.get(other, f"agent {other}"),
            cell,
            look(cell),
            scale.at(cell.interval[0]),
            scale.at(cell.score),
            scale.at(cell.interval[1]),
        )
        for other, cell in cells.items()
    ]
    rows.sort(key=lambda row: (row.cell.score, row.name))
    count = {kind: sum(row.look == kind for row in rows) for kind in ("won", "lost", "open")}
    said = (
        f"ahead of {count['won']} of {len(rows)} opponents and behind {count['lost']}, each taken "
        f"alone with 95 % confidence; against {count['open']} it is open"
    )
    return DrawnOpponents(said, tuple(rows), scale)
