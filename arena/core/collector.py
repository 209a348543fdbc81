"""The garbage collector of a process that plays, which is the process's own to set."""

from __future__ import annotations

import gc
import threading

# New objects until the youngest are looked through. At Python's own number, 700, most of them are
# those of calls in flight, looked through for nothing again and again: a sixth of a turn's CPU.
_YOUNG = 50_000
# So many looks later those that were older then are looked through too: at 200,000 objects. That
# bounds the garbage of games that have ended, and for how long one look holds the loop.
_LOOKS = 4
_DONE = threading.Event()


def set_aside() -> None:
    """Everything that a run needs is there: it is set aside from the collector, which looks through
    what comes now more seldom. The little garbage among it stays: to find it takes as long as fifty
    calls."""
    gc.freeze()
    gc.set_threshold(_YOUNG, _LOOKS, 20)
    _DONE.set()


def is_set_aside() -> bool:
    """Whether anything is set aside, by us or by the program that has imported us. To count it
    takes as long as a short game: that is done only where we have set nothing aside, and most often
    nothing is found at once."""
    return _DONE.is_set() or gc.get_freeze_count() > 0
