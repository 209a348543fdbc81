"""What live workers may still send and spend without asking: the rest of their chunks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, text
from sqlmodel import Session, col

from db.models import GrantedChunk


class UnsentCalls(NamedTuple):
    """What the workers of a tournament's run may still send a model, at most: `calls` of `tokens`
    in all, for `dollars`. Some of it may be sent already."""

    tournament_id: int
    model: str
    calls: int
    tokens: int
    dollars: float


_until: Any = col(GrantedChunk.until)

# A worker of an earlier fence, or one that was taken for dead, records nothing: it sends nothing.
_LIVE = text(
    "SELECT c.tournament_id, c.model, SUM(c.calls - c.returned), "
    "SUM((c.calls - c.returned) * c.tokens), "
    "SUM((c.calls - c.returned) * COALESCE(c.dollars, 0.0)) "
    "FROM granted_chunks c JOIN leases l ON l.tournament_id = c.tournament_id "
    "WHERE l.holder IS NOT NULL AND c.fence = l.fence AND c.until > :now "
    "AND COALESCE(l.lost, '') NOT LIKE '% ' || c.worker || ' %' "
    "GROUP BY c.tournament_id, c.model ORDER BY c.tournament_id, c.model"
).bindparams(bindparam("now", type_=_until.type))


def unsent_calls(session: Session, now: datetime) -> list[UnsentCalls]:
    """What all live workers may still send at this time of the clock of their runs, by tournament
    and model."""
    rows = session.connection().execute(_LIVE, {"now": now})
    return [
        UnsentCalls(int(key), str(model), int(calls), int(tokens), float(dollars))
        for key, model, calls, tokens, dollars in rows
    ]
