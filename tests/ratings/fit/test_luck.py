"""Games on one seed share its luck: the fit finds how much of it there is, and allows for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arena.core import Games
from arena.core.arrays import Floats
from arena.core.ratings import BETA
from arena.ratings.fit.counted import places_of
from arena.ratings.fit.design import seats
from arena.ratings.fit.likelihood import Matches, matches
from arena.ratings.probit import Probit
from proof.worlds import DUEL, MAFIA_35, World


def again(world: World, seeds: int, times: int, luck: float) -> Games:
    """Every lineup played several times on one seed, the replies drawn anew."""
    rng = np.random.default_rng(7)
    truth = world.truth(rng)
    return truth.play(np.repeat(truth.lineups(seeds, rng), times, axis=0), rng, luck, times)


def likelihood(games: Games, luck: float) -> Matches:
    played = seats(games)
    places = places_of(played)
    return replace(matches(played, places.seat, len(places.agent)), luck=luck)


def numerical(of: Matches, at: Floats) -> tuple[Floats, Floats]:
    """Gradient and Hessian by differences."""
    step = 1e-4 * np.eye(len(at))
    gradient = [(of.at(at + h)[0] - of.at(at - h)[0]) / 2e-4 for h in step]
    hessian = [(of.at(at + h)[1] - of.at(at - h)[1]) / 2e-4 for h in step]
    return np.array(gradient), np.array(hessian)


@pytest.mark.parametrize("world", [replace(DUEL, margin=2.0), MAFIA_35])
def test_derivatives_know_of_the_luck(world: World) -> None:
    found = likelihood(again(world, 12, 3, 0.4), 0.4)
    at = np.random.default_rng(3).normal(0.0, BETA, found.places)

    value, gradient = found.at(at)
    slope, bend = numerical(found, at)

    assert np.isfinite(value)
    assert gradient == pytest.approx(slope, abs=1e-6)
    assert found.information(at) == pytest.approx(-bend, abs=1e-6)
    assert found.evidence_of_luck(at) < 0.0 == replace(found, luck=0.0).evidence_of_luck(at)


def test_games_of_one_seed_say_less_where_the_seed_decides() -> None:
    lucky, plain = (again(DUEL, 200, 5, luck) for luck in (0.6, 0.0))
    sigmas = [
        np.sqrt(np.diag(Probit().fit(games).contrasts(range(12))[1])).mean()
        for games in (lucky, replace(lucky, blocks=()), plain, replace(plain, blocks=()))
    ]

    assert sigmas[0] > 1.2 * sigmas[1]
    assert sigmas[2] < 1.1 * sigmas[3]


def test_a_seed_of_a_single_game_is_no_block() -> None:
    games = again(MAFIA_35, 40, 1, 0.3)
    alone, none = Probit().fit(games), Probit().fit(replace(games, blocks=()))

    assert alone.mean.tobytes() == none.mean.tobytes()
    assert alone.covariance.tobytes() == none.covariance.tobytes()


def test_seats_that_are_swapped_on_a_seed_cancel_its_luck() -> None:
    """Ann always wins on the lucky side, and so does Bob: they are equal, and known to be."""
    side = [0, 0, 1, 1] * 30
    games = Games(
        sizes=[2] * 120,
        agents=[1, 2, 2, 1] * 60,
        teams=[0, 1] * 120,
        ranks=[rank for won in side for rank in ((0, 1) if won == 0 else (1, 0))],
        blocks=[game // 2 for game in range(120)],
    )

    known, blind = (Probit().fit(of) for of in (games, replace(games, blocks=())))
    sigma, before = (np.sqrt(of.contrasts([1, 2])[1][0, 0]) for of in (known, blind))
    assert known.contrasts([1, 2])[0] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert sigma < before


def test_blocks_that_are_not_one_to_a_game_are_refused() -> None:
    with pytest.raises(ValueError, match="2 games, but 1 blocks"):
        seats(Games([1, 1], [1, 2], [0, 0], [0, 0], blocks=[3]))
