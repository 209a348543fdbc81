"""Skills that change: the test for it, and the rating of what agents are at the last game."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arena.core import Games, Ratings
from arena.core.ratings import BETA
from arena.ratings.newest import NewestProbit, drift
from arena.ratings.probit import Probit
from proof.evidence_worlds import environments
from proof.worlds import DUEL, MAFIA_35


def improving(count: int = 300) -> Games:
    """Agent 0 of three equals loses four of five games at first and wins as many at the end."""
    rng = np.random.default_rng(1)
    agents = np.array([[0, 1 + at % 2] if at % 4 < 2 else [1 + at % 2, 0] for at in range(count)])
    won = rng.random(count) < 0.2 + 0.6 * np.arange(count) / count
    first = won == (agents[:, 0] == 0)
    return Games(
        [2] * count, agents.ravel(), [0, 1] * count,
        np.stack([~first, first], axis=1).astype(int).ravel(), [0, 1] * count, ["First", "Second"],
    )  # fmt: skip


def test_a_change_is_found_and_rated_as_it_is_at_the_end() -> None:
    games = improving()
    plain, newest = Probit().fit(games), NewestProbit().fit(games)

    found = drift(games, plain)

    assert found is not None
    assert found.p < 0.001
    assert found.effects == 3
    (average, *_), _ = plain.contrasts([0, 1, 2])
    (last, *_), covariance = newest.contrasts([0, 1, 2])
    assert abs(average) < 0.4 * BETA
    assert last > 0.5 * BETA
    assert covariance[0, 0] > plain.contrasts([0, 1, 2])[1][0, 0]
    assert "at the last of these games" in newest.notes[-1]
    # Told the other way round, it got worse.
    order = np.arange(300)[::-1]
    turned = {
        name: np.asarray(getattr(games, name)).reshape(-1, 2)[order].ravel()
        for name in ("agents", "ranks")
    }
    (last, *_), _ = NewestProbit().fit(replace(games, **turned)).contrasts([0, 1, 2])
    assert last < -0.5 * BETA


def test_skills_that_stay_are_no_change() -> None:
    rng = np.random.default_rng(2)
    called = 0
    for world in (DUEL, MAFIA_35) * 3:
        games = world.truth(rng).play(200, rng)
        found = drift(games, Probit().fit(games))
        assert found is not None
        called += found.p < 0.05

    assert called <= 1


@pytest.mark.slow
def test_luck_of_a_seed_is_no_change() -> None:
    rng = np.random.default_rng(3)
    truth = DUEL.truth(rng)
    called = 0
    for _ in range(3):
        games = truth.play(np.repeat(truth.lineups(25, rng), 8, axis=0), rng, 0.7, 8)
        found = drift(games, Probit().fit(games))
        called += found is not None and found.p < 0.05

    assert called == 0


def test_environments_and_roles_keep_their_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proof.evidence_worlds.MANY", 60)
    pool = environments(np.random.default_rng(4), None, False)  # type: ignore[arg-type]

    plain, newest = Probit().fit(pool.games), NewestProbit().fit(pool.games)

    assert {*newest.terms} == {*plain.terms}
    assert newest.shares == plain.shares
    assert np.linalg.eigvalsh(newest.covariance).min() > -1e-9
    assert newest.prior["agent"] > 0


def test_nothing_to_test_is_none() -> None:
    games = Games([1], [4], [0], [0])

    assert drift(games, Probit().fit(games)) is None
    assert len(NewestProbit().fit(Games([], [], [], [])).mean) == 0
    logistic = Ratings("x", {}, np.zeros(0), np.zeros((0, 0)), link="logistic")
    with pytest.raises(ValueError, match="logistic"):
        drift(improving(20), logistic)
