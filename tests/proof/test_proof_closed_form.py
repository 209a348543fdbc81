"""The proof of the closed form runs, and would find a wrong one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from arena.core import Rating
from arena.ratings.trueskill import TrueSkill
from proof import closed_form
from proof.closed_form import CLASSES, Case, by_package, compare, measure


def test_every_class_agrees_to_the_ninth_digit() -> None:
    part = measure(scale=0.002, processes=1)

    assert [figure.what for figure in part.figures if figure.met is False] == []
    assert part.figures[0].value == sum(round(count * 0.002) for _, count in CLASSES.values())
    rows = {row[0]: row for row in part.tables[0].rows}
    assert set(rows) == set(CLASSES)
    # Thirty games up to 60 deviations apart: some of them are beyond the package.
    assert rows["extreme gaps"][3] > 0
    assert all(float(row[1]) > 0 for row in rows.values())


@pytest.mark.slow
def test_the_figures_depend_on_the_seed_and_not_on_the_processes() -> None:
    one, two = (measure(seed=9, scale=0.0005, processes=n) for n in (1, 2))

    assert one == two
    assert one != measure(seed=10, scale=0.0005, processes=1)


class Off(TrueSkill):
    """The closed form, wrong in the eighth digit."""

    def rate(
        self,
        players: Sequence[tuple[int, int, int]],
        ratings: Mapping[int, tuple[float, float]],
        draw_probability: float,
    ) -> dict[int, Rating]:
        rated = super().rate(players, ratings, draw_probability)
        return {agent: Rating(mu * (1.0 + 1e-8), sigma) for agent, (mu, sigma) in rated.items()}


@pytest.mark.parametrize("name", ["two teams", "clones", "free for all"])
def test_a_formula_that_is_slightly_wrong_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = compare(name, np.random.SeedSequence(2), 5)
    monkeypatch.setattr(closed_form, "TrueSkill", Off)
    wrong = compare(name, np.random.SeedSequence(2), 5)

    assert right.worst < 1e-9 < wrong.worst


def test_two_seats_are_handed_to_the_package_as_one_player() -> None:
    players = [(0, 0, 0), (0, 0, 0), (1, 1, 1)]
    case = Case(players, {0: (25.0, 5.0), 1: (25.0, 5.0)}, 0.3)

    assert by_package(case)[0] == pytest.approx(
        TrueSkill().rate(players, case.ratings, 0.3)[0], abs=1e-12
    )
    # Two strangers in these seats are two things to learn about: each is known less well.
    strangers = Case([(0, 0, 0), (2, 0, 0), (1, 1, 1)], {**case.ratings, 2: (25.0, 5.0)}, 0.3)
    assert by_package(case)[0][1] < by_package(strangers)[0][1]
