"""The list of games."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from arena.reports.game import result_of
from arena.viewer.visit import Visit, number
from db.live import run_now
from db.queries.games import games, shown_status, spent
from db.selection import Selection

_ROWS = 50
FILTERS = (
    "tournament", "environment", "agent", "against", "kind", "model", "prompt", "role", "team",
    "result", "status", "termination", "since", "until", "parent", "revision", "tag",
)  # fmt: skip
"""What the one filter of games may be asked in an address."""


def game_list(visit: Visit) -> Response:
    """The games of a filter, the newest first, each page from where the last one ended."""
    asked = visit.asked(*FILTERS)
    given = visit.query.get("before")
    before = None if given is None else number(given, "a game")
    numbers = {
        name: number(asked[name], what)
        for name, what in (("parent", "a game"), ("revision", "a revision"))
        if name in asked
    }
    words: dict[str, Any] = asked | numbers
    found = games(visit.session, Selection(**words), limit=_ROWS + 1, before=before)
    live = run_now(visit.session)
    rows = [replace(row, status=shown_status(row, live)) for row in found[:_ROWS]]
    taken = spent(visit.session, [row.game_id for row in rows])
    return visit.draw(
        "games.html",
        asked=asked,
        filters=FILTERS,
        rows=[(row, result_of(row), taken[row.game_id].failed_calls) for row in rows],
        older=rows[-1].game_id if len(found) > _ROWS else None,
        before=before,
        watched=visit.watching("all", moving=bool(live)),
    )


ROUTES = (("/games", game_list),)
