"""Where frames are read from, and the filters that choose their rows."""

from dataclasses import fields
from pathlib import Path

import filled
import pandas as pd
import pytest

from arena.analysis import (
    calls_df,
    games_df,
    players_df,
    rating_changes_df,
    ratings_df,
    turns_df,
)
from arena.analysis.source import Filters
from arena.core import UsageError
from db import Agent, Database, Game, get_session
from db.selection import Selection

FACTS = [games_df, players_df, turns_df, calls_df]
ALL = [*FACTS, ratings_df, rating_changes_df]


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
def test_filters_are_pushed_into_sql(sqlite, spy, read, filters):
    with get_session(sqlite) as session:
        statements = spy(session)
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


@pytest.mark.parametrize("read", FACTS)
def test_filters_of_a_player_keep_what_is_its_own(database, read):
    everything, seats = read(database), players_df(database)
    for filters, mask in (
        ({"role": "Mafia"}, seats.role == "Mafia"),
        (
            {"team": ["Mafia", "Village"], "result": "win"},
            (seats.result == "win") & ~seats.team.isna(),
        ),
        (
            {"kind": "thinking", "model": "small", "agent": ["ann", 2]},
            seats.agent.isin(["ann", "bob"]),
        ),
    ):
        kept = seats[mask.fillna(False)]
        frame = read(database, **filters)
        if "player_index" in everything:
            own = pd.MultiIndex.from_frame(kept[["game_id", "player_index"]])
            there = pd.MultiIndex.from_frame(everything[["game_id", "player_index"]]).isin(own)
        else:
            there = everything.game_id.isin(kept.game_id)
        assert len(frame)
        _same(frame, everything[there])


def test_filters_of_a_game_are_times_endings_and_what_nobody_runs(database):
    games = games_df(database)
    early, late = games.finished_at.min(), games.finished_at.max()

    assert (
        games_df(database, since=late.isoformat()).game_id.tolist()
        == games[games.finished_at == late].game_id.tolist()
    )
    assert games_df(database, until=early).empty
    _same(games_df(database, termination="natural"), games[games.termination == "natural"])
    paused = games_df(database, status="paused")
    assert paused.status.tolist() == ["running"]
    assert games_df(database, status="running").empty


def _same(frame, masked):
    pd.testing.assert_frame_equal(frame, masked.reset_index(drop=True))


def test_a_source_is_a_path_a_url_a_database_a_session_or_the_default(
    sqlite, monkeypatch, tmp_path
):
    path = sqlite.removeprefix("sqlite:///")
    wanted = games_df(sqlite)
    for source in (path, Path(path)):
        pd.testing.assert_frame_equal(games_df(source), wanted)
    with Database(sqlite) as open_one, Database(tmp_path / "none.db") as none:
        pd.testing.assert_frame_equal(games_df(open_one), wanted)
        with pytest.raises(UsageError, match=r"there is no database at .*none\.db"):
            games_df(none)
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
        UsageError, match=r"unknown tournament 'frist'; did you mean 'first'\? `arena tournaments"
    ):
        read(database, tournament="frist")
    with pytest.raises(
        UsageError, match=r"unknown agent 'eve'; known: ann, bob, dora, thinking/small/plain\."
    ):
        read(database, agent="eve")
    with pytest.raises(UsageError, match=r"unknown agent 99; known: ann"):
        read(database, agent=99)
    with pytest.raises(
        UsageError, match=r"unknown environment 'Chess-v0'; known: Duel-v0, Village-v0\."
    ):
        read(database, environment="Chess-v0")
    with pytest.raises(UsageError, match="limit is -1"):
        read(database, limit=-1)


@pytest.mark.parametrize("read", FACTS)
def test_an_unknown_status_or_game_is_told_what_there_is(database, read):
    with pytest.raises(UsageError, match="'done': expected scheduled, running, paused, comp"):
        read(database, status=["completed", "done"])
    with pytest.raises(UsageError, match="there is no game 99; `arena games` lists them"):
        read(database, game=[1, 99])


def test_an_empty_database_says_that_it_is(empty):
    with pytest.raises(UsageError, match="unknown tournament 'first': no tournament is on record"):
        games_df(empty, tournament="first")
    with pytest.raises(UsageError, match="there is no game 1; `arena games` lists them"):
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


def test_frames_take_every_field_of_a_selection():
    assert [*Filters.__annotations__] == [field.name for field in fields(Selection)]
