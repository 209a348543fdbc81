"""How long calls took their providers, and for how long they waited for the process that made
them: what tells a saturated arena from a slow provider."""

from __future__ import annotations

from dataclasses import dataclass

from arena.reports.usage import Latency

# A process is saturated whose calls, one with another, wait for it so long: in milliseconds, and as
# a part of the time of their provider.
_LONG = 250.0
_PART = 0.25


@dataclass(frozen=True, slots=True)
class CallTimes:
    """The time of answered calls at their providers (`latency`), and for how long they waited for
    this process beside it (`lag`); None before any was answered."""

    latency: Latency | None = None
    lag: Latency | None = None

    @property
    def saturated(self) -> bool:
        """Whether the process has more to do than it can: half of the calls waited for it for a
        quarter of a second and for a quarter of their provider's time, or longer."""
        if self.lag is None or self.latency is None:
            return False
        return self.lag.median >= max(_LONG, _PART * self.latency.median)

    @property
    def said(self) -> str | None:
        """The two beside each other, in words; None before any call was answered."""
        if self.latency is None or self.lag is None:
            return None
        return f"calls took {_times(self.latency)}, and waited here for {_times(self.lag)}"


def _times(times: Latency) -> str:
    return f"{_milliseconds(times.median)} (19 in 20 below {_milliseconds(times.p95)})"


def _milliseconds(milliseconds: float) -> str:
    return f"{milliseconds / 1e3:.1f} s" if milliseconds >= 1e3 else f"{milliseconds:.0f} ms"
