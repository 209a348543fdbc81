"""Records games: the journal that a game is played into, and the database's recorder."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial

from arena.core import RecordError, WorkerLost
from arena.core.execution import always
from arena.core.threads import in_thread
from arena.game.journal import (
    Answered,
    Intended,
    JournalEntry,
    Opened,
    RecordedElsewhere,
    Refused,
    ToolUsed,
    TurnTaken,
)
from arena.game.loop import Finished, PlayerConduct, Voided
from arena.record.chunk_book import RecordedChunks
from arena.record.entry_log import log_entry
from arena.record.events import events_told
from arena.record.listening import Listeners, RunListener
from db import Database, Repository, Session, latencies
from db.delegates import Delegation
from db.errors import DatabaseError
from db.latencies import Buckets
from db.leases import TOURNAMENT
from db.recorder import Recorder
from db.writer.calls import CallAnswered, CallIntended
from db.writer.game_states import GamePaused, GameResumed
from db.writer.games import GameFinished, GameStarted, GameVoided, PlayerFinished
from db.writer.subject import Record
from db.writer.tools import ToolCalled
from db.writer.turns import TurnActed, TurnOpened, TurnRefused

# Workers that may end in a row before a call or a turn of a game of theirs does.
_MOST_LOST = 5


@dataclass(slots=True)
class Meter:
    """What a run has done so far: counted as it happens, shown while it runs. `orphans` are the
    dollars charged for each call that was in flight when its worker was ended. `call_ms` and
    `lag_ms` are the times of answered calls at their providers, and for how long they waited for
    the process that made them, in the buckets of `db.latencies`; `seconds` and `lag` the sums of
    both, over the `answered` ones."""

    turns: int = 0
    calls: int = 0
    calls_in_flight: int = 0
    failed_calls: int = 0
    cached_calls: int = 0
    tokens: int = 0
    cost: float = 0.0
    lapses: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    orphans: list[float] = field(default_factory=list)
    call_ms: Buckets = field(default_factory=dict)
    lag_ms: Buckets = field(default_factory=dict)
    answered: int = 0
    seconds: float = 0.0
    lag: float = 0.0

    def count(self, entry: JournalEntry) -> None:
        """Take what is on record of a game now."""
        match entry:
            case Intended():
                self.calls += 1
                self.calls_in_flight += 1
            case Answered(answer=answer):
                self.calls_in_flight -= 1
                self.cost += answer.charged or 0.0
                self.tokens += answer.usage.total or 0
                self.cached_calls += answer.cached
                if answer.error_class is not None:
                    self.failed_calls += 1
                    self.errors[answer.error_class] += 1
                elif answer.lag_ms is not None:
                    latencies.count(self.call_ms, answer.total_ms)
                    latencies.count(self.lag_ms, answer.lag_ms)
                    self.answered += 1
                    self.seconds += answer.total_ms / 1e3
                    self.lag += answer.lag_ms / 1e3
            case TurnTaken(acted=acted):
                self.turns += 1
                if acted.lapse is not None:
                    self.lapses[acted.lapse.value] += 1
            case _:
                pass

    def orphaned(self, dollars: Sequence[float], in_flight: int) -> None:
        """Take the calls of a game that nobody waits for any more, where so many were counted as
        in flight: a process that records its games itself may have ended before it told."""
        self.orphans += dollars
        self.calls += max(0, len(dollars) - in_flight)
        self.calls_in_flight -= in_flight
        self.cost += sum(dollars)


class GameRecorder:
    """The journal of one game (`arena.game.journal.Journal`), and its beginning and end.

    `wanted` says whether the run still wants the game to go on; `agents` are its agents by
    player_index, for its log; `listeners` hear of what is on record. With `machine`, errors say
    that it is the one of this name that cannot write.
    """

    def __init__(
        self,
        recorder: Recorder,
        game_id: int,
        meter: Meter,
        wanted: Callable[[], bool] = always,
        agents: Sequence[int] = (),
        listeners: Listeners | None = None,
        machine: str | None = None,
    ) -> None:
        self.recorder = recorder
        self.game_id = game_id
        self.meter = meter
        self.wanted = wanted
        self._agents = agents
        self._listeners = listeners
        self._machine = machine
        self._in_flight = 0
        self._lost = 0

    @property
    def elsewhere(self) -> RecordedElsewhere | None:
        """How the process that plays the game can record it itself, where it can."""
        delegation = self.recorder.delegation
        return (
            None if delegation is None else RecordedElsewhere(Delegated(delegation), self.game_id)
        )

    @property
    def chunk_book(self) -> RecordedChunks | None:
        """Where the chunks of workers that record a tournament's games are kept."""
        lease = self.recorder.delegation
        if lease is None or lease.table != TOURNAMENT.table:
            return None
        return RecordedChunks(self.recorder, lease)

    async def append(self, *entries: JournalEntry) -> None:
        """Commit these entries together. Raises RecordError."""
        await self._write(*(self._record(entry) for entry in entries))
        self.count(*entries)

    def count(self, *entries: JournalEntry) -> None:
        """Take what is on record."""
        for entry in entries:
            self.meter.count(entry)
            log_entry(self.game_id, self._agents, entry)
            if self._listeners:
                self._listeners.tell(partial(_entered, self.game_id, entry))
            if isinstance(entry, Intended):
                self._in_flight += 1
            elif isinstance(entry, Answered | TurnTaken):
                self._in_flight -= isinstance(entry, Answered)
                self._lost = 0

    def _record(self, entry: JournalEntry) -> Record:
        key = (self.game_id, entry.turn_number, entry.player_index)
        match entry:
            case Intended(intent=intent):
                return CallIntended(
                    *key,
                    call_index=intent.call_index,
                    call_number=intent.call_number,
                    attempt=intent.attempt,
                    model=intent.model,
                    messages=intent.messages,
                    request=intent.request,
                    request_hash=intent.request_hash,
                    reserved=intent.reserved,
                    at=datetime.now(UTC),
                )
            case Answered(answer=answer):
                return CallAnswered(*key, answer)
            case ToolUsed(use=use):
                return ToolCalled(*key, use)
            case TurnTaken(acted=acted):
                action, submitted, lapse = acted.action.text, acted.submitted, acted.lapse
                return TurnActed(
                    *key,
                    action=action,
                    submitted=None if submitted == action else submitted,
                    acted_at=entry.acted_at,
                    response_time_ms=entry.response_time_ms,
                    tokens_used=entry.tokens,
                    lapse=None if lapse is None else lapse.value,
                    target=acted.target,
                    target_how=None if acted.how is None else acted.how.value,
                    reading=acted.action.reading,
                )
            case Opened():
                return TurnOpened(
                    *key, observation=entry.observation, observed_at=entry.observed_at
                )
            case Refused():
                return TurnRefused(*key)

    async def lost(self, database: Database, how: WorkerLost) -> bool:
        """The worker that played the game has ended: charge the calls that were in flight. Whether
        the game is to be played on: not where that has happened again and again before anything
        else of it did, as it may be what ends them."""
        delegation = self.recorder.delegation

        def settle(session: Session) -> list[float]:
            if delegation is not None:
                delegation.end(session, how.worker)
            settled = Repository(session).settle_orphans([self.game_id])
            return [dollars for _, dollars in settled]

        orphans = await in_thread(database.reconnecting, settle)
        how.settle(sum(orphans))
        self.meter.orphaned(orphans, self._in_flight)
        self._in_flight = 0
        self._lost += 1
        return self._lost < _MOST_LOST

    async def _write(self, *records: Record) -> None:
        try:
            await self.recorder.append(*records)
        except DatabaseError as error:
            raise _not_written(error, self._machine) from error

    async def started(self, revision: int) -> None:
        """Commit that the game is being played, with its rules put to the players in this
        revision."""
        await self._write(GameStarted(self.game_id, datetime.now(UTC), revision))

    def resumed(self) -> None:
        """Say that the game goes on from its record; nothing waits until that is on record."""
        self._post(GameResumed(self.game_id, datetime.now(UTC), "played on from its record"))

    def paused(self, reason: object) -> None:
        """Say that the game stops where it is, and why: None where its run is stopping."""
        said = "its run stopped" if reason is None else str(reason)
        self._post(GamePaused(self.game_id, datetime.now(UTC), said))

    def _post(self, record: Record) -> None:
        # A database that takes no rows says so to the games.
        with suppress(DatabaseError):
            self.recorder.post(record)

    async def finished(self, result: Finished) -> None:
        """Commit the result together with what happened and the ratings it moves."""
        outcome = result.outcome
        conduct = result.conduct or tuple(PlayerConduct() for _ in outcome.players)
        players = tuple(
            PlayerFinished(
                player_index=player.player_index,
                role=player.role,
                team=player.team,
                rank=player.rank,
                reward=player.reward,
                invalid_actions=player.invalid_actions,
                decided=player.player_index == result.decided_by,
                **asdict(did),
            )
            for player, did in zip(outcome.players, conduct, strict=True)
        )
        told = None if result.events is None else events_told(self.game_id, result.events)
        await self._write(
            *(() if told is None else (told,)),
            GameFinished(
                game_id=self.game_id,
                finished_at=datetime.now(UTC),
                winning_team=outcome.winning_team,
                termination=outcome.termination.value,
                reason=outcome.reason,
                turn_count=result.turns,
                players=players,
                positions=None if told is None or told.error is not None else told.positions,
            ),
        )

    async def voided(self, void: Voided, *, final: bool) -> None:
        """Commit that the game has no result; `final` says that it will not be tried again."""
        await self._write(
            GameVoided(
                game_id=self.game_id,
                finished_at=datetime.now(UTC),
                cause=void.cause.value,
                error=void.error,
                environment_crashed=void.cause.value == "environment",
                final=final,
                turn_count=void.turns,
            )
        )


def _entered(game_id: int, entry: JournalEntry, listener: RunListener) -> None:
    listener.entered(game_id, entry)


def _not_written(error: DatabaseError, machine: str | None) -> RecordError:
    return RecordError(str(error) if machine is None else f"on the machine {machine}: {error}")


@dataclass(frozen=True, slots=True)
class Delegated:
    """What a process needs to record games of another's run (`arena.game.journal.Recording`)."""

    delegation: Delegation

    @asynccontextmanager
    async def opened(self, worker: str) -> AsyncIterator[Callable[[int], GameRecorder]]:
        """Makes journals of games by their ids, with a recorder of this process. Raises RecordError
        where the database cannot be written."""
        meter = Meter()
        own = self.delegation.of(worker)
        machine = socket.gethostname()
        try:
            recorder = await Recorder(own.session_url, lease=own).__aenter__()
        except DatabaseError as error:
            raise _not_written(error, machine) from error
        try:
            yield lambda game_id: GameRecorder(recorder, game_id, meter, machine=machine)
        finally:
            await recorder.close()
