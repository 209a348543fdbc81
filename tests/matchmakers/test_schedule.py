"""What both fixed schedules promise: the same seed, the same schedule, however it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.core import MatchmakerFactory, Pairing, UsageError
from arena.matchmakers.random import RandomMatchmaker
from arena.matchmakers.round_robin import RoundRobin
from arena.matchmakers.schedule import game_seed

FACTORIES: tuple[MatchmakerFactory, ...] = (RandomMatchmaker, RoundRobin)
both = pytest.mark.parametrize("factory", FACTORIES)


def schedule(
    factory: MatchmakerFactory,
    agents: int | Sequence[int],
    num_players: int,
    games: int,
    seed: int = 1,
    **options: Any,
) -> Sequence[Pairing]:
    names = range(1, agents + 1) if isinstance(agents, int) else agents
    matchmaker = factory(
        agents=list(names), num_players=num_players, games=games, seed=seed, options=options
    )
    return matchmaker.next({}, games + 1)


@both
@settings(deadline=None, max_examples=40)
@given(
    st.integers(2, 9),
    st.integers(2, 6),
    st.integers(1, 8),
    st.booleans(),
    st.integers(0, 2**63),
    st.lists(st.integers(0, 5), min_size=1),
)
def test_the_calls_do_not_matter_only_their_sum(
    factory: MatchmakerFactory,
    agents: int,
    num_players: int,
    blocks: int,
    in_blocks: bool,
    seed: int,
    rooms: list[int],
) -> None:
    games = blocks * num_players
    options: Mapping[str, Any] = {"blocks": in_blocks, "repeat": True}
    at_once = schedule(factory, agents, num_players, games, seed, **options)
    again = factory(
        agents=range(1, agents + 1),
        num_players=num_players,
        games=games,
        seed=seed,
        options=options,
    )
    asked: list[Pairing] = []
    for room in [*rooms, *[1] * games]:
        asked += again.next({}, room)

    assert asked == list(at_once)
    assert [pairing.schedule_index for pairing in asked] == list(range(games))
    assert all(len(pairing.agents) == num_players for pairing in asked)
    assert again.next({}, 10) == ()


@both
def test_a_longer_tournament_begins_like_a_shorter_one(factory: MatchmakerFactory) -> None:
    assert schedule(factory, 7, 3, 100)[:40] == schedule(factory, 7, 3, 40)


@both
def test_another_seed_is_another_schedule(factory: MatchmakerFactory) -> None:
    first, second = (schedule(factory, 8, 6, 20, seed) for seed in (1, 2))

    assert [p.agents for p in first] != [p.agents for p in second]
    assert {p.seed for p in first}.isdisjoint(p.seed for p in second)


@both
def test_no_room_no_pairings(factory: MatchmakerFactory) -> None:
    matchmaker = factory(agents=[1, 2], num_players=2, games=2, seed=0, options={})

    assert matchmaker.next({}, 0) == ()
    assert matchmaker.next({}, -1) == ()
    assert len(matchmaker.next({}, 5)) == 2


@both
def test_every_game_has_a_seed_of_its_own_that_fits_31_bits(factory: MatchmakerFactory) -> None:
    pairings = schedule(factory, 6, 6, 300)

    assert len({pairing.seed for pairing in pairings}) == 300
    assert all(0 <= pairing.seed < 2**31 for pairing in pairings)
    assert [pairing.block for pairing in pairings] == list(range(300))
    assert pairings[7].seed == game_seed(1, 7)


@both
@settings(deadline=None, max_examples=25)
@given(st.integers(2, 8), st.integers(2, 6), st.integers(1, 6), st.integers())
def test_a_block_shares_a_seed_and_takes_every_agent_through_every_place(
    factory: MatchmakerFactory, agents: int, num_players: int, blocks: int, seed: int
) -> None:
    pairings = schedule(
        factory, agents, num_players, blocks * num_players, seed, blocks=True, repeat=True
    )

    for block in range(blocks):
        games = [pairing for pairing in pairings if pairing.block == block]
        lineup = games[0].agents
        assert len(games) == num_players
        assert len({pairing.seed for pairing in games}) == 1
        assert len({tuple(sorted(pairing.agents)) for pairing in games}) == 1
        for place in range(num_players):
            assert Counter(pairing.agents[place] for pairing in games) == Counter(lineup)


def test_the_rotations_of_one_block() -> None:
    first, second, third = schedule(RoundRobin, 3, 3, 3, blocks=True)
    a, b, c = first.agents

    assert second.agents == (c, a, b)
    assert third.agents == (b, c, a)


@both
def test_games_that_leave_a_block_unfinished_are_refused_with_the_nearest_right_numbers(
    factory: MatchmakerFactory,
) -> None:
    with pytest.raises(UsageError, match=r"100 games .* in blocks of 6.*choose 96 or 102 games"):
        schedule(factory, 8, 6, 100, blocks=True)
    with pytest.raises(UsageError, match="choose 6 games"):
        schedule(factory, 8, 6, 4, blocks=True)


@both
def test_five_agents_for_a_game_of_six_are_refused_before_anything_is_played(
    factory: MatchmakerFactory,
) -> None:
    with pytest.raises(UsageError, match=r"5 agents for a game of 6 players: .*`repeat: true`"):
        factory(agents=[1, 2, 3, 4, 5], num_players=6, games=10, seed=1, options={})


@both
def test_five_agents_for_a_game_of_six_with_repeat(factory: MatchmakerFactory) -> None:
    for pairing in schedule(factory, 5, 6, 40, repeat=True):
        assert sorted(Counter(pairing.agents).values()) == [1, 1, 1, 1, 2]


@both
def test_repeat_changes_nothing_when_there_are_agents_enough(factory: MatchmakerFactory) -> None:
    assert schedule(factory, 8, 6, 40, repeat=True) == schedule(factory, 8, 6, 40)


@both
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block": True}, "has no option `block`: did you mean `blocks`?"),
        ({"colour": 1}, "has no option `colour`: expected blocks or repeat"),
        ({"blocks": "yes"}, "`blocks` is 'yes', expected true or false"),
    ],
)
def test_options_that_are_not_known(
    factory: MatchmakerFactory, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        schedule(factory, 2, 2, 2, **options)
    assert message in str(refused.value)


@both
@pytest.mark.parametrize(
    ("agents", "num_players", "games", "message"),
    [
        ([1, 2, 1], 2, 2, "agent 1 is entered twice"),
        ([], 2, 2, "no agents"),
        ([1, 2], 2, 0, "0 games of 2 players: expected at least one of each"),
        ([1, 2], 0, 2, "2 games of 0 players"),
    ],
)
def test_numbers_that_make_no_schedule(
    factory: MatchmakerFactory, agents: list[int], num_players: int, games: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        schedule(factory, agents, num_players, games)


def test_schedules_are_the_same_on_every_machine() -> None:
    drawn = schedule(RandomMatchmaker, 7, 6, 2, seed=42)
    even = schedule(RoundRobin, 7, 6, 2, seed=42)

    assert [(p.agents, p.seed) for p in drawn] == RANDOM_42
    assert [(p.agents, p.seed) for p in even] == ROUND_ROBIN_42


RANDOM_42 = [((6, 4, 5, 2, 1, 7), 23868024), ((3, 4, 6, 2, 5, 7), 316600467)]
ROUND_ROBIN_42 = [((1, 4, 7, 6, 2, 5), 23868024), ((4, 2, 6, 7, 3, 1), 316600467)]
