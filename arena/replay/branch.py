"""Plays a recorded game on from one of its turns with another agent at a player's place.

Up to that turn everything comes from the record and no model is called; from there on the branch
is live. Branches are games of their own: they know their parent, belong to no tournament and move
no rating. What is stopped, or killed, resumes when the same is asked for again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace

from arena import registry
from arena.core import (
    BudgetReached,
    DivergenceError,
    ModelParked,
    ModelRefused,
    ModelUnproven,
    VoidCause,
    WorkerLost,
)
from arena.core.execution import ChecksDatabase, Executor, Slot, TellsNews
from arena.core.threads import in_thread
from arena.game.loop import Finished, GameResult, Paused, Suspended, Voided
from arena.game.task import lost_again
from arena.orchestrator.affordable import Affordable
from arena.orchestrator.clients import ModelAccess, limits_for
from arena.orchestrator.stopping import Stop
from arena.record.answer_cache import DatabaseCache
from arena.record.writing import GameRecorder, Meter
from arena.replay.effects import branch_effect, score
from arena.replay.entered import Branch, Entered, enter, forget, hold, resumed
from arena.replay.origin import Origin, read_origin
from arena.stats.proportions import Interval
from db import Database, Recorder
from db.database import Source, opened
from db.errors import Damaged
from db.leases import Lease

CONCURRENCY = 10
EXECUTOR = "auto"


@dataclass(frozen=True, slots=True)
class BranchProgress:
    """Branches and controls so far: `done` with a result, `void` without one, of `total`; turns,
    calls and dollars are of this time. `news` is what the executor had to say so far."""

    done: int
    void: int
    total: int
    turns: int
    calls: int
    cost: float
    news: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BranchReport:
    """What came of the branches of a game from a turn on; None stands where nothing was played.

    `branches` and `controls` are the games with a result. Shares are those won by the team of
    `player`, the first whose place was given away; a draw is half. `effect` is the share of the
    branches less that of the controls. Intervals are at 95 %. `recorded_share` is that of the game
    itself; `void` branches and controls have no result, `left` are to be resumed by the same
    request, `error` says why the first; `cost` is in dollars, `finished` are games, of this time.
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
    left: int = 0
    finished: tuple[int, ...] = ()


async def branch(
    game_id: int,
    turn: int,
    seats: Mapping[int, str],
    *,
    times: int = 1,
    control: bool = True,
    url: Source = None,
    concurrency: int | None = None,
    executor: str | None = None,
    executor_options: Mapping[str, object] | None = None,
    cache: float | None = None,
    budget: float | None = None,
    uncapped: bool = True,
    on_progress: Callable[[BranchProgress], None] | None = None,
    stop: Stop | None = None,
) -> BranchReport:
    """Play a completed game on `times` times from `turn`, with the agents of `seats` (player_index
    to name) at their places, `concurrency` at once, by an `executor` that is made with
    `executor_options`; with `control` as often without them.

    A new agent has seen nothing before; agents that stay keep the memory that the record gives
    them. Every branch asks its models with other seeds. What was asked for in the same words before
    and was stopped, paused or killed is resumed; whatever else runs on the database meanwhile, each
    call plays games of its own.
    `cache` gives answers on record to equal requests, at most that many seconds old; branches that
    ask the same are then answered the same. `budget` is the most dollars that all of them may cost,
    in all their runs. They also spend from the budget of the game's tournament; without either,
    unless `uncapped`, models that cost money are refused. `stop` ends it early: what runs ends its
    turn.

    Raises UsageError for what cannot be branched, DivergenceError when the game cannot be played
    again up to the turn, RecordError when the database cannot be written.
    """
    at_once = min(concurrency or CONCURRENCY, 2 * times)
    runs = registry.executor(executor or EXECUTOR, at_once, executor_options)
    with opened(url) as database:
        if isinstance(runs, ChecksDatabase):
            runs.check_database(database.url.get_backend_name())
        answers = None if cache is None else DatabaseCache(database, cache)

        def make_ready() -> Origin:
            with database.session(create=False) as session:
                found = read_origin(
                    session,
                    game_id,
                    turn,
                    seats,
                    control=control,
                    keep_answers=answers is not None,
                    budget=budget,
                    uncapped=uncapped,
                )
            found.client.load(
                sitter.agent.model
                for task in found.tasks.values()
                for sitters in task.seats
                for sitter in sitters
            )
            return found

        def held() -> Lease:
            return hold(database, origin, times, control=control)

        # In threads, as in `arena.orchestrator.run`.
        origin = await in_thread(make_ready)
        with await in_thread(held, undo=Lease.release) as lease:
            entered = await in_thread(enter, database, origin, lease)
            models = ModelAccess(
                origin.client, limits_for(origin.config, origin.client.lag), entered.budget, answers
            )
            playing = _Playing(origin, entered, database, models, stop or Stop(), on_progress, runs)
            try:
                async with database.recorder(lease=lease, delegates=answers is None) as recorder:
                    await runs.run(
                        playing.work(), lambda own, slot: playing.one(recorder, own, slot)
                    )
            except DivergenceError:
                await in_thread(forget, database, lease)
                raise
            finally:
                await origin.client.aclose()
    return playing.report()


