"""Computed leaderboards and matrices as frames and pictures: what they say is what was asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from arena.analysis import (
    calibration_df,
    head_to_head_df,
    leaderboard_df,
    plot_calibration,
    plot_head_to_head,
    plot_intervals,
)
from arena.core import UsageError


@pytest.fixture(autouse=True)
def _closed():
    yield
    pyplot.close("all")


def test_a_leaderboard_is_computed_from_the_games(database):
    frame = leaderboard_df(database)

    assert [*dict.fromkeys(frame["environment"])] == ["Village-v0", "Duel-v0"]
    village = frame[frame["environment"] == "Village-v0"]
    assert village["rating"].mean() == pytest.approx(25)
    assert village["name"].iloc[-1] == "dora"
    assert village["games"].tolist() == [2, 2, 2, 2]
    assert village["teams"].iloc[-1]["Mafia"]["share"] == 0.25
    assert (frame["low"] < frame["rating"]).all()
    assert frame["pool"].nunique() == 2


def test_the_frame_has_its_dtypes_without_games(empty, sqlite):
    assert leaderboard_df(empty).dtypes.equals(leaderboard_df(sqlite).dtypes)
    assert head_to_head_df(empty).dtypes.equals(head_to_head_df(sqlite).dtypes)
    assert leaderboard_df(empty).attrs["notes"] == []


def test_the_frame_answers_what_the_command_answers(sqlite):
    doctor = leaderboard_df(sqlite, role="Doctor", environment="Village-v0")
    assert doctor["name"].tolist() == ["ann"]
    assert "ann has met no other agent here" in " ".join(doctor.attrs["notes"])
    late = leaderboard_df(sqlite, since="2026-03-01T13:30:00+00:00")
    assert set(late["environment"]) == {"Village-v0"}
    with pytest.raises(UsageError, match="did you mean 'Duel-v0'"):
        leaderboard_df(sqlite, environment="Dual-v0")


def test_scores_against_each_other_add_up(database):
    frame = head_to_head_df(database, environment="Village-v0")

    # Dora alone was the Mafia: nobody else played against anybody else.
    assert len(frame) == 6
    scores = frame.set_index(["agent", "against"])["score"]
    assert scores["dora", "ann"] == 0.25
    assert scores["ann", "dora"] == 0.75
    by_team = head_to_head_df(database, by="team", environment="Village-v0")
    assert set(by_team["against"]) == {"Village", "Mafia"}
    with pytest.raises(UsageError, match="Duel-v0: no roles are known"):
        head_to_head_df(database, by="role", environment="Duel-v0")


def test_an_open_session_stays_open(sqlite):
    from db import get_session

    with get_session(sqlite, create=False) as session:
        first = leaderboard_df(session, tournament="first")
        assert leaderboard_df(session, tournament="first").equals(first)


def test_ratings_are_drawn_on_their_intervals(sqlite, tmp_path: Path):
    frame = leaderboard_df(sqlite, environment="Village-v0")
    ax = plot_intervals(frame)

    ax.figure.savefig(tmp_path / "intervals.png")
    assert [label.get_text() for label in ax.get_yticklabels()] == frame["name"].tolist()
    ends = np.array([segment[:, 0] for segment in ax.collections[0].get_segments()])
    assert ends == pytest.approx(frame[["low", "high"]].to_numpy())
    assert [text.get_text() for text in ax.texts] == frame["group"].tolist()
    assert ax.get_title("left") == "Village-v0 · probit"


def test_the_heat_map_has_a_cell_for_each_pair_that_met(sqlite, tmp_path: Path):
    ax = plot_head_to_head(sqlite, environment="Village-v0")

    ax.figure.savefig(tmp_path / "heat.png")
    scores = ax.images[0].get_array()
    assert scores.shape == (4, 4)
    assert np.isfinite(scores.filled(np.nan)).sum() == 6
    assert {text.get_text() for text in ax.texts} == {"75", "25"}
    by_team = plot_head_to_head(sqlite, environment="Village-v0", by="team")
    assert [label.get_text() for label in by_team.get_xticklabels()] == ["Mafia", "Village"]


def test_agents_of_one_name_are_two_agents():
    frame = pd.DataFrame(
        {"agent_id": [1, 2], "agent": ["twin", "twin"], "against_id": [2, 1],
         "against": ["twin", "twin"], "score": [1.0, 0.0]}
    )  # fmt: skip
    assert plot_head_to_head(frame).images[0].get_array().shape == (2, 2)


def test_reliability_is_drawn_against_the_line_of_the_calibrated(empty, tmp_path: Path):
    frame = pd.DataFrame(
        {"system": ["sure"] * 3 + ["blind"] * 2, "difference": [-0.1] * 3 + [0.02] * 2,
         "above": [0.5, 0.5, 0.9, 0.5, 0.5], "below": [1.0, 0.6, 1.0, 1.0, 0.6],
         "predicted": [0.7, 0.55, 0.95, 0.55, 0.55], "observed": [0.7, 0.6, 0.9, 0.4, 0.4],
         "low": [0.6, 0.5, 0.8, 0.3, 0.3], "high": [0.8, 0.7, 1.0, 0.5, 0.5]}
    )  # fmt: skip
    ax = plot_calibration(frame, highlight=1)

    ax.figure.savefig(tmp_path / "reliability.png")
    diagonal, blind, sure = (line.get_xydata().tolist() for line in ax.get_lines())
    assert diagonal == [[0.5, 0.5], [1.0, 1.0]]
    assert sure == [[0.55, 0.6], [0.95, 0.9]]
    assert blind == [[0.55, 0.4]]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["sure  -0.100", "blind  +0.020"]
    assert [text.get_text() for text in plot_calibration(empty).texts] == ["no rated games yet"]
    assert calibration_df(empty).dtypes["games"] == "Int64"


@pytest.mark.parametrize("plot", [plot_intervals, plot_head_to_head])
def test_what_cannot_be_drawn_together_is_told(sqlite, empty, plot):
    with pytest.raises(UsageError, match="holds 2 of them"):
        plot(sqlite)
    with pytest.raises(UsageError, match="has no column"):
        plot(pd.DataFrame({"a": [1]}))
    with pytest.raises(UsageError, match="a frame is drawn as it is"):
        plot(pd.DataFrame(), environment="Village-v0")
    assert [text.get_text() for text in plot(empty).texts] == ["no rated games yet"]
