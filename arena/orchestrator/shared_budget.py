"""The caps of a command, and its share of those that other commands spend from at the same time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from arena.config import TournamentConfig
from arena.core.threads import in_thread
from arena.llm.costs.budget import Budget
from arena.llm.costs.purses import Share, Wanted
from db import Database, Session
from db.leases import Lease
from db.queries.spending import spent_by_no_run
from db.shares import ALL, PER_DOLLAR, Demand, draw


@dataclass(frozen=True, slots=True)
class Caps:
    """The most dollars: in `total` and `per_model` for a tournament and all branches of its games,
    in all their runs; `own` for this command alone."""

    total: float | None = None
    per_model: Mapping[str, float] = field(default_factory=dict)
    own: float | None = None

    @property
    def any(self) -> bool:
        """Whether there is a cap at all."""
        return self.total is not None or self.own is not None or bool(self.per_model)


def caps_of(config: TournamentConfig | None, own: float | None = None) -> Caps:
    """The caps of a tournament, beside one of the command's `own`."""
    if config is None:
        return Caps(own=own)
    per_model = {model.name: model.budget for model in config.models if model.budget is not None}
    return Caps(config.budget, per_model, own)


@dataclass(frozen=True, slots=True)
class SharedPool:
    """The caps of a tournament, from which the holder of a lease draws
    (`arena.llm.costs.purses.CapPool`). `before` is what branches have spent that no lease was held
    for, by model."""

    database: Database
    lease: Lease
    tournament_id: int
    before: Mapping[str, int]

    async def draw(self, wanted: Mapping[str | None, Wanted]) -> dict[str | None, Share]:
        demands = {
            key or ALL: Demand(
                want.held, want.share, want.more, want.cap, self.before.get(key or ALL, 0)
            )
            for key, want in wanted.items()
        }

        def work(session: Session) -> dict[str | None, Share]:
            found = draw(session, self.lease, self.tournament_id, demands)
            return {name or None: Share(got.held, got.others) for name, got in found.items()}

        return await in_thread(self.database.reconnecting, work)


def budget_of(
    session: Session,
    database: Database,
    caps: Caps,
    lease: Lease,
    tournament_id: int | None,
    spent: Mapping[str, float],
) -> Budget | None:
    """The budget of the holder of a lease, which has `spent` before, in dollars by model; None
    without a cap. What belongs to no tournament shares its cap with nobody."""
    if not caps.any:
        return None
    pool = None
    if tournament_id is not None:
        before = {
            model: math.ceil(dollars * PER_DOLLAR)
            for model, dollars in spent_by_no_run(session, tournament_id).items()
        }
        before[ALL] = sum(before.values())
        pool = SharedPool(database, lease, tournament_id, before)
    return Budget(caps.total, per_model=caps.per_model, spent=spent, own=caps.own, pool=pool)