def _never() -> bool:
    """All branches ask the same models: none could be played while another waits."""
    return False


class _Playing:
    """One command's branches while they are played."""

    def __init__(
        self,
        origin: Origin,
        entered: Entered,
        database: Database,
        models: ModelAccess,
        stop: Stop,
        on_progress: Callable[[BranchProgress], None] | None,
        executor: Executor,
    ) -> None:
        self.executor = executor
        self.origin = origin
        self.entered = entered
        self.database = database
        self.models = models
        self.stop = stop
        self.on_progress = on_progress
        self.total = entered.size
        self.meter = Meter()
        self.scores = {which: {**known} for which, known in entered.scores.items()}
        self.void = entered.void
        self.error: str | None = None
        self.over = False
        longest = origin.tasks[False].turn_limit - origin.turn
        self.affordable = Affordable(models.budget, entered.costs, longest=longest)
        self.seatings = {
            which: tuple(sitters[-1].agent.model.name for sitters in task.seats)
            for which, task in origin.tasks.items()
        }

    async def work(self) -> AsyncIterator[Branch]:
        """The branches that are left, as far as the budget pays them, until a stop is requested."""
        for own in self.entered.left:
            seating = self.seatings[own.control]
            while self._going() and (short := await self.affordable.short_of(own.game_id, seating)):
                if not await self.affordable.wait():
                    self._end(self.affordable.short(short, seating))
            if not self._going():
                return
            self.affordable.begin(own.game_id, seating)
            yield own

    def _going(self) -> bool:
        return self.stop.going() and not self.over

    def _end(self, reason: str) -> None:
        """No other branch is begun; those that are being played may still come to an end."""
        self.over, self.error = True, self.error or reason

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
        if own.begun:
            writer.resumed()
        else:
            await writer.started(origin.lineage.revision)
        copied = True
        result: GameResult | None = None
        while result is None:
            account = self.affordable.account(own.game_id)
            try:
                task = await in_thread(resumed, self.database, origin, own)
                copied = task.copied
                result = await self.models.play(task, writer, slot, self.stop, _never, account)
            except WorkerLost as lost:
                own = replace(own, begun=True)
                if not await writer.lost(self.database, lost):
                    result = lost_again(task)
            except Damaged as error:
                result = Voided(VoidCause.DIVERGENCE, str(error), 0)
        await self._settle(own, writer, result)
        if copied and isinstance(result, Voided) and result.cause is VoidCause.DIVERGENCE:
            raise DivergenceError(
                f"game {origin.game_id} cannot be played again up to turn {origin.turn}: "
                f"{result.error}"
            )
        if self.on_progress is not None:
            self.on_progress(self._progress())
        return result

    async def _settle(self, own: Branch, writer: GameRecorder, result: GameResult) -> None:
        match result:
            case Finished():
                await writer.finished(result)
                players = result.outcome.players
                won = score({p.player_index: (p.team, p.rank) for p in players}, self.origin.player)
                self.scores[own.control][own.game_id] = won
            case Voided():
                self.void += 1
                self.error = self.error or result.said
                await writer.voided(result, final=True)
            case Paused() | Suspended():
                writer.paused(result.reason)
                self._pause(result)

    def _pause(self, result: Paused | Suspended) -> None:
        match result.reason:
            case BudgetReached() | ModelParked() | ModelUnproven() as reason:
                self._end(str(reason))
            case ModelRefused() as reason:
                self.error = self.error or str(reason)
                self.stop.request(str(reason))
            case _:
                pass

    def _progress(self) -> BranchProgress:
        meter = self.meter
        done = len(self.scores[False]) + len(self.scores[True])
        news = tuple(self.executor.news) if isinstance(self.executor, TellsNews) else ()
        return BranchProgress(
            done, self.void, self.total, meter.turns, meter.calls, meter.cost, news
        )

    def report(self) -> BranchReport:
        """What has come of them."""
        origin = self.origin
        branches, controls = self.scores[False], self.scores[True]
        won = branch_effect(branches, controls)
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
            share=won.share,
            share_interval=won.share_interval,
            control_share=won.control_share,
            control_interval=won.control_interval,
            effect=won.effect,
            effect_interval=won.effect_interval,
            recorded_share=origin.recorded,
            void=self.void,
            cost=self.meter.cost,
            error=self.error,
            left=self.total - self.void - len(branches) - len(controls),
            finished=tuple(
                sorted({*branches, *controls}.difference(*self.entered.scores.values()))
            ),
        )
