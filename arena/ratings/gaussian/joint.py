"""A joint normal distribution of many effects that games tell something about, one after another.

Every comparison takes a rank-one piece from the covariance (k, k). Taking it at once would touch
all k² numbers for every game; here the pieces wait until there are a few dozen of them and go in
one matrix product. What is asked in between takes them into account, so the numbers are exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arena.core.arrays import Floats, Integers

_WAITING = 64
_FEWEST = 16
_ONE_THREAD = 2**18
"""Multiplications up to which OpenBLAS stays in one thread: below, a second one only costs."""

_SMALLEST = 32


class Joint:
    """Effects that begin independent, each with mean 0.

    Where an effect stands depends on the order in which effects were added and on nothing else, so
    the same games leave the same bits however the object came to be.
    """

    __slots__ = ("_base", "_mean", "_pieces", "_waiting", "size")

    def __init__(self) -> None:
        self.size = 0
        self._mean = np.zeros(_SMALLEST)
        self._base = np.zeros((_SMALLEST, _SMALLEST))
        self._pieces = np.zeros((_WAITING, _SMALLEST))
        self._waiting = 0

    def copy(self) -> Joint:
        """The same distribution, to be moved on its own."""
        other = Joint()
        other.size = self.size
        other._mean = self._mean.copy()
        other._base = self._base.copy()
        other._pieces = self._pieces.copy()
        other._waiting = self._waiting
        return other

    def stored(self) -> list[Floats]:
        """What it holds, as flat arrays: the means, half of the symmetric covariance, and the
        pieces that wait. `restored` of them goes on with the same bits."""
        size = self.size
        half = self._base[:size, :size][np.tril_indices(size)]
        return [self.means(), half, self._pieces[: self._waiting, :size].ravel()]

    @classmethod
    def restored(cls, mean: Floats, half: Floats, pieces: Floats) -> Joint:
        """The inverse of `stored`. Raises ValueError for arrays that do not fit each other."""
        joint = cls()
        size = joint.size = len(mean)
        # As wide as it has grown: the same bits need the same strides.
        while len(joint._mean) < size:
            joint.size = len(joint._mean)
            joint._grow()
        joint.size = size
        joint._mean[:size] = mean
        lower = np.zeros((size, size))
        lower[np.tril_indices(size)] = half
        joint._base[:size, :size] = lower + np.tril(lower, -1).T
        joint._waiting = len(pieces) // size if size else 0
        joint._pieces[: joint._waiting, :size] = pieces.reshape(joint._waiting, size)
        return joint

    def add(self, deviation: float) -> int:
        """A new effect, independent of the others; its position."""
        if self.size == len(self._mean):
            self._grow()
        at = self.size
        self._base[at, at] = deviation * deviation
        self.size += 1
        return at

    def _grow(self) -> None:
        size, room = self.size, 2 * self.size
        mean, base = np.zeros(room), np.zeros((room, room))
        pieces = np.zeros((_WAITING, room))
        mean[:size] = self._mean
        base[:size, :size] = self._base
        pieces[:, :size] = self._pieces
        self._mean, self._base, self._pieces = mean, base, pieces

    def mean_of(self, at: Integers, weights: Floats) -> float:
        """The mean of a weighted sum of effects."""
        return float(self._mean.take(at).dot(weights))

    def covariances_of(self, at: Integers, weights: Floats) -> Floats:
        """(size,): the covariances of a weighted sum of effects with every effect."""
        found: Floats = weights.dot(self._base.take(at, axis=0)[:, : self.size])
        if waiting := self._waiting:
            pieces = self._pieces[:waiting, : self.size]
            found -= pieces.take(at, axis=1).dot(weights).dot(pieces)
        return found

    def move(self, covariances: Floats, gain: float, shrink: float) -> None:
        """Take in what was learnt of one sum: its `covariances_of` times `gain` go to the mean,
        their outer product times `shrink` leaves the covariance."""
        self._mean[: self.size] += gain * covariances
        np.multiply(covariances, shrink**0.5, out=self._pieces[self._waiting, : self.size])
        self._waiting += 1
        if self._waiting >= self._room():
            self._settle()

    def move_all(self, shift: Floats, pieces: Floats) -> None:
        """The same for several sums at once: `shift` (size,) is added to the mean, the outer
        products of the rows of `pieces` (n, size) leave the covariance."""
        self._mean[: self.size] += shift
        for low in range(0, len(pieces), _WAITING):
            part = pieces[low : low + _WAITING]
            if self._waiting + len(part) > _WAITING:
                self._settle()
            self._pieces[self._waiting : self._waiting + len(part), : self.size] = part
            self._waiting += len(part)
        if self._waiting >= self._room():
            self._settle()

    def _room(self) -> int:
        """How many pieces may wait."""
        small = _ONE_THREAD // (self.size * self.size + 1)
        return min(small, _WAITING) if small >= _FEWEST else _WAITING

    def _settle(self) -> None:
        size = self.size
        pieces = self._pieces[: self._waiting, :size]
        # numpy sees that both factors are one array, computes half and mirrors it: symmetric.
        self._base[:size, :size] -= pieces.T @ pieces
        self._waiting = 0

    def means(self) -> Floats:
        """(size,): the mean of every effect."""
        return self._mean[: self.size].copy()

    def covariance(self) -> Floats:
        """(size, size), symmetric to the bit."""
        pieces = self._pieces[: self._waiting, : self.size]
        return self._base[: self.size, : self.size] - pieces.T @ pieces

    def sums(self, parts: Sequence[tuple[Integers, Floats]]) -> tuple[Floats, Floats]:
        """Mean (n,) and covariance (n, n) of n weighted sums of effects.

        Each of `parts` gives one effect of every sum: its position (n,) and its weight (n,).
        """
        n = len(parts[0][0])
        if not self.size:
            return np.zeros(n), np.zeros((n, n))
        mean, rows = np.zeros(n), np.zeros((n, self.size))
        pieces = np.zeros((self._waiting, n))
        for at, weight in parts:
            mean += weight * self._mean[at]
            rows += weight[:, None] * self._base[at, : self.size]
            pieces += weight * self._pieces[: self._waiting].take(at, axis=1)
        covariance = np.zeros((n, n))
        for at, weight in parts:
            covariance += weight * rows.take(at, axis=1)
        covariance -= pieces.T @ pieces
        return mean, (covariance + covariance.T) / 2.0
