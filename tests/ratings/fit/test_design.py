"""How sides, agents and roles enter a game."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arena.core import Games
from arena.ratings.fit.design import design, seats

MAFIA = Games(
    sizes=[6],
    agents=[1, 2, 3, 4, 5, 6],
    teams=[0, 0, 0, 0, 1, 1],
    ranks=[0, 0, 0, 0, 1, 1],
    roles=[0, 0, 0, 0, 1, 1],
    role_names=["Villager", "Mafia"],
)


def coefficients(games: Games, game: int = 0) -> dict[tuple[str, ...], float]:
    made = design(games)
    names = {at: term for term, at in made.terms.items()}
    columns, values = made.row(game)
    return {names[column]: value for column, value in zip(columns.tolist(), values, strict=True)}


def test_four_villagers_against_two_mafia() -> None:
    row = coefficients(MAFIA)

    assert row["side", "Villager"] == 4.0
    assert row["side", "Mafia"] == -2.0
    assert row["agent", "1"] == row["agent:role", "1", "Villager"] == 1.0
    assert row["agent", "6"] == row["agent:role", "6", "Mafia"] == -1.0
    assert len(row) == 14


def test_a_clone_counts_twice_and_one_on_both_sides_cancels() -> None:
    row = coefficients(replace(MAFIA, agents=[1, 1, 2, 3, 2, 4]))

    assert row["agent", "1"] == 2.0
    assert ("agent", "2") not in row
    assert row["agent:role", "2", "Villager"] == 1.0
    assert row["agent:role", "2", "Mafia"] == -1.0


def test_without_roles_a_side_is_what_more_seats_are_worth() -> None:
    row = coefficients(replace(MAFIA, roles=(), role_names=()))

    assert row["side", ""] == 2.0
    assert row["agent", "1"] == 1.0
    assert len(row) == 7


def test_an_agent_against_itself_leaves_nothing() -> None:
    assert coefficients(Games(sizes=[2], agents=[7, 7], teams=[0, 1], ranks=[0, 1])) == {}


def test_roles_count_within_their_environment() -> None:
    games = Games(
        sizes=[2, 2],
        agents=[1, 2, 1, 2],
        teams=[0, 1, 0, 1],
        ranks=[0, 1, 0, 1],
        roles=[0, 1, 0, 0],
        role_names=["first", "second"],
        environments=[0, 1],
        environment_names=["Nim-v0", "Chess-v0"],
    )

    assert ("side", "Nim-v0/first") in coefficients(games, 0)
    assert set(seats(games).roles) == {"Chess-v0/first", "Nim-v0/first", "Nim-v0/second"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"agents": [1]}, "6 seats in all games, but 1 agents"),
        ({"ranks": [0, 0, 0, 1, 1, 1]}, "different ranks"),
        ({"ranks": [0, 0, 0, 0, 1, float("nan")]}, "found the rank nan"),
        ({"sizes": [6, 0]}, "game 1 has no seats"),
        ({"roles": [0]}, "6 seats, but 1 roles"),
        ({"roles": [0, 0, 0, 0, 1, 2]}, "role 2 has no name"),
        ({"environments": [3], "environment_names": ["x"]}, "environment 3 has no name"),
        ({"teams": [0] * 6, "ranks": [0] * 6}, "game 0 has 1 teams: expected two"),
    ],
)
def test_what_makes_no_games_is_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        design(replace(MAFIA, **change))


def test_teams_may_be_seated_in_any_order() -> None:
    shuffled = np.random.default_rng(0).permutation(6)
    mixed = Games(
        sizes=[6],
        **{
            name: np.asarray(getattr(MAFIA, name))[shuffled]
            for name in ("agents", "teams", "ranks", "roles")
        },
        role_names=MAFIA.role_names,
    )
    sign = 1.0 if shuffled[0] < 4 else -1.0

    assert coefficients(mixed) == {
        term: sign * value for term, value in coefficients(MAFIA).items()
    }
