"""Minus the Hessian of a likelihood of games, in the parts it is made of, which stay small.

As one matrix over the teams of all games it need not: the games of a block, which share the luck of
their seed, hang together each with each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import sparse

from arena.core.arrays import Floats
from arena.ratings.fit.gram import gram

Matrix: TypeAlias = sparse.csr_array | Floats

_NARROW, _AT_ONCE = 128, 256
"""Entries of a block that are multiplied out; rows of the others that are taken at a time."""


@dataclass(frozen=True, slots=True)
class Curvature:
    """rows' · diag(scale) · rows + sums' · diag(luck) · sums + the sum of `chains`: `rows` (games,
    k) are of games of two teams, `sums` (blocks, k) of blocks that share luck, whose `luck` is
    negative: what a block's games say of it, they do not say of the strengths. None where luck is
    not asked about. `chains` (k, k) are of games of more teams."""

    rows: Matrix
    scale: Floats
    sums: Matrix | None = None
    luck: Floats | None = None
    chains: Sequence[sparse.csr_array] = ()

    def whole(self) -> Matrix:
        """(k, k); dense where that is faster."""
        total = gram(self.rows, self.scale)
        if self.sums is not None and self.luck is not None:
            total = _added(total, gram(self.sums, self.luck))
        for chain in self.chains:
            total = _added(total, chain)
        return total

    def across(self, left: sparse.csr_array, right: sparse.csr_array) -> Floats:
        """left' · whole · right (a, b), of left (k, a) and right (k, b): b is to be small."""
        found = _across(self.rows, self.scale, left, right)
        if self.sums is not None and self.luck is not None:
            found += _across(self.sums, self.luck, left, right)
        for chain in self.chains:
            found += (left.T @ (chain @ right)).toarray()
        return found

    def along(self, effects: sparse.csr_array) -> Remainder:
        """effects' · whole · effects (e, e), of effects (k, e)."""
        told = sparse.csr_array(self.rows @ effects)
        matrix = told.T @ (sparse.diags_array(self.scale) @ told)
        for chain in self.chains:
            matrix = matrix + effects.T @ (chain @ effects)
        shared = sparse.csr_array((0, effects.shape[1]))
        if self.sums is not None and self.luck is not None:
            roots = sparse.diags_array(np.sqrt(-self.luck))
            shared = sparse.csr_array(roots @ sparse.csr_array(self.sums @ effects))
            wide = np.diff(shared.indptr) > _NARROW
            narrow, shared = shared[~wide], shared[wide]
            matrix = matrix - narrow.T @ narrow
        return Remainder(sparse.csr_array(matrix), shared)


@dataclass(frozen=True, slots=True)
class Remainder:
    """matrix − shared' · shared (e, e), which as one matrix may have no zeros: `shared` has few
    rows."""

    matrix: sparse.csr_array
    shared: sparse.csr_array

    def trace(self) -> float:
        """The sum of its eigenvalues."""
        return float(self.matrix.trace() - self.shared.multiply(self.shared).sum())

    def squares(self) -> float:
        """The sum of the squares of its eigenvalues."""
        found = float(self.matrix.multiply(self.matrix).sum())
        for at in range(0, self.shared.shape[0], _AT_ONCE):
            part = self.shared[at : at + _AT_ONCE]
            found -= 2.0 * float((part @ self.matrix).multiply(part).sum())
            found += float(((part @ self.shared.T).power(2)).sum())
        return found

    def __matmul__(self, other: Floats) -> Floats:
        found: Floats = self.matrix @ other - self.shared.T @ (self.shared @ other)
        return found


def full(matrix: Matrix) -> Floats:
    """The same, dense."""
    dense: Floats = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
    return dense


def _across(rows: Matrix, scale: Floats, left: sparse.csr_array, right: sparse.csr_array) -> Floats:
    one, other = sparse.csr_array(rows @ left), sparse.csr_array(rows @ right)
    return full(one.T @ (sparse.diags_array(scale) @ other))


def _added(one: Matrix, other: Matrix) -> Matrix:
    """The sum, dense where one of them is."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return full(one) + full(other)
    return one + other
