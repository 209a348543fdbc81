"""A tournament goes into a file and comes back in another database: every fact as it was, and what
is computed from them the same."""

import json
import shutil
import zipfile

import pytest
from sqlalchemy import select

from arena.analysis.archives import archive_tournament, import_archive
from arena.core import UsageError
from arena.leaderboard.rebuild import rebuild
from db import Database, DatabaseError, get_session, init_db
from db.archive.tables import TABLES, rows_of
from db.models import Game
from tests.cli.commands import TOURNAMENT, run_arena


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A small tournament with branches of its first game, and branches of one of these."""
    place = tmp_path_factory.mktemp("archived")
    (place / "small.yaml").write_text(TOURNAMENT)
    db = place / "arena.db"
    for command in (
        ["run", place / "small.yaml"],
        ["branch", "1", "--turn", "1", "--set", "0=Cy", "--times", "2"],
        ["branch", "7", "--turn", "2", "--set", "1=Bob", "--no-control"],
        ["annotate", "7:1", "--rating", "4", "--tag", "trap", "--tag", "good", "--as", "Ann"],
        ["annotate", "2", "--tag", "trap", "--comment", "So it began.", "--as", "Bob"],
    ):
        done = run_arena(*command, "--db", db)
        assert done.exit_code == 0, done.stderr
    return db


@pytest.fixture(scope="module")
def archive(played):
    path = played.parent / "small.zip"
    archive_tournament(path, played, tournament="small")
    return path


def rows(url, table):
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(rows_of(table))]


def projection(url, name):
    """The rows of a table that is computed, without what depends on the moment or the database."""
    table = Game.metadata.tables[name]
    kept = [c for c in table.c if c.name not in ("id", "pool_id", "updated_at", "scope_id", "kind")]
    with get_session(url) as session:
        found = session.connection().execute(select(*kept))
        return sorted(json.dumps([*row], sort_keys=True, default=str) for row in found)


@pytest.mark.slow
def test_in_an_empty_database_every_row_is_the_same(played, archive, database_url):
    done = import_archive(archive, database_url)
    assert (done.ratings, done.events, done.restored.moved) == ((), (), 0)
    for table in TABLES:
        assert rows(database_url, table) == rows(played, table), table.name
    for name in ("agent_trueskill", "rating_changes", "counters", "game_events", "pair_counts"):
        assert projection(database_url, name) == projection(played, name), name
    assert rebuild(database_url, check=True).differences == ()


@pytest.mark.slow
def test_archived_again_it_is_the_same_file(archive, database_url, tmp_path):
    """To the last bit; PostgreSQL only puts the keys of a JSON object into an order of its own."""
    import_archive(archive, database_url)
    archive_tournament(tmp_path / "again.zip", database_url, tournament="small")
    if database_url.startswith("sqlite"):
        assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()
    for name, data in members(archive).items():
        if name != "manifest.json":
            lines = members(tmp_path / "again.zip")[name].splitlines()
            assert [*map(json.loads, lines)] == [*map(json.loads, data.splitlines())], name


@pytest.mark.slow
def test_behind_other_games_it_gets_numbers_of_its_own_and_plays_the_same(
    archive, database_url, tmp_path
):
    other = tmp_path / "other.yaml"
    other.write_text(TOURNAMENT.replace("name: small", "name: other").replace("seed: 3", "seed: 4"))
    assert run_arena("run", other, "--db", database_url).exit_code == 0
    done = import_archive(archive, database_url)
    assert done.restored.moved == 6
    assert done.restored.known > 0
    assert rebuild(database_url, check=True).differences == ()
    for game in (7, 13, 17):
        replayed = run_arena("replay", str(game), "--check", "--db", database_url)
        assert replayed.exit_code == 0, replayed.stdout + replayed.stderr
    # Whoever plays on is given numbers behind all of them.
    other.write_text(TOURNAMENT.replace("name: small", "name: third").replace("seed: 3", "seed: 5"))
    assert run_arena("run", other, "--db", database_url).exit_code == 0
    with get_session(database_url) as session:
        games = session.connection().execute(select(Game.__table__.c.id)).scalars()
        assert sorted(games) == [*range(1, 24)]
    archive_tournament(tmp_path / "again.zip", database_url, tournament="small")
    with Database(tmp_path / "third.db") as third:
        assert import_archive(tmp_path / "again.zip", third).restored.games == 11


@pytest.mark.slow
def test_what_has_the_same_name_here_is_never_touched(archive, played, tmp_path):
    here = tmp_path / "here.db"
    shutil.copy(played, here)
    with pytest.raises(DatabaseError, match="a tournament 'small' here already: restore into"):
        import_archive(archive, here)
    init_db(tmp_path / "prompt.db")
    changed = ["prompts", "add", "plain", "--text", "Another."]
    assert run_arena(*changed, "--db", tmp_path / "prompt.db").exit_code == 0
    with pytest.raises(DatabaseError, match="the prompt 'plain' here is another one"):
        import_archive(archive, tmp_path / "prompt.db")
    with get_session(tmp_path / "prompt.db") as session:
        assert session.connection().execute(select(Game.__table__)).first() is None


def test_a_file_that_is_there_is_not_overwritten(archive, played):
    before = archive.read_bytes()
    with pytest.raises(UsageError, match="is there already: give the name of a new file"):
        archive_tournament(archive, played, tournament="small")
    assert archive.read_bytes() == before


# What a stranger may have made of an archive: how it is changed, and what is said.


def members(path):
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def written(path, parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return path


def rewritten(parts, name, old, new):
    """A table with other rows, and a manifest that fits them."""
    import hashlib

    data = parts[name].replace(old, new)
    assert data != parts[name]
    manifest = json.loads(parts["manifest.json"])
    said = manifest["tables"][name.removesuffix(".jsonl")]
    said.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    return {**parts, name: data, "manifest.json": json.dumps(manifest).encode()}


def with_manifest(parts, **changed):
    manifest = {**json.loads(parts["manifest.json"]), **changed}
    return {**parts, "manifest.json": json.dumps(manifest).encode()}


HOSTILE = {
    "a path that leaves": (lambda p: {**p, "../../evil.sh": b"x"}, "which no archive does"),
    "an absolute path": (lambda p: {**p, "/etc/passwd": b"x"}, "which no archive does"),
    "a table too few": (
        lambda p: {name: data for name, data in p.items() if name != "games.jsonl"},
        "tables are missing in it",
    ),
    "a bomb": (lambda p: {**p, "games.jsonl": b" " * 40_000_000}, "would become 40,000,000 bytes"),
    "other rows": (
        lambda p: {**p, "game_turns.jsonl": p["game_turns.jsonl"].replace(b"[4]", b"[5]")},
        "not those whose hash is in it",
    ),
    "rows cut off": (
        lambda p: {**p, "games.jsonl": p["games.jsonl"][:-40]},
        "not as many as it says",
    ),
    "another form": (lambda p: with_manifest(p, version=9), "an archive of form 9"),
    "a later release": (lambda p: with_manifest(p, revision="9999"), "are of revision '9999'"),
    "no manifest": (lambda p: {**p, "manifest.json": b"{"}, "manifest.json cannot be read"),
    "another file": (lambda p: {"a.txt": b"hello"}, "which no archive does"),
    "a number that is none": (
        lambda p: rewritten(p, "game_players.jsonl", b'"player_index":1', b'"player_index":"1"'),
        "game_players.player_index is '1'",
    ),
    "a column too many": (
        lambda p: rewritten(p, "games.jsonl", b'"attempt":0', b'"attempt":0,"x":1'),
        "has other columns than the table",
    ),
    "a turn of another's game": (
        lambda p: rewritten(p, "game_turns.jsonl", b'"game_id":1,', b'"game_id":99,'),
        "refers to one of games that is not in it",
    ),
    "what the tables refuse": (
        lambda p: rewritten(p, "games.jsonl", b'"status":"completed"', b'"status":"won"'),
        "rows of games are refused",
    ),
    "another prompt": (
        lambda p: rewritten(p, "prompts.jsonl", b"You are player", b"You are prayer"),
        "is not the text of its hash",
    ),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_archive_is_refused_with_a_sentence_and_nothing_is_imported(
    archive, how, tmp_path
):
    change, said = HOSTILE[how]
    hostile = written(tmp_path / "hostile.zip", change(members(archive)))
    with pytest.raises(DatabaseError) as refused:
        import_archive(hostile, tmp_path / "here.db")
    assert said in str(refused.value)
    assert str(refused.value).endswith("nothing was imported")
    if (tmp_path / "here.db").exists():
        for table in TABLES:
            assert rows(tmp_path / "here.db", table) == []
    assert not {path.name for path in tmp_path.iterdir()} - {
        "hostile.zip", "here.db", "here.db-wal", "here.db-shm"
    }  # fmt: skip


def test_a_file_that_was_cut_short_or_is_none(archive, tmp_path):
    (tmp_path / "cut.zip").write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(DatabaseError, match="no archive of a tournament, or was cut short"):
        import_archive(tmp_path / "cut.zip", tmp_path / "here.db")
    with pytest.raises(DatabaseError, match=r"there is no file .*none\.zip"):
        import_archive(tmp_path / "none.zip", tmp_path / "here.db")
    with pytest.raises(DatabaseError, match=r"is a folder: expected a file of"):
        import_archive(tmp_path, tmp_path / "here.db")


def test_a_person_types_it(played, tmp_path):
    file = tmp_path / "small.zip"
    done = run_arena("export", "--archive", file, "--tournament", "small", "--db", played)
    assert done.exit_code == 0, done.stderr
    assert "small: 11 games in" in done.stdout
    done = run_arena("import", file, "--db", tmp_path / "here.db")
    assert done.exit_code == 0, done.stderr
    assert "small: 11 games" in done.stdout
    done = run_arena("export", "--archive", file, "--agent", "Ann", "--db", played)
    assert (done.exit_code, "leave --agent out" in done.stderr) == (2, True)
