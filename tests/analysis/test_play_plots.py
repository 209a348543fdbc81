"""What plots of play draw is what their frames say; looks are judged by eye, not here."""

import pandas as pd
import pytest
from matplotlib import pyplot

from arena.analysis import (
    calls_df,
    compare,
    comparison_df,
    plot_cost,
    plot_lengths,
    plot_roles,
    plot_sequential_test,
    plot_survival,
    plot_tokens,
    plot_votes,
)
from arena.core import UsageError
from arena.stats.proportions import wilson
from arena.stats.sequential import Decision
from db import get_session
from tests.leaderboard.table import Sat, Table

HOSTILE = "<b>$x_{2}$\x1b[31m"


@pytest.fixture(autouse=True)
def _closed():
    yield
    pyplot.close("all")


def names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def test_roles_are_shares_of_games_with_wilsons_interval(sqlite):
    ax = plot_roles(sqlite, environment="Village-v0")

    # Game 1: Village won; game 2: a draw.
    assert ax.lines[0].get_xdata().tolist()[0] == 0.75
    assert names(ax)[-1] == "Mafia"
    assert ax.lines[0].get_xdata().tolist()[-1] == 0.25
    low, high = wilson(0.25, 2)
    assert ax.collections[0].get_segments()[-1][:, 0].tolist() == [low, high]
    ax.figure.draw_without_rendering()


def test_votes_are_counted_by_agent_and_nobody_is_obeyed():
    votes = pd.DataFrame(
        {"agent": ["Ann", "Ann", "Ann", HOSTILE], "against": [True, True, False, False]}
    )
    ax = plot_votes(votes)

    assert names(ax)[0] == "Ann"
    assert "\x1b" not in names(ax)[1]
    assert ax.lines[0].get_xdata().tolist() == [pytest.approx(2 / 3), 0.0]
    assert [text.get_text() for text in ax.texts] == ["votes", "3", "1"]
    ax.figure.draw_without_rendering()
    with pytest.raises(UsageError, match="the frame has no column against: expected one of votes"):
        plot_votes(votes[["agent"]])


def test_who_is_thrown_out_survives_no_longer_and_who_ends_a_game_is_not_at_risk():
    columns = ["game_id", "turn", "kind", "source", "role", "target", "target_role"]
    rows = [
        (1, 1, "speech", 0, "Mafia", None, None),
        (1, 1, "speech", 1, "Doctor", None, None),
        (1, 2, "eliminate", None, None, 1, "Doctor"),
        (1, 3, "result", None, None, None, None),
        (2, 1, "speech", 0, "Doctor", None, None),
        (2, 1, "speech", 1, "Mafia", None, None),
        (2, 5, "eliminate", None, None, 1, "Mafia"),
    ]
    ax = plot_survival(pd.DataFrame(rows, columns=columns))

    doctor, mafia = (line.get_ydata().tolist() for line in ax.lines)
    assert doctor == [1, 1, 1, 0.5, 0.5, 0.5, 0.5]
    # Game 1 is over after turn 3: only the Mafia of game 2 is left to be lost.
    assert mafia == [1, 1, 1, 1, 1, 1, 0]
    assert sorted(text.get_text() for text in ax.texts) == ["Doctor", "Mafia"]


def test_lengths_are_stacked_by_winner_and_the_median_is_said(sqlite):
    games = pd.DataFrame(
        {
            "status": ["completed"] * 4 + ["running"],
            "turn_count": [10, 10, 20, 30, None],
            "winning_team": ["Mafia", "Mafia", "Village", None, None],
        }
    )
    ax = plot_lengths(games)

    assert "their median, 15" in ax.get_xlabel()
    told = [text.get_text() for text in ax.get_legend().get_texts()]
    bars = [sum(bar.get_height() for bar in group) for group in ax.containers]
    assert dict(zip(told, bars, strict=True)) == {
        "Mafia": 2, "Village": 1, "no single winner": 1,
    }  # fmt: skip
    assert (
        plot_lengths(games[games.status == "running"]).texts[0].get_text() == "no rated games yet"
    )


