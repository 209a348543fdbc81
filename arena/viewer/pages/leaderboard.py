"""The leaderboard, as it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from arena.core import UsageError
from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.stored import stored_answer
from arena.reports.game import result_of
from arena.viewer.board_page import chips, drawn
from arena.viewer.visit import Visit
from db.queries.games import games
from db.selection import Selection

_NEWEST = 12
_FILTERS = ("environment", "tournament", "role", "team", "since", "until")


def leaderboard(visit: Visit) -> Response:
    """The boards of a question, and the newest games."""
    asked = visit.asked(*_FILTERS, "system", "by", "errors")
    query = board_query(asked)
    answer = stored_answer(visit.session, query)
    failed = None
    if visit.worker is not None and (answer is None or answer.behind):
        failed = visit.worker.ask(query)
    boards = [] if answer is None else drawn(answer)
    return visit.draw(
        "board.html",
        answer=answer,
        boards=boards,
        failed=failed,
        chips=chips(asked, boards),
        newest=[(row, result_of(row)) for row in games(visit.session, limit=_NEWEST)],
    )


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


ROUTES = (("/", leaderboard),)
