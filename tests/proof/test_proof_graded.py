"""The proof of graded outcomes, made small."""

from __future__ import annotations

import numpy as np
import pytest

from proof.graded import WORLDS, measure


@pytest.mark.slow
@pytest.mark.sweep
def test_every_world_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proof.graded.GAMES", 100)

    part = measure(scale=0.01, processes=1)

    assert len(part.figures) == 3 * len(WORLDS)
    assert all(np.isfinite(figure.value) for figure in part.figures)
    assert len(part.tables[0].rows) == len(WORLDS)