def test_tokens_of_a_turn_are_those_of_all_its_calls(sqlite):
    calls = calls_df(sqlite, tournament="first")
    ax = plot_tokens(calls, value="prompt_tokens")

    answered = calls[calls.prompt_tokens.notna()]
    sums = answered.groupby(["turn_number", "game_id"]).prompt_tokens.sum()
    expected = sums.groupby(level=0).mean()
    assert ax.lines[0].get_xdata().tolist() == expected.index.tolist()
    assert ax.lines[0].get_ydata().tolist() == expected.tolist()
    assert plot_tokens(calls.iloc[:0]).texts[0].get_text() == "no call has total_tokens_consumed"


def test_the_front_of_cost_is_whom_no_cheaper_agent_beats():
    board = pd.DataFrame(
        {
            "name": ["cheap", "worse", "best", "dear", "no better", "free?"],
            "rating": [24.0, 23.0, 28.0, 27.0, 28.0, 30.0],
            "cost_per_game": [0.01, 0.02, 0.03, 0.04, 0.05, None],
        }
    )
    ax = plot_cost(board)

    assert ax.lines[-1].get_xdata().tolist() == [0.01, 0.03]
    assert ax.lines[1].get_xdata().tolist() == [0.02, 0.04, 0.05]
    assert "1 without a known cost" in ax.get_xlabel()
    assert plot_cost(board.tail(1)).texts[0].get_text() == "no agent has a known cost"


@pytest.fixture
def duel(sqlite_url):
    with get_session(sqlite_url) as session:
        table = Table(session)
        ann, bob = (table.agent(name, model=f"{name}-model") for name in ("Ann", "Bob"))
        rules = table.environment("Duel-v0")
        cup = table.tournament("cup", rules)
        for block in range(12):
            table.play(rules, Sat(ann, 0), Sat(bob, 1), tournament=cup, block=block)
            table.play(rules, Sat(bob, 1), Sat(ann, 0), tournament=cup, block=block)
    return sqlite_url


def test_a_comparison_of_games_on_record_is_a_frame_of_its_blocks(duel):
    found = compare("Ann", "Bob", duel)
    frame = comparison_df(found)

    assert (frame.attrs["a"], frame.attrs["b"], frame.attrs["test"]) == ("Ann", "Bob", "evalue")
    assert frame.block.tolist() == [*range(1, found.verdict.blocks + 1)]
    assert frame.score.tolist() == [1.0] * len(frame)
    assert frame.statistic.is_monotonic_increasing
    assert frame.statistic.iloc[-1] == found.verdict.statistic >= frame.upper.iloc[-1]
    assert frame.decision.tolist() == [Decision.UNDECIDED] * (len(frame) - 1) + [Decision.REJECT]
    ax = plot_sequential_test(found)
    assert ax.lines[2].get_ydata().tolist() == [0.0, *frame.statistic]
    with pytest.raises(UsageError, match="unknown agent 'Anne'"):
        compare("Anne", "Bob", duel)
    with pytest.raises(UsageError, match="the tournament 'cup' is no comparison"):
        comparison_df("cup", duel)
    with pytest.raises(UsageError, match="there is no tournament 'cap'"):
        comparison_df("cap", duel)


def test_a_test_is_drawn_block_by_block_between_its_bounds(sqlite):
    board = pd.DataFrame(
        {
            "block": [1, 2, 3],
            "statistic": [0.5, 1.5, 3.2],
            "lower": [float("-inf")] * 3,
            "upper": [3.0] * 3,
            "decision": ["undecided", "undecided", "reject"],
        }
    )
    board.attrs.update(a="Ann", b=HOSTILE, test="evalue")
    ax = plot_sequential_test(board)

    assert ax.lines[2].get_xdata().tolist() == [0, 1, 2, 3]
    assert ax.lines[2].get_ydata().tolist() == [0.0, 0.5, 1.5, 3.2]
    assert [text.get_text() for text in ax.texts] == ["upper bound"]
    assert "reject" in ax.get_xlabel()
    assert "\x1b" not in ax.get_title("left")
    assert ax.get_ylabel() == "log of the e-value"


def test_games_without_roles_leave_the_plot_of_roles_empty(sqlite):
    ax = plot_roles(sqlite, environment="Duel-v0", game=6)
    assert not ax.containers
