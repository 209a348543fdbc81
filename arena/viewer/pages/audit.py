"""The trail: what was changed, by whom and when."""

from __future__ import annotations

from starlette.responses import Response

from arena.reports.audit import changed_values
from arena.viewer.visit import Visit, number
from db.errors import BadSelection
from db.queries.audit import audit_entities, audit_rows

_ROWS = 60
_VALUES = 8
"""Values of an entry that are shown."""
_LONGEST = 120


def trail(visit: Visit) -> Response:
    """The entries of a filter, the newest first, each page from where the last one ended."""
    asked = visit.asked("entity", "name", "actor")
    given = visit.query.get("before")
    before = None if given is None else number(given, "an entry")
    found, why = [], None
    try:
        found = audit_rows(
            visit.session,
            entity=asked.get("entity"),
            name=asked.get("name"),
            actor=asked.get("actor"),
            older_than=before,
            limit=_ROWS + 1,
        )
    except BadSelection as error:
        # Pages lead here also from what is older than the trail.
        why = str(error)
    rows = [(row, changed_values(row, _LONGEST)) for row in found[:_ROWS]]
    return visit.draw(
        "audit.html",
        rows=[(row, values[:_VALUES], len(values) - _VALUES) for row, values in rows],
        entities=audit_entities(visit.session),
        asked=asked,
        why=why,
        before=before,
        older=found[_ROWS - 1].id if len(found) > _ROWS else None,
    )


ROUTES = (("/audit", trail),)
