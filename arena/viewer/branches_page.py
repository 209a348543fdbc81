"""The branches of a game as its page tells them: what each came to, and where it stands on the axis
of the win chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arena.replay.effects import BranchedTurn
from arena.viewer.charts import Axis, axis
from arena.viewer.lanes import Lanes
from arena.viewer.seen import SeenGame, SeenSeat

_WIDE = 220.0  # units of a row's own axis
_APART = 7.0  # units between branches of one turn


@dataclass(frozen=True, slots=True)
class BranchPoint:
    """A share with its interval at (`x`, `y`), from `low` to `high`; `control` for one of games
    with the agents that played; `says` is for a pointer."""

    x: float
    y: float
    low: float
    high: float
    control: bool
    says: str


@dataclass(frozen=True, slots=True)
class BranchRow:
    """The branches from one turn with the same agents: `clear` when the interval of the effect
    leaves out 0; `points` are those of the row's own axis; `rest` are games that are not named."""

    branched: BranchedTurn
    seats: tuple[tuple[SeenSeat, str], ...]
    team: str
    clear: bool
    points: tuple[BranchPoint, ...]
    shown: tuple[int, ...]
    rest: int


@dataclass(frozen=True, slots=True)
class BranchesPage:
    """All branches of a game: `marks` stand on the axis of the win chance of the lanes."""

    rows: tuple[BranchRow, ...]
    marks: tuple[BranchPoint, ...]
    scale: Axis


def branches_page(
    game: SeenGame, branched: Sequence[BranchedTurn], beside: Lanes | None
) -> BranchesPage | None:
    """The branches of a game that is seen whole; None where it has none."""
    if not branched or not game.eyes.everything:
        return None
    scale = Axis(0.0, 1.0, 6.0, _WIDE - 6.0, axis([0, 1], 0, 1).ticks)
    seats = {seat.index: seat for seat in game.seats}
    rows = []
    marks: list[BranchPoint] = []
    for of in branched:
        own = seats.get(of.player)
        if own is None:
            continue
        team = own.team or f"player {of.player}"
        rows.append(
            BranchRow(
                branched=of,
                seats=tuple((seats[i], name) for i, name in of.seats.items() if i in seats),
                team=team,
                clear=_clear(of),
                points=tuple(_row_points(of, scale)),
                shown=of.branches[:6],
                rest=max(len(of.branches) - 6, 0),
            )
        )
        marks += _marks(of, own, beside, len([m for m in marks if not m.control]))
    return BranchesPage(tuple(rows), tuple(marks), scale)


def _clear(of: BranchedTurn) -> bool:
    bounds = of.won.effect_interval
    return bounds is not None and (bounds[0] > 0 or bounds[1] < 0)


def _shares(of: BranchedTurn) -> list[tuple[bool, float, tuple[float, float], int]]:
    """(whether controls, share won, interval, games), where games were played."""
    won = of.won
    found = (
        (False, won.share, won.share_interval, len(of.branches)),
        (True, won.control_share, won.control_interval, len(of.controls)),
    )
    return [
        (control, share, bounds, games)
        for control, share, bounds, games in found
        if share is not None and bounds is not None
    ]


def _row_points(of: BranchedTurn, scale: Axis) -> list[BranchPoint]:
    found = []
    for control, share, (low, high), games in _shares(of):
        says = _says(control, share, games)
        y = 14.0 if control else 6.0
        found.append(BranchPoint(scale.at(share), y, scale.at(low), scale.at(high), control, says))
    return found


def _marks(of: BranchedTurn, own: SeenSeat, beside: Lanes | None, number: int) -> list[BranchPoint]:
    """The shares of the team whose chance the lanes draw: of two teams, one wins what the other
    does not."""
    if beside is None or beside.curve is None or not beside.first <= of.turn <= beside.end:
        return []
    curve = beside.curve
    height = Axis(0.0, 1.0, curve.bottom, curve.top)
    same = own.team == curve.team
    x = beside.left + beside.step * (of.turn - beside.first)
    found = []
    for control, share, bounds, games in _shares(of):
        low, high = bounds if same else (1 - bounds[1], 1 - bounds[0])
        value = share if same else 1 - share
        at = min(x + _APART * (number % 3) + (3 if control else -3), beside.right)
        says = f"from turn {of.turn}: {_says(control, share, games)}"
        found.append(
            BranchPoint(at, height.at(value), height.at(low), height.at(high), control, says)
        )
    return found


def _says(control: bool, share: float, games: int) -> str:
    what = "control" if control else "branch"
    return f"{100 * share:.0f} % of {games} {what}{'s' if control else 'es'} won"
