"""The simulation of cycles: small, but the real one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from proof.additivity import CYCLE, Job, cycle_of, measure, play
from proof.worlds import DUEL


def test_three_types_beat_each_other_in_a_circle() -> None:
    cycle = cycle_of(6, 2.0)

    assert (cycle == -cycle.T).all()
    assert [cycle[0, 1], cycle[1, 2], cycle[2, 0], cycle[0, 3]] == [2.0, 2.0, 2.0, 0.0]


def test_clones_move_the_mean_and_not_the_equilibrium() -> None:
    job = Job(DUEL, 100, np.random.SeedSequence(2).spawn(1), cycle=CYCLE, clones=6)

    (found,) = play(job)

    assert found.nash < 1e-6
    assert found.rating > 0.02


@pytest.mark.slow
def test_all_of_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proof.additivity.WORLDS", (replace(DUEL, agents=6),))
    monkeypatch.setattr("proof.additivity.GAMES", 60)

    found = measure(scale=0.001, processes=1)

    assert all(np.isfinite(figure.value) for figure in found.figures)
    assert len(found.tables[0].rows) == 7
