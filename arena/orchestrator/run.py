"""Runs a tournament: schedule, play, record, rate, and say how it goes."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from arena import prompts, registry
from arena.config import TournamentConfig
from arena.core import LLM, AgentKind, AgentSpec, CallLog, ModelSpec, VoidCause
from arena.game import Finished, Seat, Voided, play
from arena.llm.client import LiteLLMClient, TurnLLM
from arena.orchestrator import schedule
from arena.orchestrator.catalogue import Entry, enter
from arena.orchestrator.preflight import Prepared, check_keys, prepare
from arena.orchestrator.progress import Plan, Progress, Summary
from arena.orchestrator.schedule import Scheduled
from arena.orchestrator.standings import LiveStandings
from arena.recording import GameRecorder, Meter
from db import Recorder, Repository, get_session
from db.fold import Rate, numbered

OnProgress = Callable[[Progress], None]

PROGRESS_SECONDS = 0.25


async def run(
    config: TournamentConfig,
    *,
    url: str | Path | None = None,
    games: int | None = None,
    concurrency: int | None = None,
    on_progress: OnProgress | None = None,
) -> Summary:
    """Play what is left of a tournament, at most `games` of it, `concurrency` at once.

    Everything is checked before the first row is written. A tournament of the same name and
    configuration is gone on with; games that an earlier run left unfinished are played anew.
    Cancelling this call leaves the database as a killed process would: nothing is lost that was
    committed.

    Raises ConfigError or UsageError for what cannot be played, RecordError when the database
    cannot be written, DatabaseError when it cannot be opened.
    """
    prepared = prepare(config)
    check_keys(config)
    with get_session(url) as session:
        entry = enter(session, prepared)
        schedule.void_interrupted(session, entry.tournament_id)
        left = schedule.left(session, entry.tournament_id)
        pool, frontier = schedule.rated(session, entry.tournament_id)
        done = schedule.counts(session, entry.tournament_id)
        if left:
            Repository(session).set_tournament_status(entry.tournament_id, "running")
    if games is not None:
        left = left[:games]
    rate = rate_function(prepared)
    names = {agent_id: spec.name for agent_id, spec in entry.agents.items()}
    standings = LiveStandings(rate, names, pool, frontier)
    for index, seats in done.waiting:
        standings.settle(index, seats)
    tournament = _Run(prepared, entry, url, standings, done, on_progress)
    return await tournament.play(left, rate, concurrency or config.concurrency)


def plan(config: TournamentConfig, *, url: str | Path | None = None) -> Plan:
    """What `run` would play. Checks everything that `run` checks before it writes; writes
    nothing and makes no database."""
    prepared = prepare(config)
    names = [agent.name for agent in config.agents]
    seats = Counter(
        names[agent - 1]
        for pairing in prepared.schedule(range(1, len(names) + 1))
        for agent in pairing.agents
    )
    return Plan(
        tournament=config.name,
        environment=config.environment.name,
        players=config.environment.players,
        games=config.games,
        games_done=schedule.games_done(url, config),
        concurrency=config.concurrency,
        matchmaker=config.matchmaker.name,
        agents=tuple(names),
        seats_per_agent={name: seats[name] for name in names},
        models={model.name: model.litellm_model for model in config.models},
    )


def rate_function(prepared: Prepared) -> Rate:
    """The tournament's rating system as the recorder calls it."""
    return registry.rating(prepared.config.rating).rate


