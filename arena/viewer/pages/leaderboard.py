"""The leaderboard, as it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from arena.core import UsageError
from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.board import Board
from arena.leaderboard.meetings import counted_matrix
from arena.leaderboard.query import OFFICIAL
from arena.leaderboard.stored import BoardAnswer, stored_answer
from arena.registry import names
from arena.reports.game import result_of
from arena.viewer.board_page import drawn, scope_of
from arena.viewer.matrix import DrawnMatrix, drawn_matrix
from arena.viewer.visit import Visit
from db import Repository
from db.live import run_now
from db.queries.counters import tournaments_to_count
from db.queries.games import GameRow, games, shown_status
from db.queries.pairs import counted_scopes
from db.selection import Selection

_NEWEST = 24
_FILTERS = ("environment", "tournament", "role", "team", "since", "until")
_ROWS = 50
_IN_MATRIX = 10
"""Agents of the matrix below a board: the first ones."""


def leaderboard(visit: Visit) -> Response:
    """The boards of a question, head to head, and the newest games."""
    asked = visit.asked(*_FILTERS, "system", "by", "errors", "rows")
    query = board_query(asked)
    answer = stored_answer(visit.session, query)
    failed = None
    if visit.worker is not None and (answer is None or answer.behind):
        failed = visit.worker.ask(query)
    # Most people look at the first ones, and every row takes its time.
    most = _ROWS if visit.live and asked.get("rows") != "all" else None
    known = () if answer is None else answer.boards
    boards = (
        [] if answer is None else drawn(answer, _matrix(visit, query, answer), most, _called(visit))
    )
    scope = scope_of(
        asked,
        known,
        environments=environment_options(visit),
        tournaments=tournament_options(visit),
        systems=names("ratings"),
        official=OFFICIAL,
    )
    where = {name: asked[name] for name in ("environment", "tournament") if name in asked}
    newest = games(visit.session, Selection(**where), limit=_NEWEST)  # type: ignore[arg-type]
    return visit.draw(
        "board.html",
        answer=answer,
        asked=asked,
        boards=boards,
        failed=failed,
        scope=scope,
        where=where,
        newest=[(shown, result_of(shown)) for shown in _shown(visit, newest)],
        watched=visit.watching("all"),
    )


def _shown(visit: Visit, rows: list[GameRow]) -> list[GameRow]:
    """The games with the status that they are shown with: one that nobody plays is not running."""
    live = run_now(visit.session)
    return [replace(row, status=shown_status(row, live)) for row in rows]


def board_query(asked: Mapping[str, str]) -> LeaderboardQuery:
    """The question of an address. Raises UsageError for one that no board answers."""
    by, errors = asked.get("by", "agent"), asked.get("errors")
    if by not in ("agent", "model", "prompt", "kind"):
        raise UsageError(f"by: expected agent, model, prompt or kind, found {by!r}")
    if errors not in (None, "decided", "touched"):
        raise UsageError(f"errors: expected decided or touched, found {errors!r}")
    words: dict[str, Any] = {name: asked[name] for name in _FILTERS if name in asked}
    query = LeaderboardQuery(Selection(**words), by=by, exclude_errors=errors)  # type: ignore[arg-type]
    return replace(query, system=asked["system"]) if "system" in asked else query


def environment_options(visit: Visit) -> list[tuple[str, str]]:
    """What an address says, and what people read: the number, where a name stands for several."""
    rows = Repository(visit.session).get_environments()
    called = _called(visit)
    return [
        (row.name if called[row.id or 0] == row.name else str(row.id), called[row.id or 0])
        for row in rows
    ]


def _called(visit: Visit) -> dict[int, str]:
    """What each environment is called, by its number: its name, and in what it differs from others
    of that name."""
    rows = Repository(visit.session).get_environments()
    found = {}
    for row in rows:
        alike = [other for other in rows if other.name == row.name]
        told = []
        if len({other.num_players for other in alike}) > 1:
            told.append(f"{row.num_players} players")
        if len({other.version for other in alike}) > 1:
            told.append(row.version or "no version")
        for option in sorted({option for other in alike for option in other.options}):
            if any(other.options.get(option) != row.options.get(option) for other in alike):
                given = row.options.get(option, "default")
                told.append(f"{option}: {str(given)[:40]}")
        if len(alike) > 1 and not told:
            told.append(f"number {row.id}")
        found[row.id or 0] = f"{row.name} ({', '.join(told)})" if told else row.name
    return found


def tournament_options(visit: Visit) -> list[tuple[str, str]]:
    """The tournaments, the newest first."""
    known = tournaments_to_count(visit.session, Selection(), current=None)
    return [(name, name) for _, name in reversed(known)]


def _matrix(visit: Visit, query: LeaderboardQuery, answer: BoardAnswer) -> DrawnMatrix | None:
    """The first agents of the first board against each other, of a whole tournament or
    environment: of fewer games nobody has counted it."""
    if query.by != "agent" or query.role or query.team or query.exclude_errors:
        return None
    for board in answer.boards[:1]:
        for scope in counted_scopes(visit.session, query.selection) or ():
            if scope.environment_id == board.environment_id:
                agents = _agents(board)
                matrix = counted_matrix(visit.session, scope, agents=agents)
                called = {row.agent_id or 0: row.name for row in board.rows}
                among = {"environment": scope.environment_id, "tournament": board.tournament}
                return drawn_matrix(matrix, agents, called, asked=among)
    return None


def _agents(board: Board) -> list[int]:
    return [row.agent_id for row in board.rows[:_IN_MATRIX] if row.agent_id is not None]


ROUTES = (("/", leaderboard),)
