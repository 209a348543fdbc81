"""A comparison as a page draws it: the verdict, the test against its bounds, the score as it
narrowed, and role by role."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arena.compare.answer import Comparison
from arena.compare.course import Course, Remaining
from arena.leaderboard.role_pairs import RolePair
from arena.viewer.charts import Axis, axis

_WIDTH, _HEIGHT = 640, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 630, 14, 212

_STATISTIC = {
    "gsprt": ("log likelihood ratio", "of A's two scores that are asked about"),
    "evalue": ("log of the e-value", "against the two being equal"),
}


@dataclass(frozen=True, slots=True)
class DrawnBound:
    """A line that ends the test where it is crossed, and what that says."""

    y: float
    says: str
    look: str


@dataclass(frozen=True, slots=True)
class LineChart:
    """A line over games: `points` are of a polyline, `band` of a polygon around it, `end` where it
    ends."""

    x: Axis
    y: Axis
    points: str
    band: str
    end: tuple[float, float]
    bounds: tuple[DrawnBound, ...]
    width: int
    height: int
    label: str


@dataclass(frozen=True, slots=True)
class RoleCell:
    """A's score in a role against B in another."""

    pair: RolePair
    look: str
    asked: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ComparedPage:
    """What is known of A against B."""

    found: Comparison
    title: str
    difference: str
    still: str
    test: LineChart | None
    score: LineChart | None


def compared_page(found: Comparison, way: Course | None) -> ComparedPage:
    """The page of a comparison with its course."""
    return ComparedPage(
        found,
        found.sentence.removesuffix("."),
        _difference(found),
        "" if way is None or way.remaining is None else still(way.remaining),
        None if way is None else _test_chart(found, way),
        None if way is None or not way.estimates else _score_chart(found, way),
    )


def still(left: Remaining) -> str:
    """How many games are still to be played, in words."""
    if left.median is None:
        return (
            f"At this rate it will more likely than not still be open after "
            f"{left.horizon:,} more; it takes at least {left.least:,}."
        )
    most = f"more than {left.horizon:,}" if left.high is None else f"{left.high:,}"
    low = left.least if left.low is None else left.low
    return (
        f"At this rate about {left.median:,} more decide it, with 80 % "
        f"probability {low:,} to {most}; at least {left.least:,}."
    )


def roles(
    pairs: Sequence[RolePair], a: int, b: int, tournament: str | None
) -> tuple[list[str], list[tuple[str, list[RoleCell | None]]]]:
    """(B's roles, and for each of A's roles the cells): who scored what in which role."""
    own = [pair for pair in pairs if (pair.agent_id, pair.against_id) == (a, b) and pair.games]
    columns = sorted({pair.against_role for pair in own})
    rows = []
    for role in sorted({pair.role for pair in own}):
        by = {pair.against_role: pair for pair in own if pair.role == role}
        rows.append((role, [_cell(by.get(c), tournament) for c in columns]))
    return columns, rows


def _cell(pair: RolePair | None, tournament: str | None) -> RoleCell | None:
    if pair is None:
        return None
    look = "won" if pair.low > 0.5 else "lost" if pair.high < 0.5 else "open"
    asked = {"agent": pair.agent_id, "role": pair.role, "against": pair.against_id,
             "tournament": tournament}  # fmt: skip
    return RoleCell(pair, look, asked)


def _difference(found: Comparison) -> str:
    verdict = found.verdict
    if verdict is None or verdict.estimate is None:
        return ""
    low, high = (100 * share for share in verdict.interval)
    return (
        f"{found.a} scores {100 * verdict.estimate:.1f} % against {found.b}, 95 % interval "
        f"{low:.1f} to {high:.1f} %, a draw counting half"
    )


def _test_chart(found: Comparison, way: Course) -> LineChart:
    low, high = way.bounds
    bounds = [bound for bound in (low, high) if math.isfinite(bound)]
    x = axis([0, max(way.games[-1], 2)], _LEFT, _RIGHT, wanted=6, whole=True)
    y = axis([0.0, *way.statistic, *bounds], _BOTTOM, _TOP)
    points = _steps([x.at(games) for games in way.games], [y.at(v) for v in way.statistic])
    drawn = []
    if math.isfinite(high):
        drawn.append(DrawnBound(y.at(high), _says(found, upper=True), "upper"))
    if math.isfinite(low):
        drawn.append(DrawnBound(y.at(low), _says(found, upper=False), "lower"))
    label, _ = _STATISTIC[found.options.test]
    end = (x.at(way.games[-1]), y.at(way.statistic[-1]))
    return LineChart(x, y, points, "", end, tuple(drawn), _WIDTH, _HEIGHT, label)


def _says(found: Comparison, *, upper: bool) -> str:
    options = found.options
    if options.test == "evalue":
        return "shown to be different"
    share = options.h0 if upper else options.h1
    side = "more" if upper else "less"
    return f"{found.a[:30]} scores {side} than {100 * share:.4g} %"


def _score_chart(found: Comparison, way: Course) -> LineChart:
    known = way.estimates
    x = axis([0, max(known[-1].games, 2)], _LEFT, _RIGHT, wanted=6, whole=True)
    y = axis([0.0, 1.0], _BOTTOM, _TOP, wanted=4)
    at = [x.at(one.games) for one in known]
    points = " ".join(f"{x},{y.at(one.score)}" for x, one in zip(at, known, strict=True))
    upper = [f"{x},{y.at(one.high)}" for x, one in zip(at, known, strict=True)]
    lower = [f"{x},{y.at(one.low)}" for x, one in zip(at, known, strict=True)]
    even = DrawnBound(y.at(0.5), "even", "even")
    return LineChart(
        x, y, points, " ".join([*upper, *reversed(lower)]), (at[-1], y.at(known[-1].score)),
        (even,), _WIDTH, _HEIGHT, f"score of {found.a[:40]}",
    )  # fmt: skip


def _steps(x: Sequence[float], y: Sequence[float]) -> str:
    """A line that holds each value until the next block."""
    points = [f"{x[0]},{y[0]}"]
    for before, at, to in zip(y, x[1:], y[1:], strict=False):
        points += [f"{at},{before}", f"{at},{to}"]
    return " ".join(points)
