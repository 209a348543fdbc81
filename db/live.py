"""Which tournaments are running now, from the leases on record."""

from __future__ import annotations

import os
import socket

from sqlalchemy import Connection, select
from sqlmodel import Session, col

from db.holders import read_holder
from db.models import BranchRun, TournamentLease


def run_now(session: Session | Connection) -> set[int]:
    """The tournaments that have a holder which is not known to be dead.

    A holder on another machine is believed to live: only a process that wants to take its place
    watches whether it does (`db.leases`).
    """
    rows = session.execute(
        select(col(TournamentLease.tournament_id), col(TournamentLease.holder)).where(
            col(TournamentLease.holder).is_not(None)
        )
    )
    return {tournament for tournament, holder in rows if not _dead(holder or "")}


def branches_run_now(session: Session) -> list[BranchRun]:
    """The runs of branches that have a holder which is not known to be dead."""
    query = select(BranchRun).where(col(BranchRun.holder).is_not(None)).order_by(col(BranchRun.id))
    return [run for run in session.execute(query).scalars() if not _dead(run.holder or "")]


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
