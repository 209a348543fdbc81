"""The leaderboard as a page says it: the conclusion first, then the rows on one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arena.leaderboard.board import Board, BoardRow
from arena.leaderboard.stored import BoardAnswer
from arena.viewer.charts import Axis, axis


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A row with the places of its marks: `low`, `at` and `high` on the axis of ratings, `dots` as
    (team, place among teams, x, share) on the axis of shares."""

    row: BoardRow
    low: float
    at: float
    high: float
    dots: tuple[tuple[str, int, float, float], ...]


@dataclass(frozen=True, slots=True)
class DrawnBoard:
    """A board with the sentence that says its conclusion, and what that rests on."""

    board: Board
    title: str
    conclusion: str
    rests_on: str
    scale: Axis
    teams: tuple[str, ...]
    rows: tuple[DrawnRow, ...]


WIDTH = 220
"""Units of the column of ratings."""
NARROW = 90
"""Units of the column of shares by team."""


def drawn(answer: BoardAnswer) -> list[DrawnBoard]:
    """The boards of an answer, each ready to be drawn."""
    return [_board(board) for board in answer.boards]


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
    pairs = f"{board.told_apart} of {board.pairs} pairs can be told apart"
    if first.worst_rank == len(board.rows) and not board.told_apart:
        return "Nobody is clearly first", f"{agents} could be as strong as {first.name}; {pairs}."
    return (
        f"{first.name} is first, but not clearly",
        f"{agents} could be as strong: {pairs}, with 95 % confidence over all of them together.",
    )


def _board(board: Board) -> DrawnBoard:
    said, rests = conclusion(board)
    scale = axis([x for row in board.rows for x in (row.low, row.high)], 4, WIDTH - 4)
    shares = axis([0, 1], 4, NARROW - 4)
    teams = tuple(sorted({team for row in board.rows for team in row.record.teams}))
    rows = tuple(
        DrawnRow(
            row,
            scale.at(row.low),
            scale.at(row.rating),
            scale.at(row.high),
            tuple(
                (team, place, shares.at(share), share)
                for place, team in enumerate(teams)
                if team in row.record.teams and (share := row.record.teams[team].share) is not None
            ),
        )
        for row in board.rows
    )
    parts = (
        board.tournament,
        board.environment,
        f"{board.num_players} players" if board.num_players else None,
        board.role or board.team,
        f"by {board.by}" if board.by != "agent" else None,
        f"{board.games:,} rated games",
        board.system,
    )
    title = " · ".join(part for part in parts if part)
    return DrawnBoard(board, title, said, rests, scale, teams, rows)


@dataclass(frozen=True, slots=True)
class Chip:
    """A link that asks the same page another question: `asked` is its query."""

    text: str
    asked: Mapping[str, str]
    chosen: bool = False


def chips(asked: Mapping[str, str], boards: Sequence[DrawnBoard]) -> list[Chip]:
    """The questions that are one click away."""

    def link(text: str, drop: Sequence[str] = (), **change: str) -> Chip:
        kept = {k: v for k, v in asked.items() if k not in change and k not in drop}
        chosen = all(asked.get(name) == value for name, value in change.items())
        if not change:
            chosen = not any(name in asked for name in drop)
        return Chip(text, kept | change, chosen)

    part = ("team", "role", "by")
    found = [link("All sides", part)]
    named = {asked["team"]} if "team" in asked else set()
    teams = sorted(named.union(*(board.teams for board in boards)))
    found += [link(f"As {team}", part, team=team) for team in teams if len(teams) < 9]
    found += [link(f"by {by}", part, by=by) for by in ("model", "prompt", "kind")]
    if "errors" in asked:
        dropped = link("", ("errors",)).asked
        found.append(Chip("without games decided by errors", dropped, True))
    else:
        found.append(link("without games decided by errors", errors="decided"))
    return found
