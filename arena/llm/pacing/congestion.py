"""Finds out what a provider takes: how many calls at once, and how many a second.

Knows no clock and sends nothing: times are seconds of whatever clock the caller has, and calls are
known by their number in the order of sending.
"""

from __future__ import annotations

import math
import random
from enum import Enum, auto

_START = 4
_FIRST_KEPT = 0.75
_PLACES_KEPT = 0.93
_STEP = 0.25
# Above this share of where it was refused, the limit is known to have risen.
_FAR = 1.25
# What was answered counts for one to two periods, in seconds.
_PERIOD = 15.0

_RECENT = 0.95
_CALM = 0.995
# Calls without a refusal that are taken for granted, so that the first few do not make a share.
_CALM_BEFORE = 10.0
_LEAST_SHARE = 0.02
_CALM_FROM, _CALM_TO = 0.25, 1.0
_DEVIATIONS = 2.5

_KEPT = 0.85
# One refusal leaves at least this share of the rate that was known before.
_LEAST_KEPT = 0.5
_SLOWEST = 1.0 / 60.0
# The rate is measured over so many seconds, and is back after so many, or so many calls.
_WINDOW = 10.0
_BACK = 8.0
_BACK_CALLS = 10.0
_LONGEST_BACK = 240.0
# A rate that is so many times what was sent held nobody up: it says nothing about the provider.
_FREE = 1.5
# A loop that is late by this much, in seconds, catches up.
_SLACK = 0.1
_JITTER = 0.1
_COMING_BACK = 0.25


class Blame(Enum):
    """What a rate limit was for: too many calls in their time, too many at once, or either."""

    TIME = auto()
    PLACE = auto()
    EITHER = auto()


class Refusals:
    """Tells rate limits that speak of us from those that a provider hands out whatever we send.

    An overloaded provider refuses a share of all calls, and sending less does not help. That share
    is what is refused in calm times, while the pace is below what was taken before. A refusal
    speaks of us where there are more of them among the last twenty calls than that share explains:
    2.5 standard deviations of a geometrically weighted count. Where calm times have none, that is
    every refusal.
    """

    __slots__ = ("_calm_refused", "_calm_sent", "_recent")

    def __init__(self) -> None:
        self._recent = self._calm_refused = 0.0
        self._calm_sent = _CALM_BEFORE

    def sent(self, calm: bool) -> None:
        """A call leaves."""
        self._recent *= _RECENT
        if calm:
            self._calm_sent = self._calm_sent * _CALM + 1.0
            self._calm_refused *= _CALM

    def share(self) -> float:
        """What is refused whatever we send, of all calls; a few in a hundred count as none."""
        share = min(1.0, self._calm_refused / self._calm_sent)
        return share if share >= _LEAST_SHARE else 0.0

    def refused(self, calm: bool) -> bool:
        """A call met a rate limit. Returns whether that speaks of us."""
        self._recent += 1.0
        share = self.share()
        if calm:
            self._calm_refused += 1.0
        if share == 0.0:
            return True
        usual = 1.0 + share * _RECENT / (1.0 - _RECENT)
        variance = share * (1.0 - share) / (1.0 - _RECENT**2)
        return self._recent > usual + _DEVIATIONS * math.sqrt(variance)


class Concurrency:
    """How many calls may be in flight, found as TCP finds its window (RFC 5681, section 3.1).

    It starts at four and doubles with every round of successes until the first rate limit; then it
    grows by one in four rounds, and doubles again a quarter above where it was refused last. A
    rate limit leaves 75 % at first, later 93 %, and at most once a round: a call that was sent
    before the last decrease says nothing new. Nor does one that had no more calls beside it than
    another that was answered in the last half minute: it was one too many in its time, not in its
    place.
    """

    __slots__ = (
        "_answered",
        "_answered_before",
        "_blame",
        "_cut_after",
        "_period",
        "_refused_at",
        "_threshold",
        "bound",
        "limit",
    )

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.limit = float(min(_START, bound))
        self._threshold = math.inf
        self._cut_after = -1
        self._refused_at = 0
        self._blame = Blame.EITHER
        self._period = 0
        self._answered = self._answered_before = 0

    def succeeded(self, now: float, in_flight: int, beside: int) -> None:
        """A call was answered; `in_flight` calls were out at that moment, `beside` when it was
        sent, itself included. A limit that is not needed stays, and one that doubles is needed
        when half of it is (RFC 7661)."""
        self._turn(now)
        if beside > self._answered:
            self._answered = beside
        near = self._threshold <= self.limit <= _FAR * self._refused_at
        needed = max(in_flight, beside) * (1 if near else 2)
        if needed >= int(self.limit) and self.limit < self.bound:
            self.limit = min(self.limit + (_STEP / self.limit if near else 1.0), float(self.bound))

    def refused(self, number: int, newest: int, now: float, beside: int) -> Blame:
        """A call met a rate limit; `newest` is the last one sent so far. Returns what it may have
        been for."""
        self._turn(now)
        proven = max(self._answered, self._answered_before)
        if beside <= max(proven, 1):
            return Blame.TIME
        if number <= self._cut_after:
            return self._blame
        first = self._threshold == math.inf
        full = proven > 0 and beside >= int(self.limit)
        self._blame = Blame.PLACE if full and not first else Blame.EITHER
        kept = max(_FIRST_KEPT * beside, proven) if first else _PLACES_KEPT * beside
        self.limit = self._threshold = max(1.0, min(self.limit, kept))
        self._refused_at = beside
        self._cut_after = newest
        return self._blame

    def restart(self) -> None:
        """The model is back: up again from the start, doubling to where it was."""
        if self._threshold < math.inf:
            self._threshold = max(self._threshold, self.limit)
        self.limit = min(self.limit, float(_START))

    def _turn(self, now: float) -> None:
        period = int(now / _PERIOD)
        if period != self._period:
            self._answered_before = self._answered if period == self._period + 1 else 0
            self._answered = 0
            self._period = period


