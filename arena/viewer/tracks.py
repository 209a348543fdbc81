"""The numbers of a game as step lines on the axis of its turns: scores, chips, pots and bids."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from arena.viewer.charts import Axis, axis
from arena.viewer.lanes import LEFT, Lanes
from arena.viewer.seen import SeenGame

_HEIGHT = 74.0  # units
_GAP = 26.0
_MOST = 4  # tracks from the state of the rules
_LABEL = 13.0  # units between two labels at the end of lines
_KEPT = re.compile(
    r"score|chip|point|dice|total|prestige|money|coin|cash|trick|wins|won|lives|health"
)

_Values = Sequence[tuple[int | None, float | None]]
"""(place of the turn after which it holds, value); None where the line breaks."""


@dataclass(frozen=True, slots=True)
class Line:
    """The values of one player, or of the table where `seat` is None: `parts` are the points of
    polylines, `dots` are (place, x, y, sentence for a pointer); `label` stands at `end`, the height
    of its last value, or near it where others end there too."""

    seat: int | None
    colour: int
    parts: tuple[str, ...]
    dots: tuple[tuple[int, float, float, str], ...]
    label: str
    end: float


@dataclass(frozen=True, slots=True)
class Track:
    """One quantity from `top` to `bottom`, with its scale."""

    name: str
    scale: Axis
    lines: tuple[Line, ...]
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Tracks:
    """All quantities of a game below each other, on the axis of its lanes."""

    tracks: tuple[Track, ...]
    left: float
    right: float
    width: float
    height: float
    step: float


def tracks(game: SeenGame, beside: Lanes | None) -> Tracks | None:
    """The numbers that these eyes saw; None where there are none that change, or no turn."""
    if beside is None:
        return None
    drawn = []
    top = 8.0
    for name, lines, dots_only in _quantities(game):
        values = [value for line in lines.values() for _, value in line if value is not None]
        if len(set(values)) < 2:
            continue
        scale = axis(values, top + _HEIGHT, top, wanted=3)
        ordered = sorted(lines.items(), key=lambda item: -1 if item[0] is None else item[0])
        made = [_line(seat, line, scale, beside, joined=not dots_only) for seat, line in ordered]
        drawn.append(Track(name, scale, _apart(made, top), top, top + _HEIGHT))
        top += _HEIGHT + _GAP
    if not drawn:
        return None
    return Tracks(tuple(drawn), LEFT, beside.right, beside.width, top - _GAP + 12, beside.step)


def _quantities(game: SeenGame) -> Iterator[tuple[str, Mapping[int | None, _Values], bool]]:
    """(name, values by player, whether they are single points) of each quantity that is told."""
    totals: dict[int | None, list[tuple[int | None, float | None]]] = {}
    pot: list[tuple[int | None, float | None]] = []
    bids: dict[int | None, list[tuple[int | None, float | None]]] = {}
    standing = False
    for event in game.events:
        amount = _number(event.data.get("amount"))
        if event.kind == "payoff" and event.target is not None:
            if (total := _number(event.data.get("total"))) is not None:
                totals.setdefault(event.target, []).append((event.place, total))
        elif event.kind in ("bet", "call") and (now := _number(event.data.get("pot"))) is not None:
            pot.append((event.place, now))
        elif event.kind == "pot":
            pot.append((event.place, 0.0))
        elif event.kind == "bid" and amount is not None:
            standing = standing or "face" in event.data
            bids.setdefault(event.source, []).append((event.place, amount))
    if totals:
        yield "Scores", totals, False
    states = _states(game)
    yield from ((name, lines, False) for name, lines in states if not totals or name != "Scores")
    if pot:
        yield "Pot", {None: pot}, False
    if bids:
        yield "Bids", bids, standing


def _states(game: SeenGame) -> Iterator[tuple[str, Mapping[int | None, _Values]]]:
    """Numbers by player that the rules keep: changes whose path is a name and a player."""
    seats = {str(seat.index) for seat in game.seats}
    found: dict[str, dict[int | None, list[tuple[int | None, float | None]]]] = {}
    for event in game.changes:
        for path, pair in event.data.get("paths", {}).items():
            name, _, player = str(path).rpartition(".")
            before, after = (_number(each) for each in pair)
            if "." in name or not _KEPT.search(name) or player not in seats:
                continue
            if after is None or before is None:
                continue
            line = found.setdefault(name, {}).setdefault(int(player), [])
            if not line:
                line.append((None, before))
            line.append((event.place, after))
    for name, lines in [*found.items()][:_MOST]:
        yield name.replace("_", " ").removeprefix("player ").capitalize(), lines


def _line(seat: int | None, values: _Values, scale: Axis, beside: Lanes, *, joined: bool) -> Line:
    last = len(values) - 1
    points: list[tuple[float, float]] = []
    dots = []
    for at, (place, value) in enumerate(values):
        if value is None:
            continue
        start = LEFT if place is None else LEFT + beside.step * (place + 0.5)
        following = None if at == last else values[at + 1][0]
        end = beside.right if following is None else LEFT + beside.step * (following + 0.5)
        y = scale.at(value)
        points += [(start, y), (end, y)]
        if place is not None:
            who = "" if seat is None else f"player {seat}: "
            dots.append((place, round(start, 2), y, f"{who}{value:g}"))
    drawn = (" ".join(f"{x:.1f},{y:.1f}" for x, y in points),) if joined and points else ()
    final = next((value for _, value in reversed(values) if value is not None), 0.0)
    name = f"{final:g}" if seat is None else f"{seat}: {final:g}"
    return Line(seat, colour_of(seat), drawn, tuple(dots), name, scale.at(final))


def _apart(lines: Sequence[Line], top: float) -> tuple[Line, ...]:
    """The lines with their labels so far from each other that each can be read."""
    order = sorted(range(len(lines)), key=lambda place: lines[place].end)
    moved: dict[int, float] = {}
    lowest = top
    for place in order:
        lowest = max(lines[place].end, lowest)
        moved[place] = lowest
        lowest += _LABEL
    over = max(0.0, lowest - _LABEL - (top + _HEIGHT))
    return tuple(replace(line, end=moved[place] - over) for place, line in enumerate(lines))


def colour_of(seat: int | None) -> int:
    """The colour of a player's line: its own, because those of one team have lines apart."""
    return 9 if seat is None else seat % 6


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
