"""A budget buys finished games: begun ones first, new ones where what they cost fits."""

from __future__ import annotations

import asyncio

import pytest

from arena.llm.costs.budget import Budget
from arena.orchestrator.affordable import Affordable, Shortage
from arena.orchestrator.game_costs import GameCost, PastCosts
from db.queries.spending import SeatSpending

TWO = ("m", "m")
ALL = Shortage(None)


def cost(dollars: float, *seating: str) -> GameCost:
    return GameCost(seating or TWO, {"m": dollars})


def past(*finished: float, **more: object) -> PastCosts:
    return PastCosts([cost(dollars) for dollars in finished], **more)  # type: ignore[arg-type]


def spend(budget: Budget, dollars: float, model: str = "m") -> None:
    reservation = budget.reserve_now(model, 0.0)
    assert reservation is not None
    reservation.settle(dollars)


def test_without_a_cap_every_game_fits() -> None:
    for budget in (None, Budget(None)):
        games = Affordable(budget, past(5.0))
        games.begin(1, TWO)
        assert games.shortage(2, TWO) is None
        assert games.due(1)


def test_one_game_is_played_alone_to_find_out_what_a_game_costs() -> None:
    games = Affordable(Budget(1.0))
    assert games.shortage(1, TWO) is None
    games.begin(1, TWO)
    games.charge(1, "m", 0.3)
    assert games.shortage(2, TWO) == ALL
    assert (games.price().mean, games.price().begun) == (None, 0.3)
    games.end(1, finished=True)
    assert games.shortage(2, TWO) is None
    assert games.price().mean == pytest.approx(0.3)
    assert games.price(more=9).next_dollar == 6, "0.7 are left of the first one"


def test_the_first_game_is_not_alone_where_the_budget_is_above_every_bound() -> None:
    budget = Budget(100.0)
    games = Affordable(budget, longest=100)
    games.begin(1, TWO)
    assert games.shortage(2, TWO) == ALL, "nothing tells what a call may cost"

    async def told() -> None:
        waiting = asyncio.create_task(games.wait())
        await asyncio.sleep(0)
        reservation = budget.reserve_now("m", 0.1)
        assert reservation is not None
        reservation.settle(0.01)
        games.charge(1, "m", 0.01)
        assert await waiting

    asyncio.run(told())
    # 100 calls of at most 0.2 each: four games fit, whatever they cost.
    for game in (2, 3, 4):
        assert games.shortage(game, TWO) is None
        games.begin(game, TWO)
    assert games.shortage(5, TWO) == ALL


def test_a_new_game_begins_only_if_it_fits_beside_those_that_are_played() -> None:
    budget = Budget(1.0)
    games = Affordable(budget, past(0.4, 0.4))
    games.begin(1, TWO)
    assert games.shortage(2, TWO) is None
    games.begin(2, TWO)
    assert games.shortage(3, TWO) == ALL, "0.8 of 1.0 is what the two will take"
    spend(budget, 0.1)
    games.charge(1, "m", 0.1)
    games.end(1, finished=True)
    assert games.shortage(3, TWO) is None, "it was cheaper"


def test_the_last_call_must_find_its_worst_case_free() -> None:
    assert Affordable(Budget(1.0), past(0.9)).shortage(1, TWO) is None
    dear = past(0.9, largest={"m": 0.2})
    assert Affordable(Budget(1.0), dear).shortage(1, TWO) == ALL


def test_a_begun_game_goes_on_and_no_new_one_begins_where_one_alone_took_all() -> None:
    budget = Budget(1.0, spent={"m": 0.9})
    games = Affordable(budget, PastCosts(begun={7: cost(0.9)}))
    assert games.shortage(7, TWO) is None
    assert games.shortage(8, TWO) == ALL
    assert "$0.9000 of $1 are spent, and one game alone has cost $0.9000" in games.short(ALL, TWO)


def test_who_began_later_waits_where_the_money_is_for_one() -> None:
    budget = Budget(1.0)
    games = Affordable(budget, past(0.4))
    games.begin(1, TWO)
    games.begin(2, TWO)
    assert games.due(2)
    spend(budget, 0.7)
    games.charge(1, "m", 0.35)
    games.charge(2, "m", 0.2)
    games.charge(2, "m", 0.15)
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


