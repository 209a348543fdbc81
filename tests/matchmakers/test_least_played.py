"""Those who have played least are next, and get the role that they have had least."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from arena.matchmakers.balance import counts
from arena.matchmakers.least_played import least_played
from tests.matchmakers.asking import alone, asked, made, mafia


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 10), st.integers(2, 6), st.integers(1, 50), st.integers(0, 2**31))
def test_wherever_it_stops_games_differ_by_at_most_one(
    agents: int, num_players: int, games: int, seed: int
) -> None:
    agents = max(agents, num_players)
    pairings = asked(made(least_played, agents, num_players, games, seed), games)

    balance = counts(pairings, alone(num_players), range(1, agents + 1))

    assert balance.uneven_games <= 1


@settings(deadline=None, max_examples=5)
@given(st.integers(6, 12), st.integers(0, 2**31))
def test_roles_are_even_as_well(agents: int, seed: int) -> None:
    pairings = asked(made(least_played, agents, 6, 120, seed, mafia), 120)

    balance = counts(pairings, mafia, range(1, agents + 1))

    # 120 games are 240 Mafia seats: 20 to 40 each; by lot they differ by a dozen.
    assert balance.roles == ("Detective", "Doctor", "Mafia", "Villager")
    assert balance.uneven_roles <= 4


def test_everybody_meets_everybody_before_anybody_meets_again() -> None:
    pairings = asked(made(least_played, 6, 2, 15), 15)

    assert counts(pairings, alone(2)).uneven_meetings <= 2


def test_clones_play_both_teams_equally() -> None:
    pairings = asked(made(least_played, 5, 6, 40, 1, mafia, {"seating": "clones"}), 40)

    balance = counts(pairings, mafia)

    assert balance.uneven_games <= 2
    mafia_seats, villagers = (balance.roles.index(role) for role in ("Mafia", "Doctor"))
    assert (balance.by_role[:, mafia_seats] == 2 * balance.by_role[:, villagers]).all()
