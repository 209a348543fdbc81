"""TrueSkill in closed form against the package, or against numpy where that cannot follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import fsum
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from arena.core import Games, RatedPlayer, Rating
from arena.ratings.gaussian.expectation_propagation import Link, TeamSide, independent, shared
from arena.ratings.gaussian.truncated import draw, win
from arena.ratings.online.draw_margin import quantile
from arena.ratings.openskill import OpenSkill
from arena.ratings.trueskill import MU, NOISE, TrueSkill, draw_margin
from arena.ratings.trueskill_package import exact, load

Seats = list[tuple[int, int, int]]
Skills = dict[int, tuple[float, float]]

skills = st.tuples(st.floats(0.0, 50.0), st.floats(0.3, 9.0))
probabilities = st.floats(0.01, 0.9)


@st.composite
def finishes(draw: Any, teams: st.SearchStrategy[int], most_seats: int = 4) -> tuple[Seats, Skills]:
    """A game of as many teams, its seats in any order, every agent in one seat."""
    sizes = draw(st.lists(st.integers(1, most_seats), min_size=(n := draw(teams)), max_size=n))
    ranks = draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n))
    seats = [(team, ranks[team]) for team, size in enumerate(sizes) for _ in range(size)]
    shuffled = draw(st.permutations(seats))
    players = [(100 + k, team, rank) for k, (team, rank) in enumerate(shuffled)]
    return players, {agent: draw(skills) for agent, _, _ in players}


def by_package(
    players: Seats, ratings: Mapping[int, tuple[float, float]], draw_probability: float
) -> Skills:
    """What the package says, given centred skills, an exact backend and time to converge."""
    package = exact(draw_probability=draw_probability, tau=0.0)
    teams: dict[int, Seats] = {}
    for player in players:
        teams.setdefault(player[1], []).append(player)
    # The package takes teams that share a place in the order in which they come.
    chain = sorted(teams.values(), key=lambda team: _place(team, ratings))
    if len(chain) > 2:
        assume(len({_place(team, ratings) for team in chain}) == len(chain))
    groups = [
        tuple(package.create_rating(ratings[a][0] - MU, ratings[a][1]) for a, _, _ in team)
        for team in chain
    ]
    rated = package.rate(groups, ranks=[team[0][2] for team in chain], min_delta=1e-13)
    return {
        agent: (new.mu + MU, new.sigma)
        for team, group in zip(chain, rated, strict=True)
        for (agent, _, _), new in zip(team, group, strict=True)
    }


def _place(team: Seats, ratings: Mapping[int, tuple[float, float]]) -> tuple[int, float]:
    return team[0][2], -fsum(ratings[agent][0] - MU for agent, _, _ in team)


def assert_near(ours: Mapping[int, Any], theirs: Mapping[int, Any], within: float = 1e-9) -> None:
    assert sorted(ours) == sorted(theirs)
    for agent, skill in theirs.items():
        assert ours[agent] == pytest.approx(skill, rel=0, abs=within)


def surprise(players: Seats, ratings: Skills) -> float:
    """How many sigma lie between the best and the worst team."""
    teams: dict[int, list[float]] = {}
    for agent, team, _ in players:
        mu, sigma = ratings[agent]
        total = teams.setdefault(team, [0.0, 0.0])
        total[0] += mu - MU
        total[1] += sigma**2 + NOISE
    means = [mean for mean, _ in teams.values()]
    deviation: float = min(variance for _, variance in teams.values()) ** 0.5
    return (max(means) - min(means)) / deviation


@settings(deadline=None, max_examples=150)
@given(finishes(st.just(2), most_seats=5), probabilities)
def test_two_teams_of_any_sizes_move_as_the_package_moves_them(
    game: tuple[Seats, Skills], draw_probability: float
) -> None:
    players, ratings = game
    assume(surprise(players, ratings) < 25.0)

    ours = TrueSkill().rate(players, ratings, draw_probability)

    assert_near(ours, by_package(players, ratings, draw_probability))


@settings(deadline=None, max_examples=60)
@given(finishes(st.integers(3, 6), most_seats=1), probabilities)
def test_a_free_for_all_moves_as_the_package_moves_it(
    game: tuple[Seats, Skills], draw_probability: float
) -> None:
    players, ratings = game
    assume(surprise(players, ratings) < 8.0)
    package = load()

    ours = TrueSkill().rate(players, ratings, draw_probability)

    def more_sweeps(*bounds: int) -> range:
        return range(100) if bounds == (10,) else range(*bounds)

    # The package stops after ten sweeps whether or not it has converged: let it go on.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(package, "range", more_sweeps)
        theirs = by_package(players, ratings, draw_probability)
    assert_near(ours, theirs)


@settings(deadline=None, max_examples=30)
@given(finishes(st.integers(3, 4), most_seats=3), probabilities)
def test_several_teams_move_as_the_package_moves_them(
    game: tuple[Seats, Skills], draw_probability: float
) -> None:
    players, ratings = game
    assume(surprise(players, ratings) < 6.0)

    ours = TrueSkill().rate(players, ratings, draw_probability)

    assert_near(ours, by_package(players, ratings, draw_probability), within=1e-8)


def by_conditioning(
    players: Seats, ratings: Mapping[int, tuple[float, float]], draw_probability: float
) -> Skills:
    """Two teams by full Gaussian conditioning: one skill for each agent, one performance for each
    seat, and the truncated gap between the teams as the only thing seen."""
    agents = sorted(ratings)
    total = len(agents) + len(players)
    mean = np.zeros(total)
    covariance = np.zeros((total, total))
    for k, agent in enumerate(agents):
        mean[k] = ratings[agent][0] - MU
        covariance[k, k] = ratings[agent][1] ** 2
    for k in range(len(agents), total):
        covariance[k, k] = NOISE
    gap = np.zeros(total)
    winners = min(players, key=lambda player: player[2])[1]
    for k, (agent, team, _) in enumerate(players):
        side = 1.0 if team == winners else -1.0
        gap[agents.index(agent)] += side
        gap[len(agents) + k] = side
    deviation = float(np.sqrt(gap @ covariance @ gap))
    margin = draw_margin(draw_probability, len(players)) / deviation
    t = float(gap @ mean) / deviation
    drawn = len({rank for _, _, rank in players}) == 1
    v, w, _ = draw(t, margin) if drawn else win(t - margin)
    gain = covariance @ gap / deviation
    mean = mean + gain * v
    covariance = covariance - np.outer(gain, gain) * w
    return {
        agent: (float(mean[k]) + MU, float(np.sqrt(covariance[k, k])))
        for k, agent in enumerate(agents)
    }


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 1)), min_size=2, max_size=8),
    st.tuples(st.integers(0, 1), st.integers(0, 1)),
    st.lists(skills, min_size=3, max_size=3),
    probabilities,
)
def test_an_agent_in_several_seats_is_one_skill(
    seats: list[tuple[int, int]],
    ranks: tuple[int, int],
    rated: list[tuple[float, float]],
    draw_probability: float,
) -> None:
    assume({team for _, team in seats} == {0, 1})
    players = [(agent, team, ranks[team]) for agent, team in seats]
    ratings = {agent: rated[agent - 1] for agent, _ in seats}

    ours = TrueSkill().rate(players, ratings, draw_probability)

    assert_near(ours, by_conditioning(players, ratings, draw_probability))


def test_an_agent_with_as_many_seats_on_both_sides_learns_nothing() -> None:
    players = [(1, 0, 0), (2, 0, 0), (1, 1, 1), (3, 1, 1)]
    ratings = {1: (31.0, 4.0), 2: (25.0, 8.0), 3: (25.0, 8.0)}

    after = TrueSkill().rate(players, ratings, 0.1)

    assert after[1] == (31.0, 4.0)
    assert after[2][0] > 25.0 > after[3][0]


def test_clones_in_four_seats_against_clones_in_two() -> None:
    players = [(1, 0, 0)] * 2 + [(2, 1, 1)] * 4
    ratings = {1: (25.0, 8.0), 2: (25.0, 8.0)}

    after = TrueSkill().rate(players, ratings, 0.05)

    # One skill behind four seats is known better after the game than one behind two.
    assert after[2][1] < after[1][1] < 8.0
    assert_near(after, by_conditioning(players, ratings, 0.05))


def test_an_agent_in_several_teams_of_a_free_for_all_is_one_skill() -> None:
    players = [(1, 0, 0), (2, 1, 1), (1, 2, 2), (3, 3, 2), (2, 4, 3)]
    ratings = {1: (25.0, 8.0), 2: (28.0, 3.0), 3: (20.0, 6.0)}

    after = TrueSkill().rate(players, ratings, 0.1)

    assert_near(after, by_sampling(players, ratings, 0.1), within=0.15)


def by_sampling(players: Seats, ratings: Skills, draw_probability: float) -> Skills:
    """The posterior by brute force: two million plays of the game, those with this finish kept."""
    rng = np.random.default_rng(7)
    size = 2_000_000
    agents = sorted(ratings)
    skill = {a: rng.normal(ratings[a][0], ratings[a][1], size) for a in agents}
    strengths = [skill[a] + rng.normal(0.0, NOISE**0.5, size) for a, _, _ in players]
    kept = np.ones(size, np.bool_)
    margin = draw_margin(draw_probability, 2)
    order = sorted(range(len(players)), key=lambda k: players[k][2])
    for upper, lower in pairwise(order):
        gap = strengths[upper] - strengths[lower]
        tied = players[upper][2] == players[lower][2]
        kept &= (np.abs(gap) < margin) if tied else (gap > margin)
    return {a: (float(skill[a][kept].mean()), float(skill[a][kept].std())) for a in agents}


def test_the_shared_chain_and_the_messages_agree_where_both_apply() -> None:
    ratings = {k: (22.0 + 3 * k, 7.0 - k) for k in range(5)}
    sides = [TeamSide({k: 1}, mu - MU, sigma**2 + NOISE) for k, (mu, sigma) in ratings.items()]
    links = [Link(1.5, drawn=k == 2) for k in range(4)]

    together = shared(sides, links, {k: (mu, s * s) for k, (mu, s) in ratings.items()}, NOISE)

    for (agent, (mu, sigma)), (gain, shrink) in zip(
        ratings.items(), independent(sides, links), strict=True
    ):
        variance = sigma**2
        alone = (mu + variance * gain, variance * (1 - variance * shrink))
        assert together[agent] == pytest.approx(alone, abs=1e-9)


def test_one_game_of_secret_mafia() -> None:
    mafia = [RatedPlayer(agent_id=k, team=0, rank=0) for k in (1, 2)]
    village = [RatedPlayer(agent_id=k, team=1, rank=1) for k in (3, 4, 5, 6)]
    ratings = dict.fromkeys(range(1, 7), TrueSkill().initial())

    after = TrueSkill().rate([*village, *mafia], ratings, 0.05)

    # Centred: two new agents beat four as easily as four beat two.
    assert after[1] == after[2]
    assert after[1].mu - 25.0 == pytest.approx(25.0 - after[3].mu, abs=1e-12)
    assert after[1].sigma == pytest.approx(after[3].sigma, abs=1e-12)
    assert after[1].sigma < 25.0 / 3.0
    assert ratings[1] == Rating()


def test_a_draw_of_equals_moves_nobody_and_tells_something() -> None:
    players = [RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 0)]

    after = TrueSkill().rate(players, {1: Rating(), 2: Rating()}, 0.3)

    assert after[1] == after[2]
    assert after[1].mu == 25.0
    assert after[1].sigma < 25.0 / 3.0


def test_a_game_of_one_team_says_nothing() -> None:
    players = [RatedPlayer(1, 0, 0), RatedPlayer(2, 0, 0)]
    ratings = {1: Rating(20.0, 3.0), 2: Rating()}

    assert TrueSkill().rate(players, ratings, 0.1) == ratings


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 4)), min_size=2, max_size=7),
    st.lists(st.integers(0, 3), min_size=5, max_size=5),
    st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(1e-4, 1e3)), min_size=4, max_size=4),
    st.floats(1e-9, 1.0 - 1e-9),
)
def test_no_finite_rating_makes_it_raise(
    seats: list[tuple[int, int]],
    ranks: list[int],
    rated: list[tuple[float, float]],
    draw_probability: float,
) -> None:
    players = [(agent, team, ranks[team]) for agent, team in seats]
    ratings = {agent: rated[agent - 1] for agent, _ in seats}

    after = TrueSkill().rate(players, ratings, draw_probability)

    for agent, (mu, sigma) in after.items():
        assert np.isfinite(mu)
        assert 0.0 < sigma <= ratings[agent][1] * (1 + 1e-9)


def test_the_package_gives_up_where_the_closed_form_goes_on() -> None:
    players = [(1, 0, 0), (2, 1, 1)]
    ratings = {1: (0.0, 1.0), 2: (1000.0, 1.0)}

    with pytest.raises(FloatingPointError):
        by_package(players, ratings, 0.1)
    after = TrueSkill().rate(players, ratings, 0.1)

    assert after[1][0] == pytest.approx(27.5, abs=0.5)
    assert after[1][0] + after[2][0] == pytest.approx(1000.0)


@pytest.mark.parametrize(
    ("rating", "found"),
    [((float("nan"), 8.0), "nan ± 8.0"), ((25.0, 0.0), "25.0 ± 0.0"), ((25.0, -1.0), "± -1.0")],
)
def test_an_impossible_rating_is_named(rating: tuple[float, float], found: str) -> None:
    with pytest.raises(ValueError, match=f"agent 2 is rated .*{found}: expected a finite mu"):
        TrueSkill().rate([(1, 0, 0), (2, 1, 1)], {1: (25.0, 8.0), 2: rating}, 0.1)


@pytest.mark.parametrize("draw_probability", [0.0, 1.0, -0.1, float("nan")])
def test_a_draw_probability_that_is_none_is_refused(draw_probability: float) -> None:
    with pytest.raises(ValueError, match="expected between 0 and 1"):
        TrueSkill().rate([(1, 0, 0), (2, 1, 1)], {1: (25.0, 8.0), 2: (25.0, 8.0)}, draw_probability)


@settings(deadline=None, max_examples=50)
@given(finishes(st.integers(3, 5)), st.randoms(use_true_random=False), probabilities)
def test_the_order_of_seats_is_in_no_rating(
    game: tuple[Seats, Skills], shuffle: Any, draw_probability: float
) -> None:
    players, ratings = game
    seats = list(players)
    shuffle.shuffle(seats)
    numbers = {team: 90 - team for _, team, _ in seats}
    moved = [(agent, numbers[team], rank) for agent, team, rank in seats]

    assert_near(
        TrueSkill().rate(moved, ratings, draw_probability),
        TrueSkill().rate(players, ratings, draw_probability),
        within=1e-9,
    )


def test_newcomers_that_share_a_place_get_the_same() -> None:
    after = TrueSkill().rate(
        [(1, 0, 0), (2, 1, 1), (3, 2, 1), (4, 3, 1)], dict.fromkeys((1, 2, 3, 4), (25.0, 8.0)), 0.1
    )

    assert after[2] == after[3] == after[4]
    assert after[1].mu > 25.0 > after[2].mu


@pytest.mark.parametrize("odd", [1.5, float("inf"), float("nan")])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_numbers_that_are_not_whole_are_refused(odd: float, place: int) -> None:
    seats: list[Any] = [(1, 0, 0), (2, 1, 1)]
    seats[1] = tuple(odd if at == place else value for at, value in enumerate(seats[1]))
    name = ("agent", "team", "rank")[place]
    columns = Games([2], *([seat[at] for seat in seats] for at in range(3)))

    with pytest.raises(ValueError, match=f"found the {name} {odd}: expected a whole number"):
        TrueSkill().rate(seats, dict.fromkeys((1, 2, odd), (25.0, 8.0)), 0.1)
    for system in (TrueSkill(), OpenSkill()):
        with pytest.raises(ValueError, match=f"found the {name} {odd}: expected a whole number"):
            system.fit(columns)


def test_a_team_with_two_ranks_is_refused() -> None:
    players: Sequence[tuple[int, int, int]] = [(1, 0, 0), (2, 0, 1), (3, 1, 1)]

    with pytest.raises(ValueError, match="team 0 has ranks 0 and 1: expected one rank"):
        TrueSkill().rate(list(players), dict.fromkeys((1, 2, 3), (25.0, 8.0)), 0.1)


@settings(deadline=None)
@given(st.floats(1e-6, 1 - 1e-9))
def test_the_draw_margin_is_the_package_s(draw_probability: float) -> None:
    package = exact(draw_probability=draw_probability)
    theirs = load().calc_draw_margin(draw_probability, 6, package)

    assert draw_margin(draw_probability, 6) == pytest.approx(theirs, abs=1e-12)
    assert quantile(draw_probability) > 0.0