def test_what_a_game_will_cost_depends_on_who_sits_where() -> None:
    on_record = PastCosts(
        [
            GameCost(("dear", "cheap"), {"dear": 0.8, "cheap": 0.1}),
            GameCost(("dear", "cheap"), {"dear": 0.6, "cheap": 0.1}),
            GameCost(("cheap", "dear"), {"dear": 0.2, "cheap": 0.1}),
            GameCost(("cheap", "dear"), {"dear": 0.2, "cheap": 0.1}),
        ]
    )
    games = Affordable(Budget(0.5), on_record)
    assert games.shortage(1, ("dear", "cheap")) == ALL, "0.8 where the dear one begins"
    assert games.shortage(1, ("cheap", "dear")) is None, "0.3 where it is second"
    # Seatings that were not played: as dear as their models' seats (0.45 and 0.1) say.
    assert games.shortage(1, ("cheap", "cheap")) is None
    assert games.shortage(1, ("dear", "dear")) == ALL
    assert games.shortage(1, ("cheap", "new")) == ALL, "one nobody knows is as dear as the dearest"
    assert "a game is expected to cost $0.9000" in games.short(ALL, ("dear", "dear"))


def test_a_model_at_its_own_cap_stops_its_games_and_no_others() -> None:
    budget = Budget(None, per_model={"dear": 1.0}, spent={"dear": 0.8})
    on_record = PastCosts([GameCost(("dear", "cheap"), {"dear": 0.4, "cheap": 0.1})])
    games = Affordable(budget, on_record)
    assert games.shortage(1, ("dear", "cheap")) == Shortage("dear")
    assert games.shortage(1, ("cheap", "cheap")) is None
    said = games.short(Shortage("dear"), ("dear", "cheap"))
    assert "the budget of model 'dear' does not pay another game: $0.8000 of $1 are spent" in said
    assert "a game is expected to cost it $0.4000" in said


def test_costs_are_read_seat_by_seat() -> None:
    found = PastCosts.of(
        [
            SeatSpending(1, "completed", "a", 0.25, 0.5),
            SeatSpending(1, "completed", "b", 0.125, 0.1),
            SeatSpending(1, "completed", "a", 0.25, 0.75),
            SeatSpending(2, "running", "b", 0.5, 0.2),
            SeatSpending(3, "void", "b", 9.0, 0.3),
        ]
    )
    assert found.finished == [GameCost(("a", "b", "a"), {"a": 0.5, "b": 0.125})]
    assert found.begun == {2: GameCost(("b",), {"b": 0.5})}
    assert found.largest == {"a": 0.75, "b": 0.3}


def test_the_next_dollar_is_spent_as_the_run_would_spend_it() -> None:
    on_record = PastCosts(
        [GameCost(("dear", "cheap"), {"dear": 0.6})] * 2
        + [GameCost(("cheap", "cheap"), {"cheap": 0.2})] * 2,
        begun={4: GameCost(("dear", "cheap"), {"dear": 0.5})},
    )
    spent = {"dear": 1.1, "cheap": 0.2}
    dear, cheap = ("dear", "cheap"), ("cheap", "cheap")
    left = [(1, cheap), (2, dear), (3, cheap), (4, dear), (5, cheap)]

    over_all = Affordable(Budget(1.3, spent=spent), on_record)
    # 0.1 for the rest of the fourth game, which was begun, then 0.2 and 0.6 in schedule order.
    assert over_all.price(left).next_dollar == 3
    assert over_all.price(left[:1]).next_dollar == 1, "no more are left"
    in_order = [(4, dear), (2, dear), (6, dear), (1, cheap)]
    assert over_all.price(in_order).next_dollar == 2, "the cheap one stands behind a dear one"

    both = Affordable(Budget(1.3, per_model={"dear": 1.25}, spent=spent), on_record)
    assert both.price(left).next_dollar == 4, "the begun one, and those without the dear model"
    assert both.price(left, model="dear").next_dollar == 0, "the budget over all is spent too"

    own = Affordable(Budget(None, per_model={"dear": 1.25}, spent=spent), on_record)
    assert own.price(left, model="dear").next_dollar == 5
    assert own.price(left).next_dollar is None, "a dollar in no budget buys nothing"


def test_who_began_later_waits_for_the_cap_of_its_model_alone() -> None:
    budget = Budget(None, per_model={"dear": 1.0}, spent={"dear": 0.5})
    games = Affordable(budget, PastCosts([GameCost(("dear", "cheap"), {"dear": 0.4})]))
    games.begin(1, ("dear", "cheap"))
    games.begin(2, ("dear", "cheap"))
    games.begin(3, ("cheap", "cheap"))
    assert not games.due(2), "0.8 of the 0.5 that are left"
    assert games.due(3)
    games.end(1, finished=False)
    assert games.due(2)
