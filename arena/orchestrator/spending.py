"""Asks operators to let a tournament spend more than its budgets, and what they have allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from arena.core import Pause
from arena.core.threads import in_thread
from arena.orchestrator.halts import Halts
from arena.orchestrator.shared_budget import Caps
from arena.orchestrator.stopping import Stop
from db import Database, Repository, Session
from db.queries.requests import open_spending

# Seconds between two looks for an answer.
_EVERY = 0.3

Approved = Mapping[str | None, float]
"""Dollars that operators have allowed beyond a budget: by model, and of None in all."""


def with_approved(caps: Caps, approved: Approved) -> Caps:
    """The caps of a tournament with what operators have allowed beyond them."""
    total = None if caps.total is None else caps.total + approved.get(None, 0.0)
    per_model = {model: cap + approved.get(model, 0.0) for model, cap in caps.per_model.items()}
    return replace(caps, total=total, per_model=per_model)


def settle_request(database: Database, tournament_id: int, halts: Halts) -> None:
    """At the end of a run: ask for more where a budget is what stopped it, else ask no more."""
    wanted = halts.lacking()
    database.reconnecting(lambda s: Repository(s).settle_spending(tournament_id, wanted))


async def allowed_more(
    database: Database, tournament_id: int, approved: Approved, stop: Stop
) -> bool:
    """Waits until an operator allows more than was `approved`, True, or has answered all requests
    without. False too where the run is to stop before."""

    def look(session: Session) -> tuple[bool, bool]:
        now = Repository(session).approved_dollars(tournament_id)
        return now != approved, open_spending(session, tournament_id)

    try:
        while True:
            more, asked = await in_thread(database.reconnecting, look)
            if more or not asked:
                return bool(more)
            await stop.unless(asyncio.sleep(_EVERY))
    except Pause:
        return False
