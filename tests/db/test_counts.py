"""What a game is counted by: calls, dollars, times, votes, claims; each by its player."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from db import latencies
from db.counts import CountsKey, GameCounts, GameRows, add, counts_of
from db.models.games import COUNTS

NOTHING = (None,) * len(COUNTS)
SEATS = [
    (0, 10, "Mafia", "Mafia", False, None, *NOTHING),
    (1, 11, "Doctor", "Village", False, 3, *NOTHING),
    (2, 12, "Villager", "Village", True, None, *NOTHING),
    (3, 12, "Villager", "Village", False, None, *NOTHING),
    (4, 12, None, None, False, None, *NOTHING),
]


def call(player, **given):  # type: ignore[no-untyped-def]
    """A row as it is read: a call that was answered in 100 ms."""
    row = {
        "error": None, "received": True, "ms": 100.0, "lag": 5.0, "prompt": 90, "completion": 10,
        "reasoning": 4, "cached": 45, "cost": 0.1, "charged": 0.1, "reserved": 0.5, "own": False,
    }  # fmt: skip
    return (player, *(row | given).values())


def test_every_place_is_counted_once_and_a_game_once_for_an_agent() -> None:
    found = counts_of(GameRows(1, 7, False, SEATS, turns=[(2, 50.0), (3, None), (9, 1.0)]))

    assert [*found] == [
        CountsKey(7, 10, False, "Mafia", "Mafia"),
        CountsKey(7, 11, False, "Doctor", "Village"),
        CountsKey(7, 12, False, "Villager", "Village"),
        CountsKey(7, 12, False, "", ""),
    ]
    mine = [counts for key, counts in found.items() if key.agent_id == 12]
    assert [(each.seats, each.games, each.again) for each in mine] == [(2, 1, 0), (1, 1, 1)]
    assert (mine[0].decided, mine[0].observed, sum(mine[0].turn_ms.values())) == (1, 2, 1)
    assert found[CountsKey(7, 11, False, "Doctor", "Village")].eliminated == 1
    only = counts_of(GameRows(1, 7, False, SEATS, chosen={4}))
    assert [(key.agent_id, each.again) for key, each in only.items()] == [(12, 0)]


def test_calls_are_counted_by_how_they_ended_and_dollars_exactly() -> None:
    calls = [
        call(0),
        call(0, cost=0.2, charged=0.2, own=True),
        call(0, cost=None, charged=None, prompt=None),
        call(0, error="Timeout", cost=None, charged=None, completion=None, ms=9000.0),
        call(0, error="Orphaned", received=False, cost=None, charged=0.25, reserved=0.75, ms=None),
    ]
    (mine, *_) = counts_of(GameRows(1, 7, True, SEATS, calls=calls)).values()

    assert (mine.calls, mine.answered, mine.failed, mine.orphans) == (5, 4, 1, 1)
    assert (mine.priced, mine.unpriced, mine.own_cache) == (2, 1, 1)
    assert (mine.prompt_tokens, mine.response_tokens) == (360, 40)
    assert (mine.reasoning_tokens, mine.cached_tokens) == (20, 225)
    assert mine.cost == 300_000_000_000
    # What is not known counts as what was reserved.
    assert mine.charged == 1_550_000_000_000
    assert mine.largest == 750_000_000_000
    assert mine.call_ms == {latencies.bucket(100.0): 3}
    assert mine.lag_ms == {latencies.bucket(5.0): 3}, "of answered calls"
    (early, *_) = counts_of(GameRows(1, 7, True, SEATS, calls=[call(0, lag=None)])).values()
    assert (early.calls, early.lag_ms) == (1, {}), "of an earlier release"


def test_votes_saves_survival_and_claims_are_told_by_events() -> None:
    events = [
        ("vote", 0, 1, None),
        ("vote", 1, 2, None),
        ("vote", 1, 4, None),
        ("saved", 1, 2, None),
        ("eliminate", None, 2, '{"cause": "vote"}'),
        ("claim", 0, None, '{"role": "Doctor", "reader": "rules"}'),
        ("claim", 1, None, {"role": "Doctor"}),
        ("claim", 1, 0, {"team": "Mafia", "denies": True}),
        ("claim", 1, 4, {"role": "Doctor"}),
        ("accusation", 1, 0, None),
        ("accusation", 1, 2, None),
    ]
    mafia, doctor, village, nobody = counts_of(GameRows(1, 7, False, SEATS, events=events)).values()

    assert [(each.votes, each.votes_against) for each in (mafia, doctor)] == [(1, 1), (1, 0)]
    assert (doctor.saves, mafia.saves) == (1, 0)
    assert [(each.mortal, each.survived) for each in (mafia, village, nobody)] == [
        (1, 1),
        (2, 1),
        (1, 1),
    ]
    assert [(each.claims_true, each.claims_false) for each in (mafia, doctor)] == [(0, 1), (1, 1)]
    assert (doctor.accusations_true, doctor.accusations_false) == (1, 1)


def test_sums_are_the_same_in_any_order_and_survive_their_rows() -> None:
    rng = random.Random(3)
    games = [
        GameRows(
            1,
            7,
            False,
            SEATS,
            calls=[
                call(rng.randrange(5), cost=rng.random(), ms=rng.random(), reserved=rng.random())
            ],
        )
        for _ in range(50)
    ]
    sums: list[dict[CountsKey, GameCounts]] = []
    for order in (games, games[::-1]):
        found: dict[CountsKey, GameCounts] = {}
        for game in order:
            add(found, game)
        sums.append(found)

    first, second = sums
    assert len(first) == 4
    assert {key: each.row() for key, each in first.items()} == {
        key: each.row() for key, each in second.items()
    }
    for counts in first.values():
        assert GameCounts.of_row(counts.row()) == counts


def test_what_no_column_holds_is_the_most_that_it_does() -> None:
    (mine, *_) = counts_of(
        GameRows(1, 7, False, SEATS, calls=[call(0, cost=float("inf"), charged=1e300)] * 2)
    ).values()

    row = mine.row()
    assert max(value for value in row if isinstance(value, int)) == 2**63 - 1


def test_a_quantile_of_buckets_is_off_by_two_percent_at_most() -> None:
    rng = random.Random(5)
    values = sorted(rng.lognormvariate(6.0, 2.0) for _ in range(1001))
    buckets: latencies.Buckets = {}
    for value in values:
        latencies.add(buckets, {latencies.bucket(value): 1})

    for q in (0.05, 0.5, 0.95):
        exact = values[int(q * 1001)]
        found = latencies.quantile(buckets, q)
        assert found == pytest.approx(exact, rel=latencies.RELATIVE_ERROR)
    assert latencies.quantile({}, 0.5) is None
    assert latencies.unpacked(latencies.packed(buckets)) == buckets
    assert all(a <= b for a, b in pairwise(map(latencies.bucket, [0.0, 0.01, 1.0, 1e9, 1e30])))
