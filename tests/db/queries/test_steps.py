"""Steps of ratings, compared as columns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from db.queries.steps import Steps

Row = tuple[int, int, float, float, float, float]

ROWS: list[Row] = [
    (7, 1, 25.0, 8.0, 26.0, 7.5),
    (7, 2, 25.0, 8.0, 24.0, 7.5),
    (9, 1, 26.0, 7.5, 27.0, 7.0),
]


def steps(rows: list[Row]) -> Steps:
    games, agents = (np.array([row[k] for row in rows], dtype=np.int64) for k in (0, 1))
    return Steps(games, agents, np.array([row[2:] for row in rows]).reshape(-1, 4))


def test_the_order_of_steps_does_not_matter() -> None:
    assert steps(ROWS).equal(steps(ROWS[::-1])) == 3
    assert steps([]).equal(steps([])) == 0


@pytest.mark.parametrize("column", range(4))
def test_one_bit_is_a_difference(column: int) -> None:
    one = steps(ROWS)
    one.values[1, column] = math.nextafter(one.values[1, column], 0.0)

    assert one.equal(steps(ROWS)) == 2


def test_steps_that_only_one_side_has_do_not_hide_the_equal_ones() -> None:
    more = [(8, 1, 1.0, 1.0, 1.0, 1.0), *ROWS]

    assert steps(more).equal(steps(ROWS)) == steps(ROWS).equal(steps(more)) == 3
    assert steps(ROWS[:1]).equal(steps(ROWS)) == 1
    assert steps([(7, 3, *ROWS[1][2:])]).equal(steps(ROWS)) == 0
    assert steps([]).equal(steps(ROWS)) == 0
