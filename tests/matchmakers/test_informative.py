"""The games that tell most are played first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.core import Pairing, Part, Standings, UsageError
from arena.matchmakers.balance import counts
from arena.matchmakers.gain import Knowledge, comparisons
from arena.matchmakers.goals import order
from arena.matchmakers.informative import informative
from tests.matchmakers.asking import alone, made, mafia

NOTHING = float("nan")


def known(
    mean: Sequence[float],
    deviation: Sequence[float] | float = 2.0,
    dollars: Sequence[float] | float = NOTHING,
    scheduled: Sequence[Pairing] = (),
    settled: int = 0,
) -> Standings:
    n = len(mean)
    return Standings(
        agents=tuple(range(1, n + 1)),
        mean=np.array(mean, np.float64),
        covariance=np.diag(np.broadcast_to(np.square(deviation), n).astype(np.float64)),
        dollars=np.broadcast_to(dollars, n).astype(np.float64),
        settled=settled,
        scheduled=scheduled,
    )


def met(pairings: Sequence[Pairing]) -> Counter[tuple[int, ...]]:
    return Counter(tuple(sorted(pairing.agents)) for pairing in pairings)


def test_tournaments_of_the_first_version_go_on_as_they_began() -> None:
    rng = np.random.default_rng(8)
    standings = known(rng.normal(25, 4, 8).tolist(), rng.uniform(0.5, 6, 8).tolist())

    duels = made(informative, 8, 2, 60, 3, options={"version": 1}).next(standings, 6)
    teams = made(informative, 8, 6, 60, 3, mafia, {"version": 1}).next(standings, 3)

    # What the release before the second version chose.
    assert [game.agents for game in duels] == [(2, 7), (7, 3), (7, 2), (4, 7), (3, 7), (7, 2)]
    assert [game.agents for game in teams] == [
        (2, 7, 5, 3, 1, 4),
        (1, 8, 7, 3, 5, 2),
        (6, 5, 8, 2, 4, 7),
    ]


def test_two_neighbours_who_are_nearly_told_apart_meet_first() -> None:
    matchmaker = made(informative, 4, 2, 100)

    (first,) = matchmaker.next(known([40.0, 26.5, 25.0, 10.0], 1.0), 1)

    assert sorted(first.agents) == [2, 3]


def test_what_is_under_way_is_not_asked_again_and_again() -> None:
    matchmaker = made(informative, 4, 2, 100)

    pairings = matchmaker.next(known([27.0, 25.2, 25.0, 23.0], 4.0), 30)

    assert met(pairings)[2, 3] < 15
    assert len(met(pairings)) >= 4


def test_games_that_are_settled_are_under_way_no_longer() -> None:
    mean, matchmaker = [31.5, 27.0, 25.0, 20.5], made(informative, 4, 2, 100)
    scheduled = [Pairing(k, k, k, (2, 3) if k % 2 else (4, 1)) for k in range(60)]
    scheduled[::4] = [Pairing(k, k, k, (2, 1)) for k in range(0, 60, 4)]

    waiting = matchmaker.next(known(mean, 2.0, scheduled=scheduled, settled=30), 1)
    settled = matchmaker.next(known(mean, 2.0, scheduled=scheduled, settled=60), 1)

    assert sorted(waiting[0].agents) != [2, 3]
    assert sorted(settled[0].agents) == [2, 3]


def test_an_agent_of_whom_little_is_known_plays() -> None:
    matchmaker = made(informative, 5, 2, 100)

    pairings = matchmaker.next(known([25.0] * 5, [1.0, 1.0, 8.0, 1.0, 1.0]), 5)

    assert all(3 in pairing.agents for pairing in pairings)


def test_when_nothing_is_known_everybody_plays_as_often_and_in_every_role() -> None:
    agents = 12
    matchmaker = made(informative, agents, 6, 60, 1, mafia, {"lag": 60})

    pairings = matchmaker.next(known([25.0] * agents, 25 / 3), 60)

    balance = counts(pairings, mafia, range(1, agents + 1))
    # 30 games each, of which 10 are as Mafia.
    assert balance.uneven_games <= 6
    assert balance.uneven_roles <= 6


@pytest.mark.parametrize("goal", ["order", "top 2"])
@pytest.mark.parametrize("players", [2, 6])
def test_every_cut_of_the_pool_is_joined_whatever_the_results_say(goal: str, players: int) -> None:
    agents, casting = 8, mafia if players == 6 else None
    matchmaker = made(informative, agents, players, 120, 1, casting, {"goal": goal})
    # Two halves that nobody doubts, each of equals.
    mean = [50.0, 0.0] * (agents // 2)
    scheduled = list[Pairing]()
    while len(scheduled) < 120:
        settled = max(0, len(scheduled) - 31)
        scheduled += matchmaker.next(known(mean, 1.0, scheduled=scheduled, settled=settled), 1)

    opposed = np.zeros((agents, agents))
    for pairing in scheduled:
        parts = casting(pairing.seed) if casting else (Part(), Part())
        for (one, a), (other, b) in combinations(zip(pairing.agents, parts, strict=True), 2):
            if a.team is None or a.team != b.team:
                opposed[one - 1, other - 1] += 1
    opposed += opposed.T
    even = opposed.sum() / (agents * (agents - 1))
    for number in range(1, 2 ** (agents - 1)):
        half = np.array([number >> at & 1 for at in range(agents)], bool)
        across = opposed[np.ix_(half, ~half)]
        # An eighth of what an even schedule gives to one agent against all others.
        assert across.sum() > even * (agents - 1) / 8


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**31), st.integers(3, 7))
def test_the_better_pair_of_two_is_the_best_of_all(seed: int, agents: int) -> None:
    rng = np.random.default_rng(seed)
    mean, deviation = rng.normal(25, 4, agents).tolist(), rng.uniform(0.5, 6, agents).tolist()

    (first,) = made(informative, agents, 2, 10, seed).next(known(mean, deviation), 1)

    knowledge = Knowledge.of(np.array(mean), np.diag(np.square(deviation)), order)
    pairs = knowledge.pairs(knowledge.told())
    one, other = first.agents
    assert pairs[one - 1, other - 1] == pytest.approx(pairs.max(), rel=1e-6)


def test_the_search_finds_nearly_the_best_of_all_lineups() -> None:
    found, best = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        mean, deviation = rng.normal(25, 4, 7), rng.uniform(0.5, 6, 7)
        matchmaker = made(informative, 7, 6, 10, seed, mafia)
        (first,) = matchmaker.next(known(mean.tolist(), deviation.tolist()), 1)
        knowledge = Knowledge.of(mean, np.diag(deviation**2), order)
        compared = comparisons([range(6)], mafia(first.seed), 6)
        lineups = np.array(list(permutations(range(7), 6)))
        best.append(knowledge.gains(lineups, compared).max())
        seated = np.array([[agent - 1 for agent in first.agents]])
        found.append(knowledge.gains(seated, compared)[0])

    assert np.mean(np.array(found) / np.array(best)) > 0.9


def test_a_dollar_buys_the_most() -> None:
    mean = [25.0, 25.1, 24.9, 25.05]
    costs = [1.0, 0.01, 1.0, 0.01]

    (cheap,) = made(informative, 4, 2, 10).next(known(mean, dollars=costs), 1)
    dear = made(informative, 4, 2, 40, options={"dollars": False, "lag": 40})

    assert sorted(cheap.agents) == [2, 4]
    games = dear.next(known([25.0] * 4, dollars=costs), 40)
    assert counts(games, alone(2)).uneven_games <= 4


def test_agents_whose_cost_is_not_known_cost_the_average() -> None:
    mean = [25.0] * 4
    costs = [1.0, 0.1, NOTHING, 3.0]

    (first,) = made(informative, 4, 2, 10).next(known(mean, dollars=costs), 1)

    assert sorted(first.agents) == [1, 2]


@pytest.mark.parametrize("dollars", [0.0, NOTHING, -1.0])
def test_where_no_price_is_known_all_cost_the_same(dollars: float) -> None:
    mean = [27.0, 25.2, 25.0, 23.0]
    options = {"lag": 20}

    priced = made(informative, 4, 2, 20, options=options).next(known(mean, dollars=dollars), 20)
    free = made(informative, 4, 2, 20, options={**options, "dollars": False})

    assert priced == free.next(known(mean), 20)


def test_what_is_free_is_not_played_for_ever() -> None:
    matchmaker = made(informative, 4, 2, 60, options={"lag": 60})

    pairings = matchmaker.next(known([25.0] * 4, 8.0, [0.0, 0.0, 0.02, 0.02]), 60)

    assert {agent for pairing in pairings for agent in pairing.agents} == {1, 2, 3, 4}


def test_skills_that_are_not_numbers_are_unknown() -> None:
    mean = [25.0, NOTHING, 25.0, 25.0]

    (first,) = made(informative, 4, 2, 10).next(known(mean, [1.0, NOTHING, 1.0, 1.0]), 1)

    assert 2 in first.agents


def test_clones_and_opposite_sides_are_searched_as_such() -> None:
    mean = [40.0, 26.5, 25.0, 10.0, 0.0, 55.0, 70.0]
    for seating in ("clones", "opposite"):
        options = {"seating": seating}
        first, second = made(informative, 7, 6, 10, 1, mafia, options).next(known(mean, 1.0), 2)
        changed = {a for a, b in zip(first.agents, second.agents, strict=True) if a != b}
        assert changed == {2, 3}


def test_the_standings_may_list_agents_in_another_order() -> None:
    mean = [30.0, 25.2, 25.0, 20.0]
    forward = known(mean)
    backward = Standings(
        agents=forward.agents[::-1],
        mean=forward.mean[::-1],
        covariance=forward.covariance[::-1, ::-1],
        dollars=forward.dollars[::-1],
    )

    one, other = (made(informative, 4, 2, 20).next(given, 10) for given in (forward, backward))

    assert one == other


def test_dollars_are_true_or_false() -> None:
    with pytest.raises(UsageError, match="`dollars` is 3, expected true or false"):
        made(informative, 4, 2, 10, options={"dollars": 3})
    with pytest.raises(UsageError, match="no option `dollar`: did you mean `dollars`"):
        made(informative, 4, 2, 10, options={"dollar": True})
