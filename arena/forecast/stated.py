"""What is assumed where no game on record tells: stated ranges, and how they are drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from arena.core import ModelSpec
from arena.core.arrays import Floats

SIMULATIONS = 2_000

Range = tuple[float, float]

# 90 % intervals.
ANSWER: Range = (10.0, 600.0)  # tokens of an answer
PER_CHARACTER: Range = (1 / 5, 1 / 3)  # tokens for a character of a request
SECONDS: Range = (1.0, 20.0)  # of a call
LONGER: Range = (0.4, 1.6)  # a real game to one at random, in turns
TOOLED: Range = (0.6, 1.7)  # calls of an agent with tools, to one call of a tool in each turn
BUSY: Range = (0.003, 0.015)  # seconds of this machine for a call, whichever provider answers it

_NORMAL_95 = 1.6449

# Values of equal probability of the standard normal distribution.
QUANTILES = np.array([-1.593, -0.967, -0.589, -0.282, 0.0, 0.282, 0.589, 0.967, 1.593])


def middle(stated: Range) -> float:
    """Of the logarithms."""
    return (math.log(stated[0]) + math.log(stated[1])) / 2


def deviation(stated: Range) -> float:
    """The standard deviation of the logarithms whose 90 % interval it is."""
    return (math.log(stated[1]) - math.log(stated[0])) / (2 * _NORMAL_95)


def lognormal(rng: np.random.Generator, stated: Range) -> Floats:
    """(simulations,)"""
    drawn: Floats = np.exp(middle(stated) + deviation(stated) * rng.standard_normal(SIMULATIONS))
    return drawn


def longest_answer(model: ModelSpec) -> int | None:
    """The most tokens that its params allow an answer, None where they do not say."""
    for name in ("max_tokens", "max_completion_tokens", "num_predict"):
        value = model.params.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def stated_answer(model: ModelSpec) -> Range:
    """The tokens of an answer: within what the model's params allow."""
    most = longest_answer(model)
    return ANSWER if most is None else (min(ANSWER[0], most / 2), float(most))


@dataclass(frozen=True, slots=True)
class Residuals:
    """What single games, or seats in them, deviate by: logarithms and their weights."""

    values: Floats
    weights: Floats

    def shares(self, rng: np.random.Generator, games: int) -> Floats:
        """(simulations, values): the share of each in this many games; the weights of a Bayesian
        bootstrap (Rubin 1981), so that few values leave much open."""
        drawn = rng.dirichlet(self.weights, SIMULATIONS)
        shares: Floats = rng.multinomial(games, drawn) / games
        return shares

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation of the exponents (Duan 1983, the smearing estimate)."""
        exponents = np.exp(self.values)
        mean = float(np.average(exponents, weights=self.weights))
        variance = float(np.average((exponents - mean) ** 2, weights=self.weights))
        return mean, math.sqrt(variance)
