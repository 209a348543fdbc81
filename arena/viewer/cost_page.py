"""Costs as a page draws them: against the rating with the front, and as bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from arena.leaderboard.board import Board, BoardRow
from arena.reports.cost import CostReport, CostRow
from arena.stats.front import cost_front
from arena.viewer.charts import Axis, LogAxis, axis, log_axis
from arena.viewer.texts import dollars
from db.queries.call_costs import CallCosts

_WIDTH, _HEIGHT = 1100, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 1080, 18, 356
_MANY = 20.0
"""The dearest costs more times the cheapest than that: a line of dollars hides most of them."""
_BAR = 160.0
"""Units of the longest bar."""
_LETTER, _LINE = 6.2, 13.0
"""A character of a label is about as wide, and a label as high, in units of the chart."""


@dataclass(frozen=True, slots=True)
class CostPoint:
    """An agent on the chart: `front` says that no other is rated higher at its price or below;
    `label` is where its name stands, None where there is no room."""

    row: BoardRow
    cost: float
    x: float
    y: float
    low: float
    high: float
    front: bool
    label: tuple[float, float, str] | None = None


@dataclass(frozen=True, slots=True)
class CostChart:
    """Cost a game against rating. `front` are the points of a line through the front; `what` is
    what a game costs there: dollars, or tokens where nothing has a price; `unknown` rows have no
    known cost."""

    x: Axis | LogAxis
    y: Axis
    points: tuple[CostPoint, ...]
    front: str
    what: str
    unknown: int
    width: int = _WIDTH
    height: int = _HEIGHT


@dataclass(frozen=True, slots=True)
class CostPart:
    """A part of a sum, from 0 to 1, as `width` of a bar; `shown` is the amount."""

    name: str
    shown: str
    share: float
    width: float
    told: str


@dataclass(frozen=True, slots=True)
class CostParts:
    """Parts of a sum, the largest first."""

    title: str
    note: str
    bars: tuple[CostPart, ...]


def conclusion(chart: CostChart | None, board: Board | None) -> tuple[str, str]:
    """(what is worth its price, what that rests on)."""
    if chart is None or board is None or len(chart.points) < 2:
        return "What games cost", ""
    best = max(chart.points, key=lambda point: point.row.rating)
    cheap = min(chart.points, key=lambda point: (point.cost, -point.row.rating))
    if best is cheap:
        least = "costs least" if chart.what == "dollars" else "takes the fewest tokens"
        return f"{best.row.name} is rated highest, and {least}", ""
    said = f"{best.row.name} is rated highest; {cheap.row.name} costs nothing"
    if cheap.cost:
        times = best.cost / cheap.cost
        what = "costs" if chart.what == "dollars" else "takes"
        of = "what" if chart.what == "dollars" else "the tokens that"
        said = (
            f"{best.row.name} is rated highest, and {what} {times:.3g} times {of} "
            f"{cheap.row.name} does"
        )
    sure = bool(best.row.group) and not {*best.row.group} & {*cheap.row.group}
    apart = best.row.rating - cheap.row.rating
    return said, (
        f"Their ratings are {apart:.1f} apart, "
        + ("and are told apart" if sure else "and cannot be told apart")
        + " with 95 % confidence over all pairs together."
    )


def cost_chart(board: Board) -> CostChart | None:
    """The rows of a board by their costs; None where nothing is known of two of them."""
    priced = [
        (row, row.spent.cost_per_game)
        for row in board.rows
        if row.spent is not None and row.spent.cost_per_game is not None
    ]
    known = [(row, cost) for row, cost in priced if cost is not None]
    what = "dollars"
    if not any(cost for _, cost in known):
        what = "tokens"
        known = [
            (row, (row.spent.prompt_tokens + row.spent.response_tokens) / row.spent.games)
            for row in board.rows
            if row.spent is not None and row.spent.games
        ]
    if len(known) < 2:
        return None
    costs = [cost for _, cost in known]
    low, high = min(costs), max(costs)
    x: Axis | LogAxis
    if low > 0 and high / low > _MANY:
        x = log_axis(costs, _LEFT + 14, _RIGHT - 90)
    else:
        x = axis([0.0, *costs], _LEFT, _RIGHT - 90)
    y = axis([edge for row, _ in known for edge in (row.low, row.high)], _BOTTOM, _TOP)
    on = cost_front(costs, [row.rating for row, _ in known])
    points = [
        CostPoint(row, cost, x.at(cost), y.at(row.rating), y.at(row.low), y.at(row.high), front)
        for (row, cost), front in zip(known, on, strict=True)
    ]
    return CostChart(
        x, y, tuple(_labelled(points)), _front(points), what, len(board.rows) - len(known)
    )


def _front(points: Sequence[CostPoint]) -> str:
    """A line of steps: at each price the best rating that it buys."""
    on = sorted((point for point in points if point.front), key=lambda point: point.x)
    found = []
    for before, point in zip([None, *on], on, strict=False):
        if before is not None:
            found.append(f"{point.x},{before.y}")
        found.append(f"{point.x},{point.y}")
    if on:
        found.append(f"{_RIGHT - 60},{on[-1].y}")
    return " ".join(found)


def _labelled(points: Sequence[CostPoint]) -> list[CostPoint]:
    """The points with names where there is room, those on the front first."""
    taken = [(p.x - 6, p.y - 6, p.x + 6, p.y + 6) for p in points]
    taken += [(p.x - 2, p.high, p.x + 2, p.low) for p in points]
    on = sorted((point for point in points if point.front), key=lambda point: point.x)
    for before, point in pairwise(on):
        taken += [(before.x, before.y - 1, point.x, before.y + 1)]
        taken += [(point.x - 1, point.y, point.x + 1, before.y)]
    if on:
        taken += [(on[-1].x, on[-1].y - 1, _RIGHT - 60, on[-1].y + 1)]
    labels: dict[int, tuple[float, float, str]] = {}
    order = sorted(range(len(points)), key=lambda at: (not points[at].front, points[at].y))
    for at in order:
        point = points[at]
        wide = _LETTER * min(len(point.row.name), 28)
        for dx, dy, anchor in (
            (9, -6, "start"), (9, 4, "start"), (9, 16, "start"), (-9, 4, "end"), (-9, -6, "end"),
            (-9, 16, "end"),
        ):  # fmt: skip
            left = point.x + dx - (wide if anchor == "end" else 0)
            box = (left, point.y + dy - _LINE + 3, left + wide, point.y + dy + 3)
            inside = box[0] >= _LEFT and box[2] <= _WIDTH and box[1] >= 0 and box[3] <= _BOTTOM
            if inside and not _meets(box, taken):
                labels[at] = (round(point.x + dx, 1), round(point.y + dy, 1), anchor)
                taken.append(box)
                break
    return [replace(point, label=labels.get(at)) for at, point in enumerate(points)]


_Box = tuple[float, float, float, float]


def _meets(box: _Box, taken: Sequence[_Box]) -> bool:
    left, top, right, bottom = box
    return any(
        left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
        for other in taken
    )


def bars(report: CostReport) -> list[CostParts]:
    """Where the money went, or the tokens where nothing has a price."""
    money = report.charged + report.void > 0
    sample = report.sampled
    newest = f"of the newest {sample.games:,} finished games"
    found = [
        CostParts(
            "By model",
            "Finished games and void attempts.",
            _rows(report.models, money=money),
        ),
        CostParts(
            "By phase of the game",
            f"Calls {newest}.",
            _calls(sample.phases, sample.games),
        ),
        CostParts(
            "By what the call was for",
            f"Calls {newest}.",
            _calls(sample.purposes, sample.games),
        ),
    ]
    if report.aside:
        aside = _calls(report.aside, 0)
        found.append(CostParts("Beside the games", "Calls that no player made.", aside))
    return [each for each in found if each.bars]


def _rows(rows: Iterable[CostRow], *, money: bool) -> tuple[CostPart, ...]:
    def told(row: CostRow) -> str:
        parts = [f"{row.calls:,} calls"]
        if row.failed:
            parts.append(f"{row.failed:,} failed")
        if row.void:
            parts.append(f"${dollars(row.void)} in void games")
        if money and row.unpriced:
            parts.append(f"{row.unpriced:,} without a price")
        return ", ".join(parts)

    return _bars(
        [(row.name, row.charged + row.void if money else row.tokens, told(row)) for row in rows],
        money=money,
    )


def _calls(rows: Sequence[CallCosts], games: int) -> tuple[CostPart, ...]:
    money = any(row.dollars for row in rows)

    def told(row: CallCosts) -> str:
        parts = [f"{row.calls / games:.1f} calls a game" if games else f"{row.calls:,} calls"]
        parts.append(f"{row.tokens / row.calls:,.0f} tokens each")
        if row.seconds_a_call is not None:
            parts.append(f"{row.seconds_a_call:.2f} s")
        if row.failed:
            parts.append(f"{row.failed:,} failed")
        return ", ".join(parts)

    return _bars(
        [
            (row.name or "no phase told", row.dollars if money else row.tokens, told(row))
            for row in rows
        ],
        money=money,
    )


def _bars(parts: Sequence[tuple[str, float, str]], *, money: bool) -> tuple[CostPart, ...]:
    """The parts of a sum of dollars, or of tokens; none where the sum is nothing."""
    whole = sum(amount for _, amount, _ in parts)
    most = max((amount for _, amount, _ in parts), default=0.0)
    return tuple(
        CostPart(
            name,
            f"${dollars(amount)}" if money else f"{many(amount)} tokens",
            amount / whole,
            round(_BAR * amount / most, 1),
            told,
        )
        for name, amount, told in parts
        if whole
    )


def many(number: float) -> str:
    """A large number as people say it: `850`, `12.3 k`, `4.1 M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g} {letter}"
    return f"{number:.0f}"
