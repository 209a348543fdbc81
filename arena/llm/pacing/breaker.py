"""Tells a model that is down from one that fails now and then, and finds out when it is back.

Knows no clock and sends nothing: times are seconds of whatever clock the caller has, and calls are
known by their number in the order of sending.
"""

from __future__ import annotations

import math
import random
from enum import StrEnum

# A run of failures opens the breaker when it is less likely than this at the share of calls that
# failed before it. Four is the fewest: a call that is alone and has four retries then meets the
# breaker before it is given up.
_UNLIKELY = 1e-4
_FEWEST = 4
_HIGHEST_SHARE = 0.7
_MEMORY = 0.98

_FIRST_INTERVAL = 1.0
_LONGEST_INTERVAL = 15.0
_OVERDUE = 30.0
_PARKED = 60.0


class BreakerState(StrEnum):
    """`open` between two probes, `probing` while one is out, `parked` after all patience."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"
    PARKED = "parked"


class Breaker:
    """One model's circuit breaker (M. Nygard, Release It!, 2nd ed. 2018, section 5.2).

    A failure counts when it was sent after every call that succeeded: what hung through an outage
    and fails after it says nothing new. While it is open, one probe at a time goes out, 1, 2, 4 ...
    15 s after the failure before it; one that is silent for 30 s no longer keeps the next waiting.
    The first success of a call sent after it opened closes it.

    `patience` is the seconds for which a model may fail with every call; `doubt` those of a model
    that has never answered and meets no limit either: more likely its address is wrong.
    """

    __slots__ = (
        "_bad",
        "_doubt",
        "_failed",
        "_good",
        "_interval",
        "_newest_success",
        "_opened_after",
        "_parked_until",
        "_patience",
        "_probe",
        "_probe_at",
        "_probe_sent",
        "_refused",
        "_rng",
        "_run",
        "_said",
        "closed",
        "failing_since",
    )

    def __init__(self, patience: float, rng: random.Random, doubt: float = math.inf) -> None:
        self._patience = patience
        self._doubt = doubt
        self._rng = rng
        self._good = self._bad = 0.0
        self._newest_success = -1
        self._clear()

    def _clear(self) -> None:
        self.closed = True
        self.failing_since: float | None = None
        self._run = self._failed = self._refused = 0
        self._said = ""
        self._opened_after = -1
        self._interval = _FIRST_INTERVAL
        self._probe: int | None = None
        self._probe_at = self._probe_sent = -math.inf
        self._parked_until = -math.inf

    def state(self, now: float) -> BreakerState:
        if self.closed:
            return BreakerState.CLOSED
        if self.parked(now):
            return BreakerState.PARKED
        return BreakerState.OPEN if self._probe is None else BreakerState.PROBING

    def parked(self, now: float) -> bool:
        """Whether no call may be sent, not even to find out."""
        return now < self._parked_until

    def wait_until(self, now: float) -> float | None:
        """When to ask again whether a call may be sent; None for now."""
        if self.closed:
            return None
        if self._probe is None:
            at = self._probe_at
        elif self._out_of_patience(now):
            at = math.inf
        else:
            at = self._probe_sent + _OVERDUE
        return None if at <= now else at

    def deadline(self) -> float:
        """When those that wait are to be told that the model is parked."""
        if self.closed or self.failing_since is None:
            return math.inf
        deadline = self.failing_since + self._patient()
        return deadline if self._probe is None else max(deadline, self._probe_sent + _OVERDUE)

    def sent(self, number: int, now: float) -> bool:
        """A call leaves: whether it is a probe."""
        if self.closed:
            return False
        self._probe, self._probe_sent = number, now
        return True

    def succeeded(self, number: int) -> bool:
        """A call was answered: whether this closes the breaker."""
        if not self.closed and number <= self._opened_after:
            return False
        self._remember()
        self._newest_success = max(self._newest_success, number)
        closes = not self.closed
        if closes or self.failing_since is not None:
            self._clear()
        return closes

    def failed(self, number: int, now: float, newest: int, said: str) -> None:
        """A call failed and it was the model's fault; `newest` is the last call sent so far."""
        if number < self._newest_success:
            self._bad += 1.0
            return
        self._note(now, said)
        self._failed += 1
        self._run += 1
        if not self.closed:
            if number == self._probe:
                self._interval = min(2.0 * self._interval, _LONGEST_INTERVAL)
                self._again(now)
        elif self._run >= self._fewest():
            self._open(now, newest)

    def refused(self, number: int, now: float, newest: int, said: str) -> None:
        """A call met a rate limit: the model may be well, but does not answer."""
        if number < self._newest_success:
            return
        self._note(now, said)
        self._refused += 1
        if number == self._probe:
            self._again(now)
        if self.closed and self._out_of_patience(now) and self._refused + self._failed >= _FEWEST:
            self._open(now, newest)

    def left(self, number: int) -> None:
        """A call ended without saying anything about the model."""
        if number == self._probe:
            self._probe = None

    def park(self, now: float, newest: int, held: float) -> None:
        """Nothing goes out for a minute, or as long as the provider asked to wait in seconds
        (`held`); then one probe may."""
        if self.closed:
            self._open(now, newest)
        self._probe = None
        self._parked_until = self._probe_at = now + max(_PARKED, held)

    def spent(self, now: float) -> bool:
        """Whether the model is to be parked because of the failure that was just reported."""
        return not self.closed and self._out_of_patience(now)

    def seen(self, now: float) -> str:
        """What was seen since the last success, for a person."""
        since = now if self.failing_since is None else self.failing_since
        counts = [
            f"{count} {'call' if count == 1 else 'calls'} {what}"
            for count, what in ((self._failed, "failed"), (self._refused, "met a rate limit"))
            if count
        ]
        last = f"; the last one: {self._said}" if self._said else ""
        return f"no answer for {now - since:.0f} s, {' and '.join(counts) or 'none sent'}{last}"

    def _note(self, now: float, said: str) -> None:
        if self.failing_since is None:
            self.failing_since = now
        self._said = said

    def _remember(self) -> None:
        self._good = self._good * _MEMORY + 1.0
        self._bad = self._bad * _MEMORY + self._run
        self._run = 0

    def _fewest(self) -> int:
        share = min(_HIGHEST_SHARE, self._bad / (self._good + self._bad or 1.0))
        if share <= 0.0:
            return _FEWEST
        return max(_FEWEST, math.ceil(math.log(_UNLIKELY) / math.log(share)))

    def _open(self, now: float, newest: int) -> None:
        self.closed = False
        self._opened_after = newest
        self._interval = _FIRST_INTERVAL
        self._again(now)

    def _again(self, now: float) -> None:
        self._probe = None
        self._probe_at = now + self._interval * self._rng.uniform(0.9, 1.1)

    def _out_of_patience(self, now: float) -> bool:
        return self.failing_since is not None and now - self.failing_since >= self._patient()

    def _patient(self) -> float:
        unknown = self._newest_success < 0 and not self._refused
        return min(self._patience, self._doubt) if unknown else self._patience
