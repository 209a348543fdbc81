"""Counts of games to which more are added are those of all of them, to the last bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from arena.core import Games
from arena.ratings.fit.counted import counted
from arena.ratings.probit import Probit


def games(number: int, seed: int, agents: int = 8, **given: Any) -> Games:
    """Two against four, with clones now and then, draws, and roles."""
    rng = np.random.default_rng(seed)
    seated = rng.integers(1, agents + 1, (number, 6))
    ranks = rng.integers(0, 3, (number, 2))
    return Games(
        sizes=np.full(number, 6),
        agents=seated.ravel(),
        teams=np.tile([0, 0, 1, 1, 1, 1], number),
        ranks=ranks[:, [0, 0, 1, 1, 1, 1]].ravel() > 0,
        roles=np.tile([0, 0, 1, 2, 2, 2], number),
        role_names=("Mafia", "Doctor", "Villager"),
        **given,
    )


def first(all_of_them: Games, number: int) -> Games:
    """The first of the games."""
    seat = int(np.sum(all_of_them.sizes[:number]))
    return replace(
        all_of_them,
        **{
            name: column[:seat] if len(column) else column
            for name in ("agents", "teams", "ranks", "roles", "covariates", "scores")
            if (column := getattr(all_of_them, name)) is not None
        },
        **{
            name: column[:number] if len(column) else column
            for name in ("sizes", "environments", "blocks")
            if (column := getattr(all_of_them, name)) is not None
        },
    )


def in_environments(number: int, seed: int) -> Games:
    where = np.random.default_rng(seed).integers(0, 2, number)
    return games(number, seed, environments=where, environment_names=("one", "other"))


def alone(number: int, seed: int) -> Games:
    """Duels without roles."""
    rng = np.random.default_rng(seed)
    seated = np.array([rng.choice(5, 2, replace=False) for _ in range(number)])
    ranks = rng.integers(0, 2, (number, 2))
    return Games(np.full(number, 2), seated.ravel(), np.tile([0, 1], number), ranks.ravel())


def blocks(number: int, seed: int) -> Games:
    return games(number, seed, blocks=np.arange(number) // 2)


def for_themselves(number: int, seed: int) -> Games:
    some = games(number, seed)
    return replace(some, teams=np.tile(np.arange(6), number), ranks=some.agents % 4)


def covariates(number: int, seed: int) -> Games:
    rng = np.random.default_rng(seed)
    return games(number, seed, covariates=rng.normal(0, 1, 6 * number))


@pytest.mark.parametrize("made", [games, in_environments, alone])
@pytest.mark.parametrize("more", [0, 1, 40])
def test_counts_that_were_added_to_are_those_of_all_games(made: Any, more: int) -> None:
    some = made(300, 4)
    before = counted(first(some, 300 - more))

    added, anew = counted(some, before), counted(some)

    assert added.said.teams is before.said.teams, "counted from the start"
    for name in ("agent", "team", "role", "game", "sizes", "environment", "block", "team_rank"):
        assert np.array_equal(getattr(added.played, name), getattr(anew.played, name)), name
    for name in ("noise", "weight", "drawn", "environment", "side", "winner", "loser", "rows"):
        one, other = getattr(added.said.pairs, name), getattr(anew.said.pairs, name)
        assert np.array_equal(one, other), name
        assert one.dtype == other.dtype, name
    assert np.array_equal(added.said.kinds, anew.said.kinds)
    assert np.array_equal(added.said.margins, anew.said.margins)
    assert np.array_equal(added.places.seat, anew.places.seat)


MADE = (games, in_environments, alone, blocks, for_themselves, covariates)
BEGUN = ((120, 8), (1, 8), (0, 8), (150, 60))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("made", "start", "agents"),
    [
        # Every way to make games with some way to begin, and the reverse; all of them in a sweep.
        pytest.param(*case, marks=[] if (row + column) % 4 == 0 else [pytest.mark.sweep])
        for row, made in enumerate(MADE)
        for column, begun in enumerate(BEGUN)
        for case in [(made, *begun)]
    ],
)
def test_ratings_are_the_same_bits_whatever_was_counted_before(
    made: Any, start: int, agents: int
) -> None:
    """Also where an agent, a role or an environment comes that no game had before."""
    some = made(150, 7) if made is not games else games(150, 7, agents)

    _, before = Probit().fit_more(first(some, start), None)
    ratings, known = Probit().fit_more(some, before)
    again, _ = Probit().fit_more(some, known)
    anew = Probit().fit(some)

    for found in (ratings, again):
        assert found.terms == anew.terms
        assert np.array_equal(found.mean, anew.mean)
        assert np.array_equal(found.covariance, anew.covariance)
        assert (found.games, found.notes, found.margin) == (anew.games, anew.notes, anew.margin)


def test_counts_of_other_games_are_not_added_to() -> None:
    some, others = games(60, 1), games(80, 2)
    assert np.array_equal(
        Probit().fit_more(others, counted(some))[0].mean, Probit().fit(others).mean
    )


def test_many_places_are_sparse_and_the_same() -> None:
    some = games(400, 3, agents=90)
    before = counted(first(some, 399))
    added, anew = counted(some, before), counted(some)
    assert added.said.teams is before.said.teams
    assert (added.said.pairs.rows != anew.said.pairs.rows).nnz == 0
    assert np.array_equal(added.said.pairs.rows.indices, anew.said.pairs.rows.indices)
