"""The leaderboard as a page says it: the conclusion first, then the rows on one axis."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from arena.leaderboard.board import Board, BoardRow
from arena.leaderboard.stored import BoardAnswer
from arena.viewer.charts import Axis, axis
from arena.viewer.matrix import DrawnMatrix
from arena.viewer.scope import Chip, Menu, chip, menu, since

WIDTH = 260
"""Units of the column of ratings."""
NARROW = 90
"""Units of the column of shares by team."""
_OPEN = 3
"""Boards that are open when a page has several."""
_MOST_TEAMS = 4
"""Teams that a dumbbell can show."""


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A row with the places of its marks: `low`, `middle`, `at` and `high` on the axis of ratings,
    `without` that of the rating without games decided by errors where it is another; `dots` as
    (team, place among teams, x, share) on the axis of shares; `alike` which columns of the groups
    have a bar here."""

    row: BoardRow
    low: float
    middle: tuple[float, float]
    at: float
    high: float
    without: float | None
    dots: tuple[tuple[str, int, float, float], ...]
    alike: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class DrawnBoard:
    """A board with the sentence that says its conclusion, and what that rests on. `spends` says
    that something has a price, `errs` that an error of its own decided a game of a row, or that a
    row has void games; `open` that it is not folded; `more` rows are left out.
    `environment` is what tells its environment from others of that name."""

    board: Board
    environment: str | None
    title: str
    conclusion: str
    rests_on: str
    scale: Axis
    teams: tuple[str, ...]
    rows: tuple[DrawnRow, ...]
    spends: bool
    errs: bool
    groups: int
    matrix: DrawnMatrix | None = None
    open: bool = True
    more: int = 0


def drawn(
    answer: BoardAnswer,
    matrix: DrawnMatrix | None = None,
    most: int | None = None,
    called: Mapping[int, str] | None = None,
) -> list[DrawnBoard]:
    """The boards of an answer, each ready to be drawn, the first with the `matrix`, each with the
    first `most` rows, or all; `called` is what environments are called, by environment_id."""
    return [
        _board(board, None if place else matrix, most, called or {}, opened=place < _OPEN)
        for place, board in enumerate(answer.boards)
    ]


def conclusion(board: Board) -> tuple[str, str]:
    """(who is first, and whether that is sure; how many others could be), by the tenable ranks of
    all rows together."""
    if not board.rows:
        return "No agent is rated yet", ""
    first = board.rows[0]
    if len(board.rows) == 1:
        return f"{first.name} is alone here", "It has met no other agent."
    others = sum(row.best_rank == 1 for row in board.rows[1:])
    if not others:
        return (
            f"{first.name} is first",
            "No other agent can be as strong, with 95 % confidence over all ranks together.",
        )
    agents = "1 other agent" if others == 1 else f"{others} other agents"
    pairs = f"{board.told_apart:,} of {board.pairs:,} pairs can be told apart"
    if first.worst_rank == len(board.rows) and not board.told_apart:
        return "Nobody is clearly first", f"{agents} could be as strong as {first.name}; {pairs}."
    return (
        f"{first.name} is first, but not clearly",
        f"{agents} could be as strong: {pairs}, with 95 % confidence over all of them together.",
    )


def sides(board: Board) -> str:
    """Which team wins more, where that is far from even: the total hides it. Empty elsewhere."""
    shares = [*board.team_shares.items()]
    if board.role or board.team or not 2 <= len(shares) <= _MOST_TEAMS:
        return ""
    (team, most), (_, least) = shares[0], shares[-1]
    if most - least < 0.2:
        return ""
    return f"{team} won {100 * most:.0f} % of the games: look at the sides before the total."


