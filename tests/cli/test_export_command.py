"""`arena export` as a person types it."""

import json

import duckdb

from arena.analysis import turns_df


def test_a_folder_of_tables_and_how_many_rows_each_has(arena, played, tmp_path):
    folder = tmp_path / "out"
    done = arena("export", folder, "--agent", "Ann", "--db", played, "--json")
    assert done.exit_code == 0, done.stderr
    said = json.loads(done.stdout)
    rows = {file["file"].rpartition("/")[2]: file["rows"] for file in said["files"]}
    assert rows["turns.parquet"] == len(turns_df(played, agent="Ann"))
    counted = duckdb.sql(f"SELECT DISTINCT agent FROM '{folder / 'turns.parquet'}'")
    assert counted.fetchall() == [("Ann",)]


def test_what_is_wrong_is_a_sentence_and_leaves_nothing(arena, played, tmp_path):
    for options, said in (
        (["--agent", "An"], "did you mean 'Ann'?"),
        (["--frame", "turn"], "unknown frame 'turn'; did you mean 'turns'?"),
        (["--status", "done"], "expected scheduled, running"),
    ):
        failed = arena("export", tmp_path / "out", *options, "--db", played)
        assert failed.exit_code == 2
        assert said in failed.stderr
        assert [*tmp_path.iterdir()] == []
    missing = arena("export", tmp_path / "out", "--db", tmp_path / "none.db")
    assert missing.exit_code == 2
    assert "there is no database at" in missing.stderr
