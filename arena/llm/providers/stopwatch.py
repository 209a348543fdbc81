"""Times an attempt as its provider had it: without the lag of our loop, without our own queues.

An answer that lies in a socket while the loop is held was given in time, whenever it is read. What
time limits, timeouts and the record of an attempt count is measured here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from enum import Enum, auto
from types import TracebackType

from arena.llm.pacing.deadlines import deadline
from arena.llm.pacing.loop_lag import LoopLag

# Seconds after which an attempt is looked at again whose endpoint ends it.
_LIMITED = 1.0


class AttemptPhase(Enum):
    """Whose time it is: nobody has said, ours before the request has left, the provider's, ours
    again with what came in."""

    UNTOLD = auto()
    BEFORE = auto()
    PROVIDER = auto()
    AFTER = auto()


class Stopwatch:
    """The time of one attempt, in seconds of the running loop's clock.

    Whoever holds the connection tells it when the request has left, when something came in, and
    when all of that is read. As long as it is told nothing, it counts the time for which the loop
    was not held. `watched` says that it is told at once when something comes in; `limited` that the
    endpoint itself ends the answer (`answered_within`).
    """

    __slots__ = (
        "_answered",
        "_before",
        "_begun",
        "_clock",
        "_ended",
        "_heard",
        "_held",
        "_lag",
        "_paused",
        "_sent",
        "_since",
        "limited",
        "phase",
        "watched",
    )

    def __init__(self, lag: LoopLag) -> None:
        self._clock = asyncio.get_running_loop().time
        now = self._begun = self._clock()
        self.phase = AttemptPhase.UNTOLD
        self.watched = self.limited = False
        self._lag = lag
        self._since = now
        self._held = lag.held(now)
        self._before = self._answered = 0.0
        self._sent = self._heard = now
        self._paused: float | None = None
        self._ended: float | None = None

    def preparing(self) -> None:
        """A request is about to ask for a connection."""
        now = self._clock()
        if self.phase is not AttemptPhase.UNTOLD:
            self._answered = self.answering(now)
        self._paused = None
        self._enter(AttemptPhase.BEFORE, now)
        self._sent = self._heard = now

    def sent(self) -> None:
        """The request, or another piece of it, has left."""
        if self.phase is AttemptPhase.BEFORE:
            self._sent = self._heard = now = self._clock()
            self._enter(AttemptPhase.PROVIDER, now)
        elif self.phase is AttemptPhase.PROVIDER and self._sent == self._heard:
            self._sent = self._heard = self._clock()

    def heard(self, ago: Callable[[], float | None] | None = None) -> None:
        """Something of the answer came in: `ago` gives how many seconds ago at most, or None for
        not known. It lay there no longer than the loop did not look."""
        if self.phase is AttemptPhase.UNTOLD:
            return
        now = self._clock()
        unseen = self._lag.unseen(now)
        if unseen > 0.0:
            known = None if ago is None else ago()
            at = now - (unseen if known is None else min(known, unseen))
        else:
            at = now
        if at > self._heard:
            self._heard = at
        if self.phase is not AttemptPhase.AFTER:
            self._enter(AttemptPhase.AFTER, now, until=self._heard)

    def pausing(self) -> None:
        """Nothing more is taken from the connection until what came of it is read."""
        if self._paused is None:
            self._paused = self._clock()

    def resuming(self) -> None:
        """The connection is read again. What comes now may have been there all the time."""
        if self._paused is not None:
            paused, self._paused = self._clock() - self._paused, None
            self._sent += paused
            self._heard += paused

    def awaiting(self) -> None:
        """More of the answer is asked for; with nothing unread, it is waited for."""
        if self.phase is AttemptPhase.AFTER:
            self._enter(AttemptPhase.PROVIDER, self._clock())

    def reading(self) -> None:
        """Something of the answer is being read."""
        if not self.watched:
            self.heard()
        elif self.phase is AttemptPhase.PROVIDER:
            self._enter(AttemptPhase.AFTER, self._clock())

    @property
    def lag(self) -> LoopLag:
        """That of the loop in which the attempt is made."""
        return self._lag

    @asynccontextmanager
    async def answered_within(
        self, seconds: float, *, connected: float | None = None
    ) -> AsyncIterator[deadline]:
        """Inside, an answer has so many `seconds` from when the request has left, and the request
        has `connected` seconds to leave. Raises TimeoutError once they are over.

        For an endpoint that says itself whose fault that is: the attempt, which says nothing of
        it, is not given up for its own time meanwhile.
        """
        answered, elapsed = self.answering(), self.elapsed()

        def left(now: float) -> float:
            if self.left or connected is None:
                return seconds - (self.answering(now) - answered)
            # It may leave at any moment, and the answer's time begins then.
            return min(connected - (self.elapsed(now) - elapsed), seconds)

        self.limited = True
        try:
            with self._lag.watched():
                async with deadline(left) as scope:
                    yield scope
        finally:
            self.limited = False

    @property
    def left(self) -> bool:
        """Whether the request may have left."""
        return self.phase is not AttemptPhase.BEFORE or self._answered > 0.0

    def stop(self) -> None:
        """The attempt has ended, and so has its time."""
        self._ended = self._clock()

    def answering(self, now: float | None = None) -> float:
        """Seconds from the request's last byte to the last one that came of the answer, or to
        `now` while more is awaited."""
        now = self._time(now)
        match self.phase:
            case AttemptPhase.UNTOLD:
                return self._unheld(now)
            case AttemptPhase.BEFORE:
                return self._answered
            case AttemptPhase.PROVIDER:
                return self._answered + max(0.0, now - self._sent)
            case AttemptPhase.AFTER:
                return self._answered + self._heard - self._sent

    def elapsed(self, now: float | None = None) -> float:
        """Seconds that the attempt has taken, but for those in which the loop was held and it was
        not the provider's turn."""
        now = self._time(now)
        if self.phase is AttemptPhase.PROVIDER:
            return self._before + max(0.0, now - self._since)
        return self._before + self._unheld(now)

    def lagging(self, now: float | None = None) -> float:
        """Seconds for which the attempt waited for our loop: all that it has taken, but for
        `elapsed`."""
        now = self._time(now)
        return max(0.0, now - self._begun - self.elapsed(now))

    def _time(self, now: float | None) -> float:
        if self._ended is not None:
            return self._ended
        return self._clock() if now is None else now

    def _enter(self, phase: AttemptPhase, now: float, until: float | None = None) -> None:
        """Begin a phase `now`; the one before has lasted `until` then."""
        if self._ended is not None:
            return
        held = self._lag.held(now)
        spent = (now if until is None else until) - self._since
        if self.phase is not AttemptPhase.PROVIDER:
            spent -= held - self._held
        if spent > 0.0:
            self._before += spent
        self.phase, self._since, self._held = phase, now, held

    def _unheld(self, now: float) -> float:
        return max(0.0, now - self._since - (self._lag.held(self._time(None)) - self._held))


