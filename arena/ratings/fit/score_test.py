"""A test that an additive fit leaves out no effects of a kind, from its residuals.

With U the score of further effects at the fit, the statistic is U'U, the score test of a variance
component (Zelterman and Chen, "Homogeneity tests against central mixture alternatives", JASA 83,
1988; le Cessie and van Houwelingen, Biometrics 51, 1995). Under the additive fit U is about normal
with covariance

    V = Z'JZ − Z'JX·C·X'JZ,

J being the information on the teams' sums, X the design of the fit's effects, C their posterior
covariance and Z that of the further effects; the distribution of U'U is taken as that of a multiple
of a chi-square with the same mean tr V and variance 2 tr V² (Satterthwaite, Biometrics 2, 1946).
With few games the scores vary less than normal ones, and the test is on the safe side. The luck
that games on one seed share is as much as is likeliest at the fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from scipy import sparse
from scipy.special import chdtrc

from arena.core import Ratings
from arena.core.arrays import Floats
from arena.ratings.fit.design import Seats, team_design
from arena.ratings.fit.likelihood import Matches, matches
from arena.stats.score import ScoreTest


def score_test(
    played: Seats, ratings: Ratings, further: sparse.csr_array, luck: Iterable[float]
) -> ScoreTest | None:
    """The test of `further` effects (teams, effects), which the games' fit by `probit` does not
    have; None where it leaves nothing to test. `luck` are the shares that seeds may deal.

    Raises ValueError for ratings whose link is not the normal one.
    """
    if ratings.link != "normal":
        raise ValueError(f"found ratings with a {ratings.link} link: expected those of probit")
    named, design = team_design(played)
    known = [(at, ratings.terms[term]) for term, at in named.items() if term in ratings.terms]
    if not known:
        return None
    columns, places = np.array(known).T
    design = design[:, columns]
    sizes = np.bincount(played.team).astype(np.float64)
    strengths = (design @ ratings.mean[places]) / sizes
    said = matches(played, played.team, len(sizes)).with_margins(strengths)
    if (said.pairs.block >= 0).any():
        said = max((replace(said, luck=share) for share in luck), key=_likely(strengths))
    per_seat = sparse.diags_array(1.0 / sizes)
    _, gradient = said.at(strengths)
    information = said.curvature(strengths)
    score = further.T @ (gradient / sizes)
    effects = sparse.csr_array(per_seat @ further)
    own = information.along(effects)
    shared = information.across(effects, sparse.csr_array(per_seat @ design))
    covariance = ratings.covariance[np.ix_(places, places)]
    # tr V and tr V², without V: further effects may be many, those of the fit are few.
    inner = covariance @ (shared.T @ shared)
    mean = own.trace() - float(np.trace(inner))
    square = (
        own.squares()
        - 2.0 * float(np.trace(covariance @ (shared.T @ (own @ shared))))
        + float(np.sum(inner * inner.T))
    )
    if mean <= 1e-9 * own.trace() or square <= 0.0:
        return None
    degrees = mean * mean / square
    excess = float(score @ score) / mean
    return ScoreTest(further.shape[1], excess, float(chdtrc(degrees, excess * degrees)))


def _likely(strengths: Floats) -> Callable[[Matches], float]:
    """The log-evidence of games at these strengths, as a function of the luck assumed."""

    def evidence(said: Matches) -> float:
        value, _ = said.at(strengths)
        return value + (said.evidence_of_luck(strengths) if said.luck else 0.0)

    return evidence
