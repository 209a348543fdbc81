"""The numpy arrays that numbers travel in, by what they hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


def whole(column: object, name: str) -> Integers:
    """A column of whole numbers. Raises ValueError for one that is not, with the column's name."""
    values = np.asarray(column)
    if values.dtype.kind == "f":
        odd = ~(np.isfinite(values) & (values == np.rint(values)))
        if odd.any():
            raise ValueError(f"found the {name} {values[odd][0]}: expected a whole number")
    return values.astype(np.int64, copy=False)
