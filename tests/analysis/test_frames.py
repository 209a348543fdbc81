"""The frames of the filled database: what is in them, and their dtypes."""

import re
import subprocess
import sys

import pandas as pd
import pytest
from filled import HOSTILE
from sqlalchemy import event

from arena.analysis import (
    calls_df,
    games_df,
    players_df,
    rating_changes_df,
    ratings_df,
    turns_df,
)
from db import Agent, Game, GameTurn, LLMCall, get_session

ALL = [games_df, players_df, turns_df, calls_df, ratings_df, rating_changes_df]


def test_a_game_is_one_row_with_its_result_and_times(database):
    games = games_df(database).set_index("game_id")

    assert games.index.tolist() == [1, 2, 3, 4, 5, 6, 7]
    first = games.loc[1]
    assert (first.tournament, first.environment, first.num_players) == ("first", "Village-v0", 4)
    assert (first.schedule_index, first.seed, first.status) == (0, 2**62, "completed")
    assert (first.winning_team, first.termination, first.turn_count) == ("Village", "natural", 8)
    assert first.finished_at == pd.Timestamp("2026-03-01 13:00", tz="UTC")
    assert games.status.tolist() == [
        *("completed", "completed", "void", "running", "scheduled", "completed", "completed")
    ]
    assert games.loc[3, "void_cause"] == "provider"
    assert games.loc[6, "game_info"] == {"n": [1]}
    assert games.loc[7, "tournament"] is pd.NA
    assert games.loc[5, "started_at"] is pd.NaT


def test_a_player_wins_when_its_team_is_first_alone(database):
    players = players_df(database)

    results = players.groupby("game_id").result.agg(list)
    assert results[1] == ["win", "win", "win", "loss"]
    assert results[2] == ["draw", "draw", "draw", "draw"]
    assert players[players.game_id.isin([3, 4, 5])].result.isna().all()
    assert results[6] == ["loss", "win"]
    assert results[7] == ["win", "loss"]
    dora = players[(players.game_id == 1) & (players.agent == "dora")].iloc[0]
    assert (dora.role, dora.team, dora["rank"], dora.reward) == ("Mafia", "Mafia", 1, -1.0)
    assert dora.invalid_actions == 1
    assert players.agent[2] == "thinking/small/plain"


def test_a_players_result_is_known_without_the_others_rows(database):
    assert players_df(database, agent="dora", status="completed").result.tolist() == [
        "loss",
        "draw",
    ]
    assert players_df(database, game=6, limit=1).result.tolist() == ["loss"]


def test_turns_come_in_order_of_play(database):
    turns = turns_df(database, game=1)

    assert turns.turn_number.tolist() == [*range(8)]
    assert turns.agent.tolist() == ["ann", "bob", "thinking/small/plain", "dora"] * 2
    assert turns.action.tolist() == [f"answer {turn}" for turn in range(8)]
    assert turns.submitted.tolist() == [*(f"answer {turn}" for turn in range(7)), "[7]"]
    assert turns.invalid.tolist() == [False] * 7 + [True]
    assert (turns.role[0], turns.team[3]) == ("Doctor", "Mafia")
    assert turns.response_time_ms.tolist() == [300.0] * 8
    assert turns.observed_at[1] - turns.observed_at[0] == pd.Timedelta(seconds=1)
    waiting = turns_df(database, game=4).iloc[-1]
    assert waiting.action is pd.NA
    assert waiting.acted_at is pd.NaT


def test_every_attempt_is_a_call(database):
    calls = calls_df(database, game=1)

    assert calls.turn_number.tolist() == [0, 1, 3, 4, 5, 5, 6, 7]
    failed, again = calls.iloc[4], calls.iloc[5]
    assert (failed.attempt, failed.error_class, failed.error_status) == (0, "RateLimitError", 429)
    assert (again.attempt, again.cost) == (1, 0.25)
    assert again.error_class is pd.NA
    assert (again.model, again.model_asked, again.model_answered) == (
        *("small", "openai/small", "small-2026"),
    )
    assert calls.cost.sum() == 7 * 0.25
    assert calls.prompt_tokens.sum() == 700
    assert calls.total_response_time_ms.unique().tolist() == [250.0]
    assert calls_df(database, game=4).answered.tolist() == [True, False]


