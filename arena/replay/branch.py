"""Plays a recorded game on from one of its turns with another agent at a player's place.

Up to that turn everything comes from the record and no model is called; from there on the branch
is live. Branches are games of their own: they know their parent, belong to no tournament and move
no rating. They cannot be resumed: one that is stopped is void.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from arena import registry
from arena.core import BudgetReached, DivergenceError, ModelRefused, VoidCause
from arena.core.execution import Slot
from arena.core.threads import in_thread
from arena.game.loop import Finished, GameResult, Paused, Suspended, Voided
from arena.orchestrator.affordable import Affordable
from arena.orchestrator.stopping import Stop
from arena.record.answer_cache import DatabaseCache
from arena.record.writing import GameRecorder, Meter
from arena.replay.origin import (
    Branch,
    Origin,
    clear,
    enter,
    read_origin,
    score,
)
from arena.stats.proportions import Interval, newcombe, share, wilson
from db import Database, Recorder
from db.database import Source, opened

CONCURRENCY = 10
EXECUTOR = "local"


@dataclass(frozen=True, slots=True)
class BranchProgress:
    """Branches and controls so far: `done` with a result, `void` without one, of `total`; turns,
    calls and dollars of all of them."""

    done: int
    void: int
    total: int
    turns: int
    calls: int
    cost: float


@dataclass(frozen=True, slots=True)
class BranchReport:
    """What came of the branches of a game from a turn on; None stands where nothing was played.

    `branches` and `controls` are the games with a result. Shares are those won by the team of
    `player`, the first whose place was given away; a draw is half. `effect` is the share of the
    branches less that of the controls. Intervals are at 95 %. `recorded_share` is that of the game
    itself; `void` branches and controls have no result, `error` says why the first; `cost` is in
    dollars.
    """

    game_id: int
    turn: int
    seats: Mapping[int, str]
    player: int
    team: str | None
    described: str
    branches: tuple[int, ...]
    controls: tuple[int, ...]
    share: float | None
    share_interval: Interval | None
    control_share: float | None
    control_interval: Interval | None
    effect: float | None
    effect_interval: Interval | None
    recorded_share: float | None
    void: int
    cost: float
    error: str | None = None


async def branch(
    game_id: int,
    turn: int,
    seats: Mapping[int, str],
    *,
    times: int = 1,
    control: bool = True,
    url: Source = None,
    concurrency: int | None = None,
    cache: float | None = None,
    budget: float | None = None,
    uncapped: bool = True,
    on_progress: Callable[[BranchProgress], None] | None = None,
    stop: Stop | None = None,
) -> BranchReport:
    """Play a completed game on `times` times from `turn`, with the agents of `seats` (player_index
    to name) at their places, `concurrency` at once; with `control` as often without them.

    A new agent has seen nothing before; agents that stay keep the memory that the record gives
    them. Every branch asks its models with other seeds. Branches of the same game and turn that
    another process left unfinished are made void, so let only one process branch a turn at a time.
    `cache` gives answers on record to equal requests, at most that many seconds old; branches that
    ask the same are then answered the same. `budget` is the most dollars that all of them may cost;
    without it they spend what is left of the budget of the game's tournament, and without that,
    unless `uncapped`, models that cost money are refused. `stop` ends it early: what runs ends its
    turn and is void.

    Raises UsageError for what cannot be branched, DivergenceError when the game cannot be played
    again up to the turn, RecordError when the database cannot be written.
    """
    with opened(url) as database:
        answers = None if cache is None else DatabaseCache(database, cache)

        def make_ready() -> tuple[Origin, list[Branch]]:
            with database.session(create=False) as session:
                found = read_origin(
                    session,
                    game_id,
                    turn,
                    seats,
                    control=control,
                    answers=answers,
                    budget=budget,
                    uncapped=uncapped,
                )
                entered = enter(session, found, times, control=control)
            found.models.client.load(
                sitter.agent.model
                for task in found.tasks.values()
                for sitters in task.players
                for sitter in sitters
            )
            return found, entered

        # In a thread, as in `arena.orchestrator.run`.
        origin, branches = await in_thread(make_ready)
        playing = _Playing(origin, stop or Stop(), on_progress, total=len(branches))
        try:
            async with database.recorder() as recorder:
                await registry.executor(EXECUTOR, concurrency or CONCURRENCY).run(
                    playing.work(branches), lambda own, slot: playing.one(recorder, own, slot)
                )
        finally:
            await origin.models.client.aclose()
            await in_thread(_clear, database, branches)
    return playing.report()


def _clear(database: Database, branches: Sequence[Branch]) -> None:
    with database.session(create=False) as session:
        clear(session, [own.game_id for own in branches])


def _never() -> bool:
    """All branches ask the same models: none could be played while another waits."""
    return False


class _Playing:
    """One command's branches while they are played."""

    def __init__(
        self,
        origin: Origin,
        stop: Stop,
        on_progress: Callable[[BranchProgress], None] | None,
        total: int,
    ) -> None:
        self.origin = origin
        self.stop = stop
        self.on_progress = on_progress
        self.total = total
        self.meter = Meter()
        self.scores: dict[bool, dict[int, float]] = {False: {}, True: {}}
        self.void = 0
        self.error: str | None = None
        self.unpaid = False
        self.affordable = Affordable(origin.models.budget)

    async def work(self, branches: Sequence[Branch]) -> AsyncIterator[Branch]:
        """The branches in order, as far as the budget pays them, until a stop is requested."""
        for own in branches:
            while not self.affordable.fits(own.game_id):
                if not await self.affordable.wait():
                    self.unpaid, self.error = True, self.error or self.affordable.short()
                    break
            if not self.stop.going() or self.unpaid:
                return
            self.affordable.begin(own.game_id)
            yield own

    async def one(self, recorder: Recorder, own: Branch, slot: Slot) -> None:
        """Play one branch to its end."""
        finished = False
        try:
            finished = isinstance(await self._played(recorder, own, slot), Finished)
        finally:
            self.affordable.end(own.game_id, finished=finished)

    async def _played(self, recorder: Recorder, own: Branch, slot: Slot) -> GameResult:
        origin = self.origin
        writer = GameRecorder(recorder, own.game_id, self.meter, self.stop.going)
        await writer.started(origin.lineage.revision)
        account = self.affordable.account(own.game_id)
        result = await origin.models.play(
            origin.task(own), writer, slot, self.stop, _never, account
        )
        await self._settle(own, writer, result)
        if isinstance(result, Voided) and result.cause is VoidCause.DIVERGENCE:
            raise DivergenceError(
                f"game {origin.game_id} cannot be played again up to turn {origin.turn}: "
                f"{result.error}"
            )
        if self.on_progress is not None:
            self.on_progress(self._progress())
        return result

    async def _settle(self, own: Branch, writer: GameRecorder, result: GameResult) -> None:
        if isinstance(result, Finished):
            await writer.finished(result)
            players = result.outcome.players
            won = score({p.player_index: (p.team, p.rank) for p in players}, self.origin.player)
            self.scores[own.control][own.game_id] = won
            return
        void = result if isinstance(result, Voided) else self._stopped(result)
        self.void += 1
        if void.cause is not VoidCause.INTERRUPTED:
            said = void.error.strip().splitlines()
            self.error = self.error or said[0 if void.cause is VoidCause.PROVIDER else -1]
        await writer.voided(void, final=True)

    def _stopped(self, paused: Paused | Suspended) -> Voided:
        if isinstance(paused, Suspended):
            return Voided(VoidCause.AGENT, f"a branch cannot wait: {paused.reason}", paused.turns)
        if paused.reason is None or self.stop.requested:
            return Voided(VoidCause.INTERRUPTED, "stopped while it was played", paused.turns)
        # No other branch is begun; those that are being played may still fit.
        self.unpaid |= isinstance(paused.reason, BudgetReached)
        if isinstance(paused.reason, ModelRefused):
            self.stop.request(str(paused.reason))
        return Voided(VoidCause.PROVIDER, str(paused.reason), paused.turns)

    def _progress(self) -> BranchProgress:
        meter = self.meter
        done = len(self.scores[False]) + len(self.scores[True])
        return BranchProgress(done, self.void, self.total, meter.turns, meter.calls, meter.cost)

    def report(self) -> BranchReport:
        """What has come of them."""
        origin = self.origin
        branches, controls = self.scores[False], self.scores[True]
        won, other = share([*branches.values()]), share([*controls.values()])
        both = won is not None and other is not None
        return BranchReport(
            game_id=origin.game_id,
            turn=origin.turn,
            seats=origin.seats,
            player=origin.player,
            team=origin.team,
            described=f"player {origin.player}"
            if origin.team is None
            else f"{origin.team}, the team of player {origin.player},",
            branches=tuple(sorted(branches)),
            controls=tuple(sorted(controls)),
            share=won,
            share_interval=None if won is None else wilson(won, len(branches)),
            control_share=other,
            control_interval=None if other is None else wilson(other, len(controls)),
            effect=won - other if won is not None and other is not None else None,
            effect_interval=newcombe(won or 0.0, len(branches), other or 0.0, len(controls))
            if both
            else None,
            recorded_share=origin.recorded,
            void=self.void,
            cost=self.meter.cost,
            error=self.error,
        )
