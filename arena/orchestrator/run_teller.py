"""Writes the status of a run into the database for the pages, once a second, with its rows."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from arena.orchestrator.progress import OnProgress, Progress
from arena.record.writing import Meter
from arena.reports.run_status import ModelStatus, RunStanding, RunStatus
from db import Recorder
from db.errors import DatabaseError
from db.writer.run_status import RunTold

PROGRESS_SECONDS = 0.25
EVERY_S = 1.0
_WINDOW_S = 15.0
"""Over which the speed is measured."""
_MOST_ERRORS = 20
_FEWEST_MOVED = 10
_LONGEST = 500  # characters of a reason


@dataclass(frozen=True, slots=True)
class RunNow:
    """How a run goes: its progress, the games that it finished, and why others were not."""

    progress: Progress
    finished: int
    causes: Mapping[str, int]
    parked: Mapping[str, str]
    stopped: Sequence[str]


class RunTeller:
    """What the run of a tournament says of itself: to who started it four times a second, and to
    the database."""

    def __init__(
        self, tournament_id: int, meter: Meter, recorder: Recorder, now: Callable[[], RunNow]
    ) -> None:
        self._tournament_id = tournament_id
        self._meter = meter
        self._recorder = recorder
        self._now = now
        self._began = time.monotonic()
        self._next = 0.0
        self._speed: deque[tuple[float, int]] = deque()
        self._orders: deque[tuple[int, dict[int, int]]] = deque()

    async def run(self, on_progress: OnProgress | None) -> None:
        """Say how it goes until this is cancelled."""
        while True:
            self.show(on_progress)
            await asyncio.sleep(PROGRESS_SECONDS)

    def show(self, on_progress: OnProgress | None, *, ended: bool = False) -> None:
        """Say how it goes, as far as it is time to."""
        due = ended or time.monotonic() - self._began >= self._next
        if on_progress is None and not due:
            return
        now = self._now()
        if on_progress is not None:
            on_progress(now.progress)
        if due:
            self._tell(now, ended=ended)

    def _tell(self, now: RunNow, *, ended: bool) -> None:
        """Nothing waits for it, and a database that takes no rows says so to the games."""
        progress = now.progress
        self._next = progress.elapsed + EVERY_S
        games, before = self._earlier(progress)
        status = RunStatus(
            elapsed=progress.elapsed,
            done=progress.games_done,
            void=progress.games_void,
            total=progress.games_total,
            finished=now.finished,
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
                    why=now.parked.get(model.name, "")[:_LONGEST],
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
            void_causes=dict(now.causes),
            lapses=dict(self._meter.lapses),
            errors=dict(self._meter.errors.most_common(_MOST_ERRORS)),
            stopped=tuple(said[:_LONGEST] for said in now.stopped),
            moved_over=games,
            times=progress.times,
            at_once=progress.at_once,
            ended=ended,
        )
        told = RunTold(self._tournament_id, datetime.now(UTC), status.told())
        with suppress(DatabaseError):
            self._recorder.post(told)

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
