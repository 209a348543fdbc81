"""Agents as kind + model + prompt: parts, their limits, and combinations that never played."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arena.core import Games, RatedPlayer, Ratings
from arena.core.ratings import BETA
from arena.ratings.composite import composite, limited_by, part_contrasts, predicted
from arena.ratings.prediction import predict
from proof.worlds import MAFIA_35, Composition, Truth

Parts = dict[int, tuple[str, str, str]]
WORLD = replace(MAFIA_35, agents=16, composition=Composition())


def played(games: int, seed: int = 1, interaction: float = 0.0) -> tuple[Truth, Ratings, Parts]:
    world = replace(WORLD, composition=Composition(interaction=interaction))
    rng = np.random.default_rng(seed)
    truth = world.truth(rng)
    assert truth.parts is not None
    names = truth.parts.names()
    return truth, composite(truth.play(games, rng), names), names


def test_parts_are_found_again() -> None:
    truth, ratings, names = played(3_000)
    assert truth.parts is not None

    models, mean, covariance = part_contrasts(ratings, names, "model")

    own = truth.parts.effects[1][[int(name[1:]) for name in models]]
    off = (mean - (own - own.mean())) / np.sqrt(np.diag(covariance))
    assert models == ["m0", "m1", "m2", "m3"]
    assert mean.sum() == pytest.approx(0.0, abs=1e-9)
    assert np.abs(off).max() < 3.0
    assert np.corrcoef(mean, own)[0, 1] > 0.9


def test_an_agents_skill_has_its_parts_in_it() -> None:
    truth, ratings, _ = played(1_000)

    mean, covariance = ratings.contrasts(range(16))

    assert np.corrcoef(mean, truth.overall)[0, 1] > 0.9
    assert np.mean(np.abs(mean - truth.overall) < 1.96 * np.sqrt(np.diag(covariance))) > 0.8
    best, worst = int(mean.argmax()), int(mean.argmin())
    assert predict(ratings, [[(best, "Mafia")] * 2, [(worst, "Villager")] * 4])[0] > 0.5


def test_combinations_that_never_played_are_predicted() -> None:
    truth, ratings, _ = played(3_000)
    assert truth.parts is not None
    unplayed = truth.parts.unplayed()

    mean, sd = predicted(ratings, [(f"k{k}", f"m{m}", f"p{p}") for k, m, p in unplayed.tolist()])

    skill = truth.parts.skill(unplayed) - truth.parts.skill(truth.parts.combinations).mean()
    assert np.corrcoef(mean, skill)[0, 1] > 0.9
    assert np.mean(np.abs(mean - skill) < 1.96 * sd) > 0.8


def test_a_model_never_seen_is_an_unknown_one() -> None:
    _, ratings, _ = played(1_000)

    (known, unknown), (narrow, wide) = predicted(ratings, [("k0", "m0", "p0"), ("k0", "m9", "p0")])

    assert wide > narrow + 0.2 * BETA
    assert abs(unknown) < abs(known) + 3.0 * wide


def test_with_many_games_combinations_limit_what_is_known() -> None:
    _, few, names = played(50, interaction=0.5 * BETA)
    _, many, _ = played(5_000, interaction=0.5 * BETA)

    limit = limited_by(many, names, "model")

    assert limit.by_combinations
    assert not limited_by(few, names, "model").by_combinations
    assert limit.names == ["m0", "m1", "m2", "m3"]
    assert (limit.endless <= limit.now).all()


def test_one_agent_has_parts_that_cannot_be_told_apart() -> None:
    games = Games.of([[RatedPlayer(1, 0, 0), RatedPlayer(1, 1, 1)]])
    parts = {1: ("thinking", "gpt", "plain"), 2: ("thinking", "other", "plain")}

    ratings = composite(games, parts)

    names, mean, covariance = part_contrasts(ratings, parts)
    assert (names, mean.tolist(), covariance.tolist()) == (["gpt"], [0.0], [[0.0]])
    assert not limited_by(ratings, parts).by_combinations


def test_no_games() -> None:
    ratings = composite(Games([], [], [], []), {})

    assert part_contrasts(ratings, {})[0] == []
    assert limited_by(ratings, {}).names == []


def test_an_agent_without_parts_is_refused() -> None:
    games = Games.of([[RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1)]])

    with pytest.raises(ValueError, match="agent 2 has no parts"):
        composite(games, {1: ("thinking", "gpt", "plain")})
