"""The lanes of a game: a line for each player, with what it did and to whom, turn by turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arena.viewer.charts import axis
from arena.viewer.seen import SeenGame, SeenSeat

LEFT, RIGHT = 224.0, 1_060.0
_TOP, _LANE = 22.0, 24.0
_CHANCE = 70.0  # units of height
_LEAST, _MOST = 7.0, 44.0  # units of width for a turn

DOING: Mapping[str, str] = {
    "speech": "speaks",
    "vote": "votes for",
    "kill_choice": "wants dead",
    "protect": "protects",
    "investigate": "investigates",
    "eliminate": "is out",
    "move": "moves",
    "bid": "bids",
    "bet": "bets",
    "guess": "guesses",
    "decision": "decides",
}
"""What a kind of event is called in a page; others by their names."""

_LOOKS = frozenset({"speech", "vote", "kill_choice", "protect", "investigate"})


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at (`x`, `y`), to the lane at `to` where it was done to somebody.
    `look` is its kind, `says` the sentence for a pointer."""

    place: int
    x: float
    y: float
    to: float | None
    look: str
    team: int
    says: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The line of a player at `y`; it ends at `end` where the player was put out."""

    seat: SeenSeat
    team: int
    y: float
    end: float


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of one phase from `start` to `end`."""

    label: str
    look: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The chance of `team` as a step line with its band, as points of a polyline and a polygon;
    `moves` are (x, y, points of a percent) where the interval left the one before."""

    team: str
    line: str
    band: str
    top: float
    bottom: float
    moves: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, slots=True)
class Lanes:
    """The whole picture, in units: the turns lie between `left` and `right`, each `step` wide;
    `looks` are those of its marks."""

    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]
    bands: tuple[Band, ...]
    curve: Curve | None
    width: float
    height: float
    step: float
    top: float
    left: float
    right: float
    looks: frozenset[str]


def look_of(phase: str | None) -> str:
    """How a phase is coloured: night, vote, day or plain, by its own name."""
    name = (phase or "").lower()
    return next((look for look in ("night", "vot", "day") if look in name), "plain")


def phase_label(day: int | None, phase: str | None) -> str:
    """`Night 1`, `Vote 1`, `Day 1`; any other phase by its name."""
    named = {"night": "Night", "vot": "Vote", "day": "Day"}.get(look_of(phase), phase or "")
    return " ".join(part for part in (named, "" if day is None else str(day)) if part) or "Game"


def phases(game: SeenGame) -> list[tuple[str, str]]:
    """(label, look) of every turn that is seen, from its events or those before."""
    told: dict[int, tuple[int | None, str | None]] = {}
    for event in game.events:
        if event.place is not None and event.source is not None:
            told.setdefault(event.place, (event.day, event.phase))
    found = []
    at: tuple[int | None, str | None] = (None, None)
    for turn in game.turns:
        at = told.get(turn.place, at)
        found.append((phase_label(*at), look_of(at[1])))
    return found


def teams_of(game: SeenGame) -> dict[str | None, int]:
    """A number for each team that is seen: colours and shapes go by it. What is not known is 9."""
    names = sorted({seat.team for seat in game.seats if seat.team is not None})
    return {None: 9} | {name: place % 6 for place, name in enumerate(names)}


def lanes(game: SeenGame, untrue: Mapping[int, str]) -> Lanes | None:
    """The picture of a game; `untrue` says of places of turns what was claimed there against the
    truth. None without a turn."""
    if not game.turns:
        return None
    teams = teams_of(game)
    step = min(max((RIGHT - LEFT) / len(game.turns), _LEAST), _MOST)
    right = LEFT + step * len(game.turns)
    top = _TOP + (_CHANCE + 26 if game.chances else 6)
    order = sorted(game.seats, key=lambda seat: (teams[seat.team], seat.index))
    heights = {seat.index: top + _LANE * (at + 0.5) for at, seat in enumerate(order)}
    of = {seat.index: seat for seat in game.seats}

    def x(place: int | None) -> float:
        return round(LEFT + step * ((-0.5 if place is None else place) + 0.5), 2)

    ends = {
        event.target: x(event.place) + step / 2
        for event in game.events
        if event.kind == "eliminate" and event.target is not None
    }
    marks = []
    for event in game.events:
        source, target = event.source, event.target
        if event.place is None or event.kind in ("phase", "result", "belief", "accusation"):
            continue
        if event.kind == "eliminate" and target in heights:
            says = f"{of[target].name} is out"
            at = min(ends[target], right)
            marks.append(Mark(event.place, at, heights[target], None, "out", 9, says))
        elif source in heights and event.kind not in ("claim", "saved"):
            to = heights.get(target) if target is not None and target != source else None
            aim = f" {of[target].name}" if target in of else ""
            says = f"{of[source].name} {DOING.get(event.kind, event.kind)}{aim}"
            look = event.kind if event.kind in _LOOKS else "other"
            if event.kind == "speech" and event.place in untrue:
                look, says = "untrue", f"{says}: {untrue[event.place]}"
            team = teams[of[source].team]
            marks.append(Mark(event.place, x(event.place), heights[source], to, look, team, says))
    return Lanes(
        lanes=tuple(
            Lane(s, teams[s.team], heights[s.index], min(ends.get(s.index, right), right))
            for s in order
        ),
        marks=tuple(marks),
        bands=tuple(_bands(phases(game), step)),
        curve=_curve(game, step, right),
        width=max(right, RIGHT) + 30,
        height=top + _LANE * len(order) + 8,
        step=step,
        top=top,
        left=LEFT,
        right=right,
        looks=frozenset(mark.look for mark in marks),
    )


def _bands(of: Sequence[tuple[str, str]], step: float) -> list[Band]:
    found: list[Band] = []
    for place, (label, look) in enumerate(of):
        start, end = LEFT + step * place, LEFT + step * (place + 1)
        if found and found[-1].label == label:
            found[-1] = Band(label, look, found[-1].start, end)
        else:
            found.append(Band(label, look, start, end))
    return found


def _curve(game: SeenGame, step: float, right: float) -> Curve | None:
    if not game.chances:
        return None
    height = axis([0, 1], _TOP + 10 + _CHANCE, _TOP + 10)
    line: list[tuple[float, float]] = []
    upper: list[tuple[float, float]] = []
    lower: list[tuple[float, float]] = []
    moves = []
    before = None
    for at, (place, chance) in enumerate(game.chances):
        start = LEFT if place is None else LEFT + step * (place + 1)
        following = game.chances[at + 1][0] if at + 1 < len(game.chances) else None
        end = right if following is None else LEFT + step * (following + 1)
        for points, value in (
            (line, chance.chance), (upper, chance.high), (lower, chance.low)
        ):  # fmt: skip
            points += [(start, height.at(value)), (end, height.at(value))]
        if chance.turned and before is not None:
            moved = round(100 * (chance.chance - before))
            moves.append((min(start, right - 14), height.at(chance.chance) - 5, moved))
        before = chance.chance
    return Curve(
        game.chances[0][1].team,
        _points(line),
        _points([*upper, *reversed(lower)]),
        height.at(1),
        height.at(0),
        tuple(moves),
    )


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