def test_keys_keep_all_their_bits(database):
    calls = calls_df(database)

    assert calls.call_id.tolist() == [
        *(
            ((game << 24 | turn << 8 | player) << 8) | attempt
            for game, turn, player, attempt in calls[
                ["game_id", "turn_number", "player_index", "call_index"]
            ].itertuples(index=False)
        )
    ]
    assert games_df(database, game=2).seed.tolist() == [2**62 + 1]


def test_hostile_texts_come_back_as_they_were(database):
    duel = turns_df(database, tournament="second", observations=True)
    assert duel.action.tolist() == [HOSTILE, HOSTILE]
    assert duel.submitted.tolist() == ["ok", HOSTILE]
    assert duel.observation.tolist() == [HOSTILE, "your turn"]

    call = calls_df(database, tournament="second", messages=True).iloc[0]
    assert call.messages == [{"role": "user", "content": HOSTILE}]
    assert (call.text, call.response) == (HOSTILE, {"said": [HOSTILE]})

    games = games_df(database).set_index("game_id")
    assert (games.loc[3, "error"], games.loc[6, "reason"]) == (HOSTILE, HOSTILE)
    assert calls_df(database).error_message.dropna().tolist() == [HOSTILE]


def test_dtypes_depend_on_nothing(sqlite, filled_postgresql, empty):
    for read in ALL:
        dtypes = read(sqlite).dtypes.to_dict()
        assert read(filled_postgresql).dtypes.to_dict() == dtypes
        nothing = read(empty)
        assert nothing.empty
        assert nothing.dtypes.to_dict() == dtypes
    for whole in ({"observations": True}, {"messages": True}):
        read = turns_df if "observations" in whole else calls_df
        assert read(empty, **whole).dtypes.to_dict() == read(sqlite, **whole).dtypes.to_dict()
    games = games_df(sqlite)
    assert str(games.finished_at.dtype) == "datetime64[us, UTC]"
    assert str(games.seed.dtype) == "Int64"
    assert str(games.reason.dtype) == "string"
    assert str(games.environment_crashed.dtype) == "boolean"
    assert games.status.cat.categories.tolist() == ["scheduled", "running", "completed", "void"]


def test_both_databases_give_the_same_frames(sqlite, filled_postgresql):
    for read in ALL:
        one, other = read(sqlite), read(filled_postgresql)
        clocks = [name for name in one if name in ("created_at", "updated_at")]
        pd.testing.assert_frame_equal(one.drop(columns=clocks), other.drop(columns=clocks))


@pytest.mark.parametrize("read", ALL)
def test_every_column_is_documented(sqlite, read):
    whole = {turns_df: {"observations": True}, calls_df: {"messages": True}}.get(read, {})
    words = set(re.findall(r"\w+", read.__doc__))
    assert [name for name in read(sqlite, **whole) if name not in words] == []


def test_rows_never_become_objects(sqlite):
    loaded = []
    for model in (Agent, Game, GameTurn, LLMCall):
        event.listen(model, "load", lambda target, _context: loaded.append(target))
    with get_session(sqlite) as session:
        session.get(Game, 1)
        assert len(loaded) == 1
        for read in ALL:
            read(session)
        turns_df(session, observations=True)
        calls_df(session, messages=True)
    assert len(loaded) == 1


@pytest.mark.slow
def test_reading_imports_no_plotting():
    program = (
        "import sys, arena.analysis\n"
        "print([name for name in ('matplotlib', 'litellm', 'textarena') if name in sys.modules])\n"
    )
    command = [sys.executable, "-W", "error", "-c", program]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "[]\n"
