"""Where the marks of charts stand."""

from __future__ import annotations

import pytest

from arena.viewer.charts import axis


@pytest.mark.parametrize("last", [2, 3, 4, 7, 40, 1_000])
def test_ticks_of_whole_numbers_are_whole_and_no_two_alike(last: int) -> None:
    ticks = axis([1, last], 0, 100, 6, whole=True).ticks

    assert ticks
    assert all(tick == int(tick) for tick in ticks)
    assert len({f"{tick:.0f}" for tick in ticks}) == len(ticks)


def test_ticks_of_shares_are_round_and_hold_the_ends() -> None:
    assert axis([0, 1], 0, 100, 4).ticks == (0.0, 0.5, 1.0)
