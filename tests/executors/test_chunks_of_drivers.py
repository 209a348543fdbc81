"""A driver that takes over counts what those before it have sent: no minute has more for it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.executors.test_chunked_clearance import lived_through


@settings(deadline=None, max_examples=8)
@given(
    seed=st.integers(0, 10**6),
    per_minute=st.sampled_from([6.0, 20.0, 50.0]),
    workers=st.integers(1, 6),
    drivers=st.sampled_from([5, 10]),
    lag=st.sampled_from([0.001, 0.05, 0.5]),
)
def test_a_driver_counts_what_those_before_it_sent(
    seed: int, per_minute: float, workers: int, drivers: int, lag: float
) -> None:
    """So few calls leave one by one: one too many for each driver is seen."""
    record = lived_through(
        seed, per_minute=per_minute, workers=workers, drivers=drivers, lag=lag, latency=1.1
    )

    assert record.busiest(60.0) <= per_minute + 1
    assert len(record.calls) > per_minute / 2
