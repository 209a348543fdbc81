"""The information of many games on few places: products of rows of which most entries are 0."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from arena.core.arrays import Floats

_AT_ONCE = 4_096
"""Rows of a dense matrix at a time, so that they stay in a processor's cache."""

_WIDEST, _MOST = 16, 1_000
"""Entries of a row, and columns, up to which sums by pair of columns are faster than a product."""


def gram(rows: sparse.csr_array | Floats, scale: Floats) -> sparse.csr_array | Floats:
    """rows' · diag(scale) · rows, (columns, columns)."""
    if isinstance(rows, np.ndarray):
        total = np.zeros((rows.shape[1],) * 2)
        for at in range(0, len(rows), _AT_ONCE):
            part = rows[at : at + _AT_ONCE]
            total += part.T @ (scale[at : at + _AT_ONCE, None] * part)
        return total
    lengths, columns = np.diff(rows.indptr), rows.shape[1]
    width = int(lengths.max(initial=0))
    if width > _WIDEST or columns > _MOST:
        return rows.T @ (sparse.diags_array(scale) @ rows)
    # The entries of each row side by side, 0 behind the last.
    held = np.arange(width)[:, None] < lengths
    column, value = np.zeros(held.shape, np.int64), np.zeros(held.shape)
    column.T[held.T], value.T[held.T] = rows.indices, rows.data
    half = np.zeros(columns * columns)
    whole = np.zeros(columns * columns)
    for first in range(width):
        ours, weighted = column[first] * columns, value[first] * scale
        whole += np.bincount(ours + column[first], weighted * value[first], minlength=len(whole))
        for second in range(first + 1, width):
            half += np.bincount(
                ours + column[second], weighted * value[second], minlength=len(half)
            )
    upper = half.reshape(columns, columns)
    found: Floats = whole.reshape(columns, columns) + upper + upper.T
    return found
