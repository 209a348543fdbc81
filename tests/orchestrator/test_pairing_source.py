"""The schedule while it grows: a pairing depends on its place, never on what finished first."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from arena.core import Pairing, PluginError, RatedPlayer, Standings
from arena.orchestrator.pairing_source import Supply
from arena.orchestrator.schedule import ScheduleHistory
from arena.orchestrator.standings import Played
from db.queries.schedule import ScheduledGame

AGENTS = (1, 2, 3, 4)


@dataclass
class BestAgainstNext:
    """Pairs the two agents with the best ratings, ties by turns."""

    lag: int | None

    def next(self, standings: Standings, room: int) -> Sequence[Pairing]:
        place = len(standings.scheduled)
        best = sorted(range(4), key=lambda i: (-standings.mean[i], (i + place) % 4))
        pair = tuple(standings.agents[i] for i in best[:2])
        return [Pairing(place, place, place, pair)]


def entered(pairings: Sequence[Pairing]) -> list[ScheduledGame]:
    return [
        ScheduledGame(p.schedule_index, p.schedule_index, 0, p.seed, p.agents) for p in pairings
    ]


def nothing(place: int) -> Mapping[int, float]:
    return {}


def supply_of(
    matchmaker: BestAgainstNext, games: int = 30, scheduled: Sequence[Pairing] = ()
) -> Supply:
    return Supply(
        matchmaker,
        AGENTS,
        games=games,
        length=len(scheduled),
        past=lambda: ScheduleHistory(scheduled),
        enter=entered,
        costs=nothing,
    )


def result(agents: Sequence[int]) -> Played:
    """The agent with the lower number wins."""
    players = [RatedPlayer(a, team, int(a != min(agents))) for team, a in enumerate(agents)]
    return Played(tuple(players), ("player 0", "player 1"))


async def play(
    supply: Supply, concurrency: int, disorder: random.Random, most: int = 1000
) -> list[ScheduledGame]:
    """Play games that end in a random order: the games in the order of starting."""
    started: list[ScheduledGame] = []
    running: list[ScheduledGame] = []
    places = asyncio.Semaphore(concurrency)

    async def end_some() -> None:
        while True:
            await asyncio.sleep(0)
            if running:
                ended = running.pop(disorder.randrange(len(running)))
                supply.settle(ended.schedule_index, result(ended.agents))
                supply.end()
                places.release()

    ending = asyncio.create_task(end_some())
    try:
        while added := await supply.more(lambda: len(started) < most):
            for game in added:
                await places.acquire()
                supply.begin()
                started.append(game)
                running.append(game)
        return started
    finally:
        ending.cancel()


def schedule(games: Sequence[ScheduledGame]) -> list[tuple[int, tuple[int, ...]]]:
    return [(game.schedule_index, game.agents) for game in games]


@pytest.mark.parametrize("lag", [1, 4, 12])
def test_the_schedule_is_the_same_at_any_concurrency(lag: int) -> None:
    found = [
        asyncio.run(play(supply_of(BestAgainstNext(lag)), concurrency, random.Random(number)))
        for number, concurrency in enumerate((1, 3, 50))
    ]

    assert schedule(found[0]) == schedule(found[1]) == schedule(found[2])
    assert [index for index, _ in schedule(found[0])] == list(range(30))
    assert len({agents for _, agents in schedule(found[0])}) > 1


def test_no_pairing_is_chosen_before_the_games_that_it_depends_on_are_settled() -> None:
    async def ask() -> None:
        supply = supply_of(BestAgainstNext(lag=3))

        assert schedule(await supply.more(lambda: True)) == [(0, (1, 2)), (1, (4, 1)), (2, (3, 4))]
        for _ in range(3):
            supply.begin()
        waiting = asyncio.create_task(supply.more(lambda: True))
        supply.settle(1, result((4, 1)))
        supply.end()
        await asyncio.sleep(0.05)
        assert not waiting.done(), "place 3 depends on place 0"
        supply.settle(0, None)
        supply.end()

        assert [index for index, _ in schedule(await waiting)] == [3, 4]

    asyncio.run(ask())


def test_a_schedule_that_was_stopped_goes_on_as_if_it_had_not_been() -> None:
    whole = asyncio.run(play(supply_of(BestAgainstNext(lag=4)), 3, random.Random(1)))

    begun = asyncio.run(play(supply_of(BestAgainstNext(lag=4)), 3, random.Random(2), most=11))
    on_record = [Pairing(g.schedule_index, g.schedule_index, g.seed, g.agents) for g in begun]
    again = supply_of(BestAgainstNext(lag=4), scheduled=on_record)
    for game in begun:
        again.settle(game.schedule_index, result(game.agents))
    rest = asyncio.run(play(again, 5, random.Random(3)))

    assert 0 < len(begun) < 30
    assert schedule([*begun, *rest]) == schedule(whole)


def test_where_nothing_can_be_chosen_and_nothing_runs_a_run_ends() -> None:
    """The game at place 0 was paused: its model is parked, say."""

    async def ask() -> tuple[int, bool]:
        supply = supply_of(BestAgainstNext(lag=1))
        first = await supply.more(lambda: True)
        supply.begin()
        supply.end()
        assert await supply.more(lambda: True) == ()
        return len(first), supply.complete()

    assert asyncio.run(ask()) == (1, False)


def test_what_was_chosen_before_a_matchmaker_fails_is_played_first() -> None:
    class Fails(BestAgainstNext):
        def next(self, standings: Standings, room: int) -> Sequence[Pairing]:
            if len(standings.scheduled) == 2:
                raise PluginError("no more of this")
            return super().next(standings, room)

    supply = supply_of(Fails(lag=4))

    assert len(asyncio.run(supply.more(lambda: True))) == 2
    with pytest.raises(PluginError, match="no more of this"):
        asyncio.run(supply.more(lambda: True))
    assert not supply.complete()
    assert supply.most() == 30


def test_results_of_a_schedule_that_is_whole_are_not_kept() -> None:
    scheduled = [Pairing(place, place, place, (1, 2)) for place in range(50)]
    supply = supply_of(BestAgainstNext(lag=None), games=50, scheduled=scheduled)
    for place in (*range(1, 50), 0):
        supply.settle(
            place, Played((RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1)), ("a", "of whole"))
        )
    gc.collect()

    assert supply.complete()
    assert not [each for each in gc.get_objects() if _is_of_whole(each)]


def _is_of_whole(found: object) -> bool:
    return type(found) is Played and found.roles == ("a", "of whole")
