"""What branches took is compared with what games on record, from the same turn on, had taken."""

from __future__ import annotations

import math

import numpy as np

from arena.cli.run_to_end import actual_over_predicted
from arena.forecast.branches import reviewed
from arena.forecast.review import Review
from db.queries.branch_usage import TailUsage


def seats(game: int, calls: int, *agents: str, sent: int = 100, said: int = 10) -> list[TailUsage]:
    """A game whose seats made so many calls each, of so many tokens; a thousandth of a dollar for
    each token of an answer."""
    return [
        TailUsage(
            game,
            player,
            agent,
            f"model of {agent[0]}",
            calls,
            calls,
            calls * sent,
            calls * said * (3 if agent.startswith("long") else 1),
            0,
            calls * said * (3 if agent.startswith("long") else 1) / 1e3,
        )
        for player, agent in enumerate(agents)
    ]


def review_of(record: list[TailUsage], played: list[TailUsage]) -> Review:
    found = reviewed(1, record, played, len({seat.game_id for seat in played}))
    assert found is not None
    return found


def test_branches_like_the_game_that_they_branch_from_are_as_predicted() -> None:
    record = seats(1, 10, "short", "long")
    found = review_of(record, seats(7, 10, "short", "long") + seats(8, 10, "short", "long"))

    assert {name: one.ratio for name, one in found.measures.items()} == {
        "calls": 1.0,
        "prompt_tokens": 1.0,
        "response_tokens": 1.0,
        "dollars": 1.0,
    }
    assert (found.games, found.compared) == (2, 2)
    (line,) = actual_over_predicted(found)
    assert line.startswith("actual over predicted, 2 games (90 % interval): calls 1.00 (0.")


def test_an_agent_that_says_more_is_expected_to() -> None:
    record = seats(1, 10, "short", "short") + seats(2, 10, "long", "short")
    found = review_of(record, seats(7, 10, "long", "short"))

    said = found.measures["response_tokens"]
    assert said.ratio is not None
    assert math.isclose(said.ratio, 1.0)
    assert math.isclose(said.predicted.mean, 400.0)
    assert found.measures["prompt_tokens"].ratio == 1.0


def test_the_branched_game_tells_as_much_as_all_others() -> None:
    record = seats(1, 10, "short") + seats(2, 20, "short") + seats(3, 40, "short")
    assert review_of(record, seats(7, 1, "short")).measures["calls"].predicted.mean == 20.0


def test_an_agent_without_a_call_on_record_makes_the_interval_wider() -> None:
    record = seats(1, 10, "short", "short")
    widths = [
        said.high / said.low
        for agent in ("short", "sharp", "other")
        for said in [review_of(record, seats(7, 10, agent)).measures["dollars"].predicted]
    ]
    assert widths[0] < widths[1] < widths[2]


def test_nothing_is_predicted_by_nothing() -> None:
    assert reviewed(1, [], seats(7, 1, "short"), 1) is None
    assert reviewed(1, seats(1, 1, "short"), [], 0) is None


def test_its_interval_holds_nine_times_in_ten() -> None:
    """Positions differ in what is left, and branches of one much less."""
    rng = np.random.default_rng(11)
    inside = compared = 0
    for _ in range(300):
        usual, spread = rng.uniform(2.0, 4.0), rng.uniform(0.2, 0.6)
        lengths = np.exp(usual + spread * rng.standard_normal(rng.integers(1, 12)))
        position = math.log(lengths[0])
        left = np.exp(position + 0.3 * rng.standard_normal(5))
        record = [s for g, n in enumerate(lengths, 1) for s in seats(g, math.ceil(n), "short")]
        played = [s for g, n in enumerate(left, 50) for s in seats(g, math.ceil(n), "short")]
        inside += review_of(record, played).measures["calls"].inside
        compared += 1
    assert inside / compared >= 0.9
