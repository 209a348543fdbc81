"""Every registered matchmaker keeps the promises of the protocol, with every seating."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from arena import registry
from arena.core import MatchmakerFactory, Pairing, Part, Standings, UsageError
from arena.matchmakers.informative import informative
from arena.matchmakers.swiss import swiss
from arena.testing.conformance import ConformanceError
from arena.testing.matchmakers import check_matchmaker
from tests.matchmakers.asking import made, mafia, unknown

NAMES = [name for name in registry.names("matchmakers") if name not in ("duel", "pairwise")]
ADAPTIVE: tuple[MatchmakerFactory, ...] = (swiss, informative)
adaptive = pytest.mark.parametrize("factory", ADAPTIVE)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("options", [{}, {"blocks": True}])
def test_for_two_players(name: str, options: dict[str, Any]) -> None:
    schedule = check_matchmaker(
        registry.load("matchmakers", name),
        agents=[4, 7, 1, 9],
        num_players=2,
        games=60,
        options=options,
    )

    assert len(schedule) == 60


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"blocks": True},
        {"seating": "clones"},
        {"seating": "opposite"},
        {"seating": "clones", "blocks": False},
        {"seating": "opposite", "blocks": False},
    ],
)
def test_for_two_against_four(name: str, options: dict[str, Any]) -> None:
    schedule = check_matchmaker(
        registry.load("matchmakers", name),
        agents=range(1, 9),
        num_players=6,
        games=48,
        options=options,
        casting=mafia,
    )

    assert len(schedule) == 48


@pytest.mark.parametrize("name", NAMES)
def test_for_three_who_play_for_themselves(name: str) -> None:
    check_matchmaker(registry.load("matchmakers", name), agents=range(5), num_players=3, games=45)


@pytest.mark.parametrize("name", NAMES)
def test_fewer_agents_than_players_with_repeat(name: str) -> None:
    schedule = check_matchmaker(
        registry.load("matchmakers", name),
        agents=[1, 2, 3, 4, 5],
        num_players=6,
        games=40,
        options={"repeat": True},
        casting=mafia,
    )

    for pairing in schedule:
        assert {*pairing.agents} == {1, 2, 3, 4, 5} or name == "gauntlet"


@pytest.mark.parametrize("name", NAMES)
def test_games_that_nobody_can_win_against_anybody(name: str) -> None:
    together = (Part("Cook", "Kitchen"), Part("Waiter", "Kitchen"))

    check_matchmaker(
        registry.load("matchmakers", name),
        agents=[1, 2, 3],
        num_players=2,
        games=20,
        casting=lambda _: together,
    )
    check_matchmaker(registry.load("matchmakers", name), agents=[1, 2, 3], num_players=1, games=20)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "gauntlet"])
def test_one_agent_plays_itself_if_told_to(name: str) -> None:
    schedule = check_matchmaker(
        registry.load("matchmakers", name),
        agents=[8],
        num_players=6,
        games=12,
        options={"repeat": True},
        casting=mafia,
    )

    assert {agent for pairing in schedule for agent in pairing.agents} == {8}


@adaptive
def test_it_waits_for_the_games_that_its_lag_names(factory: MatchmakerFactory) -> None:
    matchmaker = made(factory, 6, 2, 100, options={"lag": 10})
    known = unknown((), range(1, 7))

    first = matchmaker.next(known, 100)

    assert matchmaker.lag == 10
    # Ten games open at once: the block that begins at place 9 is the last that needs no result.
    assert len(first) == 10
    assert matchmaker.next(unknown(first, range(1, 7)), 100) == ()


@adaptive
def test_blocks_begin_while_the_lag_allows_it(factory: MatchmakerFactory) -> None:
    matchmaker = made(factory, 8, 6, 96, 1, mafia, {"lag": 10, "blocks": True})

    assert len(matchmaker.next(unknown((), range(1, 9)), 100)) == 12


@adaptive
@pytest.mark.parametrize("lag", [0, -1, True, 1.5, "2"])
def test_a_lag_below_one_is_refused(factory: MatchmakerFactory, lag: object) -> None:
    with pytest.raises(UsageError, match=r"`lag` is .*, expected a whole number of at least 1"):
        made(factory, 4, 2, 10, options={"lag": lag})


@adaptive
def test_a_block_that_was_cut_short_is_finished(factory: MatchmakerFactory) -> None:
    agents = range(1, 9)
    options = {"blocks": True, "lag": 100}
    whole = made(factory, 8, 6, 60, 1, mafia, options).next(unknown((), agents), 60)
    again = made(factory, 8, 6, 60, 1, mafia, options)

    assert again.next(unknown(whole[:8], agents), 1) == tuple(whole[8:12])


def test_the_check_finds_a_schedule_that_depends_on_how_it_is_asked() -> None:
    class Forgetful:
        lag = None

        def __init__(self, **_: Any) -> None:
            self._asked = 0

        def next(self, standings: Standings, room: int) -> Sequence[Pairing]:
            self._asked += 1
            place = len(standings.scheduled)
            return [Pairing(place, place, self._asked, (1, 2))] if place < 6 else []

    with pytest.raises(ConformanceError, match="place 1 of the schedule"):
        check_matchmaker(Forgetful, agents=[1, 2], num_players=2, games=6)


@pytest.mark.parametrize("lag", [None, 1])
def test_the_check_finds_a_schedule_that_does_not_begin_as_it_says(lag: int | None) -> None:
    class Sized:
        extends = True

        def __init__(self, games: int, **_: Any) -> None:
            self.lag = lag
            self._games = games

        def next(self, standings: Standings, room: int) -> Sequence[Pairing]:
            place = len(standings.scheduled)
            return [Pairing(place, place, self._games, (1, 2))] if place < self._games else []

    with pytest.raises(ConformanceError, match="schedule of 3 games is not how that of 6 begins"):
        check_matchmaker(Sized, agents=[1, 2], num_players=2, games=6)

    Sized.extends = False
    check_matchmaker(Sized, agents=[1, 2], num_players=2, games=6)
