"""Every registered rating system keeps the protocol's promises, on games made to break them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from arena import registry
from arena.core import Games, Rating, Ratings
from arena.ratings.trueskill import TrueSkill
from arena.testing.conformance import ConformanceError
from arena.testing.rating_systems import check_rating_system

ORDER_FREE = {"probit", "probit-graded", "bradley-terry"}


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.names("ratings"))
def test_every_registered_system_keeps_the_protocol(name: str) -> None:
    check_rating_system(lambda: registry.rating(name), order_free=name in ORDER_FREE)


class Broken:
    """A rating system that breaks one promise."""

    name = "broken"

    def __init__(self, how: str) -> None:
        self._how = how
        self._inside = registry.rating("trueskill-sides")

    def fit(self, games: Games) -> Ratings:
        ratings = self._inside.fit(games)
        if not len(ratings.mean):
            return replace(ratings, system=self.name)
        changes = {
            "upside down": replace(ratings, mean=-ratings.mean),
            "nothing learnt": replace(ratings, mean=0.0 * ratings.mean),
            "certain": replace(ratings, covariance=0.0 * ratings.covariance),
            "lopsided": replace(ratings, covariance=np.tri(len(ratings.mean)) * ratings.covariance),
            "by name": replace(
                ratings,
                mean=ratings.mean + [sum(map(ord, term[-1])) for term in ratings.terms],
            ),
            "none": ratings,
        }
        return replace(changes[self._how], system=self.name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "found"),
    [
        ("upside down", "agents in order of skill"),
        ("nothing learnt", "agents in order of skill|apart"),
        ("certain", "positive variances"),
        ("lopsided", "a symmetric covariance"),
        ("by name", "under other names"),
    ],
)
def test_a_broken_promise_is_found(how: str, found: str) -> None:
    with pytest.raises(ConformanceError, match=found):
        check_rating_system(lambda: Broken(how))


@pytest.mark.slow
def test_a_fold_does_not_pass_for_order_free() -> None:
    check_rating_system(lambda: Broken("none"))

    with pytest.raises(ConformanceError, match="the same bits in any order of the games"):
        check_rating_system(lambda: Broken("none"), order_free=True)


class Remembers(TrueSkill):
    """Rates a game by how many it has rated before: no rebuild finds that again."""

    def __init__(self) -> None:
        self.count = 0

    def rate(self, *game: Any) -> dict[int, Rating]:
        self.count += 1
        rated = super().rate(*game)
        return {
            agent: Rating(mu + 1e-9 * self.count, sigma) for agent, (mu, sigma) in rated.items()
        }

    def fit(self, games: Games) -> Ratings:
        return TrueSkill().fit(games)

    unrolled = None


def test_a_system_that_is_stored_live_must_be_pure() -> None:
    with pytest.raises(ConformanceError, match="the same bits live, a game at a time, and in a re"):
        check_rating_system(Remembers)
