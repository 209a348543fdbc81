"""Deviation ratings: what an agent gains against the mix of opponents that nothing beats.

Balduzzi, Tuyls, Perolat and Graepel, "Re-evaluating evaluation" (NeurIPS 2018) rate agents by a
Nash equilibrium of the game in which two people choose an agent each; Marris, Liu, Gemp, Piliouras
and Lanctot, "Deviation Ratings" (ICLR 2025) by the equilibrium that leaves the least to gain, which
makes the ratings unique. A copy of an agent changes nobody's rating, however many there are, which
no mean over opponents has. For the antisymmetric matrix of two equal sides both are the same linear
programs.
"""

from __future__ import annotations

import numpy as np

from arena.core.arrays import Booleans, Floats

_SLACK = 1e-7
"""In units of the largest entry: so near to 0, what rounding leaves is 0."""

_ROOM = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4)
"""How far a settled gain may rise, in the same units: as little as leaves a solution."""


def deviation_ratings(advantage: Floats) -> Floats:
    """(n,), at most 0: what each agent wins by against the equilibrium.

    `advantage` (n, n) is antisymmetric: what the row wins by against the column. 0 are the agents
    that the equilibrium needs, or that lose nothing against it; a mix of agents exists that beats
    every other. Raises ValueError for a matrix that is not antisymmetric or not finite.
    """
    matrix = np.asarray(advantage, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise ValueError(f"found a matrix of shape {matrix.shape}: expected (n, n), finite")
    scale = float(np.abs(matrix).max(initial=0.0))
    if not np.allclose(matrix, -matrix.T, rtol=0.0, atol=1e-9 * scale):
        raise ValueError("found an advantage that is not the other side's disadvantage")
    if not scale:
        return np.zeros(len(matrix))
    matrix = (matrix - matrix.T) / (2.0 * scale)
    return scale * _lexicographic(matrix)


def _lexicographic(matrix: Floats) -> Floats:
    """The gains of the mix whose largest gain is least, then the next largest, and so on: of each
    program the rows that have a price are at that gain in every solution."""
    size = len(matrix)
    gain = np.zeros(size)
    open_ = np.ones(size, dtype=bool)
    while open_.any():
        mix, most, priced = _least(matrix, gain, open_)
        if (found := _only(matrix, mix)) is not None:
            return found
        gain[open_ & priced] = most
        open_ &= ~priced
    return np.minimum(gain, 0.0)


def _least(matrix: Floats, gain: Floats, open_: Booleans) -> tuple[Floats, float, Booleans]:
    """A mix (n,) that leaves the open rows the least to gain, that gain, and which open rows
    have a price."""
    from scipy.optimize import linprog  # takes half a second to load

    size = len(matrix)
    held = ~open_
    upper = np.hstack([matrix, -open_[:, None].astype(float)])
    for slack in _ROOM:
        answer = linprog(
            np.append(np.zeros(size), 1.0),
            A_ub=upper,
            # What is settled may not rise again; rounding has to leave a mix.
            b_ub=np.where(held, gain + slack, 0.0),
            A_eq=np.append(np.ones(size), 0.0)[None],
            b_eq=[1.0],
            bounds=[(0.0, None)] * size + [(None, None)],
            method="highs",
            options={"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9},
        )
        if answer.x is not None:
            break
    else:
        raise ArithmeticError(f"no equilibrium was found: {answer.message}")
    price = -np.asarray(answer.ineqlin.marginals)
    mix = np.maximum(answer.x[:size], 0.0)
    priced = open_ & (price > _SLACK)
    if not priced.any():
        priced = open_ & (matrix @ mix >= answer.x[size] - _SLACK)
    return mix / mix.sum(), float(answer.x[size]), priced


def _only(matrix: Floats, mix: Floats) -> Floats | None:
    """The gains against a mix if it is the only equilibrium; None if there may be others."""
    gains: Floats = matrix @ mix
    used = mix > _SLACK
    if (gains[~used] > -_SLACK).any() or np.abs(gains[used]).max() > _SLACK:
        return None
    inner = np.linalg.svd(matrix[np.ix_(used, used)], compute_uv=False)
    others = int((inner > _SLACK).sum())
    return np.where(used, 0.0, np.minimum(gains, 0.0)) if others == int(used.sum()) - 1 else None
