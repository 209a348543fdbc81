"""The garbage collector of a process that plays, which is the process's own to set."""

from __future__ import annotations

import gc

# New objects until the youngest are looked through. At Python's own number, 700, most of them are
# those of calls in flight, looked through for nothing again and again: a sixth of a turn's CPU.
_YOUNG = 50_000
# So many looks later those that were older then are looked through too: at 200,000 objects. That
# bounds the garbage of games that have ended, and for how long one look holds the loop.
_LOOKS = 4


def set_aside() -> None:
    """Everything that a run needs is there: it is set aside from the collector, which looks through
    what comes now more seldom. The little garbage among it stays: to find it takes as long as fifty
    calls."""
    gc.freeze()
    gc.set_threshold(_YOUNG, _LOOKS, 20)
