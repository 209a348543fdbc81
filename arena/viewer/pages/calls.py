"""Calls that failed: which, why, and where the prompt stands that was sent."""

from __future__ import annotations

from starlette.responses import Response

from arena.core import UsageError
from arena.reports.calls import failure_of
from arena.viewer.pages.games import FILTERS
from arena.viewer.pages.search import selection_of
from arena.viewer.visit import Visit
from db.queries.failed_calls import error_classes, failed_calls

_ROWS = 50
_LOOKED_AT = 2_000


def calls(visit: Visit) -> Response:
    """The calls of a filter that failed, the newest first."""
    asked = visit.asked("failed", *FILTERS)
    before = _call(visit.query.get("before"))
    found = failed_calls(
        visit.session,
        selection_of(asked),
        failed=(asked["failed"],) if "failed" in asked else (),
        limit=_ROWS,
        before=before,
        most=_LOOKED_AT,
    )
    rows = [
        (row, *failure_of(row.error_class, row.error_status, row.error_message))
        for row in found.rows
    ]
    return visit.draw(
        "failed_calls.html",
        asked=asked,
        filters=FILTERS,
        classes=error_classes(visit.session),
        rows=rows,
        found=found,
        before=before,
    )


def _call(given: str | None) -> int | None:
    if given is None:
        return None
    if not (given.isascii() and given.isdigit()) or len(given) > 18:
        raise UsageError(f"before: expected the number of a call, found {given[:40]!r}")
    return int(given)


ROUTES = (("/calls", calls),)
