"""Where the marks of lines and bars over time stand: the macros of lines.html draw them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arena.leaderboard.profiles import RatingCurve
from arena.reports.agent_samples import SpentSlice
from arena.viewer.charts import Axis, axis
from arena.viewer.texts import dollars, seconds

WIDTH, HEIGHT = 760, 210
"""Of a curve, in units of its picture."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 8, 10, 24
_NORMAL = 1.96
BAR, BARS = 64, 200
"""Height and width of a picture of bars."""


@dataclass(frozen=True, slots=True)
class DrawnCurve:
    """A rating over games: `band` and `line` are points, `last` the place of the newest one, `now`
    what it says."""

    title: str
    system: str
    up: Axis
    along: Axis
    band: str
    line: str
    last: tuple[float, float]
    mu: float
    reach: float
    games: int
    points: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from `y` to the ground; `says` is its value with the games that it is of."""

    x: float
    y: float
    width: float
    height: float
    says: str


@dataclass(frozen=True, slots=True)
class DrawnBars:
    """A quantity over time: `first` and `last` are what it was in the first and the last part."""

    title: str
    bars: tuple[Bar, ...]
    first: str
    last: str


def drawn_curve(curve: RatingCurve) -> DrawnCurve | None:
    """A rating over games, with the band of two standard deviations; None of fewer than two."""
    steps = curve.steps
    if len(steps) < 2:
        return None
    ends = [s.mu + sign * _NORMAL * s.sigma for s in steps[1:] for sign in (-1, 1)]
    # The first games are all doubt: what is beyond the rest is cut.
    kept = sorted(ends)[len(ends) // 40 : len(ends) - len(ends) // 40]
    up = axis([*kept, *(step.mu for step in steps)], HEIGHT - _BOTTOM, _TOP)
    along = axis([steps[0].place, steps[-1].place], _LEFT, WIDTH - _RIGHT, 6, whole=True)
    upper = [(along.at(s.place), up.at(s.mu + _NORMAL * s.sigma)) for s in steps]
    lower = [(along.at(s.place), up.at(s.mu - _NORMAL * s.sigma)) for s in steps]
    line = [(along.at(s.place), up.at(s.mu)) for s in steps]
    now = curve.now
    return DrawnCurve(
        title=f"{now.environment}, {now.num_players} players",
        system=now.system,
        up=up,
        along=along,
        band=_points([*upper, *reversed(lower)]),
        line=_points(line),
        last=line[-1],
        mu=now.mu,
        reach=_NORMAL * now.sigma,
        games=now.games,
        points=len(steps),
    )


def drawn_bars(slices: Sequence[SpentSlice]) -> list[DrawnBars]:
    """Dollars, tokens and seconds over time; what nobody knows is left out."""
    seconds_each = [part.seconds_per_turn for part in slices]
    times = [None if value is None else 1000 * value for value in seconds_each]
    quantities: tuple[tuple[str, Sequence[float | None], Callable[[float], str]], ...] = (
        ("$/game", [part.cost_per_game for part in slices], dollars),
        ("Tokens/turn", [part.tokens_per_turn for part in slices], "{:,.0f}".format),
        ("Time/turn", times, seconds),
    )
    found = []
    for title, values, form in quantities:
        known = [value for value in values if value is not None]
        if len(known) < 2 or not max(known):
            continue
        up = Axis(0.0, max(known), BAR, 2)
        step = BARS / len(slices)
        bars = []
        for place, (part, value) in enumerate(zip(slices, values, strict=True)):
            if value is None:
                continue
            y = up.at(value)
            games = f"games {part.first_game} to {part.last_game}"
            bars.append(
                Bar(
                    round(place * step + 1, 2),
                    y,
                    round(step - 2, 2),
                    round(BAR - y, 2),
                    f"{form(value)} in {games}",
                )
            )
        found.append(DrawnBars(title, tuple(bars), form(known[0]), form(known[-1])))
    return found


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
