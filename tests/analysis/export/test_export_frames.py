"""An exported folder holds what the frames hold, in each format, and the programs that it is for
read it."""

import csv
import json

import duckdb
import filled
import pyarrow.parquet as parquet
import pytest

from arena.analysis import calls_df, games_df, players_df, turns_df
from arena.analysis.export import FRAMES, export_frames
from arena.analysis.export.texts import original, original_cell
from arena.analysis.source import session_on
from arena.core import UsageError
from db import Game, get_session


def texts_of(frame, name):
    return frame[name].astype(object).where(frame[name].notna(), None).tolist()


@pytest.fixture(params=["parquet", "jsonl", "csv"])
def form(request):
    return request.param


def rows_of(folder, name, form):
    """The rows of a file, as the plainest reader of its format has them."""
    path = folder / f"{name}.{form}"
    if form == "parquet":
        return parquet.read_table(path).to_pylist()
    if form == "jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_every_frame_is_a_file_with_the_rows_that_it_has(sqlite, form, tmp_path):
    folder = tmp_path / "out"
    written = export_frames(folder, sqlite, form=form, frames=[*FRAMES])
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["README.md", *(f"{name}.{form}" for name in FRAMES)]
    )
    for file in written:
        rows = rows_of(folder, file.name, form)
        assert len(rows) == file.rows
        if rows:
            assert [*rows[0]] == [column.name for column in file.columns]
    assert {file.name: file.rows for file in written}["players"] == len(players_df(sqlite))


def test_hostile_texts_come_back_from_every_format(database, form, tmp_path):
    export_frames(tmp_path / "out", database, form=form, frames=["turns", "exchanges"], game=6)
    back = original_cell if form == "csv" else original
    turns = rows_of(tmp_path / "out", "turns", form)
    assert back(turns[0]["action"]) == filled.HOSTILE
    sent = rows_of(tmp_path / "out", "exchanges", form)[0]
    messages = json.loads(sent["messages"]) if form == "csv" else sent["messages"]
    assert original(messages[0]["content"]) == filled.HOSTILE
    assert json.loads(sent["response"]) == {"said": [filled.HOSTILE]}


def test_values_are_those_of_the_frame(database, form, tmp_path):
    export_frames(tmp_path / "out", database, form=form, frames=["calls"])
    rows, frame = rows_of(tmp_path / "out", "calls", form), calls_df(database)
    assert [int(row["call_id"]) for row in rows] == frame["call_id"].tolist()
    there = [None if row["cost"] in (None, "") else float(row["cost"]) for row in rows]
    assert there == [None if cost != cost else cost for cost in frame["cost"].tolist()]
    assert [row["finish_reason"] or None for row in rows] == texts_of(frame, "finish_reason")


def test_the_filter_is_the_frames_own(database, tmp_path):
    chosen = {"agent": "ann", "status": "completed"}
    export_frames(tmp_path / "out", database, form="jsonl", frames=["turns", "games"], **chosen)
    rows = rows_of(tmp_path / "out", "turns", "jsonl")
    assert [row["turn_id"] for row in rows] == turns_df(database, **chosen)["turn_id"].tolist()
    assert {row["agent"] for row in rows} == {"ann"}


def test_duckdb_reads_every_format(sqlite, tmp_path):
    for form in ("parquet", "jsonl", "csv"):
        export_frames(tmp_path / form, sqlite, form=form)
        place = tmp_path / form / f"turns.{form}"
        counted = duckdb.sql(f"SELECT count(*), count(action), sum(tokens_used) FROM '{place}'")
        frame = turns_df(sqlite)
        assert counted.fetchall() == [
            (len(frame), frame["action"].count(), frame["tokens_used"].sum())
        ]


@pytest.mark.slow
def test_datasets_finds_every_table_by_the_card(sqlite, tmp_path, monkeypatch):
    for name in ("HF_HOME", "HF_DATASETS_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    datasets.disable_progress_bars()
    for form in ("parquet", "jsonl", "csv"):
        folder = tmp_path / form
        files = export_frames(folder, sqlite, form=form, frames=["turns", "exchanges"])
        assert datasets.get_dataset_config_names(str(folder)) == ["turns", "exchanges"]
        for file in files:
            found = datasets.load_dataset(
                str(folder), file.name, split="train", cache_dir=str(tmp_path / "cache")
            )
            assert len(found) == file.rows
            assert found.column_names == [column.name for column in file.columns]


def test_an_empty_selection_has_files_with_columns(sqlite, form, tmp_path):
    nobody = {"role": "Doctor", "team": "Mafia"}
    files = export_frames(tmp_path / "out", sqlite, form=form, frames=["games", "turns"], **nobody)
    assert [file.rows for file in files] == [0, 0]
    if form == "parquet":
        names = parquet.read_schema(tmp_path / "out" / "turns.parquet").names
        assert names == [*turns_df(sqlite, limit=0)]


def test_a_folder_that_is_not_empty_is_left_alone(sqlite, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty: give the name of a new one"):
        export_frames(tmp_path, sqlite, form="jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_nothing_is_left_of_an_export_that_fails(sqlite, tmp_path):
    with pytest.raises(UsageError, match="unknown agent 'anne'; did you mean 'ann'"):
        export_frames(tmp_path / "out", sqlite, form="jsonl", agent="anne")
    with pytest.raises(UsageError, match="unknown frame 'turn'; did you mean 'turns'"):
        export_frames(tmp_path / "out", sqlite, form="jsonl", frames=["turn"])
    assert [*tmp_path.iterdir()] == []


def test_everything_is_of_one_moment(database, tmp_path):
    """A change that is committed between two tables is in neither."""
    with session_on(database, frozen=True) as session:
        games = len(games_df(session))
        with get_session(database) as other:
            game = Game(status="scheduled")
            other.add(game)
            other.flush()
            added = game.id
        try:
            assert len(games_df(session)) == games
        finally:
            with get_session(database) as other:
                other.delete(other.get(Game, added))


def test_the_card_says_what_was_chosen_and_obeys_no_name(sqlite, tmp_path):
    export_frames(tmp_path / "out", sqlite, form="jsonl", frames=["games"], agent="ann")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "Of the games chosen by agent `ann`." in card
    assert "config_name: games" in card
