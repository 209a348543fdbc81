"""Predictions from ratings: what is not known makes them less sure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from arena.core import Ratings
from arena.ratings.prediction import predict

SURE = Ratings(
    system="hand",
    terms={
        ("agent", "1"): 0,
        ("agent", "2"): 1,
        ("agent:role", "1", "Mafia"): 2,
        ("side", "Mafia"): 3,
    },
    mean=np.array([3.0, -1.0, 2.0, 1.0]),
    covariance=np.zeros((4, 4)),
    noise=2.0,
    shares={"Mafia": 0.25, "Villager": 0.75},
)
PAIR = [[(1, "Villager")], [(2, "Villager")]]


def test_a_sum_of_effects_over_the_noise_of_all_seats() -> None:
    first, draw, second = predict(SURE, [[(1, "Mafia")], [(2, "Villager"), (2, "Villager")]])

    assert first == pytest.approx(ndtr((3.0 + 2.0 + 1.0 + 2.0) / (2.0 * np.sqrt(3.0))))
    assert (draw, second) == pytest.approx((0.0, 1.0 - first))


def test_without_a_role_it_is_the_average_over_them() -> None:
    first, _, _ = predict(SURE, [[(1, None)], [(2, None)]])

    assert first == pytest.approx(ndtr((4.0 + 0.25 * 2.0) / np.sqrt(8.0)))


def test_who_is_not_known_is_average() -> None:
    assert predict(SURE, [[(8, "Villager")], [(9, "Villager")]])[0] == 0.5


@pytest.mark.parametrize("link", ["normal", "logistic"])
def test_not_knowing_makes_it_less_sure(link: str) -> None:
    known = replace(SURE, link=link)
    unsure = replace(known, covariance=np.eye(4) * 9.0)

    assert 0.5 < predict(unsure, PAIR)[0] < predict(known, PAIR)[0] < 1.0


def test_the_logistic_link_has_the_noise_of_the_game() -> None:
    rng = np.random.default_rng(1)
    noise = rng.logistic(scale=np.sqrt(8.0) * np.sqrt(3.0) / np.pi, size=200_000)

    assert noise.std() == pytest.approx(np.sqrt(8.0), rel=0.01)
    expected = np.mean(4.0 + noise > 0.0)
    assert predict(replace(SURE, link="logistic"), PAIR)[0] == pytest.approx(expected, abs=0.005)


def test_win_draw_and_loss_are_all() -> None:
    found = predict(replace(SURE, margin=1.5), PAIR)

    assert sum(found) == pytest.approx(1.0)
    assert found[1] > 0.1


@pytest.mark.parametrize("teams", [[PAIR[0]], [*PAIR, PAIR[0]], [PAIR[0], []]])
def test_two_teams_are_needed(teams: list[list[tuple[int, str | None]]]) -> None:
    with pytest.raises(ValueError, match="expected two, each with a seat"):
        predict(SURE, teams)
