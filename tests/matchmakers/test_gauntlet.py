"""Newcomers meet the field, all of it equally."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.core import UsageError
from arena.matchmakers.balance import counts
from arena.matchmakers.gauntlet import gauntlet
from tests.matchmakers.asking import alone, asked, made, mafia


def test_the_last_agent_meets_all_others_in_turn_from_both_seats() -> None:
    pairings = asked(made(gauntlet, [5, 6, 7, 8], 2, 12), 12)

    assert all(8 in pairing.agents for pairing in pairings)
    met = Counter(agent for pairing in pairings for agent in pairing.agents)
    assert met == {5: 4, 6: 4, 7: 4, 8: 12}
    assert sum(pairing.agents[0] == 8 for pairing in pairings) == 6


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 4),
    st.integers(5, 9),
    st.integers(2, 6),
    st.integers(1, 80),
    st.integers(0, 2**31),
)
def test_a_newcomer_meets_everybody_in_the_field_equally_and_no_other_newcomer(
    newcomers: int, field: int, num_players: int, games: int, seed: int
) -> None:
    agents = field + newcomers
    matchmaker = made(
        gauntlet, range(agents), num_players, games, seed, options={"newcomers": newcomers}
    )

    balance = counts(asked(matchmaker, games), alone(num_players), range(agents))

    among = balance.together[field:]
    assert (among[:, :field].max(axis=1) - among[:, :field].min(axis=1) <= 1).all()
    assert not among[:, field:].any()
    assert balance.games[field:].sum() == games


def test_newcomers_meet_each_other_if_told_to() -> None:
    options = {"newcomers": 3, "meet": True}
    pairings = asked(made(gauntlet, range(5), 2, 120, options=options), 120)

    together = counts(pairings, alone(2), range(5)).together

    assert not together[0, 1]
    assert together[2:, 2:].max() - together[2:, :2].min() <= 12
    assert ((together[2:] > 0).sum(axis=1) == 4).all()


@pytest.mark.parametrize("seating", ["clones", "opposite"])
def test_a_newcomer_is_one_of_the_two_that_swap(seating: str) -> None:
    options = {"newcomers": 2, "seating": seating}
    pairings = asked(made(gauntlet, range(1, 9), 6, 48, 1, mafia, options), 48)

    for first, second in zip(pairings[::2], pairings[1::2], strict=True):
        changed = {a for a, b in zip(first.agents, second.agents, strict=True) if a != b}
        assert len(changed & {7, 8}) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"newcomers": 4}, "newcomers: 4 of 4 agents leave no field to meet: expected at most 3"),
        ({"newcomers": 0}, "`newcomers` is 0, expected a whole number of at least 1"),
        ({"newcomers": ["x"]}, "`newcomers` is ['x'], expected a whole number of at least 1"),
        ({"newcommers": 2}, "no option `newcommers`: did you mean `newcomers`?"),
    ],
)
def test_newcomers_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        made(gauntlet, 4, 2, 10, options=options)
    assert message in str(refused.value)


def test_a_field_too_small_for_the_table() -> None:
    with pytest.raises(UsageError, match="3 opponents for a newcomer, who needs 4"):
        made(gauntlet, 5, 5, 10, options={"newcomers": 2})
    assert made(gauntlet, 5, 5, 10, options={"newcomers": 2, "meet": True})
