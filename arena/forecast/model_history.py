"""Reads from the record how a model has answered so far: how long, how fast, from what."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, stdev

from db import Session
from db.queries.model_calls import model_calls, request_lengths

# The latest calls say enough, and reading all of them would take long in a large database.
_CALLS = 2_000
_LEAST = 20
_READ_WHOLE = 20


@dataclass(frozen=True, slots=True)
class Spread:
    """The mean of `count` measured values and the spread of one."""

    mean: float
    deviation: float
    count: int


@dataclass(frozen=True, slots=True)
class Habits:
    """What is known of a model from its answered calls: tokens of an answer, seconds of a call,
    tokens for each character of a request; None where too little is on record. `here` says that
    the calls are from games of the environment in question."""

    answer_tokens: Spread | None = None
    seconds: Spread | None = None
    tokens_per_character: Spread | None = None
    here: bool = False


def habits(session: Session, litellm_model: str, environment: str) -> Habits:
    """The habits of a model, in the games of an environment where there are enough of its calls,
    else in any."""
    calls = model_calls(session, litellm_model, environment, limit=_CALLS)
    here = len(calls) >= _LEAST
    if not here:
        calls = model_calls(session, litellm_model, limit=_CALLS)
    read = [call.call_id for call in calls if call.prompt_tokens][:_READ_WHOLE]
    lengths = request_lengths(session, read)
    return Habits(
        answer_tokens=_spread(
            [float(call.completion_tokens) for call in calls if call.completion_tokens is not None]
        ),
        seconds=_spread([call.total_ms / 1e3 for call in calls if call.total_ms]),
        tokens_per_character=_spread(
            [
                call.prompt_tokens / lengths[call.call_id]
                for call in calls
                if call.prompt_tokens and lengths.get(call.call_id)
            ]
        ),
        here=here,
    )


def _spread(values: list[float]) -> Spread | None:
    if len(values) < 2 or fmean(values) <= 0.0:
        return None
    return Spread(fmean(values), stdev(values), len(values))
