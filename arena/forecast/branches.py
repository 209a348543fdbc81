"""Compares what branches of a game took with what the record said that they would.

Games under the same rules that were longer tell what is left of one from a turn on, the branched
game as much as all others together; agents whose calls take more or less than those of the game
on record make it so much more or less. The logarithm of what is left is taken for normal: its
deviation is the sample's with `_PRIOR` beside it, and the interval a prediction interval by
Student's t. Branches of one position are alike, so many of them make it no narrower.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from arena.core import ArenaError
from arena.forecast.cost import ForecastInterval
from arena.forecast.review import Review, compare, took
from db import get_session
from db.database import Source
from db.queries.branch_usage import TailUsage, games_like, tail_usage

_MOST_GAMES = 200

# A standard deviation of the logarithm of what is left, and the games that it counts for.
_PRIOR = (0.5, 4.0)
# The same of a call of an agent without calls on record: of one whose model has some, of others.
_OF_MODEL = 0.4
_UNKNOWN = {"prompt_tokens": 0.5, "response_tokens": 1.2, "dollars": 1.2}

_Seats = Sequence[TailUsage]


def review_branches(
    game_id: int, turn: int, games: Sequence[int], *, before: datetime, url: Source
) -> Review | None:
    """Compare the branches of a game from `turn` on, `games` (game_ids), that a command finished
    which began at `before`; None where there are none, or nothing on record to predict them by."""
    if not games:
        return None
    try:
        with get_session(url, create=False) as session:
            known = games_like(session, game_id, turn, before=before, limit=_MOST_GAMES)
            record = tail_usage(session, known, turn)
            played = tail_usage(session, games, turn)
    except ArenaError:
        # What cannot be compared has been played all the same.
        return None
    return reviewed(game_id, record, played, len(games))


def reviewed(game_id: int, record: _Seats, played: _Seats, games: int) -> Review | None:
    """The same of what the seats of games on `record` and of those `played` took."""
    if not record or not played:
        return None
    samples, branches = _by_game(record), [*_by_game(played).values()]
    known = took(record)
    return compare(
        played,
        {
            name: _predicted(name, game_id, samples, branches)
            for name in ("calls", "prompt_tokens", "response_tokens", "dollars")
            if name in known
        },
        games=games,
        compared=games,
    )


def _by_game(seats: Iterable[TailUsage]) -> dict[int, list[TailUsage]]:
    return {game: [*own] for game, own in groupby(seats, key=lambda seat: seat.game_id)}


def _predicted(
    name: str, game_id: int, samples: Mapping[int, _Seats], branches: Sequence[_Seats]
) -> ForecastInterval:
    from scipy.special import stdtrit

    rates = _Rates(name, [seat for seats in samples.values() for seat in seats])
    left = {game: _amount(name, seats) / rates.of(seats) for game, seats in samples.items()}
    own = left.pop(game_id, None)
    others = sum(left.values()) / len(left) if left else own
    usual = (others + (others if own is None else own)) / 2 if others is not None else 0.0
    mean = usual * sum(rates.of(seats) for seats in branches)
    logs = [math.log(one) for one in (*left.values(), own) if one]
    if not logs or mean <= 0.0:
        return ForecastInterval(mean, mean, mean)
    middle = sum(logs) / len(logs)
    stated, weight = _PRIOR
    freedom = weight + len(logs) - 1
    squares = weight * stated**2 + sum((one - middle) ** 2 for one in logs)
    agents = max(rates.unknown(seats) for seats in branches)
    spread = math.sqrt(squares / freedom * (1 + 1 / len(logs)) + agents**2)
    bound = float(stdtrit(freedom, 0.95)) * spread
    # The middle of a lognormal is below its mean.
    low = mean * math.exp(-bound - spread**2 / 2)
    return ForecastInterval(low, mean, mean * math.exp(bound))


def _amount(name: str, seats: _Seats) -> float:
    return took(seats).get(name, 0.0)


class _Rates:
    """What a call of each agent takes of one measure: by its own calls, those of its model, all."""

    def __init__(self, name: str, record: _Seats) -> None:
        self._name = name
        self._agents: dict[str, float] = self._means((seat.agent, seat) for seat in record)
        self._models: dict[str, float] = self._means((seat.model, seat) for seat in record)
        self._all = self._means(("", seat) for seat in record).get("", 0.0)

    def _means(self, seats: Iterable[tuple[str, TailUsage]]) -> dict[str, float]:
        calls: Counter[str] = Counter()
        amounts: dict[str, float] = {}
        for mark, seat in seats:
            calls[mark] += seat.calls
            amounts[mark] = amounts.get(mark, 0.0) + _amount(self._name, [seat])
        return {mark: amounts[mark] / count for mark, count in calls.items()}

    def of(self, seats: _Seats) -> float:
        """The mean over seats; 1 where nothing is known to differ."""
        found = [self._agents.get(s.agent, self._models.get(s.model, self._all)) for s in seats]
        return sum(found) / len(found) or 1.0

    def unknown(self, seats: _Seats) -> float:
        """The deviation of the logarithm that agents without calls on record add."""
        if self._name == "calls":
            return 0.0
        each = [
            0.0
            if seat.agent in self._agents
            else _OF_MODEL
            if seat.model in self._models
            else _UNKNOWN[self._name]
            for seat in seats
        ]
        return math.fsum(each) / len(each)
