"""Agents share a letter exactly if they cannot be told apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.core import UsageError
from arena.stats.groups import different, groups, ranks, told_apart


def test_two_far_apart_and_one_between() -> None:
    mean, covariance = np.array([0.0, 5.0, 2.5]), np.eye(3)

    assert groups(mean, covariance) == ("b", "a", "ab")
    assert ranks(mean, covariance) == ((2, 3), (1, 2), (1, 3))
    assert told_apart(mean, covariance) == 1


def test_clear_steps_have_a_letter_each() -> None:
    assert groups(np.array([30.0, 10.0, 20.0]), np.eye(3)) == ("a", "c", "b")


@pytest.mark.parametrize(("mean", "letters"), [([], ()), ([3.0], ("a",)), ([1.0, 1.0], ("a", "a"))])
def test_the_smallest_pools(mean: list[float], letters: tuple[str, ...]) -> None:
    assert groups(np.array(mean), np.eye(len(mean))) == letters
    assert ranks(np.array(mean), np.eye(len(mean))) == ((1, len(mean)),) * len(mean)


def pools(seed: int, agents: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(agents, agents)) * rng.uniform(0.1, 1.5, size=(agents, 1))
    return rng.normal(0, 3, agents), root @ root.T + np.diag(rng.uniform(0, 4, agents))


@given(st.integers(0, 100_000), st.integers(1, 14))
@settings(deadline=None)
def test_letters_ranks_and_pairs_tell_the_same(seed: int, agents: int) -> None:
    mean, covariance = pools(seed, agents)

    apart = different(mean, covariance)
    letters = groups(mean, covariance)
    places = ranks(mean, covariance)

    assert all(letters)
    for one, other in combinations(range(agents), 2):
        assert bool(set(letters[one]) & set(letters[other])) is not bool(apart[one, other])
        if apart[one, other] and mean[one] > mean[other]:
            assert places[one][0] < places[other][0]
            assert places[one][1] < places[other][1]
    for place, agent in enumerate(np.argsort(-mean), start=1):
        assert places[agent][0] <= place <= places[agent][1]


@given(st.integers(0, 100_000), st.randoms())
@settings(deadline=None, max_examples=30)
def test_the_order_of_the_agents_does_not_matter(seed: int, random: object) -> None:
    mean, covariance = pools(seed, 8)
    order = list(range(8))
    random.shuffle(order)  # type: ignore[attr-defined]

    shuffled = groups(mean[order], covariance[np.ix_(order, order)])

    assert shuffled == tuple(groups(mean, covariance)[agent] for agent in order)


def test_contrasts_to_the_pool_have_the_same_groups_as_skills() -> None:
    mean, covariance = pools(3, 9)
    centre = np.eye(9) - 1 / 9

    assert groups(centre @ mean, centre @ covariance @ centre) == groups(mean, covariance)


def test_equal_agents_are_told_apart_in_one_pool_of_twenty() -> None:
    rng = np.random.default_rng(1)
    root = np.linalg.cholesky(0.3 + 0.7 * np.eye(6))

    wrong = [different(root @ rng.normal(size=6), root @ root.T).any() for _ in range(1_500)]

    assert 0.02 < np.mean(wrong) < 0.065


def test_the_best_of_many_pairs_needs_more_than_one_pair_would() -> None:
    pair = different(np.array([2.9, 0.0]), np.eye(2))
    many = different(np.array([2.9, *[0.0] * 9]), np.eye(10))

    assert pair[0, 1]
    assert not many.any()


def test_three_hundred_agents_are_grouped_at_once() -> None:
    rng = np.random.default_rng(4)
    mean, covariance = np.sort(rng.normal(0, 4, 300))[::-1], np.diag(rng.uniform(0.3, 0.5, 300))

    letters = groups(mean, covariance)

    assert letters[0].startswith("a")
    assert not set(letters[0]) & set(letters[-1])


def test_a_newcomer_of_whom_nothing_is_known_is_in_every_group() -> None:
    mean, covariance = np.array([10.0, 0.0, -10.0, 1.0]), np.diag([0.1, 0.1, 0.1, 900.0])

    assert groups(mean, covariance) == ("a", "b", "c", "abc")
    assert ranks(mean, covariance)[3] == (1, 4)


def test_the_same_agent_known_exactly_differs_from_nobody_by_rounding() -> None:
    mean = np.array([0.1 + 0.2, 0.3])

    assert not different(mean, np.zeros((2, 2))).any()
    assert different(np.array([0.3, 0.4]), np.zeros((2, 2)))[0, 1]


@pytest.mark.parametrize(
    ("mean", "covariance", "alpha", "message"),
    [
        ([0.0, np.nan], np.eye(2), 0.05, "not a finite number"),
        ([0.0, 1.0], np.full((2, 2), np.inf), 0.05, "not a finite number"),
        ([0.0, 1.0], np.eye(3), 0.05, r"expected \(2, 2\)"),
        ([0.0, 1.0], np.eye(2), 0.0, "alpha is 0.0"),
    ],
)
def test_ratings_that_are_none_are_refused(
    mean: list[float], covariance: np.ndarray, alpha: float, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        groups(np.array(mean), covariance, alpha)
