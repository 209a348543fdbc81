"""The prices of lineups, against the formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from arena.core import Part
from arena.core.ratings import BETA, SIGMA
from arena.matchmakers.gain import Knowledge, comparisons, information, misordered, ranking

RNG = np.random.default_rng(5)
ROOT = RNG.normal(size=(8, 8)) * 3.0
MEAN, COVARIANCE = RNG.normal(size=8) * 4.0, ROOT @ ROOT.T
WOLVES = [Part("Wolf", "Wolves")] * 2 + [Part("Sheep", "Flock")] * 4


def test_a_lineup_is_worth_the_variance_that_it_takes_from_pairs_likely_to_be_misordered() -> None:
    knowledge = Knowledge.of(MEAN, COVARIANCE)
    compared = comparisons([range(6)], WOLVES, 6)
    lineup = [3, 1, 0, 7, 5, 2]
    centred = np.eye(8) - 1 / 8
    mean, covariance = centred @ MEAN, centred @ COVARIANCE @ centred
    a = np.zeros(8)
    a[[3, 1]], a[[0, 7, 5, 2]] = 1.0, -1.0

    c2 = a @ covariance @ a + 6 * BETA**2
    p = norm.cdf(a @ mean / np.sqrt(c2))
    w = norm.pdf(norm.ppf(p)) ** 2 / (p * (1 - p))
    worth = 0.0
    for i in range(8):
        for j in range(i):
            d = np.zeros(8)
            d[i], d[j] = 1.0, -1.0
            wrong = norm.cdf(-abs(d @ mean) / np.sqrt(d @ covariance @ d))
            worth += wrong * (a @ covariance @ d) ** 2 * w / c2

    assert knowledge.gains(np.array([lineup]), compared) == pytest.approx([worth], rel=1e-10)


def test_a_change_of_one_agent_is_priced_like_the_whole_lineup() -> None:
    knowledge = Knowledge.of(MEAN, COVARIANCE)
    blocks = [[(player - game) % 6 for player in range(6)] for game in range(6)]
    compared = comparisons(blocks, WOLVES, 6)
    lineup = np.array([3, 1, 0, 7, 5, 2])

    changes = knowledge.replacements(lineup, compared)

    for slot in range(6):
        for agent in range(8):
            changed = lineup.copy()
            changed[slot] = agent
            whole = knowledge.gains(changed[None], compared)[0]
            assert changes[slot, agent] == pytest.approx(whole, rel=1e-9)


def test_pairs_are_games_of_two() -> None:
    knowledge = Knowledge.of(MEAN, COVARIANCE)
    compared = comparisons([range(2)], [Part(), Part()], 2)

    pairs = knowledge.pairs(knowledge.told())

    assert pairs[4, 6] == pytest.approx(knowledge.gains(np.array([[4, 6]]), compared)[0])


def test_what_is_under_way_counts_as_told() -> None:
    knowledge = Knowledge.of(MEAN, COVARIANCE)
    a = np.zeros((1, 8))
    a[0, 4], a[0, 6] = 1.0, -1.0
    covariance = knowledge.covariance
    c2 = float((a @ covariance @ a.T)[0, 0]) + 2 * BETA**2
    w = information(a @ knowledge.mean / np.sqrt(c2))[0]
    h = covariance @ a[0]

    after = knowledge.expecting(a, np.array([2.0]), np.array([1.0]))

    assert after.covariance == pytest.approx(covariance - np.outer(h, h) * w / c2, abs=1e-9)
    assert after.value == pytest.approx(after.covariance @ after.worth @ after.covariance)
    told = knowledge.told()
    assert after.pairs(told)[4, 6] < knowledge.pairs(told)[4, 6]


def test_many_games_under_way_leave_a_covariance() -> None:
    knowledge = Knowledge.of(MEAN, COVARIANCE)
    a = np.zeros((500, 8))
    a[:, 4], a[:, 6] = 1.0, -1.0

    after = knowledge.expecting(a, np.full(500, 2.0), np.ones(500))

    assert np.linalg.eigvalsh(after.covariance).min() > -1e-9


def test_information_is_largest_between_equals_and_never_fails() -> None:
    told = information(np.array([0.0, 1.0, -1.0, 8.0, 40.0, -1e6]))

    assert told[0] == pytest.approx(2 / np.pi)
    assert told[1] == told[2] < told[0]
    assert np.isfinite(told).all()
    assert (told >= 0.0).all()


def test_the_game_of_everybody_for_themselves_is_all_pairs_at_two_of_t_each() -> None:
    parts = [Part()] * 5
    fewest, pairs = ranking(parts), comparisons([range(5)], parts, 5)

    assert len(fewest.rows) == 4
    assert len(pairs.rows) == 10
    everything = (pairs.rows * pairs.weight[:, None]).T @ pairs.rows
    assert fewest.rows.T @ fewest.rows == pytest.approx(everything)


def test_rotations_that_compare_the_same_are_counted_together() -> None:
    rotations = [[(player - game) % 3 for player in range(3)] for game in range(3)]

    compared = comparisons(rotations, [Part()] * 3, 3)

    assert len(compared.rows) == 3
    assert compared.weight == pytest.approx([2.0] * 3)
    assert compared.games.tolist() == [3.0, 3.0, 3.0]


def test_agents_of_whom_nothing_is_known_have_the_prior() -> None:
    mean, covariance = MEAN.copy(), COVARIANCE.copy()
    mean[2] = np.nan
    covariance[5, :] = np.nan

    knowledge = Knowledge.of(mean, covariance)
    known = [0, 1, 3, 4, 6, 7]

    assert np.isfinite(knowledge.value).all()
    filled = knowledge.mean - knowledge.mean[0] + MEAN[0]
    assert filled[2] == pytest.approx(filled[5]) == pytest.approx(MEAN[known].mean())
    apart = knowledge.covariance[2, 2] + knowledge.covariance[5, 5]
    assert apart - 2 * knowledge.covariance[2, 5] == pytest.approx(2 * SIGMA**2)


def test_misordered() -> None:
    wrong = misordered(np.array([0.0, 0.0, 2.0]), np.eye(3) * 2.0)

    assert wrong[0, 1] == 0.5
    assert wrong[0, 2] == wrong[2, 0] == pytest.approx(norm.cdf(-1.0))
    assert wrong[2, 2] == 0.0
