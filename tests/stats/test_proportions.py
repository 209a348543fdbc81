"""Intervals of shares are those of the published examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.stats.proportions import newcombe, share, wilson


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        # Newcombe 1998, table II, method 10.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_difference_of_two_shares_has_the_published_interval(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    found = newcombe(first[0] / first[1], first[1], second[0] / second[1], second[1])

    assert found == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("won", "games", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17: 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_a_share_has_the_published_interval(won: int, games: int, low: float, high: float) -> None:
    assert wilson(won / games, games) == pytest.approx((low, high), abs=5e-5)


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=50))
def test_an_interval_is_around_its_share_and_on_the_scale(scores: list[float]) -> None:
    found = share(scores)
    assert found is not None

    low, high = wilson(found, len(scores))

    assert 0.0 <= low <= found <= high <= 1.0


def test_no_games_have_no_share() -> None:
    assert share([]) is None
    assert share([1.0, 0.5, 0.0, 0.0]) == 0.375
