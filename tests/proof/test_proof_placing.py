"""The proof of placements and noise floors, made small."""

from __future__ import annotations

import numpy as np
import pytest

from proof.placing import CELLS, Job, measure, stand


@pytest.mark.slow
@pytest.mark.parametrize("cell", [0, len(CELLS) - 2])
def test_intervals_and_floors_cover(cell: int) -> None:
    found = stand(Job(cell, np.random.SeedSequence(3).spawn(12)))
    assert np.mean([each.covered for each in found]) >= 0.75
    assert all(each.width > 0 for each in found)


@pytest.mark.sweep
def test_every_cell_has_a_row() -> None:
    part = measure(scale=0.01, processes=1)
    assert len(part.tables[0].rows) == len(CELLS)
