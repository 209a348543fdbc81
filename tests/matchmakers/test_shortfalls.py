"""What matchmakers fall short of is said where it was measured, and of nobody else's."""

from __future__ import annotations

import pytest

from arena import registry
from arena.matchmakers.shortfalls import shortfall

KEPT = ("random", "round-robin", "least-played", "duel", "pairwise")


def test_of_every_matchmaker_it_is_known_whether_it_falls_short() -> None:
    fall_short = {
        name
        for name in registry.names("matchmakers")
        if shortfall(name, {"version": 2}, 6) is not None
    }

    assert fall_short == {*registry.names("matchmakers")} - {*KEPT}
    assert shortfall("somebodys-own", {}, 6) is None


@pytest.mark.parametrize(("players", "holds"), [(2, False), (6, True)])
def test_intervals_of_swiss_are_too_narrow_where_teams_play(players: int, holds: bool) -> None:
    known = shortfall("swiss", {}, players)

    assert known is not None
    assert "up to 0.2 less exact than by random pairings" in known.ratings
    assert ("95 % interval holds the truth 88 % of the time" in known.ratings) == holds


def test_what_a_goal_does_not_save_is_said() -> None:
    order = shortfall("informative", {"version": 2}, 6)
    top = shortfall("informative", {"version": 2, "goal": "top 3"}, 6)
    duel = shortfall("informative", {"version": 2, "goal": "top 3"}, 2)

    assert order is not None
    assert "with 0.7 to 1.4 times fewer games" in order.games
    assert top is not None
    assert "with 0.8 to 2.4 times fewer games" in top.games
    assert duel is not None
    assert duel.games == ""


def test_gauntlet_falls_short_where_several_newcomers_share_the_seats() -> None:
    known = shortfall("gauntlet", {}, 6)

    assert known is not None
    assert "several newcomers" in known.ratings
    assert shortfall("gauntlet", {}, 2) is None
