"""Reads from the record how a model has answered so far: how long, how fast, from what."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from sqlmodel import Session, col, select

from db import Game, GameTurn, LLMCall
from db.errors import DatabaseError
from db.models import Environment

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
    found = session.execute(
        _calls(litellm_model)
        .join(GameTurn, col(LLMCall.game_turn_id) == col(GameTurn.id))
        .join(Game, col(GameTurn.game_id) == col(Game.id))
        .join(Environment, col(Game.environment_id) == col(Environment.id))
        .where(col(Environment.name) == environment)
    ).all()
    here = len(found) >= _LEAST
    if not here:
        found = session.execute(_calls(litellm_model)).all()
    ids = [call_id for call_id, prompt, *_ in found if prompt][:_READ_WHOLE]
    return Habits(
        answer_tokens=_spread([float(tokens) for _, _, tokens, _ in found if tokens is not None]),
        seconds=_spread([ms / 1e3 for _, _, _, ms in found if ms]),
        tokens_per_character=_spread(_ratios(session, ids)),
        here=here,
    )


def _calls(litellm_model: str) -> Any:
    return (
        select(
            col(LLMCall.id),
            col(LLMCall.prompt_tokens),
            col(LLMCall.response_tokens),
            col(LLMCall.total_response_time_ms),
        )
        .where(
            col(LLMCall.model) == litellm_model,
            col(LLMCall.response_received_at).is_not(None),
            col(LLMCall.error_class).is_(None),
            col(LLMCall.cached).is_(False),
        )
        .order_by(col(LLMCall.id).desc())
        .limit(_CALLS)
    )


def _ratios(session: Session, ids: list[int]) -> list[float]:
    """Prompt tokens for each character that was sent, of calls whose requests can be read."""
    ratios = []
    for call in session.exec(select(LLMCall).where(col(LLMCall.id).in_(ids))):
        try:
            characters = sum(len(message["content"]) for message in call.messages)
        except DatabaseError:
            continue
        if characters and call.prompt_tokens:
            ratios.append(call.prompt_tokens / characters)
    return ratios


def _spread(values: list[float]) -> Spread | None:
    if len(values) < 2 or fmean(values) <= 0.0:
        return None
    return Spread(fmean(values), stdev(values), len(values))
