"""Calls about games on record: by the same client as a game's, within a budget, each on record.

They belong to the game, and the turn, that they are about, and to no agent. What was answered
before is taken from the record: the same request is sent once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from arena.core import (
    ArenaError,
    CallAnswer,
    CallIntent,
    CallOptions,
    Completion,
    Message,
    ModelSpec,
    RecordError,
)
from arena.core.threads import in_thread
from arena.llm.clearance import Clearance, LocalClearance
from arena.llm.client import Client
from arena.llm.costs.budget import Budget
from arena.llm.pacing.limits import Limits
from arena.llm.providers.protocol import Answer
from arena.llm.request import (
    addressed,
    asked,
    sendable,
    sent_seed,
    stored_request,
)
from arena.llm.request_hash import request_hash
from arena.orchestrator.clients import check_capped, limits_for
from arena.record.reading import completion
from db import Database, Repository, Session
from db.errors import DatabaseError
from db.queries.cache import AnswerRow

T = TypeVar("T")

CONCURRENCY = 10
# Equal requests are answered alike: they are about texts, not about a game that goes on.
_SEED = 0


class NotOnRecord(ArenaError):
    """Nobody may be asked, and what the `model` answers to `messages` is not on record."""

    def __init__(self, model: ModelSpec, messages: Sequence[Message], turn: int | None) -> None:
        place = "" if turn is None else f"turn {turn}: "
        super().__init__(f"{place}what the model {model.name!r} answers is not on record")
        self.model = model
        self.messages = messages


class SideAnswers:
    """Answers on record (`arena.llm.cache.Answers`): about one game, or about any."""

    def __init__(self, database: Database, game_id: int | None = None) -> None:
        self._database = database
        self._game_id = game_id

    async def get(self, request_hash: str) -> Answer | None:
        """The newest answer to the request; None where there is none."""
        return await in_thread(self.known, request_hash)

    def known(self, request_hash: str) -> Answer | None:
        """The same, at once."""

        def find(session: Session) -> AnswerRow | None:
            return Repository(session).side_answer(request_hash, self._game_id)

        found = self._database.reconnecting(find)
        return None if found is None else Answer(completion(found), found.model_answered)


class SideCalls:
    """What the calls of one command about games on record share.

    Without a `client` only the record answers. `budget` is in dollars, for this command, or one
    that it shares; without one, a model that costs money is refused. `limits` are those of a
    run, which has checked its models and its budget. `concurrency` is the calls in flight.
    Raises UsageError for a model that cannot be asked so.
    """

    def __init__(
        self,
        database: Database,
        model: ModelSpec,
        client: Client | None = None,
        *,
        budget: float | Budget | None = None,
        limits: Limits | None = None,
        concurrency: int = CONCURRENCY,
    ) -> None:
        self.database = database
        self.model = model
        self.client = client
        self._room = asyncio.Semaphore(concurrency)
        self._clearance: Clearance | None = None
        self._budget = Budget(budget) if isinstance(budget, int | float) else budget
        if client is not None:
            client.check(model)
            client.check_keys(model)
            if limits is None:
                check_capped(client, [model], capped=budget is not None)
            self._limits = limits or limits_for(None, client.lag)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Inside, calls are cleared; those that are left in flight count as spent."""
        if self.client is None:
            yield
            return
        with self._limits.lag.watched(), LocalClearance(self._limits, self._budget) as clearance:
            self._clearance = clearance
            try:
                yield
            finally:
                self._clearance = None

    def about(self, game_id: int, turn: int | None, purpose: str) -> SideLLM:
        """The way to the model for one turn of a game."""
        return SideLLM(self, game_id, turn, purpose)

    async def ask(
        self, messages: Sequence[Message], options: CallOptions | None, log: SideLog
    ) -> Completion:
        """The answer on record, or else the model's. Raises NotOnRecord, and what the client
        raises."""
        model = asked(self.model, options)
        messages = addressed(model, messages)
        request = stored_request(model, sent_seed(model, _SEED))
        digest = request_hash(model.litellm_model, sendable(messages), request)
        known = await SideAnswers(self.database, log.game_id).get(digest)
        if known is None and self.client is None:
            known = await SideAnswers(self.database).get(digest)
        if known is not None:
            return known.completion
        if self.client is None or self._clearance is None:
            raise NotOnRecord(model, messages, log.turn)
        return await self.send(messages, log, model, SideAnswers(self.database))

    async def send(
        self,
        messages: Sequence[Message],
        log: SideLog,
        model: ModelSpec | None = None,
        answers: SideAnswers | None = None,
    ) -> Completion:
        """The model's answer; `answers` are looked at first. Raises what the client raises."""
        assert self.client is not None
        assert self._clearance is not None
        async with self._room:
            number, log.calls = log.calls, log.calls + 1
            return await self.client.complete(
                model or self.model,
                messages,
                log=log,
                clearance=self._clearance,
                answers=answers,
                call_number=number,
                first_index=log.index,
                seed=_SEED,
            )


class SideLLM:
    """Asks about one turn of a game on record (`arena.core.LLM`)."""

    def __init__(self, calls: SideCalls, game_id: int, turn: int | None, purpose: str) -> None:
        self._calls = calls
        self._log = SideLog(calls.database, game_id, turn, purpose)

    async def complete(
        self, messages: Sequence[Message], options: CallOptions | None = None
    ) -> Completion:
        """Ask the model, or the record."""
        return await self._calls.ask(messages, options, self._log)


class SideLog:
    """Where the calls about one turn, or about no game, are recorded (`arena.core.CallLog`): an
    intent before the request leaves, and how it ended. `index` counts the attempts, `calls` the
    questions; `last` is the row of the latest attempt, None before there is one. `also` writes what
    else an answer brings, in the same transaction, and gives what of it is recorded.
    """

    def __init__(
        self,
        database: Database,
        game_id: int | None,
        turn: int | None,
        purpose: str,
        also: Callable[[Session, CallAnswer], CallAnswer] = lambda session, answer: answer,
    ) -> None:
        self.game_id = game_id
        self.last: int | None = None
        self.turn = turn
        self._also = also
        self.index = self.calls = 0
        self._database = database
        self._purpose = purpose
        self._rows: dict[int, int] = {}

    async def intend(self, intent: CallIntent) -> None:
        def write(session: Session) -> int:
            row = Repository(session).intend_side_call(
                self.game_id,
                self.turn,
                self._purpose,
                attempt=intent.attempt,
                model=intent.model,
                messages=intent.messages,
                request=intent.request,
                request_hash=intent.request_hash,
                reserved=intent.reserved,
            )
            assert row.id is not None
            return row.id

        self.index = intent.call_index + 1
        self.last = self._rows[intent.call_index] = await self._written(write)

    async def answer(self, answer: CallAnswer) -> None:
        key = self._rows.pop(answer.call_index)

        def write(session: Session) -> None:
            Repository(session).answer_side_call(key, self._also(session, answer))

        await self._written(write)

    async def _written(self, write: Callable[[Session], T]) -> T:
        try:
            return await in_thread(self._database.reconnecting, write)
        except DatabaseError as error:
            raise RecordError(str(error)) from error
