"""Asks operators to let a tournament spend more than its budget, and what they have allowed."""

from __future__ import annotations

import asyncio
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


def with_approved(caps: Caps, approved: float) -> Caps:
    """The caps of a tournament with what operators have allowed beyond its budget."""
    return caps if caps.total is None else replace(caps, total=caps.total + approved)


def settle_request(database: Database, tournament_id: int, halts: Halts) -> None:
    """At the end of a run: ask for more where its budget is what stopped it, else ask no more."""
    said = halts.unpaid

    def write(session: Session) -> None:
        repo = Repository(session)
        if said is None:
            repo.withdraw_spending(tournament_id)
        else:
            repo.ask_to_spend(tournament_id, said)

    database.reconnecting(write)


async def allowed_more(database: Database, tournament_id: int, approved: float, stop: Stop) -> bool:
    """Waits until an operator has answered; whether more is `approved` than was. False where the
    run is to stop before."""
    try:
        while await in_thread(
            database.reconnecting, lambda session: open_spending(session, tournament_id)
        ):
            await stop.unless(asyncio.sleep(_EVERY))
    except Pause:
        return False
    now = await in_thread(
        database.reconnecting, lambda session: Repository(session).approved_dollars(tournament_id)
    )
    return bool(now > approved)
