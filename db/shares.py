"""What each command may spend of a tournament's budget, so that several of them share one cap.

A run, or a run of branches, draws a share before it spends: the row of its lease says how much it
may have spent and set aside. A command that has ended has spent what its calls were charged. All of
it together is never above a cap, because shares are drawn one after another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlmodel import Session

from db.engine import begin_writing
from db.errors import LeaseLost
from db.leases import BRANCHES, TOURNAMENT, Lease, Leased, end_if_dead
from db.models.columns import JsonValue
from db.queries.spending import spent, spent_by_run

# The whole budget, beside the models by their names.
ALL = ""

# A share is drawn for so many calls at once, as far as that is no more than this part of the rest.
_CALLS_A_DRAW, _PART_A_DRAW = 16, 8

# Shares are counted in whole trillionths of a dollar: their sums are exact.
PER_DOLLAR = 10**12


@dataclass(frozen=True, slots=True)
class Demand:
    """What a command asks for of one cap: it holds `held`, has a share of `share`, and needs `more`
    beyond what it holds. `cap` is None where there is none; `before` was spent by
    commands that have no lease."""

    held: int
    share: int
    more: int
    cap: int | None
    before: int = 0


@dataclass(frozen=True, slots=True)
class Allotted:
    """What it may hold now, and what all others hold or have spent."""

    held: int
    others: int


@dataclass(frozen=True, slots=True)
class _Row:
    leased: Leased
    key: int
    holder: str | None
    fence: int
    granted: dict[str, Any] | None

    @property
    def told(self) -> dict[str, int] | None:
        """The share of its holder, or what was spent in all; None where the record has to be
        asked."""
        match self.granted:
            case {"fence": self.fence, "settled": bool(settled), "units": dict(units)} if (
                self.holder is not None or settled
            ):
                return {str(name): int(share) for name, share in units.items()}
        return None


_RUNS = text("SELECT holder, fence, granted FROM leases WHERE tournament_id = :tournament")
_BRANCH_RUNS = text(
    "SELECT id, holder, fence, granted FROM branch_runs WHERE tournament_id = :tournament "
    "ORDER BY id"
)
# No row: a writer that finishes a game holds its lease's row and wants the tournament's.
_LOCK = text("SELECT pg_advisory_xact_lock(1936220517, :tournament)")
_GRANT = "UPDATE {table} SET granted = :granted WHERE {key} = :key AND fence = :fence"


def draw(
    session: Session, lease: Lease, tournament_id: int, demands: Mapping[str, Demand]
) -> dict[str, Allotted]:
    """A share of each cap for the holder of a lease, by model and ALL, written into the lease's
    row; commands that draw from the same tournament wait for each other until the transaction ends.
    Raises LeaseLost where another process has taken over."""
    connection = session.connection()
    _lock(connection, tournament_id)
    others = _others(session, lease, tournament_id)
    allotted = _allot(demands, others)
    if any(demand.more > allotted[name].held - demand.held for name, demand in demands.items()):
        # What dead commands hold is given back before anything is refused.
        rows = [row for row in _rows(connection, tournament_id) if row.holder is not None]
        ended = [end_if_dead(connection, row.leased, row.key, row.holder or "") for row in rows]
        if any(ended):
            allotted = _allot(demands, _others(session, lease, tournament_id))
    units = {name: share.held for name, share in allotted.items()}
    if not _grant(connection, lease.leased, lease.key, lease.fence, units, settled=False):
        raise LeaseLost(
            f"another process has taken over {lease.said}: let it run, or end it and type the same "
            "command again"
        )
    return allotted


def _allot(demands: Mapping[str, Demand], others: Mapping[str, int]) -> dict[str, Allotted]:
    allotted = {}
    for name, demand in demands.items():
        theirs = others.get(name, 0) + demand.before
        wanted = _CALLS_A_DRAW * demand.more
        if demand.cap is not None:
            free = max(0, demand.cap - theirs - demand.held)
            wanted = min(free, max(demand.more, min(wanted, free // _PART_A_DRAW)))
        allotted[name] = Allotted(max(demand.held + wanted, demand.share), theirs)
    return allotted


def _others(session: Session, lease: Lease, tournament_id: int) -> dict[str, int]:
    """What all others hold or have spent."""
    total: dict[str, int] = {}
    for row in _rows(session.connection(), tournament_id):
        if (row.leased, row.key) == (lease.leased, lease.key):
            continue
        units = row.told
        if units is None:
            units = _on_record(session, row)
            if row.holder is None:
                connection = session.connection()
                _grant(connection, row.leased, row.key, row.fence, units, settled=True)
        for name, held in units.items():
            total[name] = total.get(name, 0) + held
    return total


def _on_record(session: Session, row: _Row) -> dict[str, int]:
    found = (spent if row.leased is TOURNAMENT else spent_by_run)(session, row.key)
    units = {model: math.ceil(dollars * PER_DOLLAR) for model, dollars in found.items()}
    return {**units, ALL: sum(units.values())}


def _rows(connection: Connection, tournament_id: int) -> Iterator[_Row]:
    asked = {"tournament": tournament_id}
    granted = {"granted": JsonValue()}
    for holder, fence, units in connection.execute(_RUNS.columns(**granted), asked):
        yield _Row(TOURNAMENT, tournament_id, holder, int(fence), units)
    rows = connection.execute(_BRANCH_RUNS.columns(**granted), asked).all()
    for key, holder, fence, units in rows:
        yield _Row(BRANCHES, int(key), holder, int(fence), units)


def _grant(
    connection: Connection,
    leased: Leased,
    key: int,
    fence: int,
    units: Mapping[str, int],
    *,
    settled: bool,
) -> bool:
    statement = leased.sql(_GRANT).bindparams(bindparam("granted", type_=JsonValue()))
    granted = {"fence": fence, "settled": settled, "units": dict(units)}
    changed = connection.execute(statement, {"granted": granted, "key": key, "fence": fence})
    return bool(changed.rowcount)


def _lock(connection: Connection, tournament_id: int) -> None:
    if connection.dialect.name == "sqlite":
        begin_writing(connection)
    else:
        connection.execute(_LOCK, {"tournament": tournament_id})
