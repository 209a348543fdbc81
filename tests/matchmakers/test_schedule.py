"""What fixed schedules promise: the same seed, the same schedule, however it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.core import MatchmakerFactory, Pairing, UsageError
from arena.matchmakers.gauntlet import gauntlet
from arena.matchmakers.least_played import least_played
from arena.matchmakers.random import random_matchmaker
from arena.matchmakers.round_robin import round_robin
from arena.matchmakers.schedule import game_seed
from tests.matchmakers.asking import asked, made, mafia, unknown

FIXED: tuple[MatchmakerFactory, ...] = (random_matchmaker, round_robin, least_played, gauntlet)
each = pytest.mark.parametrize("factory", FIXED)


def schedule(
    factory: MatchmakerFactory,
    agents: int | Sequence[int],
    num_players: int,
    games: int,
    seed: int = 1,
    **options: Any,
) -> list[Pairing]:
    return asked(made(factory, agents, num_players, games, seed, options=options), games + 1)


@each
@settings(deadline=None, max_examples=25)
@given(
    st.integers(2, 9),
    st.integers(2, 6),
    st.integers(1, 8),
    st.booleans(),
    st.integers(0, 2**63),
    st.lists(st.integers(1, 9), min_size=1),
)
def test_it_does_not_matter_how_it_is_asked(
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
    matchmaker = made(factory, agents, num_players, games, seed, options=options)
    in_steps: list[Pairing] = []
    for step, room in enumerate([*rooms, *[1] * games]):
        if step % 3 == 2:
            # A run that was stopped goes on with a matchmaker made anew.
            matchmaker = made(factory, agents, num_players, games, seed, options=options)
        in_steps += matchmaker.next(unknown(in_steps), room)

    assert in_steps == at_once
    assert [pairing.schedule_index for pairing in in_steps] == list(range(games))
    assert all(len(pairing.agents) == num_players for pairing in in_steps)
    assert matchmaker.next(unknown(in_steps), 10) == ()


@each
def test_whole_blocks_are_handed_out_or_one_where_that_is_more(factory: MatchmakerFactory) -> None:
    matchmaker = made(factory, 8, 6, 60, options={"blocks": True})

    assert len(matchmaker.next(unknown(), 1)) == 6
    assert len(matchmaker.next(unknown(), 17)) == 12
    assert len(matchmaker.next(unknown(), 1000)) == 60


@each
def test_a_block_that_was_cut_short_is_finished(factory: MatchmakerFactory) -> None:
    whole = schedule(factory, 8, 6, 60, blocks=True)
    matchmaker = made(factory, 8, 6, 60, options={"blocks": True})

    assert matchmaker.next(unknown(whole[:8]), 1) == tuple(whole[8:12])


@each
def test_a_longer_tournament_begins_like_a_shorter_one(factory: MatchmakerFactory) -> None:
    assert schedule(factory, 7, 3, 100)[:40] == schedule(factory, 7, 3, 40)


@each
def test_another_seed_is_another_schedule(factory: MatchmakerFactory) -> None:
    first, second = (schedule(factory, 8, 6, 20, seed) for seed in (1, 2))

    assert [p.agents for p in first] != [p.agents for p in second]
    assert {p.seed for p in first}.isdisjoint(p.seed for p in second)


@each
def test_no_room_no_pairings(factory: MatchmakerFactory) -> None:
    matchmaker = made(factory, 2, 2, 2)

    assert matchmaker.next(unknown(), 0) == ()
    assert matchmaker.next(unknown(), -1) == ()
    assert len(matchmaker.next(unknown(), 5)) == 2


@each
def test_it_depends_on_no_result(factory: MatchmakerFactory) -> None:
    assert made(factory, 2, 2, 2).lag is None


@each
def test_every_game_has_a_seed_of_its_own_that_fits_31_bits(factory: MatchmakerFactory) -> None:
    pairings = schedule(factory, 6, 6, 300)

    assert len({pairing.seed for pairing in pairings}) == 300
    assert all(0 <= pairing.seed < 2**31 for pairing in pairings)
    assert [pairing.block for pairing in pairings] == list(range(300))
    assert pairings[7].seed == game_seed(1, 7)


@each
@settings(deadline=None, max_examples=20)
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
    first, second, third = schedule(round_robin, 3, 3, 3, blocks=True)
    a, b, c = first.agents

    assert second.agents == (c, a, b)
    assert third.agents == (b, c, a)


@each
def test_games_that_leave_a_block_unfinished_are_refused_with_the_nearest_right_numbers(
    factory: MatchmakerFactory,
) -> None:
    with pytest.raises(UsageError, match=r"100 games .* in blocks of 6.*choose 96 or 102 games"):
        schedule(factory, 8, 6, 100, blocks=True)
    with pytest.raises(UsageError, match="choose 6 games"):
        schedule(factory, 8, 6, 4, blocks=True)


@each
def test_five_agents_for_a_game_of_six_are_refused_before_anything_is_played(
    factory: MatchmakerFactory,
) -> None:
    with pytest.raises(UsageError, match=r"5 agents for a game of 6 players: .*`repeat: true`"):
        made(factory, 5, 6, 10)


@each
def test_five_agents_for_a_game_of_six_with_repeat(factory: MatchmakerFactory) -> None:
    for pairing in schedule(factory, 5, 6, 40, repeat=True):
        assert sorted(Counter(pairing.agents).values()) == [1, 1, 1, 1, 2]


@each
def test_repeat_changes_nothing_when_there_are_agents_enough(factory: MatchmakerFactory) -> None:
    assert schedule(factory, 8, 6, 40, repeat=True) == schedule(factory, 8, 6, 40)


@each
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block": True}, "has no option `block`: did you mean `blocks`?"),
        ({"colour": 1}, "has no option `colour`: expected blocks, repeat, seating"),
        ({"blocks": "yes"}, "`blocks` is 'yes', expected true or false"),
        ({"blocks": None}, "`blocks` is None, expected true or false"),
        ({"seating": "clone"}, "`seating` is 'clone', expected rotate or clones or opposite"),
    ],
)
def test_options_that_are_not_known(
    factory: MatchmakerFactory, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        schedule(factory, 2, 2, 2, **options)
    assert message in str(refused.value)


@each
@pytest.mark.parametrize(
    ("agents", "num_players", "games", "message"),
    [
        ([1, 2, 1], 2, 2, "agent 1 is entered twice"),
        ([], 2, 2, "no agents"),
        ([1], 2, 2, "1 agent for a game of 2 players: enter at least 2"),
        ([1, 2], 2, 0, "0 games of 2 players: expected at least one of each"),
        ([1, 2], 0, 2, "2 games of 0 players"),
    ],
)
def test_numbers_that_make_no_schedule(
    factory: MatchmakerFactory, agents: list[int], num_players: int, games: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        schedule(factory, agents, num_players, games)


@each
@pytest.mark.parametrize("seating", ["clones", "opposite"])
def test_without_teams_there_are_neither_clones_nor_opposite_sides(
    factory: MatchmakerFactory, seating: str
) -> None:
    with pytest.raises(UsageError, match=rf"{seating} needs .* teams; .*`seating: rotate`"):
        schedule(factory, 6, 6, 12, seating=seating)


@each
@settings(deadline=None, max_examples=15)
@given(st.integers(2, 9), st.integers(0, 2**31))
def test_clones_are_one_agent_in_all_places_of_a_team_then_swapped(
    factory: MatchmakerFactory, agents: int, seed: int
) -> None:
    matchmaker = made(factory, agents, 6, 20, seed, mafia, {"seating": "clones"})

    pairings = asked(matchmaker, 20)

    assert len(pairings) == 20
    for first, second in zip(pairings[::2], pairings[1::2], strict=True):
        assert first.seed == second.seed
        sides = [part.team for part in mafia(first.seed)]
        one, other = (
            {team: {a for a, t in zip(game.agents, sides, strict=True) if t == team} for team in
             ("Mafia", "Village")}
            for game in (first, second)
        )  # fmt: skip
        assert all(len(agents) == 1 for agents in one.values())
        assert one["Mafia"] != one["Village"]
        assert one == {"Mafia": other["Village"], "Village": other["Mafia"]}


@each
@settings(deadline=None, max_examples=15)
@given(st.integers(6, 9), st.integers(0, 2**31))
def test_opposite_agents_swap_their_seats_and_nobody_else_moves(
    factory: MatchmakerFactory, agents: int, seed: int
) -> None:
    matchmaker = made(factory, agents, 6, 20, seed, mafia, {"seating": "opposite"})

    pairings = asked(matchmaker, 20)

    for first, second in zip(pairings[::2], pairings[1::2], strict=True):
        assert first.seed == second.seed
        sides = [part.team for part in mafia(first.seed)]
        moved = [place for place in range(6) if first.agents[place] != second.agents[place]]
        assert len(moved) == 2
        assert {sides[place] for place in moved} == {"Mafia", "Village"}
        assert len(set(first.agents)) == 6


def test_opposite_sides_meet_evenly_and_the_table_is_filled_evenly() -> None:
    pairings = asked(made(round_robin, 8, 6, 112, 3, mafia, {"seating": "opposite"}), 112)

    rivals = Counter(
        frozenset(a for a, b in zip(first.agents, second.agents, strict=True) if a != b)
        for first, second in zip(pairings[::2], pairings[1::2], strict=True)
    )
    played = Counter(agent for pairing in pairings for agent in pairing.agents)

    assert len(rivals) == 28
    assert set(rivals.values()) == {2}
    assert max(played.values()) - min(played.values()) <= 2


def test_schedules_are_the_same_on_every_machine() -> None:
    drawn = schedule(random_matchmaker, 7, 6, 2, seed=42)
    even = schedule(round_robin, 7, 6, 2, seed=42)

    assert [(p.agents, p.seed) for p in drawn] == RANDOM_42
    assert [(p.agents, p.seed) for p in even] == ROUND_ROBIN_42


RANDOM_42 = [((6, 4, 5, 2, 1, 7), 23868024), ((3, 4, 6, 2, 5, 7), 316600467)]
ROUND_ROBIN_42 = [((1, 4, 7, 6, 2, 5), 23868024), ((4, 2, 6, 7, 3, 1), 316600467)]
