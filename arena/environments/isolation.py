"""Gives one game its own random numbers while code that draws from the global generators runs.

Rules that call `random.choice` would otherwise disturb, and be disturbed by, every other game in
the process. Nothing outside sees a difference: the global state is put back afterwards.
"""

from __future__ import annotations

import random
import sys
from threading import Lock
from types import TracebackType
from typing import Any

# The global generators are one per process, and so is the right to borrow them.
_BORROWING = Lock()


class _Silence:
    """A standard output that says nothing: some rules print while they parse an action."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None


_SILENCE = _Silence()


class IsolatedGenerators:
    """`with generators:` runs its body on the generators of one game, seeded by `seed`.

    With `numpy`, NumPy's legacy global generator is swapped too (40 µs more). Standard output is
    closed inside the body, because a command's standard output is data. Not reentrant.
    """

    __slots__ = ("_numpy", "_numpy_outer", "_numpy_state", "_outer", "_state", "_stdout")

    def __init__(self, seed: int, *, numpy: bool = False) -> None:
        self._state = random.Random(seed).getstate()
        self._numpy: Any = None
        if numpy:
            import numpy.random

            self._numpy = numpy.random
            self._numpy_state = numpy.random.RandomState(seed % 2**32).get_state()

    def __enter__(self) -> None:
        _BORROWING.acquire()
        self._stdout, sys.stdout = sys.stdout, _SILENCE  # type: ignore[assignment]
        self._outer = random.getstate()
        random.setstate(self._state)
        if self._numpy is not None:
            self._numpy_outer = self._numpy.get_state()
            self._numpy.set_state(self._numpy_state)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._numpy is not None:
            self._numpy_state = self._numpy.get_state()
            self._numpy.set_state(self._numpy_outer)
        self._state = random.getstate()
        random.setstate(self._outer)
        sys.stdout = self._stdout
        _BORROWING.release()
