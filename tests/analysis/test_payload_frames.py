"""Observations and messages in frames: whole, and only when asked for."""

import asyncio

import pandas as pd
import pytest
from filled import START, seen, sent

from arena.analysis import calls_df, turns_df
from db import Game, get_session, init_db
from db.recorder import Recorder
from db.writer.turns import TurnOpened


def test_observations_are_whole_and_new_is_what_was_added(database):
    turns = turns_df(database, tournament="first", observations=True)

    for turn in turns.itertuples():
        assert turn.observation == seen(turn.game_id, turn.turn_number)
    by_player = turns[turns.game_id == 1].groupby("player_index")
    for _, own in by_player:
        assert "".join(own.new) == own.observation.iloc[-1]
    assert turns.new[5] == "".join(
        f"[Player {turn % 4}] said something in turn {turn} of game 1.\n" for turn in range(1, 5)
    )


def test_what_is_new_after_a_short_text_is_new_too(tmp_path):
    init_db(path := tmp_path / "short.db")
    with get_session(path) as session:
        session.add(Game(id=1, status="running"))
        session.flush()
    asyncio.run(_short(path))

    assert turns_df(path, observations=True).new.tolist() == ["Go.", " Go on."]


async def _short(path):
    async with Recorder(path) as recorder:
        await recorder.append(TurnOpened(1, 0, 0, "Go.", START))
        await recorder.append(TurnOpened(1, 1, 0, "Go. Go on.", START))


def test_messages_are_whole(database):
    calls = calls_df(database, tournament="first", messages=True)

    for call in calls.itertuples():
        assert call.messages == sent(call.game_id, call.turn_number)
    assert calls.request.tolist() == [{"temperature": 0.5}] * len(calls)
    assert calls.text[0] == "answer 0"
    assert calls.response[0] == {"choices": ["answer 0"]}
    unanswered = calls[~calls.answered].iloc[0]
    assert unanswered.text is pd.NA
    assert unanswered.response is None


@pytest.mark.parametrize("limit", [1, 3, 6])
def test_payloads_under_filters_are_whole(database, limit):
    for filters in ({"agent": "bob"}, {"game": [1, 4]}, {"status": ["running", "completed"]}):
        turns = turns_df(database, tournament="first", limit=limit, observations=True, **filters)
        calls = calls_df(database, tournament="first", limit=limit, messages=True, **filters)
        assert 0 < len(turns) <= limit
        assert 0 < len(calls) <= limit
        for turn in turns.itertuples():
            assert turn.observation == seen(turn.game_id, turn.turn_number)
        for call in calls.itertuples():
            assert call.messages == sent(call.game_id, call.turn_number)


def test_payloads_are_read_only_when_asked_for(sqlite, spy):
    for read, asked, payload in (
        (turns_df, "observations", "observation"),
        (calls_df, "messages", "messages"),
    ):
        with get_session(sqlite) as session:
            statements = spy(session)
            assert payload not in read(session)
            assert not [sql for sql, _ in statements if "payloads" in sql]
            assert payload in read(session, **{asked: True})
            assert [sql for sql, _ in statements if "payloads" in sql]
