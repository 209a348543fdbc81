"""Covariates make ratings surer and leave what they estimate as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arena.core import Games
from arena.ratings.probit import Probit
from proof.covariate_worlds import Scores, play
from proof.worlds import DUEL, FREE_FOR_ALL, MAFIA_35, World
from tests.ratings.test_probit import pick


def games_of(world: World, games: int, seed: int, scores: Scores) -> tuple[Games, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = world.truth(rng)
    return replace(play(truth, games, rng, scores), blocks=()), truth.overall


@pytest.mark.parametrize("world", [replace(DUEL, margin=2.0), MAFIA_35])
def test_they_save_variance_and_keep_coverage_and_scale(world: World) -> None:
    inside, saved, slopes, errors = [], [], [], []
    for seed in range(6):
        games, truth = games_of(world, 150, seed, Scores(0.7, missing=0.1))
        ratings = Probit().fit(games)
        plain = Probit().fit(replace(games, covariates=()))
        (mean, covariance), (before, _) = ratings.contrasts(range(12)), plain.contrasts(range(12))
        inside.append(np.abs(mean - truth) < 1.96 * np.sqrt(np.diag(covariance)))
        errors.append(((mean - truth) ** 2).sum() / ((before - truth) ** 2).sum())
        slopes.append(float(mean @ truth) / float(mean @ mean))
        saved.append(ratings.saved)
        assert plain.saved is None

    assert 0.85 <= np.mean(inside) <= 1.0
    assert np.mean(saved) > 0.15
    assert np.mean(errors) < 0.95
    # A term among others of a probit would have put this at sqrt(1 - 0.49), which is 0.71.
    assert np.mean(slopes) == pytest.approx(1.0, abs=0.2)


def test_what_says_nothing_saves_nothing() -> None:
    games, _ = games_of(MAFIA_35, 150, 3, Scores(0.0))
    saved = Probit().fit(games).saved
    assert saved is not None
    assert abs(saved) < 0.1


def test_any_order_of_games_gives_the_same_bits() -> None:
    games, _ = games_of(MAFIA_35, 40, 5, Scores(0.6, "sign"))
    order = np.random.default_rng(5).permutation(40)
    seats = np.arange(240).reshape(40, 6)[order].ravel()
    shuffled = replace(pick(games, order), covariates=np.asarray(games.covariates)[seats])

    one, other = Probit().fit(games), Probit().fit(shuffled)
    assert one.mean.tobytes() == other.mean.tobytes()
    assert one.covariance.tobytes() == other.covariance.tobytes()
    assert one.saved == other.saved


@pytest.mark.parametrize("world", [MAFIA_35, FREE_FOR_ALL])
def test_without_any_that_is_known_or_used_ratings_are_as_without(world: World) -> None:
    if world is MAFIA_35:
        games, _ = games_of(world, 40, 5, Scores(0.6, missing=1.0))
    else:
        rng = np.random.default_rng(5)
        games = world.truth(rng).play(40, rng)
        games = replace(games, covariates=rng.normal(size=len(games.agents)))
    with_, without = Probit().fit(games), Probit().fit(replace(games, covariates=()))
    assert with_.mean.tobytes() == without.mean.tobytes()
    assert with_.saved is None


@pytest.mark.parametrize(
    ("covariates", "said"),
    [([0.0], "expected as many, or none"), ([0.0, np.inf], "is infinite")],
)
def test_columns_that_make_no_games_are_refused(covariates: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Probit().fit(Games([2], [1, 2], [0, 1], [0, 1], covariates=covariates))
