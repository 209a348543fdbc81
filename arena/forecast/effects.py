"""Components of the fits of an estimate (`arena.stats.mixed`), and draws of effects by name."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from arena.core.arrays import Floats
from arena.forecast.stated import QUANTILES, SIMULATIONS, Residuals
from arena.stats.mixed import Component, MixedFit, fit_mixed

EffectRows = tuple[Component, Mapping[Hashable, int]]
"""A component, and the place in it of each effect."""

# What a stated deviation of a measurement counts for.
_NOISE = 4.0


def levels(
    of_rows: Sequence[Hashable | None],
    wanted: Sequence[Hashable | None],
    stated: tuple[float, float],
) -> EffectRows:
    """A component with an effect for each value, and the place of each; None has none."""
    places: dict[Hashable, int] = {}
    for value in (*of_rows, *wanted):
        if value is not None:
            places.setdefault(value, len(places))
    design = np.zeros((len(of_rows), len(places)))
    for row, value in enumerate(of_rows):
        if value is not None:
            design[row, places[value]] = 1.0
    return Component(design, *stated), places


def one(rows: int, sd: float) -> EffectRows:
    return Component(np.ones((rows, 1)), sd), {0: 0}


def slope(values: Sequence[float], sd: float) -> EffectRows:
    return Component(np.array(values, dtype=np.float64).reshape(-1, 1), sd), {0: 0}


class DrawnEffects:
    """Draws of a fit, by component and effect."""

    def __init__(
        self,
        rng: np.random.Generator,
        y: Sequence[float],
        components: Mapping[str, EffectRows],
        noise: float,
    ) -> None:
        parts = [component for component, _ in components.values()]
        self.fit: MixedFit = fit_mixed(np.array(y), parts, noise=noise, weight=_NOISE)
        self._draws = self.fit.draws(rng, SIMULATIONS)
        self._places: dict[tuple[str, Hashable], int] = {}
        start = 0
        for name, (component, places) in components.items():
            for value, place in places.items():
                self._places[name, value] = start + place
            start += component.design.shape[1]

    def __call__(self, name: str, value: Hashable = 0) -> Floats:
        """(simulations,): an effect."""
        found: Floats = self._draws[:, self._places[name, value]]
        return found

    def pool(self, shape: Floats | None = None) -> Residuals:
        """What the measurements deviate by; with few of them the stated `shape` counts for some,
        which is normal where it is None."""
        if shape is None:
            shape = QUANTILES
        stated = (shape - shape.mean()) / shape.std() * self.fit.noise
        own = self.fit.residuals
        spread = float(np.sqrt(np.mean(own**2))) if len(own) else 0.0
        if spread > 1e-9:
            own = own * min(self.fit.noise / spread, 1.5)
        return Residuals(
            np.concatenate([own, stated]),
            np.concatenate([np.ones(len(own)), np.full(len(stated), _NOISE / len(stated))]),
        )
