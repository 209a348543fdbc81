"""One call of an agent: the answers on record, the clearance, and as many attempts as it takes.

An attempt is on record before it is sent, and its end before anything is done with it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from arena.core import (
    CallAnswer,
    CallIntent,
    CallLog,
    Completion,
    ContextOverflow,
    Message,
    ModelParked,
    ModelRefused,
    ModelSpec,
    ModelUnproven,
    ProviderError,
    TimeLimitReached,
    text_of,
)
from arena.llm.cache import Answers
from arena.llm.clearance import CallNeeds, Clearance, Ending, Grant, Held
from arena.llm.failures.classify import Fault, explain, remedied, said_in
from arena.llm.failures.kinds import TOO_LONG, FaultKind, Remedy
from arena.llm.failures.retry import Backoff, again
from arena.llm.pacing.loop_lag import LoopLag
from arena.llm.prepared import PreparedModel
from arena.llm.providers.stopwatch import timed
from arena.llm.recorded import OVERFLOW, TIME_LIMIT, response_of

# The record numbers the attempts of a turn up to here.
_LAST_INDEX = 255
# A call is taken for one that no limit has room for when it is refused so often while smaller ones
# are answered in between; what is refused for another reason passes long before, because a limit
# that is met slows all calls down.
_NEVER_PASSES = 10
# Tokens that a call is expected to bring back where nothing says so.
_ANSWER_TOKENS = 256


@dataclass(slots=True)
class Means:
    """What every call of a run shares. `retries` is the attempts after the first that fail for
    another reason than a rate limit; `deadline` the seconds after which an attempt is given up;
    `keep` says that answers may be given again by a cache later; `rng` gives the jitter; `lag` is
    that of the loop, which counts in no limit."""

    retries: int
    deadline: float
    backoff: Backoff
    rng: random.Random
    keep: bool = False
    lag: LoopLag = field(default_factory=LoopLag)


@dataclass(slots=True)
class Call:
    """A call that is being made. `first_index` and `first_attempt` count on from what is on
    record of the turn and of the call; `within` is the seconds that are left of the turn. Without
    `answers` nothing is looked for before it is sent."""

    means: Means
    prepared: PreparedModel
    messages: Sequence[Message]
    request: dict[str, Any]
    request_hash: str
    log: CallLog
    clearance: Clearance
    answers: Answers | None = None
    call_number: int = 0
    first_index: int = 0
    first_attempt: int = 0
    seed: int | None = None
    within: float | None = None
    attempts: int = 0
    unproven: bool = False
    passed_over: int = 0
    answered_before: int | None = None

    async def complete(self) -> Completion:
        """The answer. Raises ProviderError when the attempts are used up, or where another would
        not help this game; a Pause where the game can resume later; TimeLimitReached."""
        if self.answers is not None and (known := await self._known(self.answers)):
            return known
        try:
            try:
                return await self._attempt()
            except Fault as fault:
                return await self._again(fault)
        except Fault as fault:
            model = self.prepared.model
            message = explain(model, fault, self.attempts)
            if self.unproven and fault.remedy is Remedy.GIVE_UP:
                raise ModelUnproven(model.name, message) from None
            if fault.remedy is Remedy.STOP:
                raise ModelRefused(model.name, message) from None
            if fault.remedy is Remedy.WAIT:
                raise ModelParked(model.name, message) from None
            if self._too_long(fault):
                raise ContextOverflow(message) from None
            raise ProviderError(message) from None

    async def _again(self, fault: Fault) -> Completion:
        means = self.means
        return await again(
            fault,
            self._attempt,
            retries=0 if self.prepared.free else means.retries,
            # The gate loses patience with a model; a call that only queues there keeps its own.
            patience=math.inf,
            backoff=means.backoff,
            rng=means.rng,
            sleep=self.clearance.wait,
        )

    async def _known(self, answers: Answers) -> Completion | None:
        found = await answers.get(self.request_hash)
        if found is None:
            return None
        intent = self._intent(0.0)
        await self.log.intend(intent)
        now = datetime.now(UTC)
        completion = replace(found.completion, usage=replace(found.completion.usage, cost=0.0))
        await self.log.answer(
            CallAnswer(
                call_index=intent.call_index,
                request_sent_at=now,
                response_received_at=now,
                total_ms=0.0,
                text=completion.text,
                response=response_of(completion),
                model_answered=found.model_answered,
                finish_reason=completion.finish_reason,
                usage=completion.usage,
                charged=0.0,
                cached=True,
            )
        )
        return completion

    def _intent(self, reserved: float | None) -> CallIntent:
        number = self.attempts
        if self.first_index + number > _LAST_INDEX:
            raise ProviderError(
                f"model {self.prepared.model.name!r} was asked {_LAST_INDEX + 1} times in one turn "
                "without an end: the game is void, and played again"
            )
        self.attempts += 1
        return CallIntent(
            call_index=self.first_index + number,
            call_number=self.call_number,
            attempt=self.first_attempt + number,
            model=self.prepared.model.litellm_model,
            messages=self.messages,
            request=self.request,
            request_hash=self.request_hash,
            reserved=reserved,
        )

    async def _attempt(self) -> Completion:
        if self.prepared.free:
            return await self._send(None, 0.0)
        model, worst = self.prepared.model, self.prepared.worst(self.messages)
        needs = CallNeeds(model.name, _tokens(self.messages, model), worst)
        with Held(self.clearance, await self.clearance.ask(needs)) as held:
            return await self._send(held, worst)

    async def _send(self, held: Held | None, worst: float | None) -> Completion:
        try:
            intent = self._intent(worst)
            await self.log.intend(intent)
        except Exception:
            if held is not None:
                held.end(Ending.UNSENT)
            raise
        sent_at = datetime.now(UTC)
        means = self.means
        try:
            async with timed(means.lag, most=means.deadline, answering=self.within) as watch:
                answer = await self.prepared.ask(self.messages, self.seed)
        except Exception as error:
            seconds = watch.answering()
            over = self.within is not None and seconds >= self.within
            fault = self._fault(error, over, watch.left)
            if held is not None:
                fault = self._hopeless(fault, held.grant)
            charged = worst if fault.billed else 0.0
            if held is not None:
                fault.probe = held.grant.probe
                fault.held = fault.retry_after is not None
                self.unproven = _unproven(fault, held.grant)
                held.end(
                    Ending.FAILED,
                    charged=charged or 0.0,
                    rate_limited=fault.rate_limited,
                    # A request that will never pass holds up no other.
                    retry_after=fault.retry_after if fault.retryable else None,
                    model_at_fault=fault.model_at_fault and not over,
                    said=said_in(fault.message),
                    advice=remedied(self.prepared.model, fault),
                )
            await self.log.answer(
                CallAnswer(
                    call_index=intent.call_index,
                    request_sent_at=sent_at,
                    response_received_at=datetime.now(UTC),
                    total_ms=seconds * 1e3,
                    lag_ms=watch.lagging() * 1e3,
                    error_class=OVERFLOW if self._too_long(fault) else fault.error_class,
                    error_message=fault.message,
                    error_status=fault.status,
                    charged=charged,
                )
            )
            if over:
                raise TimeLimitReached(fault.message) from None
            raise fault from None
        completion = answer.completion
        usage = completion.usage
        cost = self.prepared.cost(usage)
        if cost is not None:
            usage = replace(usage, cost=cost)
            completion = replace(completion, usage=usage)
        charged = self.prepared.charge(usage, self.messages) if cost is None else cost
        if held is not None:
            held.end(Ending.ANSWERED, charged=charged or 0.0, tokens=usage.total)
        await self.log.answer(
            CallAnswer(
                call_index=intent.call_index,
                request_sent_at=sent_at,
                response_received_at=datetime.now(UTC),
                total_ms=watch.answering() * 1e3,
                lag_ms=watch.lagging() * 1e3,
                first_token_ms=answer.first_token_ms,
                text=completion.text,
                response=response_of(completion) if answer.response is None else answer.response,
                model_answered=answer.model_answered,
                finish_reason=completion.finish_reason,
                usage=usage,
                charged=charged,
                cacheable=self.means.keep,
            )
        )
        return completion

    def _too_long(self, fault: Fault) -> bool:
        return fault.kind in TOO_LONG and not self.unproven

    def _hopeless(self, fault: Fault, grant: Grant) -> Fault:
        """The fault; where it is a limit of a rate that lets only smaller calls pass, in its place
        that of a call that no minute has room for."""
        if fault.kind is not FaultKind.RATE_LIMIT:
            return fault
        before, self.answered_before = self.answered_before, grant.answered
        if grant.largest >= _tokens(self.messages, self.prepared.model):
            self.passed_over = 0
        elif before is not None and grant.answered > before:
            self.passed_over += 1
        if self.passed_over < _NEVER_PASSES:
            return fault
        return Fault(
            fault.error_class,
            f"{fault.message}\n(refused {self.attempts} times, while smaller requests passed)",
            kind=FaultKind.ALLOWANCE,
            status=fault.status,
            code=fault.code,
        )

    def _fault(self, error: Exception, over: bool, left: bool) -> Fault:
        if over:
            return Fault(
                TIME_LIMIT,
                f"no answer within the {self.within:.1f} s that were left of the turn",
                kind=FaultKind.TIMEOUT,
            )
        if isinstance(error, TimeoutError) and not left:
            message = f"no connection within {self.means.deadline:g} s"
            return Fault("Timeout", message, kind=FaultKind.UNREACHABLE)
        if isinstance(error, TimeoutError):
            message = f"no answer within {self.means.deadline:g} s"
            return Fault("Timeout", message, kind=FaultKind.TIMEOUT)
        return self.prepared.fault(error)


def _unproven(fault: Fault, grant: Grant) -> bool:
    """Whether the model may refuse all calls alike. That games grow too long for it, several at a
    time, says nothing as long as it has answered any."""
    return not (grant.answered if fault.kind in TOO_LONG else grant.proven)


def _tokens(messages: Sequence[Message], model: ModelSpec) -> int:
    """About how many tokens a call will take: a quarter of its characters, and the answer."""
    sent = sum(len(text_of(message)) for message in messages) // 4
    most = model.params.get("max_completion_tokens", model.params.get("max_tokens"))
    return sent + (min(most, 4096) if isinstance(most, int) else _ANSWER_TOKENS)
