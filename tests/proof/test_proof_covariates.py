"""The proof of covariates, made small."""

from __future__ import annotations

import numpy as np
import pytest

from proof.covariates import CELLS, FOUND, LEAKS, MANY, Job, comparisons, fit, measure


@pytest.mark.slow
def test_a_pool_is_surer_by_its_covariate_and_a_leak_is_refused() -> None:
    kept = next(at for at, (_, scores, _) in enumerate(CELLS) if scores.told == 0.6)
    leak = next(
        at for at, (_, scores, n) in enumerate(LEAKS) if scores.leaks == FOUND and n >= MANY
    )
    seeds = np.random.SeedSequence(5).spawn(4)
    surer, leaking = fit(Job("kept", kept, seeds)), fit(Job("leaks", leak, seeds))

    assert np.mean([each.covered for each in surer]) > 0.85
    assert np.mean([each.saved for each in surer]) > 0.1
    assert np.mean([each.error for each in surer]) < 1.0
    assert not any(each.refused for each in surer)
    assert all(each.refused for each in leaking)


def test_adjusted_scores_cover_the_true_one() -> None:
    coverage, bias, saved = comparisons(300, np.random.default_rng(2))
    assert coverage.value == pytest.approx(0.95, abs=0.04)
    assert bias.value == pytest.approx(0.0, abs=0.01)
    assert saved.value > 0.2


@pytest.mark.sweep
def test_every_cell_has_its_figures() -> None:
    part = measure(scale=0.01, processes=1)
    assert len(part.tables[0].rows) == len(CELLS) + len(LEAKS)
    assert any(figure.what.startswith("refused") for figure in part.figures)
