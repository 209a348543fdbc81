"""Tells the database how a run goes, for whoever looks on: once a second, with its other rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from arena.orchestrator.progress import Progress
from arena.record.writing import Meter
from arena.reports.run_status import ModelStatus, RunStanding, RunStatus
from db import Recorder
from db.errors import DatabaseError
from db.writer.run_status import RunTold

EVERY_S = 1.0
_WINDOW_S = 15.0
"""Over which the speed is measured."""
_MOST_ERRORS = 20
_FEWEST_MOVED = 10
_LONGEST = 500  # characters of a reason


class RunTeller:
    """What the run of a tournament says of itself."""

    def __init__(self, tournament_id: int, meter: Meter) -> None:
        self._tournament_id = tournament_id
        self._meter = meter
        self._next = 0.0
        self._speed: deque[tuple[float, int]] = deque()
        self._orders: deque[tuple[int, dict[int, int]]] = deque()

    def due(self, elapsed: float) -> bool:
        """Whether it is time to say something, this many seconds after the run began."""
        return elapsed >= self._next

    def tell(
        self,
        recorder: Recorder,
        progress: Progress,
        *,
        finished: int,
        causes: Mapping[str, int],
        parked: Mapping[str, str],
        stopped: Sequence[str],
        ended: bool = False,
    ) -> None:
        """Say how it goes; nothing waits for it, and a database that takes no rows says so to the
        games."""
        self._next = progress.elapsed + EVERY_S
        games, before = self._earlier(progress)
        status = RunStatus(
            elapsed=progress.elapsed,
            done=progress.games_done,
            void=progress.games_void,
            total=progress.games_total,
            finished=finished,
            running=progress.games_running,
            paused=progress.paused,
            suspended=progress.suspended,
            waiting=progress.waiting,
            turns=progress.turns,
            calls=progress.calls,
            failed_calls=self._meter.failed_calls,
            in_flight=progress.calls_in_flight,
            speed=self._measured(progress),
            cost=progress.cost,
            spent=progress.spent,
            budget=progress.budget,
            models=tuple(
                ModelStatus(
                    name=model.name,
                    in_flight=model.in_flight,
                    limit=model.limit,
                    waiting=model.waiting,
                    state=model.state,
                    why=parked.get(model.name, "")[:_LONGEST],
                )
                for model in progress.models
            ),
            standings=tuple(
                RunStanding(
                    agent_id=row.agent_id,
                    name=row.name,
                    mu=row.mu,
                    sigma=row.sigma,
                    games=row.games,
                    rose=before.get(row.agent_id, place) - place,
                )
                for place, row in enumerate(progress.standings)
            ),
            void_causes=dict(causes),
            lapses=dict(self._meter.lapses),
            errors=dict(self._meter.errors.most_common(_MOST_ERRORS)),
            stopped=tuple(said[:_LONGEST] for said in stopped),
            moved_over=games,
            ended=ended,
        )
        told = RunTold(self._tournament_id, datetime.now(UTC), status.told())
        with suppress(DatabaseError):
            recorder.post(told)

    def _earlier(self, progress: Progress) -> tuple[int, dict[int, int]]:
        """How many games ago the standings were others, and every agent's place there; nothing
        before a tenth of the games, and at least ten, have ended in this run."""
        done = progress.games_done
        places = {row.agent_id: place for place, row in enumerate(progress.standings)}
        least = max(_FEWEST_MOVED, progress.games_total // 10)
        if not self._orders or done - self._orders[-1][0] >= max(1, least // 20):
            self._orders.append((done, places))
        while len(self._orders) > 1 and done - self._orders[1][0] >= least:
            self._orders.popleft()
        then, before = self._orders[0]
        return (done - then, before) if then and done - then >= least else (0, {})

    def _measured(self, progress: Progress) -> float | None:
        """Turns in a second, over the last while."""
        self._speed.append((progress.elapsed, progress.turns))
        while len(self._speed) > 2 and progress.elapsed - self._speed[1][0] >= _WINDOW_S:
            self._speed.popleft()
        since, before = self._speed[0]
        span = progress.elapsed - since
        return (progress.turns - before) / span if span > 0 and progress.turns else None
