"""The rating systems' part of the benchmark runs and prints its rows; how fast, no test says."""

from __future__ import annotations

import pytest

from bench.systems import measure
from bench.workers import Workers

pytestmark = pytest.mark.slow


def test_every_system_is_measured_beside_a_package() -> None:
    with Workers(shared=True) as workers:
        rows = measure(workers, toy=True)

    assert {row.part for row in rows} == {"systems"}
    assert all(value > 0.0 for row in rows for value in row.values)
    told = " ".join(row.what for row in rows)
    for name in ("probit", "through time", "12 agents", "20 agents", "openskill", "informative"):
        assert name in told
