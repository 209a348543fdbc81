"""What a goal makes of the pairs: which count, and that none is ever forgotten."""

from __future__ import annotations

import numpy as np
import pytest

from arena.core import UsageError
from arena.matchmakers.goals import FLOOR, order, top, weigh
from arena.matchmakers.informative import informative
from tests.matchmakers.asking import made

PAIRS = 4 * 3


def test_a_pair_that_is_nearly_told_apart_counts_more_than_one_that_is_and_one_that_cannot_be() -> (
    None
):
    weights = order(np.array([0.0, 0.01, 1.0, 9.0]), np.eye(4) * 0.5)

    assert weights[0, 2] > 5 * weights[0, 1]
    assert weights[0, 2] > 5 * weights[0, 3]
    assert weights == pytest.approx(weights.T)
    assert weights.sum() == pytest.approx(PAIRS)


def test_no_luck_puts_two_halves_of_a_pool_so_far_apart_that_they_never_meet() -> None:
    weights = order(np.array([0.0, 1.0, 1000.0, 1001.0]), np.eye(4))

    assert weights[:2, 2:].min() == pytest.approx(FLOOR)


def test_where_nothing_is_known_all_pairs_count_alike() -> None:
    weights = order(np.zeros(4), np.eye(4))

    assert weights.tolist() == (1.0 - np.eye(4)).tolist()


def test_the_best_are_told_from_the_others_and_not_from_each_other() -> None:
    weights = top(np.array([1.0, 4.0, 2.0, 3.0]), np.eye(4), 2)

    best, others = [1, 3], [0, 2]
    assert weights[np.ix_(best, others)].min() > FLOOR
    assert weights[1, 3] == weights[0, 2] == FLOOR


def test_a_top_of_equals_has_as_many_as_it_says() -> None:
    weights = top(np.array([1.0, 1.0, 1.0, 0.0]), np.eye(4), 2)

    # The first of those who stand alike; who they are decides nothing yet.
    assert weights[0, 3] == weights[1, 3] > weights[2, 3] == FLOOR


@pytest.mark.parametrize(
    "goal", ["", "best", "top", "top 0", "top -1", "top x", "top 1.5", 3, None]
)
def test_a_goal_that_is_none_is_refused(goal: object) -> None:
    with pytest.raises(
        UsageError, match=r"`goal` is .*, expected `order`, or `top 3` for the best"
    ):
        made(informative, 4, 2, 10, options={"goal": goal})


def test_the_best_are_fewer_than_all() -> None:
    assert weigh("top 3", range(4))
    with pytest.raises(UsageError, match="`goal` is 'top 4' of 4 agents, expected fewer"):
        made(informative, 4, 2, 10, options={"goal": "top 4"})


@pytest.mark.parametrize("version", [0, 3, True, "2", 1.0])
def test_a_version_that_is_none_is_refused(version: object) -> None:
    with pytest.raises(UsageError, match=r"`version` is .*, expected 2 or 1"):
        made(informative, 4, 2, 10, options={"version": version})


def test_the_first_version_knew_one_goal() -> None:
    with pytest.raises(UsageError, match="version 1 has no `goal` but `order`"):
        made(informative, 4, 2, 10, options={"goal": "top 1", "version": 1})
