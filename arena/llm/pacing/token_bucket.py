"""So many requests or tokens a minute and no more, whatever the minute."""

from __future__ import annotations

import math
from collections.abc import Iterable

from aiolimiter import AsyncLimiter

_SPREAD = 61.0
# Seconds after which what was sent is in no window any more.
WINDOW = _SPREAD


class Bucket:
    """At most `per_minute` in any 60 s, give or take what calls turn out to cost.

    AsyncLimiter(n, 60) lets n through at once and n more in the minute after. So the minute's
    amount is spread over 61 s with room for one second's at once: 60 s see no more than the
    minute's, or one call more where one had to wait for something else after it was paid for. A
    call that is larger than the room leaves when the room is free, and those after it wait until
    all of it is paid: tokens may exceed the minute's by the size of one call, and fewer than 61
    requests a minute leave one by one at equal distances. Calls that cost less than estimated make
    room for others, at most a tenth of a minute's; those that cost more are paid for by the next.

    `paid` is what was taken from the limiter and not used yet, negative for a debt. What was `sent`
    before, an amount so many seconds ago each, the longest ago first, is owed as if this bucket had
    let it through.
    """

    __slots__ = ("_limiter", "_most", "_room", "paid")

    def __init__(self, per_minute: float, sent: Iterable[tuple[float, float]] = ()) -> None:
        self._room = per_minute / _SPREAD
        self._limiter = AsyncLimiter(self._room, 1.0)
        self._most = per_minute / 10.0
        owed, last = 0.0, math.inf
        for ago, amount in (*sent, (0.0, 0.0)):
            owed = max(0.0, owed - self._room * (last - ago)) + amount
            last = ago
        self.paid = -owed

    def covers(self, amount: float) -> bool:
        """Whether `use` may be called without paying."""
        return self.paid >= min(amount, self._room)

    def affords(self, amount: float) -> bool:
        """Whether `pay` for it would return at once."""
        lacking = min(amount, self._room) - self.paid
        return lacking <= 0.0 or (lacking <= self._room and self._limiter.has_capacity(lacking))

    def share(self, calls: int, size: float) -> int:
        """So many calls of a size that fit into a quarter of what is there now, or fewer."""
        while calls > 0 and not (4 * calls * size <= self._room and self.affords(4 * calls * size)):
            calls //= 2
        return calls

    async def pay(self, amount: float) -> None:
        """Takes from the limiter what `amount` lacks to leave, or as much of it as has room."""
        lacking = min(min(amount, self._room) - self.paid, self._room)
        if lacking > 0.0:
            await self._limiter.acquire(lacking)
            self.paid += lacking

    def use(self, amount: float) -> None:
        """A call of that size leaves."""
        self.paid -= amount

    def correct(self, estimated: float, actual: float) -> None:
        """A call of `estimated` took `actual`."""
        self.paid = min(self.paid + estimated - actual, max(self.paid, self._most))
