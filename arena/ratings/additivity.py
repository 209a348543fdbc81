"""Lack of fit: a test that skills add up, from what is left of each pair's results.

An additive fit says that who wins depends on the difference of two sums. Where it also depends on
who meets whom (rock beats scissors), the residuals of pairs that met are larger than chance makes
them. With U the score of one further effect for each pair at the fit, the statistic is U'U, the
score test of a variance component (Zelterman and Chen, "Homogeneity tests against central mixture
alternatives", JASA 83, 1988; le Cessie and van Houwelingen, Biometrics 51, 1995). Under the
additive fit U is about normal with covariance

    V = Z'JZ − Z'JX·C·X'JZ,

J being the information on the teams' sums, X the design of the fit's effects, C their posterior
covariance and Z that of the pairs; the distribution of U'U is taken as that of a multiple of a
chi-square with the same mean tr V and variance 2 tr V² (Satterthwaite, Biometrics 2, 1946). With
few games the scores vary less than normal ones, and the test is on the safe side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import chdtrc

from arena.core import Games, Ratings
from arena.ratings.fit.design import seats, team_design
from arena.ratings.fit.likelihood import matches
from arena.ratings.fit.opponents import opponents


@dataclass(frozen=True, slots=True)
class Additivity:
    """Whether `pairs` pairs of agents add up: `excess` is their squared residuals over what chance
    makes them (about 1 where they do), `p` the probability of as much by chance."""

    pairs: int
    excess: float
    p: float


def additivity(games: Games, ratings: Ratings) -> Additivity | None:
    """The test of the games' additive fit by `probit`; None where its pairs leave nothing to test,
    as two agents do, or every pair that an effect of the fit stands for.

    Raises ValueError for columns that make no games, or ratings whose link is not the normal one.
    """
    if ratings.link != "normal":
        raise ValueError(f"found ratings with a {ratings.link} link: expected those of probit")
    played = seats(games)
    named, design = team_design(played)
    known = [(at, ratings.terms[term]) for term, at in named.items() if term in ratings.terms]
    if len(played.agents) < 3 or not known:
        return None
    columns, places = np.array(known).T
    design = design[:, columns]
    sizes = np.bincount(played.team).astype(np.float64)
    strengths = (design @ ratings.mean[places]) / sizes
    said = matches(played, played.team, len(sizes)).with_margins(strengths)
    per_seat = sparse.diags_array(1.0 / sizes)
    _, gradient = said.at(strengths)
    information = sparse.csr_array(per_seat @ said.curvature(strengths) @ per_seat)
    met = opponents(played).matrix
    score = met.T @ (gradient / sizes)
    own = sparse.csr_array(met.T @ (information @ met))
    shared = (met.T @ (information @ design)).toarray()
    covariance = ratings.covariance[np.ix_(places, places)]
    # tr V and tr V², without V: pairs are many, effects are few.
    inner = covariance @ (shared.T @ shared)
    mean = float(own.trace() - np.trace(inner))
    square = float(
        own.multiply(own).sum()
        - 2.0 * np.trace(covariance @ (shared.T @ (own @ shared)))
        + np.sum(inner * inner.T)
    )
    if mean <= 1e-9 * float(own.trace()) or square <= 0.0:
        return None
    degrees = mean * mean / square
    excess = float(score @ score) / mean
    return Additivity(met.shape[1], excess, float(chdtrc(degrees, excess * degrees)))
