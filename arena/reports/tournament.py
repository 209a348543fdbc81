"""What a tournament says: what is played, by whom, how far it is, and what it has cost."""

from __future__ import annotations

import shlex
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from db.queries.spending import ModelSpending
from db.queries.tournaments import TournamentRow

Idle = Literal["idle", "abandoned"]
IDLE_AFTER = timedelta(hours=1)
ABANDONED_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class TournamentReport:
    """A tournament as it is on record. `status` is created, running, paused or finished; `games`
    are those of its schedule, `by_status` the attempts at them. `charged` is dollars, those of
    calls whose cost nobody said at their worst case; None where it was not asked and its counters
    are behind. `models` is None where it was not asked.
    `left` are the games that will still be played, unless a comparison is decided before; `resume`
    is the command that plays them, None where there are none or somebody plays them. `template` is
    the one that it was made from, None where it was made from none. Something last happened at
    `active_at`; `idle` says that nobody runs it and nothing has happened for an hour, or that it is
    abandoned: for 30 days, unless it was asked for others.
    """

    id: int
    name: str
    environment: str
    players: int
    matchmaker: str | None
    agents: Sequence[str]
    status: str
    games: int
    left: int
    by_status: Mapping[str, int]
    void_causes: Mapping[str, int]
    seed: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    template: str | None = None
    resume: str | None = None
    active_at: datetime | None = None
    idle: Idle | None = None
    charged: float | None = None
    models: Sequence[ModelSpending] | None = None


def tournament_report(
    row: TournamentRow,
    live: Container[int],
    spending: Mapping[str, ModelSpending] | None = None,
    *,
    now: datetime | None = None,
    abandoned_after: timedelta = ABANDONED_AFTER,
) -> TournamentReport:
    """The report of a tournament from its row, as of `now`; `live` are the tournaments that
    somebody runs."""
    deserted = row.status == "running" and row.tournament_id not in live
    models = None if spending is None else [*spending.values()]
    left = 0 if row.status == "finished" else row.games - row.settled
    resume = None
    if left and row.tournament_id not in live:
        resume = shlex.join(["arena", "resume", row.name])
    return TournamentReport(
        id=row.tournament_id,
        name=row.name,
        environment=row.environment,
        players=row.num_players,
        matchmaker=row.config.get("matchmaker", {}).get("name"),
        agents=row.agents,
        status="paused" if deserted else row.status,
        games=row.games,
        left=left,
        by_status=row.by_status,
        void_causes=row.void_causes,
        seed=row.seed,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        template=row.template,
        resume=resume,
        active_at=row.active_at,
        idle=None
        if row.status == "finished" or row.tournament_id in live
        else idleness(row.active_at, now or datetime.now(UTC), abandoned_after),
        charged=row.charged if models is None else sum(model.charged for model in models),
        models=models,
    )


def idleness(
    active_at: datetime, now: datetime, abandoned_after: timedelta = ABANDONED_AFTER
) -> Idle | None:
    """What a tournament is in which something last happened then, and which nobody runs."""
    silent = now - active_at
    if silent >= abandoned_after:
        return "abandoned"
    return "idle" if silent >= IDLE_AFTER else None


def budget_of(settings: Mapping[str, Any], config: Mapping[str, Any]) -> float | None:
    """Dollars that a tournament may cost; None where it has no budget of its own."""
    found = settings.get("budget", config.get("budget"))
    return float(found) if isinstance(found, int | float) else None
