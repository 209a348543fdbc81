"""A budget buys finished games: begun ones first, new ones where what they cost fits."""

from __future__ import annotations

import asyncio

import pytest

from arena.llm.costs.budget import Budget
from arena.orchestrator.affordable import Affordable


def spend(budget: Budget, dollars: float) -> None:
    reservation = budget.reserve_now("m", 0.0)
    assert reservation is not None
    reservation.settle(dollars)


def test_without_a_cap_every_game_fits() -> None:
    for budget in (None, Budget(None)):
        games = Affordable(budget, finished=[5.0])
        games.begin(1)
        assert games.fits(2)
        assert games.due(1)


def test_one_game_is_played_alone_to_find_out_what_a_game_costs() -> None:
    games = Affordable(Budget(1.0))
    assert games.fits(1)
    games.begin(1)
    games.charge(1, 0.3)
    assert not games.fits(2)
    assert (games.price().mean, games.price().begun) == (None, 0.3)
    games.end(1, finished=True)
    assert games.fits(2)
    assert games.price().mean == pytest.approx(0.3)
    assert games.price().next_dollar == 3


def test_a_new_game_begins_only_if_it_fits_beside_those_that_are_played() -> None:
    budget = Budget(1.0)
    games = Affordable(budget, finished=[0.4, 0.4])
    games.begin(1)
    assert games.fits(2)
    games.begin(2)
    assert not games.fits(3), "0.8 of 1.0 is what the two will take"
    spend(budget, 0.1)
    games.charge(1, 0.1)
    games.end(1, finished=True)
    assert games.fits(3), "it was cheaper"


def test_the_last_call_must_find_its_worst_case_free() -> None:
    assert Affordable(Budget(1.0), finished=[0.9]).fits(1)
    assert not Affordable(Budget(1.0), finished=[0.9], largest=0.2).fits(1)


def test_a_begun_game_goes_on_and_no_new_one_begins_where_one_alone_took_all() -> None:
    budget = Budget(1.0, spent={"m": 0.9})
    games = Affordable(budget, begun={7: 0.9})
    assert games.fits(7)
    assert not games.fits(8)
    assert "$0.9000 of $1 are spent, and one game alone has cost $0.9000" in games.short()


def test_who_began_later_waits_where_the_money_is_for_one() -> None:
    budget = Budget(1.0)
    games = Affordable(budget, finished=[0.4])
    games.begin(1)
    games.begin(2)
    assert games.due(2)
    spend(budget, 0.7)
    games.charge(1, 0.35)
    games.charge(2, 0.2)
    games.charge(2, 0.15)
    assert games.due(1)
    assert games.due(2)
    spend(budget, 0.25)
    assert not games.due(2)

    async def waits() -> None:
        waiting = asyncio.create_task(games.account(2).wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        games.end(1, finished=True)
        await waiting

    asyncio.run(waits())
    assert games.due(2), "now it is the first"
