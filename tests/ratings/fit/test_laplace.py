"""Modes and averages, on a likelihood whose answer is known in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from arena.ratings.fit import laplace as evidence
from arena.ratings.fit.laplace import Family, Fitter, average, log_normal

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Each strength was measured with normal errors of standard deviation `noise`."""

    values: Floats
    noise: float = 1.0

    def at(self, strengths: Floats) -> tuple[float, Floats]:
        off = (self.values - strengths) / self.noise
        return -0.5 * float(off @ off), off / self.noise

    def information(self, strengths: Floats) -> Floats:
        return np.eye(len(strengths)) / self.noise**2


def test_the_mode_of_a_normal_is_its_shrunk_mean() -> None:
    values = np.array([1.0, -2.0, 0.5])

    mode = Fitter(Measured(values), np.eye(3)).mode(np.full(3, 4.0))

    assert mode.effects == pytest.approx(values * 0.8)
    assert mode.covariance == pytest.approx(np.eye(3) * 0.8)
    exact = -0.5 * float(values @ values) / 5.0 - 1.5 * np.log(5.0)
    assert mode.evidence == pytest.approx(exact)


@dataclass(frozen=True)
class Counted:
    """Counts that are Poisson with the exponentials of the strengths as their means."""

    counts: Floats
    noise: float = 1.0

    def at(self, strengths: Floats) -> tuple[float, Floats]:
        means = np.exp(strengths)
        return float(self.counts @ strengths - means.sum()), self.counts - means

    def information(self, strengths: Floats) -> Floats:
        return np.diag(np.exp(strengths))


def test_the_mode_is_where_the_slope_ends() -> None:
    counts = np.array([0.0, 3.0, 900.0])
    fitter = Fitter(Counted(counts), np.eye(3))
    for variance in (0.1, 100.0, 0.1):
        effects = fitter.mode(np.full(3, variance)).effects

        slope = counts - np.exp(effects) - effects / variance
        assert slope / np.exp(effects) == pytest.approx(np.zeros(3), abs=0.02)


def test_widths_are_averaged_by_evidence() -> None:
    values = np.random.default_rng(1).normal(size=20) * 2.0
    family = Family(np.arange(20), log_normal(1.0, 2.0, 3, 3, 1.5))
    sds = np.array(family.sds)
    total = 1.0 + sds**2
    weights = np.array(list(family.lattice.values()))
    weights *= np.exp(-0.5 * (values @ values) / total) * total ** (-len(values) / 2)
    weights /= weights.sum()
    shrunk = sds**2 / total
    mean = values * (weights @ shrunk)
    variance = weights @ shrunk + values**2 * (weights @ (shrunk - weights @ shrunk) ** 2)

    found = average(Fitter(Measured(values), np.eye(20)), [family], 20)

    assert found.mean == pytest.approx(mean, rel=1e-2)
    assert np.diag(found.covariance) == pytest.approx(variance, rel=2e-2)
    assert found.weights.sum() == pytest.approx(1.0)


def test_a_sampled_lattice_gives_what_an_explored_one_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = np.random.default_rng(2).normal(size=24)
    values[:8] *= 3.0
    lattice = log_normal(1.0, 2.0, 2, 2, 1.5)
    families = [Family(np.arange(at, at + 8), lattice) for at in (0, 8, 16)]
    explored = average(Fitter(Measured(values), np.eye(24)), families, 24)
    monkeypatch.setattr(evidence, "LARGEST", 1)

    sampled = average(Fitter(Measured(values), np.eye(24)), families, 24)

    assert sampled.mean == pytest.approx(explored.mean, abs=0.1)
    ratio = np.diag(sampled.covariance) / np.diag(explored.covariance)
    assert ratio == pytest.approx(np.ones(24), abs=0.1)
