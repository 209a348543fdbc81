"""The simulation of predictions: small, but the real one."""

from __future__ import annotations

import numpy as np
import pytest

from proof.calibration import Job, measure, play
from proof.worlds import DUEL, MAFIA_35


@pytest.mark.slow
def test_every_system_predicts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proof.calibration.GAMES", 20)
    monkeypatch.setattr("proof.calibration.WORLDS", (DUEL, MAFIA_35))

    found = measure(scale=0.02, processes=1)

    assert [row[0] for row in found.tables[0].rows] == [DUEL.name, MAFIA_35.name]
    assert len(found.figures) == 2 * 2 + 2
    assert all(np.isfinite(figure.value) for figure in found.figures)


def test_a_pool_is_the_same_each_time() -> None:
    job = Job(DUEL, np.random.SeedSequence(3).spawn(1), ["trueskill"])

    (first,), (again,) = play(job), play(job)

    assert first == again
    assert first["trueskill"].games == 360
