"""What a run says in its log (`arena.record.run_log`) of itself and of its games."""

from __future__ import annotations

import logging
import os
import socket
from datetime import timedelta

from arena.core.log_scope import said_of
from arena.game.loop import Paused, Suspended, Voided
from arena.orchestrator.progress import Summary

_log = logging.getLogger(__name__)


def run_begins(fence: int, *, done: int, total: int, begun: int, orphans: int) -> None:
    """The run that holds the lease for the so many-th time begins: so many games are done of all,
    and so many were begun before."""
    where = f"process {os.getpid()} on {socket.gethostname()}"
    _log.info("run %d begins in %s: %d of %d games are done", fence, where, done, total)
    if begun:
        _log.info("%d games that an earlier run had begun are played on from their record", begun)
    if orphans:
        _log.warning("%d calls were in flight when an earlier run ended: charged in full", orphans)


def run_resumes_abandoned(silent: timedelta) -> str:
    """Nothing had happened for so long: what is logged, for whoever watches the run."""
    said = f"the tournament goes on, abandoned: nothing had happened for {silent.days} days"
    _log.warning("%s", said)
    return said


def run_ends(fence: int, summary: Summary) -> None:
    """The run ends, and why, where games are left."""
    for said in (summary.stopped or "").splitlines():
        _log.warning("%s", said)
    how = "is interrupted" if summary.interrupted else "ends"
    _log.info(
        "run %d %s after %.1f s: %d games finished, %d void, %d left; %d calls, %d failed, $%.4f",
        fence,
        how,
        summary.elapsed,
        len(summary.finished),
        summary.games_void,
        summary.games_left,
        summary.calls,
        summary.failed_calls,
        summary.cost,
    )


def game_voided(game_id: int, void: Voided, *, final: bool) -> None:
    """A game has no result."""
    then = "it is not tried again" if final else "it is tried again"
    _log.error(
        "void (%s), %s: %s", void.cause.value, then, void.error, extra=said_of(game_id=game_id)
    )


def game_stops(game_id: int, result: Paused | Suspended) -> None:
    """A game is paused for a reason of its own, or suspended."""
    extra = said_of(game_id=game_id)
    if isinstance(result, Suspended):
        _log.info("suspended: %s", result.reason, extra=extra)
    elif result.reason is not None:
        _log.info("paused: %s", result.reason, extra=extra)


def model_parked(said: str) -> None:
    """A model is parked, or money has run out."""
    _log.warning("%s", said)


def said_news(said: str) -> None:
    """What an executor or a provider had to say: a worker has died, say."""
    _log.warning("%s", said)
