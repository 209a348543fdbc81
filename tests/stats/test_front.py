"""The front of cost and rating: who is rated above all that cost as much or less."""

from __future__ import annotations

from arena.stats.front import cost_front


def test_the_front_is_what_no_other_beats_at_its_price() -> None:
    #                 cheap and weak, dear and strong, between, dear and weak
    assert cost_front([1.0, 4.0, 2.0, 3.0], [20.0, 30.0, 25.0, 24.0]) == [True, True, True, False]


def test_of_those_that_cost_alike_the_best_is_on_it() -> None:
    assert cost_front([1.0, 1.0, 1.0], [20.0, 30.0, 30.0]) == [False, True, False]
    assert cost_front([0.0, 0.0], [25.0, 24.0]) == [True, False]


def test_nobody_and_one() -> None:
    assert cost_front([], []) == []
    assert cost_front([5.0], [20.0]) == [True]
