"""Krippendorff's alpha of published examples, and of some made by hand."""

from __future__ import annotations

import pytest

from arena.stats.krippendorff import FEWEST, krippendorff

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): examples A, B and C.
TWO_OBSERVERS = [(0, 1), (1, 1), (0, 1), (0, 0), (0, 0), (0, 1), (0, 0), (0, 0), (1, 0), (0, 0)]
LETTERS = [*zip("aabbdcccedda", "babbbccceddd", strict=True)]
FOUR_OBSERVERS = [
    [int(said) for said in unit if said != "."]
    for unit in zip(
        "12332141 2...".replace(" ", ""),
        "12332241 25.3".replace(" ", ""),
        ".3332342 251.".replace(" ", ""),
        "12332441 251.".replace(" ", ""),
        strict=True,
    )
]


def test_the_published_examples() -> None:
    assert krippendorff(TWO_OBSERVERS, ordinal=False).alpha == pytest.approx(0.095, abs=5e-4)
    letters = [[ord(each) for each in unit] for unit in LETTERS]
    assert krippendorff(letters, ordinal=False).alpha == pytest.approx(0.692, abs=5e-4)
    nominal = krippendorff(FOUR_OBSERVERS, ordinal=False)
    assert nominal.alpha == pytest.approx(0.743, abs=5e-4)
    assert (nominal.units, nominal.values) == (11, 40)
    assert krippendorff(FOUR_OBSERVERS, ordinal=True).alpha == pytest.approx(0.815, abs=5e-4)


def test_the_ends_of_the_scale() -> None:
    agreed = krippendorff([(1, 1), (5, 5), (3, 3), (2, 2), (4, 4)], ordinal=True)
    assert (agreed.alpha, agreed.low, agreed.high) == (1.0, 1.0, 1.0)
    # By hand: 10 pairs, all apart; 1 - 9 * 10 / (2 * 25).
    opposed = krippendorff([(0, 1)] * 5, ordinal=False)
    assert opposed.alpha == pytest.approx(1 - 9 * 10 / 50)


def test_what_lies_between_counts_for_ordinal_values_alone() -> None:
    near = [(1, 2), (4, 5), (3, 3), (1, 1), (5, 5), (2, 2)]
    far = [(1, 5), (4, 2), (3, 3), (1, 1), (5, 5), (2, 2)]
    alphas = [krippendorff(units, ordinal=True).alpha or 0.0 for units in (near, far)]
    assert alphas[0] > 0.8 > alphas[1]
    same = [krippendorff(units, ordinal=False).alpha for units in (near, far)]
    assert same[0] == pytest.approx(same[1])


def test_nothing_is_said_where_nothing_can_be() -> None:
    for units in ([], [(3,)], [(3, 3), (3, 3, 3)], [(), (1,)]):
        found = krippendorff(units, ordinal=True)
        assert (found.alpha, found.low, found.high) == (None, None, None)


def test_the_interval_resamples_clusters_and_is_the_same_again() -> None:
    units = FOUR_OBSERVERS * 3
    alone = krippendorff(units, ordinal=True)
    again = krippendorff(units, ordinal=True)
    assert alone == again
    assert alone.low is not None
    assert alone.high is not None
    # What 50,000 resamples with another seed give; its middle 90 % are 0.661 to 0.924.
    assert alone.low == pytest.approx(0.624, abs=0.012)
    assert alone.high == pytest.approx(0.944, abs=0.012)
    # Copies of a unit tell nothing new: as clusters they leave as much open as one of each.
    copies = [at % len(FOUR_OBSERVERS) for at in range(len(units))]
    clustered = krippendorff(units, ordinal=True, clusters=copies)
    assert clustered.low is not None
    assert clustered.low < alone.low - 0.05
    few = krippendorff(units, ordinal=True, clusters=[at % (FEWEST - 1) for at in copies])
    assert few.alpha == alone.alpha
    assert few.low is None