def _board(
    board: Board,
    matrix: DrawnMatrix | None,
    most: int | None,
    called: Mapping[int, str],
    *,
    opened: bool,
) -> DrawnBoard:
    environment = called.get(board.environment_id or 0, board.environment)
    said, rests = conclusion(board)
    scale = axis([x for row in board.rows for x in (row.low, row.high)], 4, WIDTH - 4)
    teams = tuple(sorted({team for row in board.rows for team in row.record.teams}))
    letters = sorted({letter for row in board.rows for letter in row.group})
    parts = (
        board.tournament,
        environment,
        f"{board.num_players} players" if board.num_players else None,
        f"as {board.role or board.team}" if board.role or board.team else None,
        f"by {board.by}" if board.by != "agent" else None,
        "1 rated game" if board.games == 1 else f"{board.games:,} rated games",
        board.system,
    )
    return DrawnBoard(
        board,
        environment,
        " · ".join(part for part in parts if part),
        said,
        " ".join(part for part in (rests, sides(board)) if part),
        scale,
        teams if 1 < len(teams) <= _MOST_TEAMS else (),
        tuple(_row(row, scale, teams, letters) for row in board.rows[:most]),
        spends=any(row.spent is not None and row.spent.cost for row in board.rows),
        errs=any(row.record.own or row.void_games for row in board.rows),
        groups=len(letters),
        matrix=matrix,
        open=opened,
        more=0 if most is None else max(len(board.rows) - most, 0),
    )


def _row(row: BoardRow, scale: Axis, teams: Sequence[str], letters: Sequence[str]) -> DrawnRow:
    shares = axis([0, 1], 4, NARROW - 4)
    low, high = row.middle
    other = row.without_errors
    return DrawnRow(
        row,
        scale.at(row.low),
        (scale.at(low), scale.at(high)),
        scale.at(row.rating),
        scale.at(row.high),
        None if other is None or abs(other - row.rating) < 0.05 else scale.at(other),
        tuple(
            (team, place, shares.at(share), share)
            for place, team in enumerate(teams)
            if team in row.record.teams and (share := row.record.teams[team].share) is not None
        ),
        tuple(letter in row.group for letter in letters),
    )


@dataclass(frozen=True, slots=True)
class BoardScope:
    """The questions that are one click away: `sides` as chips, the rest as menus."""

    sides: tuple[Chip, ...]
    menus: tuple[Menu, ...]
    without: Chip


def scope_of(
    asked: Mapping[str, str],
    boards: Iterable[Board],
    *,
    environments: Collection[tuple[str, str]],
    tournaments: Collection[tuple[str, str]],
    systems: Collection[str],
    official: str,
) -> BoardScope:
    """The chips of a board: `environments` and `tournaments` are pairs of what an address says and
    what people read, `systems` what a board can be rated by."""
    known = [*boards]
    teams = {team for board in known for row in board.rows for team in row.record.teams}
    roles = {role for board in known for row in board.rows for role in row.record.roles}
    teams |= {asked["team"]} if "team" in asked else set()
    part = ("team", "role", "by")
    whole = chip(asked, "All sides", part)
    found = [Chip(whole.text, whole.asked, not {"team", "role"} & {*asked})]
    if len(teams) <= _MOST_TEAMS:
        found += [chip(asked, f"As {team}", part, team=team) for team in sorted(teams)]
    menus = [
        menu(asked, "environment", "Environment", [(None, "every one"), *environments], part),
        menu(
            asked, "role", "Role", [(None, "all"), *((role, role) for role in sorted(roles))], part
        ),
        menu(asked, "tournament", "Tournament", [(None, "all"), *tournaments]),
        menu(
            asked,
            "by",
            "Rows",
            [(None, "agents"), ("model", "models"), ("prompt", "prompts"), ("kind", "kinds")],
            ("team", "role", "system"),
        ),
        menu(
            asked,
            "system",
            "Rated by",
            [(None, official), *((each, each) for each in systems if each != official)],
            ("by",),
        ),
        since(asked),
    ]
    without = chip(
        asked,
        "without games decided by errors",
        errors=None if "errors" in asked else "decided",
    )
    return BoardScope(
        tuple(found),
        tuple(each for each in menus if len(each.chips) > 2 or each.chosen),
        Chip(without.text, without.asked, "errors" in asked),
    )