_current: ContextVar[Stopwatch | None] = ContextVar("stopwatch", default=None)


def stopwatch() -> Stopwatch:
    """The stopwatch of the attempt that this code is a part of; a new one outside of any."""
    return _current.get() or Stopwatch(LoopLag())


@contextmanager
def unwatched() -> Iterator[None]:
    """Inside, what is read counts for no attempt: it was timed when it came."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


class timed:
    """Inside is one attempt, `async with timed(lag, most=60.0) as watch`. Raises TimeoutError once
    it has taken `most` seconds, or its answer `answering`.

    Time is over when the loop looked after it and nothing had come: what came while the loop was
    held is read first.
    """

    __slots__ = ("_answering", "_lag", "_loop", "_most", "_scope", "_token", "_watch")

    _loop: asyncio.AbstractEventLoop
    _watch: Stopwatch

    def __init__(self, lag: LoopLag, *, most: float, answering: float | None = None) -> None:
        self._lag = lag
        self._most = most
        self._answering = answering
        self._scope = deadline(self._left)

    async def __aenter__(self) -> Stopwatch:
        self._loop = asyncio.get_running_loop()
        self._lag.watch(self._loop)
        self._watch = watch = Stopwatch(self._lag)
        self._token = _current.set(watch)
        await self._scope.__aenter__()
        return watch

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._scope.__aexit__(kind, error, traceback)
        finally:
            self._watch.stop()
            _current.reset(self._token)
            self._lag.leave(self._loop)

    def _left(self, now: float) -> float:
        seconds = self._most - self._watch.elapsed(now)
        if self._watch.limited:
            seconds = max(seconds, _LIMITED)
        if self._answering is None:
            return seconds
        return min(seconds, self._answering - self._watch.answering(now))
