"""Plays the games of one run: the rest of those that were begun, then those that were not."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from arena.core import (
    ArenaError,
    BudgetReached,
    ModelParked,
    ModelRefused,
    ModelUnproven,
    Pause,
    VoidCause,
)
from arena.core.execution import Executor, Slot, TellsNews
from arena.core.threads import in_thread
from arena.game.loop import Finished, Paused, Suspended, Voided
from arena.orchestrator import run_log, schedule
from arena.orchestrator.affordable import Affordable, GamePrice
from arena.orchestrator.attempts import Attempts
from arena.orchestrator.catalogue import EnteredTournament
from arena.orchestrator.clients import ModelAccess
from arena.orchestrator.game_costs import SeatedModels
from arena.orchestrator.halts import Halts
from arena.orchestrator.kept_ratings import KeptRatings
from arena.orchestrator.pairing_source import Supply
from arena.orchestrator.people import SeatedPeople
from arena.orchestrator.preflight import Prepared
from arena.orchestrator.progress import OnProgress, Progress, model_states
from arena.orchestrator.ready_queue import Pending
from arena.orchestrator.refused_models import RefusedModels
from arena.orchestrator.run_teller import RunNow, RunTeller
from arena.orchestrator.saturation import Saturation
from arena.orchestrator.schedule import played
from arena.orchestrator.standings import LiveStandings, Played
from arena.orchestrator.stopping import Stop
from arena.record.listening import Listeners
from arena.record.writing import GameRecorder, Meter
from arena.reports.call_times import CallTimes
from arena.reports.usage import latency_of
from db import Database, Recorder
from db.queries.schedule import ScheduledGame


class Playing:
    """One run of one tournament: what its games share.

    `earlier` is what earlier runs have settled and spent.
    """

    def __init__(
        self,
        prepared: Prepared,
        entry: EnteredTournament,
        database: Database,
        models: ModelAccess,
        standings: LiveStandings,
        supply: Supply,
        earlier: schedule.Earlier,
        stop: Stop,
        on_progress: OnProgress | None,
        *,
        wait: bool = False,
        listeners: Listeners | None = None,
    ) -> None:
        self.prepared = prepared
        self.config = prepared.config
        self.entry = entry
        self.database = database
        self.models = models
        self.standings = standings
        self.supply = supply
        self.kept = KeptRatings(entry.tournament_id, standings)
        self.earlier = earlier
        self.stop = stop
        self.on_progress = on_progress
        self.meter = Meter()
        self.began = datetime.now(UTC)
        self.finished: list[int] = []
        self.void = self.paused = self.running = self._otherwise_suspended = 0
        self.heard = listeners or Listeners()
        self.people = SeatedPeople(entry, database, stop, self._go_on, wait=wait)
        longest = self.config.environment.turn_limit
        self.affordable = Affordable(models.budget, earlier.costs, longest=longest)
        self._left: dict[int, ScheduledGame] = {}
        self.saturation = Saturation(lambda: self.running, self.meter)
        self.causes: Counter[str] = Counter()
        self.halts = Halts()
        self.refused = RefusedModels()
        self._again: dict[int, ModelUnproven] = {}
        self._pending = Pending((), self._models)
        self.attempts = Attempts(
            prepared, entry, database, models, stop, self._worth_lending, self.people, self.heard
        )
        self.executor: Executor | None = None
        self._said: list[str] = []
        self.first_error: str | None = None
        self.started = time.monotonic()

    async def play(
        self,
        recorder: Recorder,
        left: Sequence[ScheduledGame],
        concurrency: int,
        most: int | None = None,
    ) -> None:
        """Play these games and those that the matchmaker adds, at most `most` in all, until the run
        stops."""
        concurrency = 1 if self.attempts.memories.in_order else concurrency
        at_once = max(1, min(concurrency, most or concurrency, self.games_left()))
        executor = self.executor = self.prepared.executor(at_once)
        if self.games_left():
            await self.models.client.learn(spec.model for spec in self.entry.agents.values())
        self.started = time.monotonic()
        teller = RunTeller(self.entry.tournament_id, self.meter, recorder, self._now)
        reporter = asyncio.create_task(teller.run(self.on_progress))
        watching = asyncio.create_task(self.people.watch())
        try:
            await executor.run(
                self.saturation.within(self._work(left, most), concurrency),
                lambda game, slot: self._game(recorder, game, slot),
            )
        finally:
            reporter.cancel()
            watching.cancel()
        self.kept.keep(recorder)
        for reason in self._again.values():
            self._count_pause(Paused(0, reason))
        teller.show(self.on_progress, ended=True)

    async def _work(
        self, left: Sequence[ScheduledGame], most: int | None
    ) -> AsyncIterator[ScheduledGame]:
        """Games that were begun, the dearest first, then the others in schedule order as far as the
        budget pays them; those first whose models can answer at the moment."""
        left = sorted(left, key=self._due)
        self._left = {game.schedule_index: game for game in left}
        self._pending = Pending(left[:most], self._models)
        started = 0
        short: set[str] = set()
        while self._going() and (most is None or started < most):
            game = self._pending.take(self._busy() | short)
            if game is None:
                try:
                    added = await self.supply.more(self._nothing_back)
                except ArenaError as error:
                    # What is being played ends in order, and is on record.
                    self.stop.request(str(error))
                    return
                if not added and not self._pending.playable(frozenset()):
                    if await self.people.one_goes_on():
                        continue
                    return
                self._left |= {game.schedule_index: game for game in added}
                self._pending.add(g for g in added if self._models(g).isdisjoint(self.halts.parked))
                continue
            if await self._wait_for_money(game, short):
                continue
            short.clear()
            again = self._again.pop(game.game_id, None) is not None
            started += not (self.people.came_back(game) or again)
            self.supply.begin()
            self.affordable.begin(game.game_id, self._seating(game))
            yield game

    async def _wait_for_money(self, game: ScheduledGame, short: set[str]) -> bool:
        """Whether a game is put back because it cannot be paid. While the budget of a model is
        `short`, games without it come first; when nothing else is left, its games are dropped."""
        seating = self._seating(game)
        shortage = await self.affordable.short_of(game.game_id, seating)
        if shortage is None:
            return False
        self._pending.put_back(game)
        model = shortage.model
        if model is not None and model not in short:
            short.add(model)
            if self._pending.playable(short):
                return True
        if await self.affordable.wait():
            short.clear()
        else:
            self.halts.short(self.affordable.short(shortage, seating), model)
            if model is not None:
                self._pending.drop(model)
                short.clear()
        return True

    def _go_on(self, games: Sequence[ScheduledGame]) -> None:
        for game in games:
            self._pending.again(game, first=self.attempts.memories.in_order)
        self.supply.wake()

    def _nothing_back(self) -> bool:
        return self.stop.going() and not self._pending.playable(frozenset())

    def _going(self) -> bool:
        return self.stop.going() and self.halts.unpaid is None

    def _due(self, game: ScheduledGame) -> tuple[bool, float, int]:
        return not game.begun, -self.affordable.spent(game.game_id), game.schedule_index

    def _busy(self) -> set[str]:
        """The models that a call would have to wait for."""
        states = model_states(self.models.limits, self.halts.parked)
        return {model.name for model in states if model.waiting or model.state != "ok"}

    def _worth_lending(self) -> bool:
        return not self.attempts.memories.in_order and self._pending.playable(self._busy())

    def _models(self, game: ScheduledGame) -> set[str]:
        return self.attempts.memories.models or {*self._seating(game)}

    def _seating(self, game: ScheduledGame) -> SeatedModels:
        referee = () if self.entry.referee is None else (self.entry.referee,)
        seated = (*(self.entry.agents[agent] for agent in game.agents), *referee)
        return tuple(agent.model.name for agent in seated)

    async def _game(self, recorder: Recorder, game: ScheduledGame, slot: Slot) -> None:
        """Play one place of the schedule, again after a fault, up to the configured attempts."""
        self.running += 1
        first, finished = game.game_id, False
        try:
            while True:
                journal = GameRecorder(
                    recorder, game.game_id, self.meter, self.stop.going, game.agents, self.heard
                )
                result = await self.attempts.play(
                    journal, game, slot, self.affordable.account(first)
                )
                if isinstance(result, Finished):
                    finished = True
                    await journal.finished(result)
                    self._settle(game, result)
                    self.kept.keep(recorder, game.game_id)
                    return
                if isinstance(result, Paused | Suspended):
                    journal.paused(result.reason)
                    run_log.game_stops(game.game_id, result)
                    if not await self._put_back(game, result):
                        await self._pause(game, result)
                    return
                self._count(result)
                # Played again, a conversation would grow as long again.
                hopeless = result.cause is VoidCause.CONTEXT
                final = hopeless or game.attempt + 1 >= self.config.attempts
                await journal.voided(result, final=final)
                run_log.game_voided(game.game_id, result, final=final)
                if final:
                    self.void += 1
                    self._settled(game, None)
                    return
                game = await in_thread(schedule.following, self.database, game)
        finally:
            self.running -= 1
            self.affordable.end(first, finished=finished)
            self.supply.end()

    def _settle(self, game: ScheduledGame, result: Finished) -> None:
        self.finished.append(game.game_id)
        seats = [
            (agent, player.player_index, player.role, player.team, player.rank)
            for agent, player in zip(game.agents, result.outcome.players, strict=True)
        ]
        self._settled(game, played(seats))

    def _settled(self, game: ScheduledGame, result: Played | None) -> None:
        self._left.pop(game.schedule_index, None)
        self.standings.settle(game.schedule_index, result)
        self.supply.settle(game.schedule_index, result)

    async def _put_back(self, game: ScheduledGame, result: Paused | Suspended) -> bool:
        """Whether the game is played again after the others, because the model that refused its
        call has answered none so far, and may have refused this one alone. Stops the run when it
        refuses them all."""
        if not isinstance(result.reason, ModelUnproven):
            return False
        reason = result.reason
        if self.refused.refuses_all(self.models.limits.gate(reason.model)):
            self.stop.request(f"{reason}\n{self.refused.said(reason.model)}")
            return False
        try:
            await self.stop.unless(asyncio.sleep(self.refused.wait(reason.model)))
        except Pause:
            return False
        self._again[game.game_id] = reason
        back = replace(game, begun=True, revision=game.revision or self.prepared.spec.revision)
        self._pending.again(back, first=self.attempts.memories.in_order)
        return True

    async def _pause(self, game: ScheduledGame, result: Paused | Suspended) -> None:
        if isinstance(result, Paused):
            self._count_pause(result)
        elif not await self.people.suspended(game, self.prepared.spec.revision):
            self._otherwise_suspended += 1
        held = isinstance(result, Suspended) and self.attempts.memories.in_order
        if held and not await self.people.one_goes_on():
            self.stop.request(self.attempts.memories.waits(game.game_id))

    @property
    def suspended(self) -> int:
        """How many games wait for an answer from outside."""
        return self._otherwise_suspended + self.people.waiting

    def _count_pause(self, result: Paused) -> None:
        self.paused += 1
        match result.reason:
            case BudgetReached() | ModelParked() as reason:
                self.halts.met(reason)
                if reason.model is not None:
                    self._pending.drop(reason.model)
            case ModelUnproven() as reason if self.stop.going():
                self.halts.met(reason)
            case ModelRefused() as reason:
                self.stop.request(str(reason))
            case _:
                pass

    def _count(self, void: Voided) -> None:
        self.causes[void.cause.value] += 1
        self.first_error = self.first_error or void.said

    def _now(self) -> RunNow:
        progress = self._progress(time.monotonic() - self.started)
        return RunNow(progress, len(self.finished), self.causes, self.halts.parked, self.stopped())

    def _progress(self, elapsed: float) -> Progress:
        return Progress(
            games_done=self.earlier.completed + len(self.finished),
            games_total=self.config.games,
            games_running=self.running,
            games_void=self.earlier.void + self.void,
            turns=self.meter.turns,
            calls=self.meter.calls,
            calls_in_flight=self.meter.calls_in_flight,
            cost=self.meter.cost,
            waiting=self.standings.waiting,
            standings=self.standings.shown() if self.running else self.standings.table(),
            elapsed=elapsed,
            spent=self.earlier.spent_in_all + self.meter.cost,
            budget=self.models.cap,
            paused=self.paused,
            suspended=self.suspended,
            models=model_states(self.models.limits, self.halts.parked),
            evidence=self.supply.evidence,
            times=self.times(),
            at_once=self.saturation.limit,
            news=self.news(),
        )

    def stopped(self) -> list[str]:
        """Why games are left that are not begun."""
        return [*([self.stop.reason] if self.stop.reason else []), *self.halts.reasons()]

    def price(self, games: int) -> GamePrice | None:
        """What those that are left, so many, cost under a cap."""
        if self.models.budget is None or not self.models.budget.capped:
            return None
        left = [(g.game_id, self._seating(g)) for g in sorted(self._left.values(), key=self._due)]
        more = games - len(left)
        return self.affordable.price(left, more=more, model=self.halts.short_model)

    def times(self) -> CallTimes:
        return CallTimes(latency_of(self.meter.call_ms), latency_of(self.meter.lag_ms))

    def games_left(self) -> int:
        settled = self.earlier.completed + self.earlier.void + len(self.finished) + self.void
        return self.supply.most() - settled

    def news(self) -> tuple[str, ...]:
        """What is said so far; what was said before stays in its place."""
        theirs = self.executor.news if isinstance(self.executor, TellsNews) else ()
        for said in (*self.models.client.news, *theirs, *self.attempts.memories.news):
            if said not in self._said:
                self._said.append(said)
                run_log.said_news(said)
        return tuple(self._said)

    def tell(self, said: str) -> None:
        """Say something that is logged already."""
        self._said.append(said)

    def complete(self) -> bool:
        """Whether no game is to be added to the schedule any more."""
        return self.supply.complete()
