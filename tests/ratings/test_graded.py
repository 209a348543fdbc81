"""`probit-graded`: what margins say on top of who won, and when they say nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arena.core import Games
from arena.ratings.fit.design import seats
from arena.ratings.fit.levels import Levels
from arena.ratings.graded import GradedProbit, levels, margins
from arena.ratings.probit import Probit
from proof.graded import Job, play
from proof.worlds import DUEL, MAFIA_35


def duels(count: int, seed: int) -> Games:
    rng = np.random.default_rng(seed)
    return DUEL.truth(rng).play(count, rng)


def test_without_margins_it_is_probit() -> None:
    games = duels(80, 1)
    plain = Probit().fit(games)
    unknown = replace(games, scores=())
    won = replace(games, scores=1.0 - np.asarray(games.ranks, dtype=np.float64))
    # Who won by how much is known of games of two sides alone.
    for same in (unknown, won):
        graded = GradedProbit().fit(same)
        assert np.array_equal(graded.mean, plain.mean)
        assert np.array_equal(graded.covariance, plain.covariance)
        assert "these ratings are those of probit" in graded.notes[-1]


@pytest.mark.parametrize("score", [np.inf, -np.inf, 1.7e308, -1.7e308])
def test_scores_beyond_all_bounds_are_no_margins(score: float) -> None:
    games = duels(40, 1)
    drawn = np.asarray(games.ranks).copy()
    drawn[:20] = 0
    endless = replace(games, ranks=drawn, scores=np.tile([score, -score], 40))

    graded = GradedProbit().fit(endless)

    assert np.array_equal(graded.mean, Probit().fit(replace(endless, scores=())).mean)


def test_only_the_order_of_margins_counts() -> None:
    games = duels(120, 2)
    lead = np.asarray(games.scores).reshape(-1, 2)
    gap = lead[:, 0] - lead[:, 1]
    far = np.stack([np.sinh(gap), np.zeros(len(gap))], axis=1).ravel()

    one, other = (
        GradedProbit().fit(replace(games, scores=of)) for of in (games.scores, 1000.0 * far)
    )

    assert one.mean == pytest.approx(other.mean)
    assert "the margin of 120 of 120 games" in one.notes[-1]


def test_a_win_by_much_says_more_than_a_win_by_little() -> None:
    # Agents 1 and 2 both beat 3 ten times, and lose to it five times.
    rows = [(agent, 3, won) for agent in (1, 2) for won in [True] * 10 + [False] * 5]
    leads = [9.0 if agent == 1 and won else 1.0 for agent, _, won in rows]
    games = Games(
        [2] * len(rows),
        [agent for one, other, _ in rows for agent in (one, other)],
        [0, 1] * len(rows),
        [rank for *_, won in rows for rank in ((0, 1) if won else (1, 0))],
        scores=[
            score
            for (*_, won), lead in zip(rows, leads, strict=True)
            for score in ((lead, 0.0) if won else (0.0, lead))
        ],
    )

    plain, graded = Probit().fit(games), GradedProbit().fit(games)

    assert plain.contrasts([1, 2])[0] == pytest.approx(0.0, abs=1e-6)
    assert graded.contrasts([1, 2])[0][0] > 0.1


def test_margins_are_those_of_decided_games_of_two_sides() -> None:
    games = Games(
        [2, 2, 2, 3, 4, 2],
        [1, 2, 1, 2, 1, 2, 1, 2, 3, 1, 2, 3, 4, 1, 2],
        [0, 1, 0, 1, 0, 1, 0, 1, 2, 0, 0, 0, 1, 0, 1],
        [0, 1, 1, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 0, 1],
        scores=[3, 1, 0, 5, 1, 0, 9, 5, 1, 1, 2, 3, 1, -1, 4],
    )

    found = margins(seats(games), games.scores)

    # The draw, the three and the loser with more points have none; teams by their mean.
    assert found.tolist() == pytest.approx([2, 5, np.nan, np.nan, 1, np.nan], nan_ok=True)
    assert levels(seats(games), found).tolist() == [2, 3, 0, 0, 1, 0]
    hostile = [np.inf, 1, 0, np.nan, 1, 0, 9, 5, 1, 1, 2, 3, 1, -1, 4]
    assert np.isfinite(margins(seats(games), hostile)).tolist() == [False] * 4 + [True, False]
    with pytest.raises(ValueError, match="15 seats, but 2 scores"):
        margins(seats(games), [1.0, 2.0])


def test_the_derivatives_are_those_of_the_likelihood() -> None:
    by = Levels(np.array([0.4, 1.1]), 0.75)
    level = np.array([1, 2, 3, 1, 3])
    t = np.array([-3.0, 0.2, 1.0, 9.0, -9.0])
    scale = np.array([1.0, 1.2, 1.0, 1.0, 1.3])
    step = 1e-4

    value, slope, bend = by.loglikelihood(t, level, 0.2, scale)
    up, _, _ = by.loglikelihood(t + step, level, 0.2, scale)
    down, _, _ = by.loglikelihood(t - step, level, 0.2, scale)

    assert slope == pytest.approx((up - down) / (2 * step), abs=1e-5)
    assert bend == pytest.approx((2 * value - up - down) / step**2, abs=1e-4)
    every = [by.loglikelihood(t, np.full(5, at), 0.2)[0] for at in (1, 2, 3)]
    assert np.exp(every).sum(axis=0) == pytest.approx(1.0)


@pytest.mark.slow
def test_margins_make_ratings_better_and_by_lot_no_worse() -> None:
    seeds = np.random.SeedSequence(3).spawn(4)

    def error(world: str) -> tuple[float, float]:
        found = np.array([score.error for score in play(Job(world, False, seeds))]).mean(axis=0)
        return float(found[0]), float(found[1])

    plain, graded = error("2v4, the margin is the lead")
    assert graded < plain / 1.1
    plain, graded = error("two players, margins by lot")
    assert graded == pytest.approx(plain, rel=0.05)


def test_teams_of_unequal_size_have_margins_too() -> None:
    rng = np.random.default_rng(4)
    games = MAFIA_35.truth(rng).play(60, rng)

    assert "the margin of 60 of 60 games" in GradedProbit().fit(games).notes[-1]
