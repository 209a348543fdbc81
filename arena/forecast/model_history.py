"""Reads from the record how a model has answered so far: how fast, and in how many tokens for a
character."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from db import Session
from db.queries.game_usage import SeatUsage
from db.queries.model_calls import read_requests

# Requests that are read whole, of the latest game.
_READ_WHOLE = 20

# Fewer seats in games of the environment do not tell how fast a model is in them.
_LEAST = 4


@dataclass(frozen=True, slots=True)
class Spread:
    """The mean of `count` measured values and the spread of one."""

    mean: float
    deviation: float
    count: int


@dataclass(frozen=True, slots=True)
class Habits:
    """What is known of a model from its answered calls: seconds of a call in a game, tokens for
    each character of a request; None where too little is on record. `here` says that the calls are
    from games of the environment in question."""

    seconds: Spread | None = None
    tokens_per_character: Spread | None = None
    here: bool = False


def habits(
    session: Session, litellm_model: str, seats: Sequence[SeatUsage], here: set[int]
) -> Habits:
    """The habits of a model, from the seats that it filled; `here` are the environment_ids of the
    environment in question."""
    own = [seat for seat in seats if seat.model == litellm_model and seat.timed]
    in_it = [seat for seat in own if seat.environment_id in here]
    enough = len(in_it) >= _LEAST
    latest = max((seat.game_id for seat in own), default=0)
    requests = read_requests(session, latest, litellm_model, limit=_READ_WHOLE)
    return Habits(
        seconds=_spread(
            [seat.milliseconds / seat.timed / 1e3 for seat in (in_it if enough else own)]
        ),
        tokens_per_character=_spread(
            [request.prompt_tokens / request.characters for request in requests]
        ),
        here=enough,
    )


def _spread(values: list[float]) -> Spread | None:
    if len(values) < 2 or fmean(values) <= 0.0:
        return None
    return Spread(fmean(values), stdev(values), len(values))
