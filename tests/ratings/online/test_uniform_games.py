"""Games that are alike, against the layout of games of any shape."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.core import Games, RatedPlayer
from arena.ratings.online.columns import lay_out
from arena.ratings.online.uniform_games import evenly

Game = list[RatedPlayer]


def played(rng: random.Random, first: int, second: int, *, rotate: bool = True) -> Game:
    """A game between agents 1 to 9 and 100,000, with teams and ranks of any name and number."""
    labels, ranks = rng.sample(range(-3, 40_000), 2), [rng.choice([0, 3, 70_000]) for _ in "ab"]
    sides = [0] * first + [1] * second
    if rotate:
        rng.shuffle(sides)
    agents = rng.sample([*range(1, 10), 100_000], first + second)
    return [
        RatedPlayer(agent, labels[side], ranks[side])
        for agent, side in zip(agents, sides, strict=True)
    ]


@settings(deadline=None, max_examples=60)
@given(st.randoms(use_true_random=False), st.integers(1, 4), st.integers(1, 4))
def test_it_says_of_games_that_are_alike_what_their_layout_says(
    rng: random.Random, first: int, second: int
) -> None:
    games = Games.of(played(rng, first, second) for _ in range(rng.randint(1, 9)))

    even, layout = evenly(games), lay_out(games)

    assert even is not None
    assert even.sizes == tuple(sorted((first, second)))
    width, n = first + second, len(games)
    assert layout.plain.all()
    assert even.sign.tolist() == layout.sign.tolist()
    assert even.drawn.tolist() == layout.drawn.tolist()
    assert even.names.tolist() == layout.names.tolist()
    codes, behind = layout.code.reshape(n, width), layout.second.reshape(n, width)
    for g in range(n):
        assert even.ahead[g].tolist() == codes[g][~behind[g]].tolist()
        assert even.behind[g].tolist() == codes[g][behind[g]].tolist()
    counted = [
        np.bincount(layout.code[chosen], minlength=len(layout.names)).tolist()
        for chosen in (layout.first, layout.won, layout.lost & ~layout.drawn[layout.game])
    ]
    assert list(even.tally()) == counted


ALIKE = [RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1), RatedPlayer(3, 1, 1)]


ODD = {
    "fewer seats": [RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1)],
    "three teams": [RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1), RatedPlayer(3, 2, 2)],
    "one team": [RatedPlayer(1, 0, 0), RatedPlayer(2, 0, 0), RatedPlayer(3, 0, 0)],
    "twice in a team": [RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1), RatedPlayer(2, 1, 1)],
    "in both teams": [RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1), RatedPlayer(1, 1, 1)],
    "two ranks behind": [RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1), RatedPlayer(3, 1, 0)],
    "two ranks ahead": [RatedPlayer(1, 0, 0), RatedPlayer(2, 0, 1), RatedPlayer(3, 1, 1)],
    "three ranks": [RatedPlayer(1, 0, 2), RatedPlayer(2, 1, 1), RatedPlayer(3, 1, 0)],
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_one_game_that_is_not_alike_is_enough(odd: Game) -> None:
    assert evenly(Games.of([ALIKE, ALIKE])) is not None
    assert evenly(Games.of([ALIKE, odd, ALIKE])) is None
    assert evenly(Games.of([odd, ALIKE])) is None


def test_no_games_and_columns_that_do_not_fit_are_not_alike() -> None:
    assert evenly(Games.of([])) is None
    assert evenly(Games([2, 2], [1, 2, 3, 4], [0, 1, 0, 1], [0, 1, 0])) is None
