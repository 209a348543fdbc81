"""The Hessian of games in parts says what it says as one matrix, and takes less room."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from arena.core.ratings import BETA
from arena.ratings.additivity import additivity
from arena.ratings.fit.curvature import Curvature, full
from arena.ratings.newest import drift
from arena.ratings.probit import Probit
from proof.additivity import duels


@pytest.mark.parametrize("blocks", [0, 3, 200])
def test_the_parts_say_what_the_whole_says(blocks: int) -> None:
    rng = np.random.default_rng(blocks)
    games, places, further = 400, 60, 300
    rows = sparse.random_array((games, places), density=0.1, rng=rng, format="csr")
    effects = sparse.random_array((places, further), density=0.1, rng=rng, format="csr")
    design = sparse.random_array((places, 5), density=0.3, rng=rng, format="csr")
    chain = sparse.random_array((places, places), density=0.1, rng=rng, format="csr")
    parts = Curvature(rows, rng.random(games), chains=[chain + chain.T])
    if blocks:
        # Of one place, whose few effects are multiplied out, and of many.
        small = sparse.csr_array(np.eye(places)[rng.integers(0, places, blocks)])
        large = sparse.random_array((blocks, places), density=0.4, rng=rng, format="csr")
        sums = sparse.csr_array(sparse.vstack([small, large]))
        parts = replace(parts, sums=sums, luck=-rng.random(2 * blocks))

    whole = effects.T @ full(parts.whole()) @ effects
    found = parts.along(sparse.csr_array(effects))

    assert found.shared.shape[0] == blocks
    assert found.trace() == pytest.approx(np.trace(whole))
    assert found.squares() == pytest.approx(np.sum(whole * whole))
    some = rng.random((further, 4))
    assert found @ some == pytest.approx(whole @ some)
    across = parts.across(sparse.csr_array(effects), sparse.csr_array(design))
    assert across == pytest.approx(effects.T @ full(parts.whole()) @ design.toarray())


def test_games_on_few_seeds_are_tested_without_a_matrix_of_all_of_them() -> None:
    rng = np.random.default_rng(1)
    skill = rng.normal(0, 0.65 * BETA, 8)
    games = duels(skill[:, None] - skill, 4_000, rng)
    # Two seeds, of which one is good for the first player.
    lucky = (np.asarray(games.ranks)[::2] == 0) ^ (rng.random(len(games.sizes)) < 0.2)
    games = replace(games, blocks=lucky.astype(np.int64))
    ratings = Probit().fit(games)

    tracemalloc.start()
    try:
        assert additivity(games, ratings) is not None
        assert drift(games, ratings) is not None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # 4,000 teams by 4,000, twice, are 256 MiB.
    assert peak < 64 * 2**20
