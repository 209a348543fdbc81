"""The error rates of agents are shares of all their turns and games."""

from __future__ import annotations

from arena.cli.leaderboard_error_rates import shown_rates
from arena.reports.error_rates import error_rates
from db.queries.conduct import ConductRow


def test_rates_of_several_agents_are_those_of_all_their_turns() -> None:
    one = ConductRow(1, games=2, turns=10, invalid_actions=1, silences=0, refusals=2,
                     overlongs=0, time_limits=0, malfunctions=0, targets=4,
                     targets_several=1, targets_none=1, notes=0, notes_lost=0,
                     decided=1, eliminated=2)  # fmt: skip
    two = ConductRow(2, games=3, turns=30, invalid_actions=1, silences=4, refusals=0,
                     overlongs=0, time_limits=0, malfunctions=0, targets=0,
                     targets_several=0, targets_none=0, notes=10, notes_lost=1,
                     decided=0, eliminated=0)  # fmt: skip

    together = error_rates([one, two])

    assert together is not None
    assert (together.games, together.turns) == (5, 40)
    assert together.by_name == {
        "invalid": 0.05, "silent": 0.1, "refused": 0.05, "overlong": 0.0, "over time": 0.0,
        "malfunctioned": 0.0,
        "unclear": 0.5, "notes lost": 0.1, "decided": 0.2,
        "thrown out": 0.4,
    }  # fmt: skip
    assert shown_rates(together) == (
        "invalid 5.0 %, silent 10 %, refused 5.0 %, unclear 50 %, notes lost 10 %, decided 20 %, "
        "thrown out 40 %"
    )
    assert error_rates([]) is None
