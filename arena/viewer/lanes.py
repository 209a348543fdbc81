"""The lanes of a game: a line for each player, with what it did and to whom, turn by turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from arena.viewer.charts import axis
from arena.viewer.game_digest import cause_of
from arena.viewer.game_tables import vote_is_right
from arena.viewer.phases import GamePhase
from arena.viewer.seen import SeenEvent, SeenGame, SeenSeat

LEFT, RIGHT = 224.0, 1_060.0
_TOP, _LANE = 22.0, 24.0
_CHANCE = 70.0  # units of height
_LEAST, _MOST = 7.0, 44.0  # units of width for a turn
_BAR = 22.0  # units of height of the tallest

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
_NO_MARK = frozenset(
    {"phase", "result", "belief", "role_belief", "accusation", "claim", "saved", "statement"}
)


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at (`x`, `y`), to the lane at `to` where it was done to somebody.
    `look` is its kind, `says` the sentence for a pointer; `label` is written beside it, to the left
    where `before`."""

    place: int
    x: float
    y: float
    to: float | None
    look: str
    team: int
    says: str
    label: str = ""
    before: bool = False


@dataclass(frozen=True, slots=True)
class TokenBar:
    """The tokens of a turn, as a bar of some `height` at `x`."""

    place: int
    x: float
    height: float
    tokens: int


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
    `other` is the only team against it, None where there are more. `moves` are (x, y, points of a
    percent) where the interval left the one before."""

    team: str
    other: str | None
    line: str
    band: str
    top: float
    bottom: float
    moves: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, slots=True)
class Lanes:
    """The picture of the turns from `first` to before `end`, in units: they lie between `left` and
    `right`, each `step` wide; bars of tokens stand on `foot`. `looks` are those of its marks."""

    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]
    bars: tuple[TokenBar, ...]
    bands: tuple[Band, ...]
    curve: Curve | None
    width: float
    height: float
    step: float
    top: float
    left: float
    right: float
    looks: frozenset[str]
    first: int
    end: int
    foot: float


def teams_of(game: SeenGame) -> dict[str | None, int]:
    """A number for each team that is seen: colours and shapes go by it. What is not known is 9."""
    names = sorted({seat.team for seat in game.seats if seat.team is not None})
    return {None: 9} | {name: place % 6 for place, name in enumerate(names)}


class _Ruler:
    """Where the turns from `first` to before `end` stand."""

    def __init__(self, first: int, end: int) -> None:
        self.first, self.end = first, end
        self.step = min(max((RIGHT - LEFT) / (end - first), _LEAST), _MOST)
        self.right = round(LEFT + self.step * (end - first), 1)

    def holds(self, place: int | None) -> bool:
        """Whether a turn is in the picture."""
        return place is not None and self.first <= place < self.end

    def at(self, place: int) -> float:
        """The middle of a turn."""
        return round(LEFT + self.step * (place - self.first + 0.5), 1)

    def behind(self, place: int | None) -> float:
        """The end of a turn, at the edge where it lies beyond; the start for None."""
        after = 0 if place is None else place + 1 - self.first
        return round(min(max(LEFT + self.step * after, LEFT), self.right), 1)


def lanes(
    game: SeenGame, phases: Sequence[GamePhase], untrue: Mapping[int, str], first: int, end: int
) -> Lanes | None:
    """The picture of the turns from `first` to before `end`; `untrue` says of places of turns what
    was claimed there against the truth. None without a turn."""
    if first >= end:
        return None
    teams = teams_of(game)
    ruler = _Ruler(first, end)
    top = _TOP + (_CHANCE + 26 if game.chances else 6)
    order = sorted(game.seats, key=lambda seat: (teams[seat.team], seat.index))
    heights = {seat.index: top + _LANE * (at + 0.5) for at, seat in enumerate(order)}
    bars = tuple(_bars(game, ruler))
    bottom = top + _LANE * len(order) + (_BAR + 14 if bars else 0)
    ends = {
        event.target: _gone_at(ruler, event)
        for event in game.events
        if event.kind == "eliminate" and event.target is not None
    }
    marks = tuple(
        mark
        for event in game.events
        if event.kind not in _NO_MARK and ruler.holds(event.place)
        if (mark := _mark(event, game, ruler, heights, teams, untrue)) is not None
    )
    told = {mark.place for mark in marks if mark.look != "out"}
    of = {seat.index: seat for seat in game.seats}
    marks += tuple(
        Mark(
            turn.place,
            ruler.at(turn.place),
            heights[turn.player],
            None,
            "other",
            teams[of[turn.player].team],
            f"{of[turn.player].name} acts",
        )
        for turn in game.turns[first:end]
        # Of a game without events nothing more is known.
        if turn.place not in told
    )
    return Lanes(
        lanes=tuple(
            Lane(s, teams[s.team], heights[s.index], ends.get(s.index, ruler.right)) for s in order
        ),
        marks=marks,
        bars=bars,
        bands=tuple(_bands(phases[first:end], ruler.step)),
        curve=_curve(game, ruler),
        width=max(ruler.right, RIGHT) + 34,
        height=bottom + 8,
        step=ruler.step,
        top=top,
        left=LEFT,
        right=ruler.right,
        looks=frozenset(mark.look for mark in marks),
        first=first,
        end=end,
        foot=bottom,
    )


def _gone_at(ruler: _Ruler, event: SeenEvent) -> float:
    """Where the lane ends of a player who is put out."""
    return ruler.behind(event.place - 1 if event.ahead and event.place else event.place)


def _mark(
    event: SeenEvent,
    game: SeenGame,
    ruler: _Ruler,
    heights: Mapping[int, float],
    teams: Mapping[str | None, int],
    untrue: Mapping[int, str],
) -> Mark | None:
    of: dict[int | None, SeenSeat] = {seat.index: seat for seat in game.seats}
    source, target, place = event.source, event.target, event.place or 0
    if event.kind == "eliminate" and target is not None and target in heights:
        how = cause_of(event)
        at = _gone_at(ruler, event)
        says = f"{of[target].name} is {how}"
        label = "out" if len(how) > 12 else how
        return Mark(
            place, at, heights[target], None, "out", 9, says, label, before=at + 64 > ruler.right
        )
    if source is None or source not in heights:
        return None
    to = heights.get(target) if target is not None and target != source else None
    aim = f" {of[target].name}" if target in of else ""
    says = f"{of[source].name} {DOING.get(event.kind, event.kind)}{aim}"
    look = event.kind if event.kind in _LOOKS else "other"
    team = teams[of[source].team]
    if event.kind == "speech" and place in untrue:
        look, says = "untrue", f"{says}: {untrue[place]}"
    if event.kind == "vote" and vote_is_right(event, of) is not None:
        look, team = "vote", _helped(event, of, teams)
    return Mark(place, ruler.at(place), heights[source], to, look, team, says)


def _helped(
    event: SeenEvent, of: Mapping[int | None, SeenSeat], teams: Mapping[str | None, int]
) -> int:
    """The team that a vote helps, where there are two: the one that its target is not of."""
    target, source = of[event.target].team, of[event.source].team
    others = [number for name, number in teams.items() if name not in (None, target)]
    return others[0] if len(others) == 1 else teams[source]


def _bars(game: SeenGame, ruler: _Ruler) -> Iterator[TokenBar]:
    shown = [turn for turn in game.turns[ruler.first : ruler.end] if turn.own and turn.own.tokens]
    most = max((turn.own.tokens for turn in shown if turn.own), default=0)
    for turn in shown:
        tokens = turn.own.tokens if turn.own else 0
        height = round(max(_BAR * tokens / most, 1.0), 1)
        yield TokenBar(turn.place, ruler.at(turn.place), height, tokens)


def _bands(of: Sequence[GamePhase], step: float) -> list[Band]:
    found: list[Band] = []
    for place, phase in enumerate(of):
        start, end = (round(LEFT + step * at, 1) for at in (place, place + 1))
        if found and found[-1].label == phase.label:
            found[-1] = Band(phase.label, phase.look, found[-1].start, end)
        else:
            found.append(Band(phase.label, phase.look, start, end))
    return found


def _curve(game: SeenGame, ruler: _Ruler) -> Curve | None:
    if not game.chances:
        return None
    height = axis([0, 1], _TOP + 10 + _CHANCE, _TOP + 10)
    line: list[tuple[float, float]] = []
    upper: list[tuple[float, float]] = []
    lower: list[tuple[float, float]] = []
    moves = []
    before = None
    for at, (place, chance) in enumerate(game.chances):
        start = ruler.behind(place)
        last = at + 1 == len(game.chances)
        end = ruler.right if last else ruler.behind(game.chances[at + 1][0])
        for points, value in (
            (line, chance.chance), (upper, chance.high), (lower, chance.low)
        ):  # fmt: skip
            points += [(start, height.at(value)), (end, height.at(value))]
        if chance.turned and before is not None and ruler.holds(place):
            moved = round(100 * chance.chance) - round(100 * before)
            moves.append((min(start + 4, ruler.right + 4), height.at(chance.chance) - 5, moved))
        before = chance.chance
    team = game.chances[0][1].team
    others = {seat.team for seat in game.seats} - {team, None}
    return Curve(
        team,
        others.pop() if len(others) == 1 else None,
        _points(line),
        _points([*upper, *reversed(lower)]),
        height.at(1),
        height.at(0),
        tuple(moves),
    )


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{round(x, 1):g},{round(y, 1):g}" for x, y in places)
