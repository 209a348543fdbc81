"""The proof of what a fit is given, made small."""

from __future__ import annotations

import numpy as np
import pytest

from proof import evidence_worlds
from proof.evidence import LIVE, OFFICIAL, Job, measure, play
from proof.evidence_worlds import WORLDS


def mean(world: str, times: int, what: str, *, equal: bool = False) -> dict[str, float]:
    """The mean of a score over pools of a world, by system."""
    seeds = np.random.SeedSequence(7).spawn(times)
    found = play(Job(world, equal, seeds))
    return {
        system: float(np.mean([getattr(scores[system], what) for scores in found]))
        for system in found[0]
    }


@pytest.mark.slow
def test_repeats_count_once() -> None:
    world = "the same game four times"
    covered = mean(world, 3, "covered")
    wrong = mean(world, 3, "wrong", equal=True)

    assert covered[OFFICIAL] > 0.85
    assert covered[LIVE] > 0.85
    assert covered["counted four times"] < 0.8
    assert wrong["counted four times"] > wrong[OFFICIAL]


@pytest.mark.slow
def test_places_are_roles_where_there_are_none() -> None:
    cost = mean("four for themselves, places worth ± 0.5 beta", 2, "regret")

    assert cost[OFFICIAL] < cost["places not taken for roles"] / 4
    assert cost[LIVE] < cost["places not taken for roles"] / 4


@pytest.mark.slow
def test_what_is_unseen_is_uncertain() -> None:
    covered = mean("a third of the agents never villagers", 8, "covered")

    assert covered[OFFICIAL] > covered["the unseen counted as 0"] + 0.05


@pytest.mark.slow
def test_games_on_a_seed_share_its_luck() -> None:
    covered = mean("four games on each seed, which deals 60 %", 3, "covered")

    assert covered[OFFICIAL] > covered["the seed unknown"]


@pytest.mark.slow
def test_a_drift_of_a_beta_is_found_more_often_than_not() -> None:
    assert mean("drift of 1 beta, the newest", 6, "drift")[OFFICIAL] > 0.5


@pytest.mark.slow
@pytest.mark.sweep
def test_every_world_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_worlds, "MANY", 120)
    monkeypatch.setattr(evidence_worlds, "LIMIT", 2_000)
    monkeypatch.setattr(
        evidence_worlds, "WORLDS", {name: (of, 2, said) for name, (of, _, said) in WORLDS.items()}
    )

    part = measure(processes=1)

    figures = {figure.what: figure for figure in part.figures}
    for name in WORLDS:
        for system in (OFFICIAL, LIVE):
            assert figures[f"coverage, {system}, {name}"].value > 0.5, name
            assert np.isfinite(figures[f"equal agents told apart, {system}, {name}"].value)
    assert all(np.isfinite(figure.value) for figure in part.figures)
