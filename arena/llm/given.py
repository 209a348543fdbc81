"""The answer of a person, on record like that of a model, or the game is suspended until it is
there."""

from __future__ import annotations

from collections.abc import Sequence

from arena.core import (
    CallAnswer,
    CallIntent,
    CallLog,
    Completion,
    Message,
    ModelSpec,
    Suspend,
    TimeLimitReached,
    Usage,
    UsageError,
)
from arena.core.people import GivenAnswer
from arena.llm.recorded import TIME_LIMIT, response_of
from arena.llm.request import sendable, sent_seed, stored_request
from arena.llm.request_hash import HashChain


async def given_answer(
    given: GivenAnswer | None,
    model: ModelSpec,
    messages: Sequence[Message],
    log: CallLog,
    *,
    call_number: int,
    call_index: int,
    attempt: int,
    seed: int | None,
    hashes: HashChain,
) -> Completion:
    """The answer that was given to this turn, recorded in `log`. Nothing is recorded before there
    is one. Raises Suspend where there is none, TimeLimitReached where its time is over, and
    UsageError where a kind asks a person more than once in a turn."""
    if call_number:
        raise UsageError(
            f"the model {model.name!r} is a person, who is asked once a turn: expected an agent of "
            "`kind: human`"
        )
    if given is None:
        raise Suspend("a person's answer")
    sent = sendable(messages)
    seed = sent_seed(model, seed)
    request = stored_request(model, seed)
    intent = CallIntent(
        call_index=call_index,
        call_number=call_number,
        attempt=attempt,
        model=model.litellm_model,
        messages=sent,
        request=request,
        request_hash=hashes.of(model.litellm_model, sent, request),
        reserved=0.0,
    )
    await log.intend(intent)
    took = (given.answered_at - given.asked_at).total_seconds() * 1e3
    if given.text is None:
        await log.answer(
            CallAnswer(
                call_index,
                given.asked_at,
                given.answered_at,
                took,
                error_class=TIME_LIMIT,
                error_message="no answer before the time was over",
                charged=0.0,
            )
        )
        raise TimeLimitReached("the person did not answer before the time was over")
    completion = Completion(given.text, "stop", Usage(cost=0.0))
    await log.answer(
        CallAnswer(
            call_index,
            given.asked_at,
            given.answered_at,
            took,
            text=completion.text,
            response=response_of(completion),
            finish_reason=completion.finish_reason,
            usage=completion.usage,
            charged=0.0,
        )
    )
    return completion
