"""What tokens of a model will cost: its prices, the share that its provider has cached, and what
failed attempts cost beside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arena.core import Usage
from arena.core.arrays import Floats
from arena.forecast.stated import SIMULATIONS
from arena.llm.costs.prices import FREE, PriceTable
from db.queries.game_usage import SeatUsage

# The cached share of prompts where no call tells: a beta distribution, 0 to 80 % in nine of ten,
# and how much of it one seat in a game weighs.
_CACHED = (0.6, 1.8)
_SEAT = 2.0

# What is open of the rest of the price, in logarithms, where no call tells; it falls with seats.
_OPEN = 0.1

# A cost on record that differs by more from that of its tokens was at other prices.
_SAME_PRICE = (0.8, 1.3)


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """`table` is None where no price is known. `cached` is the share of prompt tokens that the
    provider has cached, `thought` that of answers that are thoughts; `over` what is charged in all
    to what answers cost by their tokens: (simulations,), of which `failed` is for attempts that
    failed."""

    table: PriceTable | None
    cached: Floats
    thought: float
    over: Floats
    failed: float = 0.0

    def dollars(
        self, rng: np.random.Generator, calls: Floats, prompts: Floats, answers: Floats
    ) -> Floats | None:
        """Of so many calls, and tokens in all of them."""
        if self.table is None:
            return None
        if not self.table.paid:
            return np.zeros(SIMULATIONS)
        found = []
        for asked, prompt, answer, cached in zip(calls, prompts, answers, self.cached, strict=True):
            # Prices may depend on the length of one request: its mean has to do.
            sent = max(round(prompt / asked), 1) if asked else 1
            said = round(answer / asked) if asked else 0
            usage = Usage(
                sent,
                said,
                cached_tokens=round(cached * sent),
                reasoning_tokens=round(self.thought * said),
            )
            found.append(asked * (self.table.cost(usage) or 0.0))
        # Failed attempts are Poisson.
        spread = np.sqrt(self.failed / np.maximum(calls, 1.0))
        luck = np.exp(spread * rng.standard_normal(SIMULATIONS) - spread**2 / 2)
        return np.array(found) * self.over * luck


def free() -> ModelPrice:
    """Of a scripted model."""
    return ModelPrice(FREE, np.zeros(SIMULATIONS), 0.0, np.ones(SIMULATIONS))


def model_price(
    rng: np.random.Generator, table: PriceTable | None, seats: Sequence[SeatUsage]
) -> ModelPrice:
    """The price of a model from its prices and the seats on record that it has filled."""
    priced = [seat for seat in seats if seat.priced]
    prompts = sum(seat.priced_prompt for seat in priced)
    answers = sum(seat.response_tokens for seat in seats)
    thought = sum(seat.reasoning_tokens for seat in seats) / answers if answers else 0.0
    cached = np.zeros(SIMULATIONS)
    if table is not None and any(tier.cached is not None for tier in table.tiers):
        first, second = _CACHED
        if prompts:
            share = min(sum(seat.priced_cached for seat in priced) / prompts, 1.0)
            first += share * _SEAT * len(priced)
            second += (1.0 - share) * _SEAT * len(priced)
        cached = rng.beta(first, second, SIMULATIONS)
    # Failed attempts that are charged, with one seat beside them in which there was none.
    cost = sum(seat.cost for seat in priced)
    charged = sum(seat.charged for seat in priced)
    failed = max(charged - cost, 0.0) / (cost * (1.0 + 1.0 / len(priced))) if cost else 0.0
    over = _over(rng, table, priced, failed)
    return ModelPrice(table, cached, min(thought, 1.0), over, failed)


def _over(
    rng: np.random.Generator,
    table: PriceTable | None,
    priced: Sequence[SeatUsage],
    failed: float,
) -> Floats:
    cost = sum(seat.cost for seat in priced)
    if table is None or not cost:
        return _about_one(rng, _OPEN)
    listed = math.fsum(_listed(table, seat) for seat in priced)
    written = cost / listed if listed else 1.0
    if not _SAME_PRICE[0] <= written <= _SAME_PRICE[1]:
        written = 1.0
    spread = math.hypot(_OPEN, math.sqrt(failed)) / math.sqrt(len(priced))
    return written * (1.0 + failed) * _about_one(rng, spread)


def _about_one(rng: np.random.Generator, spread: float) -> Floats:
    """Lognormal, with a mean of one."""
    drawn: Floats = np.exp(spread * rng.standard_normal(SIMULATIONS) - spread**2 / 2)
    return drawn


def _listed(table: PriceTable, seat: SeatUsage) -> float:
    """What a seat's answers cost by their tokens."""
    calls = seat.priced
    usage = Usage(
        max(round(seat.priced_prompt / calls), 1),
        round(seat.priced_completion / calls),
        cached_tokens=round(seat.priced_cached / calls),
        reasoning_tokens=round(
            seat.reasoning_tokens * seat.priced_completion / max(seat.response_tokens, 1) / calls
        ),
    )
    return calls * (table.cost(usage) or 0.0)
