"""The frames of the filled database: what is in them, their dtypes, their filters."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import filled
import pandas as pd
import pytest
from filled import HOSTILE, START, seen, sent
from sqlalchemy import event

from arena.analysis import (
    calls_df,
    games_df,
    players_df,
    rating_changes_df,
    ratings_df,
    turns_df,
)
from arena.core import UsageError
from db import Agent, Game, GameTurn, LLMCall, get_session, init_db
from db.recorder import Recorder
from db.records import TurnOpened

FACTS = [games_df, players_df, turns_df, calls_df]
ALL = [*FACTS, ratings_df, rating_changes_df]


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


def test_payloads_are_read_only_when_asked_for(sqlite):
    for read, asked, payload in (
        (turns_df, "observations", "observation"),
        (calls_df, "messages", "messages"),
    ):
        statements = []
        with get_session(sqlite) as session:
            _spy(session, statements)
            assert payload not in read(session)
            assert not [sql for sql, _ in statements if "payloads" in sql]
            assert payload in read(session, **{asked: True})
            assert [sql for sql, _ in statements if "payloads" in sql]


def test_the_leaderboard_is_the_environments_and_the_standings_the_tournaments(database):
    board = ratings_df(database, environment="Village-v0")
    assert board.agent.tolist() == ["ann", "bob", "thinking/small/plain", "dora"]
    assert board.place.tolist() == [1, 1, 1, 4]
    assert board.mu.tolist() == [26.0, 26.0, 26.0, 24.0]
    assert board.sigma.round(6).tolist() == [6.75] * 4
    assert board[["games", "wins", "draws", "losses"]].to_numpy().tolist() == [
        *([2, 1, 1, 0], [2, 1, 1, 0], [2, 1, 1, 0], [2, 0, 1, 1])
    ]
    assert board.tournament.isna().all()
    assert (board.high - board.mu).round(4).tolist() == [round(1.959964 * 6.75, 4)] * 4
    assert (board.mu - board.low).round(4).tolist() == [round(1.959964 * 6.75, 4)] * 4
    assert board.centred.tolist() == [25.5, 25.5, 25.5, 23.5]
    assert board.conservative.round(6).tolist() == [5.75, 5.75, 5.75, 3.75]

    standings = ratings_df(database, tournament="second")
    assert standings.agent.tolist() == ["thinking/small/plain", "bob"]
    assert standings.environment.tolist() == ["Duel-v0", "Duel-v0"]
    dora = ratings_df(database, agent="dora").iloc[0]
    assert (dora.place, dora.centred) == (4, 23.5)
    assert ratings_df(database).pool_id.nunique() == 2
    assert ratings_df(database, tournament="second", environment="Village-v0").empty


def test_rating_changes_follow_the_games(database):
    ann = rating_changes_df(database, environment="Village-v0", agent="ann")
    assert ann.game_id.tolist() == [1, 2]
    assert ann.mu_before.tolist() == [25.0, 26.0]
    assert ann.mu_after.tolist() == [26.0, 26.0]
    assert ann.fold_index.is_monotonic_increasing
    assert rating_changes_df(database, game=6).agent_id.tolist() == [2, 3]
    assert len(rating_changes_df(database, tournament="first")) == 8


def test_dtypes_depend_on_nothing(sqlite, postgresql, empty):
    for read in ALL:
        dtypes = read(sqlite).dtypes.to_dict()
        assert read(postgresql).dtypes.to_dict() == dtypes
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


def test_both_databases_give_the_same_frames(sqlite, postgresql):
    for read in ALL:
        one, other = read(sqlite), read(postgresql)
        clocks = [name for name in one if name in ("created_at", "updated_at")]
        pd.testing.assert_frame_equal(one.drop(columns=clocks), other.drop(columns=clocks))


@pytest.mark.parametrize("read", ALL)
def test_every_column_is_documented(sqlite, read):
    whole = {turns_df: {"observations": True}, calls_df: {"messages": True}}.get(read, {})
    words = set(re.findall(r"\w+", read.__doc__))
    assert [name for name in read(sqlite, **whole) if name not in words] == []


@pytest.mark.parametrize("read", FACTS)
@pytest.mark.parametrize(
    "filters",
    [
        {"tournament": "second"},
        {"tournament": 1, "status": "completed"},
        {"environment": "Village-v0", "status": ["running", "void"]},
        {"agent": "dora"},
        {"agent": "dora", "game": [1, 2], "tournament": "first"},
        {"limit": 2},
        {"limit": 0},
        {"tournament": "first", "agent": "bob", "limit": 1},
    ],
)
def test_filters_are_pushed_into_sql(sqlite, read, filters):
    statements = []
    with get_session(sqlite) as session:
        _spy(session, statements)
        frame = read(session, **filters)
        facts = [each for each in statements if "FROM game" in each[0].replace("\n", " ")]
        fetched = [len(session.connection().exec_driver_sql(*each).all()) for each in facts]

    assert fetched[-1] == len(frame)


@pytest.mark.parametrize("read", FACTS)
def test_filters_give_the_rows_that_a_mask_gives(database, read):
    everything = read(database)
    on_games = games_df(database).set_index("game_id")

    for name in ("first", "second"):
        masked = everything[(everything.tournament == name).fillna(False)]
        _same(read(database, tournament=name), masked)
    _same(read(database, environment="Duel-v0"), everything[everything.environment == "Duel-v0"])
    _same(read(database, game=[1, 6]), everything[everything.game_id.isin([1, 6])])
    completed = on_games.index[on_games.status == "completed"]
    _same(read(database, status="completed"), everything[everything.game_id.isin(completed)])
    if "agent" in everything:
        _same(read(database, agent="bob"), everything[everything.agent == "bob"])
    else:
        assert read(database, agent="dora").game_id.tolist() == [1, 2, 3, 4, 5]
    _same(read(database, limit=2), everything.head(2))


def _same(frame, masked):
    pd.testing.assert_frame_equal(frame, masked.reset_index(drop=True))


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


def test_a_source_is_a_path_a_url_a_session_or_the_default(sqlite, monkeypatch, tmp_path):
    path = sqlite.removeprefix("sqlite:///")
    wanted = games_df(sqlite)
    for source in (path, Path(path)):
        pd.testing.assert_frame_equal(games_df(source), wanted)
    with get_session(sqlite) as session:
        pd.testing.assert_frame_equal(games_df(session), wanted)
        session.add(Game(status="scheduled"))
        assert len(games_df(session)) == len(wanted) + 1
        session.rollback()
        assert len(games_df(session)) == len(wanted)

    monkeypatch.setenv("ARENA_DATABASE_URL", sqlite)
    pd.testing.assert_frame_equal(games_df(), wanted)
    monkeypatch.delenv("ARENA_DATABASE_URL")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"there is no database at arena.db: .* `arena run`"):
        games_df()


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    for missing in (tmp_path / "no.db", f"sqlite:///{tmp_path}/no.db", tmp_path / "no" / "no.db"):
        with pytest.raises(UsageError, match=r"no\.db"):
            games_df(missing)
    assert [*tmp_path.iterdir()] == []
    with pytest.raises(UsageError, match="mysql"):
        games_df("mysql://localhost/arena")
    (tmp_path / "text.db").write_text("not a database, but long enough to be read as one" * 100)
    with pytest.raises(UsageError, match=r"text\.db"):
        games_df(tmp_path / "text.db")


@pytest.mark.parametrize("read", ALL)
def test_an_unknown_name_is_told_what_there_is(database, read):
    with pytest.raises(
        UsageError, match=r"unknown tournament 'frist'; did you mean 'first'.* 'first', 'second'"
    ):
        read(database, tournament="frist")
    with pytest.raises(
        UsageError, match=r"unknown agent 'eve'.*'ann', 'bob', 'thinking/small/plain'"
    ):
        read(database, agent="eve")
    with pytest.raises(UsageError, match=r"unknown agent 99.*'ann'"):
        read(database, agent=99)
    with pytest.raises(
        UsageError, match=r"unknown environment 'Chess-v0'.*'Village-v0', 'Duel-v0'"
    ):
        read(database, environment="Chess-v0")
    with pytest.raises(UsageError, match="limit is -1"):
        read(database, limit=-1)


@pytest.mark.parametrize("read", FACTS)
def test_an_unknown_status_or_game_is_told_what_there_is(database, read):
    with pytest.raises(UsageError, match="'done': expected scheduled, running, completed, void"):
        read(database, status=["completed", "done"])
    with pytest.raises(UsageError, match="there is no game 99: the database holds games up to 7"):
        read(database, game=[1, 99])


def test_an_empty_database_says_that_it_is(empty):
    with pytest.raises(UsageError, match="unknown tournament 'first': the database holds no tour"):
        games_df(empty, tournament="first")
    with pytest.raises(UsageError, match="there is no game 1: the database holds no game yet"):
        games_df(empty, game=1)


def test_agents_of_one_name_are_told_apart_by_id(tmp_path):
    filled.fill(str(path := tmp_path / "twins.db"))
    with get_session(path) as session:
        ann = session.get(Agent, 1)
        session.add(
            Agent(
                **{part: getattr(ann, part) for part in ("kind_id", "model_id", "prompt_id")},
                options={"n": 9},
                options_hash="9",
                fingerprint="9",
            )
        )
    with pytest.raises(UsageError, match=r"2 agents are named 'thinking/small/plain': .* 3, 5"):
        games_df(path, agent="thinking/small/plain")
    assert len(games_df(path, agent=3)) == 6
    assert len(games_df(path, agent=5)) == 0


def test_ids_from_a_frame_are_accepted_as_they_are(sqlite):
    games = games_df(sqlite, status="completed")
    assert turns_df(sqlite, game=games.game_id).game_id.unique().tolist() == [1, 2, 6]
    assert turns_df(sqlite, game=games.game_id.to_numpy()[0]).game_id.unique().tolist() == [1]
    agent_id = players_df(sqlite).agent_id.iloc[0]
    assert players_df(sqlite, agent=agent_id).agent.unique().tolist() == ["ann"]


def test_reading_imports_no_plotting():
    program = (
        "import sys, arena.analysis\n"
        "print([name for name in ('matplotlib', 'litellm', 'textarena') if name in sys.modules])\n"
    )
    command = [sys.executable, "-W", "error", "-c", program]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "[]\n"


def _spy(session, statements):
    """Collects (sql, parameters) of everything that the session's connection executes."""

    @event.listens_for(session.connection(), "before_cursor_execute")
    def _seen(_connection, _cursor, statement, parameters, _context, _many):
        statements.append((statement, parameters))
