"""The Village's chance at random is exact, and moves with who is alive alone."""

from __future__ import annotations

import pytest

from arena.core import Position
from arena.environments.events.mafia_chances import positions, village_chance
from tests.environments.telling import played


def test_positions_that_can_be_worked_out_by_hand() -> None:
    # One Mafia and two villagers by day: one in three is right, else the Mafia has parity.
    assert village_chance(1, 0, 0, 2, night=False) == pytest.approx(1 / 3)
    # The night before, with three villagers: somebody dies, and the day is the one above.
    assert village_chance(1, 0, 0, 3, night=True) == pytest.approx(1 / 3)
    assert village_chance(0, 0, 0, 1, night=True) == 1
    assert village_chance(2, 0, 0, 2, night=False) == 0
    # A Doctor and two villagers, one Mafia: a villager that was chosen (2 of 3) is saved 1 of 3.
    saved = 2 / 3 * 1 / 3
    day = village_chance(1, 1, 0, 2, night=False)
    expected = saved * day + (1 - saved) * 1 / 3
    assert village_chance(1, 1, 0, 2, night=True) == pytest.approx(expected)


def test_six_players_begin_as_measured() -> None:
    assert village_chance(2, 1, 1, 2, night=True, mended=False) == pytest.approx(0.1318, abs=1e-4)
    assert village_chance(2, 1, 1, 2, night=True) == pytest.approx(0.1284, abs=1e-4)


def test_a_game_goes_through_positions() -> None:
    actions = ["[4]", "[4]", "[4]", "[3]", *["Hm."] * 6, *["[0]"] * 6, "[2]", "[2]", "[5]"]
    events = played("SecretMafia-v0", actions, players=6, discussion_rounds=1)
    roles = ["Doctor", "Detective", "Villager", "Mafia", "Villager", "Mafia"]

    found = positions(events, roles, mended=False)

    assert [(each.turn, each.name) for each in found] == [
        (None, "night: 1 Detective, 1 Doctor, 2 Mafia, 2 Villager"),
        (3, "day: 1 Detective, 1 Doctor, 2 Mafia, 2 Villager"),
        (15, "night: 1 Detective, 2 Mafia, 2 Villager"),
        (18, "the Village has lost"),
    ]
    assert found[-1] == Position(18, "the Village has lost", "Village", 0.0)
