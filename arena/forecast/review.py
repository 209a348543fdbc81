"""Compares what a run has taken with what an estimate at its start said: actual over predicted.

An estimate follows from the configuration and from the games on record. It is therefore made when
the run has ended, from the games that had ended before it began, for the games that it finished:
what of the schedule was not played, or was stopped in mid-game, counts on neither side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.config import TournamentConfig
from arena.core import ArenaError, Pairing
from arena.forecast.cost import REHEARSALS, ForecastInterval, PriceOf, estimate_of, look_up
from arena.llm.costs.prices import own_prices
from arena.orchestrator.preflight import prepare
from db import Session, get_session
from db.database import Source
from db.queries.branch_usage import TailUsage
from db.queries.game_usage import SeatUsage, scheduled_pairings, seat_usage
from db.versions import versioned

# Of more games than this, evenly spread ones are compared.
MOST_GAMES = 1_000

# Where fewer of the calls said what they used, tokens are not compared.
_SAID = 0.5


UsedSeat = SeatUsage | TailUsage
"""What one seat took: of a whole game, or from one of its turns on."""


@dataclass(frozen=True, slots=True)
class ActualOverPredicted:
    """What was taken and what was predicted of it, with its 90 % interval."""

    actual: float
    predicted: ForecastInterval

    @property
    def ratio(self) -> float | None:
        """None where nothing was predicted."""
        return self.actual / self.predicted.mean if self.predicted.mean > 0 else None

    @property
    def inside(self) -> bool:
        """Whether it is in the interval, up to rounding."""
        slack = 1e-9 * max(self.actual, 1.0)
        return self.predicted.low - slack <= self.actual <= self.predicted.high + slack


@dataclass(frozen=True, slots=True)
class Review:
    """The `games` that a run finished, all attempts at their places counted; of `compared` of them.
    `measures` are by name: calls, prompt_tokens, response_tokens, dollars, as far as they were
    predicted and are known; `cached` calls were answered from the record and cost nothing."""

    games: int
    compared: int
    measures: Mapping[str, ActualOverPredicted]
    cached: int = 0


def review(
    config: TournamentConfig,
    *,
    url: Source,
    games: Sequence[int],
    before: datetime,
    price_of: PriceOf = own_prices,
    rehearsals: int = REHEARSALS,
) -> Review | None:
    """Compare the `games` (game_ids) that a run finished which began at `before`; None where there
    are none, or where nothing can be rehearsed."""
    if not games:
        return None
    try:
        prepared = prepare(config)
        known = look_up(config, prepared, url, before)
        chosen = spread(games, MOST_GAMES)
        with get_session(url, create=False) as session:
            seats = seat_usage(session, chosen)
            pairings = _pairings(session, config, chosen)
        estimate = estimate_of(
            prepared,
            known,
            pairings,
            rng_seed=config.seed % 2**32,
            rehearsals=rehearsals,
            price_of=price_of,
        )
    except ArenaError:
        # What cannot be estimated has been played all the same.
        return None
    predicted = {
        "calls": estimate.calls,
        "prompt_tokens": estimate.prompt_tokens,
        "response_tokens": estimate.response_tokens,
        "dollars": estimate.dollars,
    }
    return compare(seats, predicted, games=len(games), compared=len(chosen))


def compare(
    seats: Sequence[UsedSeat],
    predicted: Mapping[str, ForecastInterval | None],
    *,
    games: int,
    compared: int,
) -> Review:
    """What the seats of `compared` of the `games` took against what was predicted, by measure."""
    measures = took(seats)
    cached = sum(seat.own_cache for seat in seats)
    paid = 1.0 - cached / max(measures["calls"], 1.0)
    return Review(
        games=games,
        compared=compared,
        measures={
            name: ActualOverPredicted(measures[name], _share(of, paid if name == "dollars" else 1))
            for name, of in predicted.items()
            if of is not None and name in measures
        },
        cached=cached,
    )


def plain_review(review: Review) -> dict[str, Any]:
    """As JSON has it."""
    return {
        "games": review.games,
        "compared": review.compared,
        "cached_calls": review.cached,
        **{
            name: {
                "actual": measure.actual,
                "predicted": measure.predicted.mean,
                "low": measure.predicted.low,
                "high": measure.predicted.high,
                "ratio": measure.ratio,
                "inside": measure.inside,
            }
            for name, measure in review.measures.items()
        },
    }


def took(seats: Sequence[UsedSeat]) -> dict[str, float]:
    """What games took, by measure; tokens are left out where most calls did not say."""
    calls = sum(seat.calls for seat in seats)
    found = {"calls": float(calls), "dollars": sum(seat.charged for seat in seats)}
    if sum(seat.answered for seat in seats) >= _SAID * calls:
        found["prompt_tokens"] = float(sum(seat.prompt_tokens for seat in seats))
        found["response_tokens"] = float(sum(seat.response_tokens for seat in seats))
    return found


def spread(games: Sequence[int], most: int) -> list[int]:
    """At most so many of the games, evenly spread."""
    if len(games) <= most:
        return [*games]
    return [games[at * len(games) // most] for at in range(most)]


def _share(interval: ForecastInterval, share: float) -> ForecastInterval:
    return ForecastInterval(interval.low * share, interval.mean * share, interval.high * share)


def _pairings(session: Session, config: TournamentConfig, games: Sequence[int]) -> list[Pairing]:
    """The games as the schedule has them, agents by their numbers in the file."""
    numbers = {agent.name: number for number, agent in enumerate(config.agents, start=1)}

    def number(label: str) -> int:
        # The file has the name, the catalogue perhaps a later version of it.
        return numbers[label if label in numbers else versioned(label).name]

    return [
        Pairing(row.schedule_index, row.block, row.seed, tuple(map(number, row.agents)))
        for row in scheduled_pairings(session, games)
    ]
