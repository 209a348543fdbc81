"""Skills that change while games are played: a test for it, and what they are at the last game.

`probit` rates the average over its games. Where a provider changes a model behind its name, that is
nobody's skill: `drift` tests for a trend of each agent over the games in their order
(`arena.ratings.fit.score_test`), and `probit-newest` is `probit` with a trend of each agent, its
width averaged over by evidence like the others, asked at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from arena.core import Games, Ratings
from arena.core.arrays import Floats
from arena.core.ratings import BETA
from arena.ratings.fit.counted import Places
from arena.ratings.fit.design import Seats, Term, seats, tidy
from arena.ratings.fit.laplace import Lattice, log_normal
from arena.ratings.fit.likelihood import matches
from arena.ratings.fit.score_test import score_test
from arena.ratings.probit import (
    LATTICES,
    LUCK,
    Effects,
    effects_of,
    games_of,
    margin,
    notes,
    posterior_of,
    reported,
    symmetric,
    with_unseen,
)
from arena.stats.score import ScoreTest

PERIODS = 12
"""Games are cut into so many parts of equal size: within one nothing changes."""

TREND = "agent:trend"
WIDTHS: Mapping[str, Lattice] = {**LATTICES, TREND: log_normal(0.4 * BETA, 2.0, 2, 2, 1.5)}
"""Of the trends as far as they go from the first game to the last. That there are none is not among
them: who asks for the newest skill does not take that for likely, and games seldom tell.
"""
END = 0.5
"""When the last game was, the first being at −½."""


def drift(games: Games, ratings: Ratings) -> ScoreTest | None:
    """The test that no agent's skill has a trend over the games, given their fit by `probit`; None
    where there is nothing to test.

    Raises ValueError for columns that make no games, or ratings whose link is not the normal one.
    """
    played = seats(games)
    if len(played.agents) < 2:
        return None
    shape = (len(played.team_game), len(played.agents))
    trend = sparse.csr_array((_when(played)[played.game], (played.team, played.agent)), shape=shape)
    return score_test(played, ratings, tidy(trend), LUCK)


@dataclass(frozen=True, slots=True)
class NewestProbit:
    """The rating system `probit-newest`: the order of the games counts."""

    name: str = "probit-newest"

    def fit(self, games: Games) -> Ratings:
        """Raises ValueError for columns that make no games."""
        played = seats(games)
        if not len(played.agents):
            return Ratings(self.name, {}, np.zeros(0), np.zeros((0, 0)))
        when = _when(played)
        period = np.unique(when, return_inverse=True)[1][played.game]
        roles = len(played.roles)
        keys = (played.agent * roles + played.role) * PERIODS + period
        different, seat = np.unique(keys, return_inverse=True)
        places = Places(different // PERIODS // roles, different // PERIODS % roles, seat)
        at = np.unique(when)[different % PERIODS]
        effects = _with_trends(played, places, at)
        families = effects.families(WIDTHS)
        said = matches(played, places.seat, len(different))
        said, posterior = posterior_of(said, effects, families)
        known = with_unseen(effects.terms, posterior, families, played)
        # A skill at the end is the one in the middle and half of the trend.
        now = np.eye(len(known.terms))
        for term, column in known.terms.items():
            if term[0] == TREND:
                now[known.terms["agent", term[1]], column] = END
        kept: dict[Term, int] = {}
        for term in known.terms:
            if term[0] != TREND:
                kept[term] = len(kept)
        now = now[[known.terms[term] for term in kept]]
        terms, out = reported(kept, played)
        out = out @ now
        trend = float(posterior.weights @ posterior.sds[:, -1] ** 2)
        return Ratings(
            system=self.name,
            terms=terms,
            mean=out @ known.mean,
            covariance=symmetric(out @ known.covariance @ out.T),
            noise=BETA,
            margin=margin(said),
            shares=played.shares if roles > 1 else {},
            prior={**known.prior, "agent": known.prior["agent"] - (1.0 - END**2) * trend},
            games=(each := games_of(played)),
            notes=[
                *notes(played, each),
                "a rating is what an agent was at the last of these games, if it changed steadily",
            ],
        )


def _when(played: Seats) -> Floats:
    """(games,): the middle of each game's period, from −½ to ½ over all of them in their order."""
    count = len(played.sizes)
    period = np.arange(count) * PERIODS // max(count, 1)
    found: Floats = (period + 0.5) / PERIODS - 0.5
    return found


def _with_trends(played: Seats, places: Places, at: Floats) -> Effects:
    """The effects of `probit`, and a trend of each agent; `at` (places,) is when a place was."""
    base = effects_of(played, places)
    shape = (len(at), len(played.agents))
    trend = sparse.csr_array((at, (np.arange(len(at)), places.agent)), shape=shape)
    terms = dict(base.terms)
    for agent in played.agents.tolist():
        terms[TREND, str(agent)] = len(terms)
    return Effects(terms, sparse.csr_array(sparse.hstack([base.spread, trend])))