class Pace:
    """How many calls a second may be sent: any number until the first rate limit, then a cubic.

    After a rate limit the rate is 85 % of what the provider took, comes back to it, stays about
    there, and then grows faster and faster until the next one: CUBIC's curve (RFC 9438, section
    4.2) over time, `taken * (1 + 0.15 * ((t - k) / k)**3)` with k the seconds to come back: eight,
    or ten calls where these take longer. What the provider took is the calls that it did not refuse
    in the last ten seconds, averaged with the rate at which it refused the first one too many.
    """

    __slots__ = (
        "_back",
        "_cut_after",
        "_cut_at",
        "_first",
        "_gap",
        "_held_until",
        "_next_at",
        "_recent",
        "_recent_at",
        "_rng",
        "_taken",
        "_window",
    )

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._taken = math.inf
        self._back = _BACK
        self._cut_at = 0.0
        self._cut_after = -1
        self._held_until = self._next_at = -math.inf
        self._gap = 0.0
        self._first: float | None = None
        self._recent = 0.0
        self._recent_at = 0.0
        self._window = _WINDOW

    def rate(self, now: float) -> float:
        """Calls a second; infinite where no rate limit was met."""
        if self._taken == math.inf:
            return math.inf
        elapsed = (now - self._cut_at - self._back) / self._back
        return max(_SLOWEST, self._taken * (1.0 + (1.0 - _KEPT) * elapsed**3))

    def calm(self, now: float) -> bool:
        """Whether less is sent than the provider took: on the way back after a decrease."""
        if self._taken == math.inf:
            return False
        return _CALM_FROM <= (now - self._cut_at) / self._back <= _CALM_TO

    def limited(self, now: float) -> bool:
        """Whether a limit was met, or the next call may not be sent now."""
        return self._taken < math.inf or self.wait_until(now) is not None

    def wait_until(self, now: float) -> float | None:
        """When the next call may be sent; None for now."""
        at = max(self._held_until, self._next_at)
        return None if at <= now else at

    def held_for(self, now: float) -> float:
        """Seconds until a provider's Retry-After has passed."""
        return max(0.0, self._held_until - now)

    def sent(self, now: float) -> None:
        """A call leaves."""
        if self._first is None:
            self._first = self._recent_at = now
        self._recent = self._recent * math.exp((self._recent_at - now) / self._window) + 1.0
        self._recent_at = now
        if self._taken < math.inf:
            self._next_at = max(self._next_at, now - _SLACK) + 1.0 / self.rate(now)
        if now < self._held_until + _COMING_BACK:
            self._next_at = max(self._next_at, now + self._gap * self._rng.uniform(0.5, 1.5))

    def hold(self, now: float, seconds: float, places: int) -> None:
        """Nothing leaves for so long, and up to a tenth longer: others wait for the same hour. Then
        the calls come back one by one, all places of them in about a quarter of a second."""
        until = now + seconds * (1.0 + _JITTER * self._rng.random())
        self._held_until = max(self._held_until, until)
        self._gap = _COMING_BACK / places

    def refused(self, number: int, newest: int, now: float, sure: bool = True) -> None:
        """A call met a rate limit that was, or may have been, for too many in their time. `sure`
        says that it was the first one too many."""
        if number > self._cut_after:
            rate, measured = self.rate(now), self._measured(now)
            if sure and rate < _FREE * measured:
                measured = (min(measured, rate) + rate) / 2.0
            if self._taken < math.inf:
                measured = max(measured, self._taken * _LEAST_KEPT)
            self._taken = max(_SLOWEST, measured)
            self._back = min(_LONGEST_BACK, max(_BACK, _BACK_CALLS / self._taken))
            window = max(_WINDOW, self._back)
            self._recent *= window / self._window
            self._window = window
            self._cut_at = now
            self._cut_after = newest

    def not_taken(self, now: float) -> None:
        """A call met a rate limit, for whatever reason. Providers count what they refuse: the next
        call leaves one call later."""
        self._recent = max(0.0, self._recent - 1.0)
        if self._taken < math.inf:
            self._next_at = max(self._next_at, now) + 1.0 / self.rate(now)

    def crowded(self, now: float) -> None:
        """A call met a rate limit for those beside it: in time, what was sent was taken."""
        if self._taken < math.inf:
            self._taken = max(self._taken, self._measured(now))

    def resume(self, now: float) -> None:
        """The model is back: what it took before, not what grew while nothing was sent."""
        self._cut_at = max(self._cut_at, now - self._back)

    def _measured(self, now: float) -> float:
        elapsed = now - (self._first if self._first is not None else now)
        seen = self._window * (1.0 - math.exp(-max(elapsed, 0.1) / self._window))
        return self._recent * math.exp((self._recent_at - now) / self._window) / seen
