"""Lack of fit: a test that skills add up, from what is left of each pair's results.

An additive fit says that who wins depends on the difference of two sums. Where it also depends on
who meets whom (rock beats scissors), the residuals of pairs that met are larger than chance makes
them: `arena.ratings.fit.score_test` with one further effect for each pair.
"""

from __future__ import annotations

from arena.core import Games, Ratings
from arena.ratings.fit.design import seats
from arena.ratings.fit.opponents import opponents
from arena.ratings.fit.score_test import score_test
from arena.ratings.probit import LUCK
from arena.stats.score import ScoreTest


def additivity(games: Games, ratings: Ratings) -> ScoreTest | None:
    """The test of the games' additive fit by `probit`; None where its pairs leave nothing to test,
    as two agents do, or every pair that an effect of the fit stands for.

    Raises ValueError for columns that make no games, or ratings whose link is not the normal one.
    """
    played = seats(games)
    if len(played.agents) < 3:
        return None
    return score_test(played, ratings, opponents(played).matrix, LUCK)
