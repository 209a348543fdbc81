"""An agent as its page says it: how good it is first, then what that rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from arena.leaderboard.board import BoardRow
from arena.leaderboard.opponents import AgentMeetings, AgentOpponent
from arena.leaderboard.places import BoardPlace, ListedAgent
from arena.leaderboard.profiles import AgentProfile
from arena.leaderboard.stored import PartRating
from arena.stats.head_to_head import Cell
from arena.viewer.charts import Axis, axis
from arena.viewer.curves import DrawnBars, DrawnCurve, drawn_bars, drawn_curve
from db.queries.agents import CatalogueAgent

WIDTH = 200
"""Units of the column of scores."""
SHARES = axis([0, 1], 4, WIDTH - 4, 4)
"""The axis of scores, from 0 to 1."""
_SHOWN = 12
"""Opponents that are open at each end."""


@dataclass(frozen=True, slots=True)
class DrawnEstimate:
    """An estimate on an axis: `low`, `at` and `high` are places in the picture."""

    low: float
    at: float
    high: float
    says: str


@dataclass(frozen=True, slots=True)
class OpponentRow:
    """An opponent with its score on the axis of scores."""

    opponent: AgentOpponent
    span: DrawnEstimate


@dataclass(frozen=True, slots=True)
class DrawnPart:
    """What was scored as a team, or in a role where it is the `role` of one; `team` is the place of
    its team among the teams, 9 where it has none; `rated` is its rating in it, where it is
    stored."""

    name: str
    role: bool
    team: int
    cell: Cell
    span: DrawnEstimate
    rated: PartRating | None = None


@dataclass(frozen=True, slots=True)
class DrawnMeetings:
    """The meetings of an environment: `parts` are its teams and roles, each role below its team;
    `opponents` the hardest and the easiest, `left` how many there are between them."""

    title: str
    parts: tuple[DrawnPart, ...]
    opponents: tuple[OpponentRow, ...]
    left: int


@dataclass(frozen=True, slots=True)
class AgentPage:
    """`conclusion` and `lead` are sentences; `ratings` the places with their span on `scale`."""

    conclusion: str
    lead: tuple[str, ...]
    curves: tuple[DrawnCurve, ...]
    meetings: tuple[DrawnMeetings, ...]
    bars: tuple[DrawnBars, ...]


def agent_page(name: str, profile: AgentProfile) -> AgentPage:
    """The page of an agent."""
    places = profile.board.places
    return AgentPage(
        conclusion=_conclusion(name, places, played=bool(profile.curves)),
        lead=tuple(_lead(profile)),
        curves=tuple(filter(None, map(drawn_curve, profile.curves))),
        meetings=tuple(_meetings(profile)),
        bars=tuple(drawn_bars(profile.sample.slices)),
    )


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `11th`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number}{ending or 'th'}"


def placed(place: BoardPlace) -> str:
    """`is 2nd of 6, but could be 1st to 4th`."""
    row = place.row
    said = f"is {ordinal(row.rank)} of {place.of}"
    if row.best_rank == row.worst_rank:
        return said
    if row.best_rank == 1 and row.worst_rank == place.of:
        return f"{said}, but could be anywhere"
    return f"{said}, but could be {ordinal(row.best_rank)} to {ordinal(row.worst_rank)}"


def _conclusion(name: str, places: Sequence[BoardPlace], *, played: bool) -> str:
    if not places:
        return f"{name} has games, and no rank yet" if played else f"{name} has no rated game yet"
    first = max(places, key=lambda place: place.row.record.whole.games)
    if first.of == 1:
        return f"{name} is the only agent of its board"
    return f"{name} {placed(first)}"


def _lead(profile: AgentProfile) -> Iterable[str]:
    for place in sorted(profile.board.places, key=lambda place: -place.row.record.whole.games):
        row, whole = place.row, place.row.record.whole
        where = f" in {place.environment}" if place.environment else ""
        share = "" if whole.share is None else f", won {100 * whole.share:.0f} %"
        parts = " and ".join(
            f"{100 * part.share:.0f} % as {team}"
            for team, part in sorted(row.record.teams.items())
            if part.share is not None
        )
        yield (
            f"Rating {row.rating:.1f} ({row.low:.1f} to {row.high:.1f}) by {place.system}{where}: "
            f"{whole.games:,} games{share}{f' ({parts})' if parts else ''}."
        )


def span(cell: Cell, scale: Axis = SHARES) -> DrawnEstimate:
    """A score on its axis."""
    low, high = cell.interval
    says = f"{100 * cell.score:.0f} %, 95 % interval {100 * low:.0f} to {100 * high:.0f} %"
    return DrawnEstimate(scale.at(low), scale.at(cell.score), scale.at(high), says)


def _parts(met: AgentMeetings, profile: AgentProfile) -> Iterable[DrawnPart]:
    of = {each.role: each.team for each in profile.roles if each.role is not None}

    def part(name: str, cell: Cell, team: int, *, role: bool) -> DrawnPart:
        here = (met.environment, met.num_players)
        rated = [
            each
            for each in profile.part_ratings.get(name, ())
            if (each.environment, each.num_players) == here
        ]
        return DrawnPart(name, role, team, cell, span(cell), rated[0] if rated else None)

    for at, (team, cell) in enumerate(sorted(met.teams.items())):
        mine = {role: each for role, each in met.roles.items() if of.get(role) == team}
        yield part(team, cell, min(at, 5), role=False)
        # A single role says the same as its team.
        if len(mine) > 1 or any(each.games != cell.games for each in mine.values()):
            for role, each in sorted(mine.items()):
                yield part(role, each, min(at, 5), role=True)
    for role, cell in met.roles.items():
        if of.get(role) not in met.teams:
            yield part(role, cell, 9, role=True)


def _meetings(profile: AgentProfile) -> Iterable[DrawnMeetings]:
    for met in profile.meetings or ():
        rows = [OpponentRow(each, span(each.cell)) for each in met.opponents]
        left = max(len(rows) - 2 * _SHOWN, 0)
        yield DrawnMeetings(
            title=f"{met.environment}, {met.num_players} players",
            parts=tuple(_parts(met, profile)),
            opponents=tuple(rows if not left else [*rows[:_SHOWN], *rows[-_SHOWN:]]),
            left=left,
        )


@dataclass(frozen=True, slots=True)
class DrawnAgent:
    """An agent of a list with its rating on the axis of its table; `more` boards have it too."""

    agent: CatalogueAgent
    row: BoardRow | None
    span: DrawnEstimate | None
    more: int


@dataclass(frozen=True, slots=True)
class AgentTable:
    """The agents of one pool, best first; those that no board has come last, without a title."""

    title: str | None
    of: int
    scale: Axis
    rows: tuple[DrawnAgent, ...]


def agent_tables(listed: Sequence[ListedAgent]) -> list[AgentTable]:
    """The agents by the board in which they have the most games, in the order of the list."""
    boards: dict[int | None, list[ListedAgent]] = {}
    for each in listed:
        boards.setdefault(each.places[0].board if each.places else None, []).append(each)
    return [
        _table(None if board is None else pool(of[0].places[0]), of) for board, of in boards.items()
    ]


def pool(place: BoardPlace) -> str:
    """What the board of a place is of."""
    players = f"{place.num_players} players" if place.num_players else None
    parts = (place.environment, players, f"{place.of} rated together")
    return " · ".join(part for part in parts if part)


def _table(title: str | None, listed: Sequence[ListedAgent]) -> AgentTable:
    rows = [each.places[0].row if each.places else None for each in listed]
    scale = axis([x for row in rows if row for x in (row.low, row.high)], 4, WIDTH - 4, 4)
    return AgentTable(
        title,
        max((each.places[0].of for each in listed if each.places), default=0),
        scale,
        tuple(
            DrawnAgent(
                each.agent,
                row,
                None if row is None else rating_span(row, scale),
                len(each.places) - 1,
            )
            for each, row in zip(listed, rows, strict=True)
        ),
    )


def rating_span(row: BoardRow, scale: Axis) -> DrawnEstimate:
    """A rating on its axis."""
    says = f"{row.rating:.1f}, 95 % interval {row.low:.1f} to {row.high:.1f}"
    return DrawnEstimate(scale.at(row.low), scale.at(row.rating), scale.at(row.high), says)