class _Run:
    """One run of one tournament: what its games share."""

    def __init__(
        self,
        prepared: Prepared,
        entry: Entry,
        url: str | Path | None,
        standings: LiveStandings,
        done: schedule.Counts,
        on_progress: OnProgress | None,
    ) -> None:
        self.prepared = prepared
        self.config = prepared.config
        self.entry = entry
        self.url = url
        self.standings = standings
        self.done = done
        self.on_progress = on_progress
        self.meter = Meter()
        self.completed = 0
        self.void = 0
        self.running = 0
        self.causes: Counter[str] = Counter()
        self.first_error: str | None = None
        self.started = time.monotonic()
        self.client = LiteLLMClient(
            scripted=registry.policies(),
            timeout=self.config.llm.timeout,
            retries=self.config.llm.retries,
        )

    async def play(self, left: Sequence[Scheduled], rate: Rate, concurrency: int) -> Summary:
        executor = registry.load("executors", "local")(concurrency=concurrency)
        if left:
            self.client.load()
        self.started = time.monotonic()
        try:
            async with Recorder(self.url, rate) as recorder:
                reporter = asyncio.create_task(self._report())
                try:
                    await executor.run(left, lambda game: self._game(recorder, game))
                finally:
                    reporter.cancel()
                self._show()
        finally:
            await self.client.aclose()
        schedule.close(self.url, self.entry.tournament_id)
        return self._summary(len(left))

    async def _game(self, recorder: Recorder, game: Scheduled) -> None:
        """Play one place of the schedule, again after a fault, up to the configured attempts."""
        self.running += 1
        try:
            for tries in itertools.count(1):
                log = GameRecorder(recorder, game.game_id, self.meter)
                await log.started()
                result = await play(
                    self.prepared.environment(),
                    [self._seat(index, agent) for index, agent in enumerate(game.agents)],
                    seed=game.seed,
                    llm=self._handle,
                    log=log,
                    turn_limit=self.config.environment.turn_limit,
                )
                if isinstance(result, Finished):
                    await log.finished(result.outcome, result.turns)
                    self._settle(game, result)
                    return
                self._count(result)
                final = tries >= self.config.attempts
                await log.voided(result, final=final)
                if final:
                    self.void += 1
                    self.standings.settle(game.schedule_index, ())
                    return
                game = await asyncio.to_thread(schedule.again, self.url, game)
        finally:
            self.running -= 1

    def _seat(self, player_index: int, agent_id: int) -> Seat:
        spec, environment = self.entry.agents[agent_id], self.config.environment
        return seat(
            spec,
            self.prepared.kinds[spec.kind],
            player_index,
            environment=environment.name,
            num_players=environment.players,
        )

    def _handle(self, model: ModelSpec, log: CallLog, seed: int) -> LLM:
        return TurnLLM(self.client, model, log, seed)

    def _settle(self, game: Scheduled, result: Finished) -> None:
        self.completed += 1
        players = result.outcome.players
        teams = numbered([player.team for player in players])
        self.standings.settle(
            game.schedule_index,
            [
                (agent, team, player.rank)
                for agent, team, player in zip(game.agents, teams, players, strict=True)
            ],
        )

    def _count(self, void: Voided) -> None:
        self.causes[void.cause.value] += 1
        if self.first_error is None:
            lines = void.error.strip().splitlines() or [void.cause.value]
            self.first_error = lines[0] if void.cause is VoidCause.PROVIDER else lines[-1]

    async def _report(self) -> None:
        while self.on_progress is not None:
            self._show()
            await asyncio.sleep(PROGRESS_SECONDS)

    def _show(self) -> None:
        if self.on_progress is None:
            return
        self.on_progress(
            Progress(
                games_done=self.done.completed + self.completed,
                games_total=self.config.games,
                games_running=self.running,
                games_void=self.done.void + self.void,
                turns=self.meter.turns,
                calls=self.meter.calls,
                calls_in_flight=self.meter.calls_in_flight,
                cost=self.meter.cost,
                waiting=self.standings.waiting,
                standings=self.standings.table(),
                elapsed=time.monotonic() - self.started,
            )
        )

    def _summary(self, planned: int) -> Summary:
        settled = self.done.completed + self.done.void + self.completed + self.void
        return Summary(
            tournament=self.config.name,
            games_completed=self.completed,
            games_void=self.void,
            games_left=self.config.games - settled,
            void_causes=dict(self.causes),
            turns=self.meter.turns,
            calls=self.meter.calls,
            failed_calls=self.meter.failed_calls,
            tokens=self.meter.tokens,
            cost=self.meter.cost,
            elapsed=time.monotonic() - self.started,
            standings=self.standings.table(),
            first_error=self.first_error,
        )


def seat(
    spec: AgentSpec, kind: AgentKind, player_index: int, *, environment: str, num_players: int
) -> Seat:
    """A fresh agent at its place. Raises UsageError for a prompt that cannot be filled in."""
    variables = {
        "player_index": player_index,
        "num_players": num_players,
        "environment": environment,
        "agent": spec.name,
    }
    prompt = prompts.render(spec.prompt, variables)
    return Seat(kind(prompt=prompt, options=spec.options), spec.model)
