"""Estimates of tournaments with known spending: the 90 % interval holds what they then took."""

from __future__ import annotations

from collections import Counter

import pytest

from proof.estimate import MEASURES, covered, share
from proof.spending_worlds import SCENARIOS


@pytest.mark.slow
def test_the_interval_of_an_estimate_holds_on_recorded_tournaments() -> None:
    """Of every environment and scenario, with four games on record: the same tournament, earlier
    ones of the same agents, one agent of whom is new, other rules."""
    found = covered(8, seed=3, processes=1, recorded=(4,))

    assert Counter(one.scenario for one in found) == dict.fromkeys(SCENARIOS, 2)
    for measure in MEASURES:
        # Of 8 intervals at 90 %, fewer than 5 hold in five of a thousand samples.
        assert share(found, measure) >= 5 / 8, measure
