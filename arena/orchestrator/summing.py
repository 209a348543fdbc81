"""Sums up a run that has ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from arena.orchestrator.progress import Summary

if TYPE_CHECKING:
    from arena.orchestrator.play_loop import Playing


def summary_of(run: Playing) -> Summary:
    """What a run has done."""
    earlier, meter = run.earlier, run.meter
    left = run.games_left()
    return Summary(
        tournament=run.config.name,
        games_completed=len(run.finished),
        games_void=run.void,
        games_left=left,
        void_causes=dict(run.causes),
        turns=meter.turns,
        calls=meter.calls,
        failed_calls=meter.failed_calls,
        tokens=meter.tokens,
        cost=meter.cost,
        elapsed=time.monotonic() - run.started,
        standings=run.standings.table(),
        interrupted=run.stop.requested and run.stop.reason is None and left > 0,
        first_error=run.first_error,
        paused=run.paused,
        suspended=run.suspended,
        resumed=run.attempts.resumed,
        orphans=len(earlier.orphans) + len(meter.orphans),
        orphan_cost=sum(earlier.orphans) + sum(meter.orphans),
        cached_calls=meter.cached_calls,
        spent=earlier.spent_in_all + meter.cost,
        budget=run.models.cap,
        stopped="\n".join(run.stopped()) or None,
        budget_reached=run.halts.budget_reached,
        game_price=run.price(left),
        beyond={} if run.models.budget is None else run.models.budget.beyond,
        lapses=dict(meter.lapses),
        fewest_at_once=run.saturation.fewest,
        times=run.times(),
        began=run.began,
        finished=tuple(run.finished),
        news=run.news(),
    )
