"""Plays one attempt at a game of a tournament, from its beginning or from its record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from arena.core import AgentSpec, VoidCause, WorkerLost
from arena.core.execution import Slot
from arena.core.log_scope import about
from arena.core.threads import in_thread
from arena.game.loop import GameResult, Voided
from arena.game.seating import Sitter
from arena.game.task import GameTask, lost_again
from arena.llm.clearance import GameAccount
from arena.llm.overflow import OverflowPolicy
from arena.orchestrator import schedule
from arena.orchestrator.catalogue import EnteredTournament
from arena.orchestrator.clients import ModelAccess
from arena.orchestrator.memories import Memories
from arena.orchestrator.people import SeatedPeople
from arena.orchestrator.preflight import Prepared
from arena.orchestrator.stopping import Stop
from arena.record.listening import Listeners
from arena.record.reading import recorded
from arena.record.writing import GameRecorder
from db import Database
from db.errors import Damaged
from db.queries.schedule import ScheduledGame


class Attempts:
    """What the attempts at the games of a run share. `worth_lending` says whether another game
    could be played in the slot of one that waits; `memories` are what agents bring to their games;
    `listeners` hear of the games; `resumed` counts those that earlier runs had begun."""

    def __init__(
        self,
        prepared: Prepared,
        entry: EnteredTournament,
        database: Database,
        models: ModelAccess,
        stop: Stop,
        worth_lending: Callable[[], bool],
        people: SeatedPeople,
        listeners: Listeners,
    ) -> None:
        self._prepared = prepared
        self._entry = entry
        self._database = database
        self._models = models
        self._stop = stop
        self._worth_lending = worth_lending
        self._people = people
        self._listeners = listeners
        self.memories = Memories(entry, database)
        self._played: set[int] = set()
        self.resumed = 0

    async def play(
        self, journal: GameRecorder, game: ScheduledGame, slot: Slot, account: GameAccount
    ) -> GameResult:
        """What came of it. A game whose process ends resumes from its record, in another."""
        key = game.game_id
        result: GameResult | None = None
        environment, seats = self._prepared.config.environment.name, self._seats(game)
        with about(game_id=key):
            self._listeners.tell(lambda each: each.game_begins(key, environment, seats))
            try:
                result = await self._play(journal, game, slot, account)
            finally:
                self._listeners.tell(lambda each: each.game_ends(key, result))
            return result

    def _seats(self, game: ScheduledGame) -> list[AgentSpec]:
        referee = [] if self._entry.referee is None else [self._entry.referee]
        return [*(self._entry.agents[agent] for agent in game.agents), *referee]

    async def _play(
        self, journal: GameRecorder, game: ScheduledGame, slot: Slot, account: GameAccount
    ) -> GameResult:
        begun = game.begun
        self.resumed += begun and game.game_id not in self._played
        self._played.add(game.game_id)
        if begun:
            journal.resumed()
        else:
            await journal.started(self._prepared.spec.revision)
        memories = await self.memories.given(game)
        while True:
            task = replace(self._task(game), memories=memories)
            if begun:
                try:
                    turns = await in_thread(schedule.recorded, self._database, game.game_id)
                except Damaged as error:
                    # Its rows stay, and it is played again.
                    return Voided(VoidCause.DIVERGENCE, str(error), 0)
                given = await in_thread(
                    self._database.reconnecting, lambda session: self._people.given(session, game)
                )
                task = replace(
                    task, recorded=recorded(turns), revision=self._revision(game), given=given
                )
            try:
                return await self._models.play(
                    task, journal, slot, self._stop, self._worth_lending, account
                )
            except WorkerLost as lost:
                begun = True
                if not await journal.lost(self._database, lost):
                    return lost_again(task)

    def _revision(self, game: ScheduledGame) -> int:
        return (game.revision or 1) if game.begun else self._prepared.spec.revision

    def _task(self, game: ScheduledGame) -> GameTask:
        environment, spec = self._prepared.config.environment, self._prepared.spec
        return GameTask(
            environment=environment.name,
            options=self._prepared.options,
            rules=(spec.package, spec.version),
            seed=game.seed,
            players=tuple((Sitter(0, self._entry.agents[agent]),) for agent in game.agents),
            referee=() if self._entry.referee is None else (Sitter(0, self._entry.referee),),
            turn_limit=environment.turn_limit,
            time_limit=environment.time_limit,
            overflow=OverflowPolicy(environment.overflow),
        )
