"""What is drawn is what the frames say; looks are judged by eye, not here."""

import itertools
import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from arena.analysis import plot_leaderboard, plot_ratings, rating_changes_df, ratings_df
from arena.core import UsageError


@pytest.fixture(autouse=True)
def _closed():
    yield
    pyplot.close("all")


def test_the_best_agent_is_at_the_top_on_its_interval(sqlite):
    ax = plot_leaderboard(sqlite, tournament="second")

    assert [label.get_text() for label in ax.get_yticklabels()] == ["thinking/small/plain", "bob"]
    top, bottom = ax.get_ylim()[::-1]
    assert top < 0 < 1 < bottom
    dots = ax.lines[0]
    assert dots.get_xdata().tolist() == [26.0, 24.0]
    assert [*dots.get_ydata()] == [0, 1]
    best = ax.collections[0].get_segments()[0]
    assert best[:, 0].round(3).tolist() == [
        round(26 - 1.959964 * 7.5, 3),
        round(26 + 1.959964 * 7.5, 3),
    ]
    assert [*ax.lines[1].get_xdata()] == [25.0, 25.0]
    assert ax.get_title("left") == "second · Duel-v0 · 2 players"
    assert [text.get_text() for text in ax.texts] == ["games", "1", "1"]
    ax.figure.draw_without_rendering()


def test_an_interval_of_another_width_says_so(sqlite):
    ax = plot_leaderboard(ratings_df(sqlite, tournament="second"), interval=0.5)

    best = ax.collections[0].get_segments()[0]
    assert best[1, 0] - best[0, 0] == pytest.approx(2 * 0.674490 * 7.5, abs=1e-4)
    assert "50 %" in ax.get_xlabel()
    with pytest.raises(UsageError, match=r"interval is 95: expected a probability"):
        plot_leaderboard(sqlite, tournament="second", interval=95)


def test_thirty_agents_have_thirty_lines_that_do_not_touch(tmp_path):
    ax = plot_leaderboard(_board(30))

    ax.figure.savefig(tmp_path / "board.png")
    labels = ax.get_yticklabels()
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.y0)
    assert len(boxes) == 30
    assert all(below.y1 <= above.y0 for below, above in itertools.pairwise(boxes))
    assert min(box.x0 for box in boxes) >= 0
    assert [label.get_text() for label in labels] == [f"agent {n}" for n in range(30)]


def test_names_are_shown_and_never_obeyed(tmp_path):
    board = _board(3)
    board["agent"] = ["$x_{2}$ and $", "\x1b[31mred\nline\u202e", "a" * 500]
    ax = plot_leaderboard(board)

    ax.figure.savefig(tmp_path / "names.png")
    shown = [label.get_text() for label in ax.get_yticklabels()]
    assert shown == ["$x_{2}$ and $", "\\x1b[31mred line\\u202e", "a" * 39 + "…"]
    assert not any(label.get_parse_math() for label in ax.get_yticklabels())


def test_ratings_are_drawn_game_by_game(sqlite, tmp_path):
    ax = plot_ratings(sqlite, environment="Village-v0")

    ax.figure.savefig(tmp_path / "ratings.png")
    lines = [line for line in ax.lines if len(line.get_xdata()) == 4]
    assert len(lines) == 4
    assert all([*line.get_xdata()] == [0, 1, 2, 2] for line in lines)
    histories = sorted([*line.get_ydata()] for line in lines)
    assert histories == [[25, 24, 24, 24], *([25, 26, 26, 26] for _ in range(3))]
    assert len(ax.collections) == 4
    names = {text.get_text() for text in ax.texts}
    assert names == {"ann", "bob", "thinking/small/plain", "dora"}
    heights = sorted(text.get_window_extent().y0 for text in ax.texts)
    assert min(np.diff(heights)) >= ax.texts[0].get_window_extent().height * 0.8


def test_an_agent_that_came_late_starts_where_it_came(sqlite):
    history = rating_changes_df(sqlite, environment="Village-v0")
    late = history[~((history.agent == "ann") & (history.game_id == 1))]
    ax = plot_ratings(late)

    assert [1, 2, 2] in [[*line.get_xdata()] for line in ax.lines]


def test_only_the_best_are_highlighted(sqlite):
    ax = plot_ratings(sqlite, environment="Village-v0", highlight=1)

    assert len(ax.collections) == 1
    assert {text.get_text() for text in ax.texts} == {"ann", "grey: 3 others"}
    draws = rating_changes_df(sqlite, environment="Village-v0", game=2)
    low, high = plot_ratings(draws[draws.agent != "dora"], highlight=0).get_ylim()
    assert low < 26 < high


def test_pools_are_never_mixed(sqlite):
    for plot in (plot_leaderboard, plot_ratings):
        with pytest.raises(
            UsageError,
            match=r"2 pools .*\(Village-v0 · 4 players, Duel-v0 · 2 players\).*tournament=",
        ):
            plot(sqlite)
    assert pyplot.get_fignums() == []


def test_a_wrong_frame_is_told_which_is_right(sqlite):
    with pytest.raises(UsageError, match=r"no column sigma: expected one of ratings_df"):
        plot_leaderboard(pd.DataFrame({"agent": [], "mu": []}))
    with pytest.raises(UsageError, match=r"expected one of rating_changes_df"):
        plot_ratings(ratings_df(sqlite))
    with pytest.raises(UsageError, match=r"give tournament and environment to ratings_df"):
        plot_leaderboard(ratings_df(sqlite), tournament="first")


def test_nothing_rated_is_said(empty):
    for plot in (plot_leaderboard, plot_ratings):
        assert [text.get_text() for text in plot(empty).texts] == ["no rated games yet"]


def test_the_axes_that_are_given_are_drawn_on_and_settings_stay(sqlite):
    before = dict(matplotlib.rcParams)
    _, (left, right) = pyplot.subplots(1, 2)

    assert plot_leaderboard(sqlite, tournament="first", ax=left) is left
    assert plot_ratings(sqlite, tournament="first", ax=right) is right
    assert pyplot.get_fignums() == [1]
    assert dict(matplotlib.rcParams) == before


def test_without_matplotlib_the_error_says_what_to_type(sqlite, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for plot in (plot_leaderboard, plot_ratings):
        with pytest.raises(UsageError, match=r"pip install 'llm-arena\[notebook\]'"):
            plot(sqlite, tournament="first")


def _board(agents):
    return pd.DataFrame(
        {
            "agent": [f"agent {n}" for n in range(agents)],
            "mu": np.linspace(35, 15, agents),
            "sigma": np.linspace(1, 2, agents),
            "games": 1_000,
        }
    )
