"""Frames as they can be asked for: chosen columns, several databases, all that a table has."""

import re
from pathlib import Path

import filled
import pandas as pd
import pytest

from arena.analysis import (
    agents_df,
    annotations_df,
    audit_df,
    calls_df,
    claims_df,
    events_df,
    game_states_df,
    games_df,
    head_to_head_df,
    leaderboard_df,
    logs_df,
    messages_df,
    players_df,
    rating_changes_df,
    ratings_df,
    tournaments_df,
    turns_df,
    votes_df,
)
from arena.core import UsageError
from db.models import Game

FRAMES = {
    "agents": agents_df,
    "games": games_df,
    "game_players": players_df,
    "game_turns": turns_df,
    "llm_calls": calls_df,
    "game_events": events_df,
    "agent_trueskill": ratings_df,
    "rating_changes": rating_changes_df,
    "tournaments": tournaments_df,
    "annotations": annotations_df,
    "game_states": game_states_df,
    "execution_logs": logs_df,
    "audit_log": audit_df,
}
# What a table's column is called where rows of several tables stand side by side.
RENAMED = {
    ("agents", "id"): "agent_id",
    ("agents", "alias"): "agent",
    ("games", "id"): "game_id",
    ("game_turns", "id"): "turn_id",
    ("llm_calls", "id"): "call_id",
    ("execution_logs", "id"): "log_id",
    ("llm_calls", "game_turn_id"): "turn_id",
    ("llm_calls", "model"): "model_asked",
    ("audit_log", "id"): "entry_id",
    ("tournaments", "id"): "tournament_id",
    ("tournaments", "name"): "tournament",
}
# What a frame says by a name is an id in its table.
NAMED = ("tournament_id", "environment_id", "agent_id", "kind_id", "model_id", "prompt_id")
# Keys that no other table refers to, and what is kept for checking a row against itself.
INTERNAL = {
    *(
        ("annotations", "id"),
        ("game_states", "id"),
        ("game_players", "id"),
        ("agent_trueskill", "id"),
        ("rating_changes", "id"),
    ),
    *(("agents", "fingerprint"), ("agents", "options_hash"), ("agents", "class")),
    *(("tournaments", "config_hash"), ("tournaments", "next_fold_index")),
}
WHOLE = {turns_df: {"observations": True}, calls_df: {"messages": True}}


@pytest.mark.parametrize("name", FRAMES)
def test_every_column_of_a_table_is_one_of_its_frame(sqlite, name):
    read = FRAMES[name]
    frame = read(sqlite, **WHOLE.get(read, {}))
    missing = []
    for column in Game.metadata.tables[name].columns:
        if column.name.endswith("_raw") or (name, column.name) in INTERNAL:
            continue
        shown = RENAMED.get((name, column.name), column.name)
        if shown in NAMED and shown not in frame:
            shown = shown.removesuffix("_id")
        if shown not in frame:
            missing.append(column.name)
    assert missing == []


def test_the_page_says_what_is_called_otherwise():
    page = (Path(__file__).parents[2] / "docs" / "python.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \|$", page, re.MULTILINE)
    assert {(table, column): name for table, column, name in rows} == RENAMED


@pytest.mark.parametrize("read", [*FRAMES.values(), votes_df, claims_df, messages_df])
def test_columns_choose_and_order(database, read):
    whole = read(database)
    wanted = [*whole][::-2]
    pd.testing.assert_frame_equal(read(database, columns=wanted), whole[wanted])
    with pytest.raises(UsageError, match=f"unknown column '{wanted[0]}x'; did you mean"):
        read(database, columns=[f"{wanted[0]}x"])


def test_chosen_columns_alone_are_read(sqlite, spy):
    from db import get_session

    with get_session(sqlite) as session:
        statements = spy(session)
        frame = games_df(session, columns=["game_id", "seed"])
    assert [*frame] == ["game_id", "seed"]
    assert "game_info" not in statements[-1][0]


def test_a_payload_is_a_column_that_can_be_chosen(database):
    turns = turns_df(database, columns=["turn_number", "observation"], game=6)
    assert turns.observation.tolist() == [filled.HOSTILE, "your turn"]
    calls = calls_df(database, columns=["text"], game=6)
    whole = calls_df(database, messages=True, game=6)
    assert calls.text.tolist() == whole.text.tolist()
    assert "request" not in calls_df(database)


def test_no_columns_at_all_are_refused(sqlite):
    with pytest.raises(UsageError, match="columns is empty: choose of game_id, tournament"):
        games_df(sqlite, columns=[])


def test_several_databases_are_put_below_each_other(sqlite, filled_postgresql, empty):
    both = games_df([sqlite, empty, filled_postgresql], columns=["game_id", "status"])
    assert [*both] == ["database", "game_id", "status"]
    assert both.game_id.tolist() == [*range(1, 8)] * 2
    path = sqlite.removeprefix("sqlite:///")
    assert both.database.unique().tolist()[0] == path
    assert both.database.nunique() == 2
    assert len(games_df([sqlite, filled_postgresql], limit=9)) == 9
    alone = games_df([sqlite])
    pd.testing.assert_frame_equal(alone.drop(columns="database"), games_df(sqlite))


def test_a_password_is_in_no_frame(filled_postgresql):
    from sqlalchemy import make_url

    secret = make_url(filled_postgresql.replace("postgres:@", "postgres:hunter2@"))
    named = games_df([secret]).database.unique().tolist()
    assert len(named) == 1
    assert "hunter2" not in named[0]


def test_a_name_that_one_of_several_databases_holds(sqlite, empty, tmp_path):
    found = turns_df([empty, sqlite], agent="ann")
    assert len(found) == len(turns_df(sqlite, agent="ann")) > 0
    with pytest.raises(UsageError, match="anne"):
        turns_df([empty, sqlite], agent="anne")
    with pytest.raises(UsageError, match="there is no database at"):
        turns_df([sqlite, tmp_path / "none.db"], agent="ann")
    with pytest.raises(UsageError, match="there is no database in the list"):
        turns_df([])


def test_leaderboards_of_several_databases(sqlite, filled_postgresql):
    for read in (leaderboard_df, head_to_head_df):
        one, both = read(sqlite), read([sqlite, filled_postgresql])
        assert len(both) == 2 * len(one) > 0
        assert both.attrs["notes"] == one.attrs["notes"]
        with pytest.raises(UsageError, match="unknown"):
            read(sqlite, status="nonsense")


def test_printed_ratings_show_names_and_numbers(sqlite):
    with pd.option_context("display.width", 80, "display.max_columns", 0):
        for frame in (ratings_df(sqlite), leaderboard_df(sqlite)):
            printed = str(frame).splitlines()[0].split()
            assert {"mu", "rating"} & {*printed}
            assert {"agent", "name"} & {*printed}


def test_messages_are_those_that_are_new(database):
    everything = messages_df(database, whole=True)
    new = messages_df(database)
    assert new.new.all()
    kept = everything[everything.new].reset_index(drop=True)
    pd.testing.assert_frame_equal(new, kept)
    first = new[(new.game_id == 1) & (new.player_index == 0)]
    assert first.speaker.tolist()[:1] == ["system"]
    assert first.message_index.tolist()[0] == 0
    answers = new[new.answer]
    calls = calls_df(database, messages=True)
    assert answers.content.tolist() == calls.text.dropna().tolist()
    assert filled.HOSTILE in new[new.game_id == 6].content.tolist()
