"""Games in which a seat's own score tells of its luck, and worlds in which it tells more than that.

A seat's noise and its score have the correlation `told`; a score of a two-valued kind is the sign
of such a number. Whatever an agent's skill, the score's expectation is 0, unless it `leaks`: then
it rises by that times the skill, in units of BETA, as the score of a better player would.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from arena.core import Games
from arena.core.ratings import BETA
from proof.worlds import Floats, Truth


@dataclass(frozen=True, slots=True)
class Scores:
    """How seats' scores come about."""

    told: float
    kind: Literal["normal", "sign"] = "normal"
    leaks: float = 0.0
    missing: float = 0.0

    def of(self, noise: Floats, skills: Floats, rng: np.random.Generator) -> Floats:
        """Per seat: `noise` is standard normal, `skills` in units of BETA."""
        rest = np.sqrt(1.0 - self.told**2)
        score = self.told * noise + rest * rng.normal(size=noise.shape) + self.leaks * skills
        found: Floats = np.sign(score) if self.kind == "sign" else score
        return found


def play(truth: Truth, games: int, rng: np.random.Generator, scores: Scores) -> Games:
    """Games of random lineups, with the scores as covariates: the share `missing` of the games has
    none."""
    world = truth.world
    lineups = truth.lineups(games, rng)
    noise = rng.normal(size=lineups.shape)
    performed = truth.strengths(lineups)
    for seat, team in enumerate(world.seat_teams):
        performed[:, team] += BETA * noise[:, seat]
    ranks = np.argsort(np.argsort(-performed, axis=1), axis=1)
    if world.margin > 0.0:
        width = world.margin * np.sqrt(len(world.seat_teams) / 2.0)
        ranks[np.abs(performed[:, 0] - performed[:, 1]) < width] = 0
    skills = truth.by_role[lineups, world.seat_roles] / BETA
    covariates = scores.of(noise, skills, rng)
    covariates[rng.random(games) < scores.missing] = np.nan
    plain = truth.play(lineups, rng)
    return replace(plain, ranks=ranks[:, world.seat_teams].ravel(), covariates=covariates.ravel())
