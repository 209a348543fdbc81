"""Gives one game its own random numbers while code that draws from the global generators runs.

Rules that call `random.choice` would otherwise disturb, and be disturbed by, every other game in
the process. Nothing outside sees a difference.
"""

from __future__ import annotations

import random
import sys
from threading import Lock
from types import TracebackType
from typing import Any

# The functions of the module `random` are methods of one hidden generator. Lending the methods of
# another takes 3 µs; copying the generator's state out, in, out and in again takes 36 µs.
_MODULE = vars(random)
_NAMES = tuple(
    name
    for name, function in _MODULE.items()
    if getattr(function, "__self__", None) is random.seed.__self__  # type: ignore[attr-defined]
)

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

    It reaches code that says `random.choice(...)`, not code that said `from random import choice`
    before. With `numpy`, NumPy's legacy global generator is swapped too. Standard output is closed
    inside the body, because a command's standard output is data. Not reentrant; one thread at a
    time, the others wait.
    """

    __slots__ = ("_methods", "_numpy", "_numpy_outer", "_numpy_state", "_outer", "_stdout")

    def __init__(self, seed: int, *, numpy: bool = False) -> None:
        generator = random.Random(seed)
        self._methods = {name: getattr(generator, name) for name in _NAMES}
        self._numpy: Any = None
        if numpy:
            from numpy import random as numpy_random

            self._numpy = numpy_random
            self._numpy_state = numpy_random.RandomState(seed % 2**32).get_state()

    def __enter__(self) -> None:
        _BORROWING.acquire()
        self._stdout, sys.stdout = sys.stdout, _SILENCE
        self._outer = {name: _MODULE[name] for name in _NAMES}
        _MODULE.update(self._methods)
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
        _MODULE.update(self._outer)
        sys.stdout = self._stdout
        _BORROWING.release()
