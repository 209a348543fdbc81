"""Sessions: what an agent took within a game and within a tournament, as turns and calls say it."""

import pandas as pd
import pytest

from arena.analysis import calls_df, players_df, sessions_df, turns_df
from arena.core import UsageError
from db.models.calls import ORPHANED


@pytest.mark.parametrize(("within", "place"), [("game", "game_id"), ("tournament", "tournament")])
def test_a_session_adds_up_the_turns_and_calls_of_an_agent(database, within, place):
    sessions = sessions_df(database, within=within).set_index([place, "agent_id"])
    turns = turns_df(database).dropna(subset=[place, "agent_id"])
    calls = calls_df(database).dropna(subset=[place, "agent_id"])

    assert len(sessions) > 2
    assert sessions.turns.sum() == len(turns)
    assert sessions.calls.sum() == len(calls)
    seats = players_df(database).query("status != 'scheduled'")
    seated = seats.dropna(subset=[place]).groupby([place, "agent_id"]).game_id.nunique()
    assert sessions.games.to_dict() == seated.to_dict()
    for key, played in turns.groupby([place, "agent_id"]):
        row = sessions.loc[key]
        made = calls[(calls[place] == key[0]) & (calls.agent_id == key[1])]
        failed = made.error_class.notna() & (made.error_class != ORPHANED)
        answered = made[made.error_class.isna()].total_response_time_ms
        assert (row.turns, row.calls, row.errors) == (len(played), len(made), failed.sum())
        assert row.lapses == (played.lapse.notna() | played.invalid).sum()
        assert row.first_at == played.observed_at.min()
        assert row.last_at == played.acted_at.fillna(played.observed_at).max()
        assert row.mean_ms == pytest.approx(answered.mean(), nan_ok=True)


def test_there_is_a_failed_call_a_lapse_and_a_game_that_goes_on(database):
    sessions = sessions_df(database)

    assert sessions.errors.max() > 0
    assert sessions.lapses.max() > 0
    # What is scheduled only is no session yet.
    assert {*sessions.status} == {"completed", "void", "running"}


def test_games_of_no_tournament_are_in_no_session_of_one(database):
    assert sessions_df(database, game=7).tournament.isna().all()
    assert sessions_df(database, within="tournament", game=7).empty
    assert {*sessions_df(database, within="tournament").tournament} == {"first", "second"}


def test_sessions_are_chosen_limited_and_typed_like_other_frames(database, empty):
    whole = sessions_df(database)

    ann = sessions_df(database, agent="ann", columns=["agent", "game_id"])
    assert {*ann.agent} == {"ann"}
    assert list(ann.columns) == ["agent", "game_id"]
    pd.testing.assert_frame_equal(sessions_df(database, limit=2), whole.head(2))
    assert sessions_df(empty).dtypes.equals(whole.dtypes)
    with pytest.raises(UsageError, match="expected game or tournament"):
        sessions_df(database, within="week")
    with pytest.raises(UsageError, match="did you mean 'ann'"):
        sessions_df(database, agent="anm")
