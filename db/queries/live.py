"""Which tournaments are running now, from the leases on record."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from db.leases import read_holder
from db.models import TournamentLease

if TYPE_CHECKING:
    from db.queries.games import GameRow


def run_now(session: Session) -> set[int]:
    """The tournaments that have a holder which is not known to be dead.

    A holder on another machine is believed to live: only a process that wants to take its place
    watches whether it does (`db.leases`).
    """
    rows = session.exec(
        select(TournamentLease.tournament_id, TournamentLease.holder).where(
            col(TournamentLease.holder).is_not(None)
        )
    )
    return {tournament for tournament, holder in rows if not _dead(holder or "")}


def shown_status(game: GameRow, live: set[int]) -> str:
    """The status of a game for people: one that was begun in a tournament that nobody runs is
    paused, and resumes with the next run of it."""
    begun = game.status == "running" and game.tournament_id is not None
    return "paused" if begun and game.tournament_id not in live else game.status


def _dead(holder: str) -> bool:
    process = read_holder(holder)
    try:
        pid = int(process["pid"])
    except (KeyError, TypeError, ValueError):
        return False
    if process.get("host") != socket.gethostname() or os.name == "nt":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False
