"""The tables are made by the migrations alone, and go up and down with rows in them."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlmodel import select

from arena.events.kinds import KINDS
from db import DatabaseError, Game, Repository, get_engine, get_session, init_db, schema
from db.archive.tables import DEFINITIONS, NUMBERED, OF_HERE, PROJECTIONS, TABLES
from db.errors import MissingDatabase, SchemaTooNew, SchemaTooOld
from db.models import AgentTemplate, Counters, TextVector, TournamentTemplate
from db.models.columns import Table
from db.queries.audit import audit_rows, status_history
from db.queries.counters import behind
from tests.db.tournaments import tournament
from tests.db.writer.test_counters import CLEAN, SILENT, finished, write


def test_the_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.migrations_path()))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [schema.HEAD]
    assert all(revision.revision.isdigit() for revision in script.walk_revisions())


def test_the_tables_are_those_of_the_models(database_url: str) -> None:
    engine = get_engine(database_url)
    assert schema.current(engine) == schema.HEAD
    assert schema.differences(engine) == []
    engine.dispose()


def test_a_difference_is_named(database_url: str) -> None:
    engine = get_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_games_status"))
        connection.execute(text("ALTER TABLE agents ADD COLUMN colour TEXT"))
    found = "\n".join(schema.differences(engine))
    assert "ix_games_status" in found
    assert "colour" in found
    engine.dispose()


def fill(url: str) -> None:
    with get_session(url) as session:
        repo = Repository(session)
        kind, model = repo.create_kind("thinking"), repo.create_model("m", "scripted/random")
        prompt = repo.create_prompt("p", "You play.")
        fork = repo.fork_prompt(prompt.id or 0, "q", "You play well.")
        agent = repo.create_agent(kind.id or 0, model.id or 0, fork.id or 0, alias="A")
        game = repo.create_game()
        repo.add_game_player(game.id or 0, agent.id or 0, 0)
        turn = repo.add_game_turn(game.id or 0, 0, 0, "You are Player 0.", "[1]")
        repo.add_llm_call(turn.id, "scripted/random", [{"role": "user", "content": "hi"}], {})
        repo.create_or_update_trueskill(agent.id or 0, 26.0, 8.0)


def test_down_and_up_again_with_rows_in_every_table(empty_database_url: str) -> None:
    init_db(empty_database_url)
    fill(empty_database_url)
    engine = get_engine(empty_database_url)

    schema.downgrade(engine, "base")
    left = set(inspect(engine).get_table_names())
    assert left <= {"alembic_version"}
    assert schema.current(engine) is None

    schema.upgrade(engine)
    assert set(Table.metadata.tables) <= set(inspect(engine).get_table_names())
    assert schema.differences(engine) == []
    engine.dispose()
    fill(empty_database_url)


def test_0005_goes_down_and_up_with_a_game_that_an_error_decided(database_url: str) -> None:
    fill(database_url)
    engine = get_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE games SET turn_count = 9"))
        connection.execute(text("UPDATE game_players SET decided = true, eliminated_turn = 3"))
    schema.downgrade(engine, "0004")
    assert "eliminated" not in {column["name"] for column in inspect(engine).get_columns("conduct")}

    schema.upgrade(engine)

    assert schema.differences(engine) == []
    with engine.connect() as connection:
        turns = connection.execute(text("SELECT eliminated_turn FROM game_players"))
        assert turns.scalars().all() == [8]
    engine.dispose()


def test_0003_goes_down_and_up_with_a_pool_that_stopped(database_url: str) -> None:
    fill(database_url)
    engine = get_engine(database_url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE rating_pools SET games = 4, stopped_at = 5, stop_reason = 'game 9: boom'")
        )
    before = counts(database_url)

    schema.downgrade(engine, "0002")
    assert "stopped_at" not in {c["name"] for c in inspect(engine).get_columns("rating_pools")}
    assert counts(database_url).items() < before.items(), "there are later tables"
    schema.upgrade(engine)

    assert counts(database_url) == before
    assert schema.differences(engine) == []
    query = text("SELECT games, stopped_at, stop_reason FROM rating_pools")
    with engine.connect() as connection:
        assert connection.execute(query).all() == [(4, None, None)]
    engine.dispose()


def test_0007_goes_down_and_up_with_branches_and_what_a_run_may_spend(database_url: str) -> None:
    tournament(database_url)
    with get_session(database_url) as session:
        repo = Repository(session)
        run = repo.create_branch_run(1, 3, {0: 2}, times=2, control=True, tournament_id=1)
        for number in range(run.first, run.first + run.size):
            repo.create_game(parent_game_id=1, parent_turn=3).attempt = number
        assert len(repo.get_branches(run)) == 4
        later = repo.create_branch_run(1, 3, {0: 2}, times=1, control=False)
        assert later.first == 4
        session.connection().execute(
            text(
                "INSERT INTO leases (tournament_id, holder, fence, beat, granted) "
                "VALUES (1, NULL, 3, 7, :granted)"
            ),
            {"granted": "{}"},
        )
    engine = get_engine(database_url)

    schema.downgrade(engine, "0006")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT * FROM leases")).all() == [(1, None, 3, 7)]
    schema.upgrade(engine)

    assert schema.differences(engine) == []
    assert (counts(database_url)["branch_runs"], counts(database_url)["games"]) == (0, 8)
    engine.dispose()


def test_0010_goes_down_and_up_with_turns_and_calls(database_url: str) -> None:
    fill(database_url)
    before = counts(database_url)
    engine = get_engine(database_url)

    schema.downgrade(engine, "0009")
    assert counts(database_url).items() < before.items(), "there are later tables"
    schema.upgrade(engine)

    assert schema.differences(engine) == []
    assert counts(database_url) == before
    with get_session(database_url) as session:
        (game,) = Repository(session).get_games()
        (turn,) = game.turns
        assert (turn.observation, turn.calls[0].messages[0]["content"]) == (
            "You are Player 0.",
            "hi",
        )
        if engine.dialect.name == "sqlite":
            twins = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'sqlite_autoindex_%' AND "
            names = "tbl_name IN ('game_turns', 'turn_payloads', 'llm_calls', 'call_payloads')"
            assert session.execute(text(twins + names)).scalar() == 0
    engine.dispose()


def test_0011_goes_down_and_up_with_questions_about_games(database_url: str) -> None:
    fill(database_url)
    asked = {"attempt": 0, "model": "m", "messages": [], "request": {}, "reserved": None}
    with get_session(database_url) as session:
        Repository(session).intend_side_call(1, 0, "reader", request_hash="0", **asked)
        key = session.execute(text("SELECT id FROM game_turns")).scalar_one()
        vector = {"space": "m", "text_hash": b"0", "vector": b"0000"}
        session.add(TextVector(game_turn_id=key, **vector))
        session.execute(text("UPDATE games SET events_reader = 'model 1 m'"))
    engine = get_engine(database_url)

    schema.downgrade(engine, "0010")
    schema.upgrade(engine)

    assert schema.differences(engine) == []
    found = counts(database_url)
    assert (found["side_calls"], found["text_vectors"], found["games"]) == (0, 0, 1)
    engine.dispose()


NEXT = '''
"""A later change: games get a colour, and a check."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def triggers():
    if op.get_bind().dialect.name != "sqlite":
        return []
    query = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'games'"
    return op.get_bind().exec_driver_sql(query).scalars().all()


def upgrade() -> None:
    made = triggers()
    with op.batch_alter_table("games") as batch:
        batch.add_column(sa.Column("colour", sa.Text, server_default="red", nullable=False))
        batch.create_check_constraint("ck_games_colour", "colour <> ''")
    for each in made:
        op.execute(each)
    {fail}


def downgrade() -> None:
    made = triggers()
    with op.batch_alter_table("games") as batch:
        batch.drop_constraint("ck_games_colour", type_="check")
        batch.drop_column("colour")
    for each in made:
        op.execute(each)
'''


def later_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail: str = "") -> None:
    folder = tmp_path / "later"
    shutil.copytree(schema.migrations_path(), folder)
    (folder / "versions" / "9999_later.py").write_text(NEXT.format(head=schema.HEAD, fail=fail))
    monkeypatch.setattr(schema, "migrations_path", lambda: folder)
    monkeypatch.setattr(schema, "HEAD", "9999")


def counts(url: str) -> dict[str, int]:
    """Rows by table, but for the trail, which begins anew, and for what migrations write."""
    engine = get_engine(url)
    there = set(inspect(engine).get_table_names())
    with engine.connect() as connection:
        found = {
            name: connection.execute(text(f"SELECT COUNT(*) FROM {name}")).scalar_one()
            for name in Table.metadata.tables
            if name in there and name not in ("audit_log", "event_types")
        }
    engine.dispose()
    return found


def test_changing_a_table_keeps_the_rows_that_point_to_it(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database_url)
    before, head = counts(database_url), schema.HEAD
    later_release(tmp_path, monkeypatch)
    engine = get_engine(database_url)
    schema.upgrade(engine)
    assert schema.current(engine) == "9999"
    assert counts(database_url) == before
    schema.downgrade(engine, head)
    assert counts(database_url) == before
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


def test_a_migration_that_fails_changes_nothing(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database_url)
    before, head = counts(database_url), schema.HEAD
    later_release(tmp_path, monkeypatch, fail="raise RuntimeError('half way')")
    engine = get_engine(database_url)
    tables = inspect(engine).get_table_names()
    with pytest.raises(RuntimeError, match="half way"):
        schema.upgrade(engine)
    assert schema.current(engine) == head
    assert "colour" not in {column["name"] for column in inspect(engine).get_columns("games")}
    assert counts(database_url) == before
    assert inspect(engine).get_table_names() == tables
    engine.dispose()


def test_an_older_and_a_newer_schema_say_what_to_type(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "HEAD", f"{int(schema.HEAD) + 1:04}")
    with pytest.raises(SchemaTooOld, match="arena db upgrade"), get_session(database_url):
        pass
    monkeypatch.undo()
    engine = get_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SchemaTooNew, match="upgrade the arena"), get_session(database_url):
        pass
    with pytest.raises(SchemaTooNew, match="upgrade the arena"):
        init_db(database_url)


def test_a_database_of_somebody_else_is_left_alone(empty_database_url: str) -> None:
    engine = get_engine(empty_database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE recipes (id INTEGER)"))
    engine.dispose()
    with pytest.raises(DatabaseError, match="recipes"):
        init_db(empty_database_url)


def test_an_empty_database_is_made_or_refused(empty_database_url: str, tmp_path: Path) -> None:
    with (
        pytest.raises(MissingDatabase, match="there is no database"),
        get_session(empty_database_url, create=False),
    ):
        pass
    assert not (tmp_path / "empty.db").exists()
    with get_session(empty_database_url) as session:
        assert Repository(session).get_models() == []


def test_drop_all_drops_every_row_of_whatever_release(database_url: str) -> None:
    fill(database_url)
    init_db(database_url, drop_all=True)
    assert set(counts(database_url).values()) == {0}
    engine = get_engine(database_url)
    with engine.begin() as connection:
        brought = connection.execute(text("SELECT COUNT(*) FROM event_types")).scalar_one()
        assert brought == len(KINDS), "which the migrations themselves bring"
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    engine.dispose()
    init_db(database_url, drop_all=True)
    engine = get_engine(database_url)
    assert schema.differences(engine) == []
    engine.dispose()


def test_sqlite_is_told_to_keep_its_promises(sqlite_url: str) -> None:
    engine = get_engine(sqlite_url)
    with engine.connect() as connection:
        ask = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert ask == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_not_a_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("Dear diary, " * 100)
    with pytest.raises(DatabaseError, match="not an SQLite database"):
        init_db(path)


@pytest.mark.slow
def test_two_processes_may_make_the_same_database(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = tmp_path / "both.db"
    command = [sys.executable, "-c", f"from db import init_db; init_db({str(path)!r})"]
    root = str(Path(schema.__file__).parent.parent)
    both = [subprocess.Popen(command, cwd=root) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
        (schema.HEAD,)
    ]
    connection.close()


def test_times_are_aware_and_utc(database_url: str) -> None:
    with get_session(database_url) as session:
        game = Repository(session).create_game()
        key = game.id
    with get_session(database_url) as session:
        read = session.get_one(Game, key)
        assert read.created_at.utcoffset() is not None
        assert read.created_at == game.created_at


def test_an_installed_package_carries_its_migrations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (schema.migrations_path() / "env.py").is_file()
    installed = tmp_path / "site-packages" / "db"
    (installed / "_migrations").mkdir(parents=True)
    monkeypatch.setattr(schema, "__file__", str(installed / "schema.py"))
    assert schema.migrations_path() == installed / "_migrations"


def test_0013_goes_down_and_up_with_counters(database_url: str) -> None:

    first, second, *_ = tournament(database_url)
    write(database_url, finished(first, CLEAN, SILENT), finished(second, CLEAN, SILENT))
    engine = get_engine(database_url)

    schema.downgrade(engine, "0012")
    query = "SELECT agent_id, games, turns, silences, decided, eliminated FROM conduct ORDER BY 1"
    with engine.connect() as connection:
        assert connection.execute(text(query)).all() == [
            (1, 1, 6, 0, 0, 0),
            (2, 2, 10, 3, 1, 1),
            (3, 1, 4, 3, 1, 1),
        ]
    schema.upgrade(engine)

    assert schema.differences(engine) == []
    with get_session(database_url) as session:
        assert behind(session) == ["cup"]
        assert Repository(session).recount(1) == 2
        assert behind(session) == []
        assert Repository(session).check_counters(1) == (2, [])
    engine.dispose()


def test_0015_goes_down_and_up_with_the_times_of_turns_and_calls(database_url: str) -> None:
    fill(database_url)
    engine = get_engine(database_url)
    of_turns = "SELECT observed_at, acted_at FROM game_turns"
    of_calls = "SELECT request_sent_at, response_received_at FROM llm_calls"
    odd = datetime(2026, 11, 29, 23, 59, 59, 7, UTC)
    before_1970 = datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)
    with get_session(database_url) as session:
        (turn,) = Repository(session).get_games()[0].turns
        turn.observed_at, turn.acted_at = odd, None
        turn.calls[0].request_sent_at, turn.calls[0].response_received_at = before_1970, odd
    with engine.connect() as connection:
        before = [*connection.execute(text(of_turns)), *connection.execute(text(of_calls))]

    schema.downgrade(engine, "0014")
    if engine.dialect.name == "sqlite":
        assert before == [(1795996799000007, None), (-1, 1795996799000007)]
        with engine.connect() as connection:
            assert connection.execute(text(of_turns)).all() == [
                ("2026-11-29 23:59:59.000007", None)
            ]
            assert connection.execute(text(of_calls)).all() == [
                ("1969-12-31 23:59:59.999999", "2026-11-29 23:59:59.000007")
            ]
    schema.upgrade(engine)

    assert schema.differences(engine) == []
    with engine.connect() as connection:
        after = [*connection.execute(text(of_turns)), *connection.execute(text(of_calls))]
    assert after == before
    with get_session(database_url) as session:
        (turn,) = Repository(session).get_games()[0].turns
        assert (turn.observed_at, turn.acted_at) == (odd, None)
        assert turn.calls[0].request_sent_at == before_1970
    engine.dispose()


def test_0016_goes_down_and_up_with_calls_about_no_game(database_url: str) -> None:
    fill(database_url)
    asked = {"attempt": 0, "model": "m", "messages": [], "request": {}, "reserved": 0.5}
    with get_session(database_url) as session:
        for game_id, purpose in ((1, "reader model 1"), (None, "ask")):
            Repository(session).intend_side_call(game_id, None, purpose, request_hash="h", **asked)
    engine = get_engine(database_url)
    query = text("SELECT game_id, purpose, cached FROM side_calls ORDER BY id")

    schema.downgrade(engine, "0015")
    with engine.connect() as connection:
        assert connection.execute(query).all() == [(1, "reader model 1", False)]
    schema.upgrade(engine)

    assert schema.differences(engine) == []
    with engine.connect() as connection:
        assert connection.execute(query).all() == [(1, "reader model 1", False)]
    engine.dispose()
    with get_session(database_url) as session:
        Repository(session).intend_side_call(None, None, "ask", request_hash="h", **asked)
    assert counts(database_url)["side_calls"] == 2


def test_0018_goes_down_and_up_with_annotations(database_url: str) -> None:
    fill(database_url)
    with get_session(database_url) as session:
        Repository(session).annotate(1, 0, "Ann", rating=4, tags=["lie"])
    engine = get_engine(database_url)

    schema.downgrade(engine, "0017")
    schema.upgrade(engine)

    assert schema.differences(engine) == []
    engine.dispose()
    found = counts(database_url)
    assert (found["annotations"], found["annotation_tags"], found["games"]) == (0, 0, 1)


def test_0021_goes_down_and_up_with_templates(database_url: str) -> None:
    tournament(database_url)
    with get_session(database_url) as session:
        repo = Repository(session)
        sections: dict[str, dict[str, object]] = {"personality": {}, "model": {}, "tools": {}}
        agent = repo.add_template(AgentTemplate(name="sceptic", **sections))
        sections = {"config": {}, "roles": {}, "event_flow": {}}
        evening = repo.add_template(TournamentTemplate(name="evening", **sections))
        repo.use_agent_template(agent.id or 0, 1)
        repo.use_tournament_template(evening.id or 0, 1)
    before = counts(database_url)
    engine = get_engine(database_url)

    schema.downgrade(engine, "0020")
    assert counts(database_url).items() < before.items()
    schema.upgrade(engine)

    assert schema.differences(engine) == []
    templates = {"agent_templates", "agent_template_uses"}
    templates |= {"tournament_templates", "tournament_template_uses"}
    assert counts(database_url) == before | dict.fromkeys(templates, 0)
    engine.dispose()


def test_0022_goes_down_and_up_with_counters_that_can_be_read(database_url: str) -> None:
    first, *_ = tournament(database_url)
    write(database_url, finished(first, CLEAN, SILENT))
    engine = get_engine(database_url)

    schema.downgrade(engine, "0021")
    schema.upgrade(engine)

    assert schema.differences(engine) == []
    engine.dispose()
    with get_session(database_url) as session:
        assert [row.lag_ms for row in session.exec(select(Counters))] == [b""] * 2


def test_0025_goes_down_and_up_with_a_trail_that_begins_anew(database_url: str) -> None:
    tournament(database_url)
    with get_session(database_url) as session:
        assert audit_rows(session)
    before = counts(database_url)
    engine = get_engine(database_url)

    schema.downgrade(engine, "0024")
    assert counts(database_url).items() <= before.items(), "there are later tables"
    with engine.begin() as connection:
        connection.execute(text("UPDATE tournaments SET status = 'finished'"))
    schema.upgrade(engine)

    assert schema.differences(engine) == []
    engine.dispose()
    with get_session(database_url) as session:
        assert audit_rows(session) == []
        assert status_history(session, 1) == []
        Repository(session).set_tournament_status(1, "paused")
        (move,) = status_history(session, 1)
        assert (move.before, move.after) == ("finished", "paused")


def test_every_table_is_archived_or_can_be_computed() -> None:
    """A new table is one of the four (`db.archive.tables`): an archive would lose it otherwise."""
    archived = {table.name for table in TABLES}
    others = PROJECTIONS | DEFINITIONS | NUMBERED | OF_HERE
    assert archived | others == {*Table.metadata.tables}
    assert not archived & others


def test_changing_a_table_keeps_what_it_triggers(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database_url)
    later_release(tmp_path, monkeypatch)
    engine = get_engine(database_url)
    schema.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE games SET status = 'completed', termination = 'natural'"))
    with engine.connect() as connection:
        states = connection.execute(text("SELECT status, reason FROM game_states ORDER BY id"))
        assert states.all() == [("running", None), ("completed", "natural")]
    engine.dispose()


def test_0026_goes_down_and_up_with_what_games_on_record_tell(database_url: str) -> None:
    fill(database_url)
    engine = get_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE games SET status = 'void', void_cause = 'provider'"))

    schema.downgrade(engine, "0025")
    with engine.begin() as connection:
        connection.execute(text("UPDATE games SET status = 'scheduled'"))
        connection.execute(text("UPDATE games SET status = 'void'"))
    schema.upgrade(engine)

    assert schema.differences(engine) == []
    with engine.connect() as connection:
        found = connection.execute(text("SELECT status, reason, actor FROM game_states"))
        assert found.all() == [("running", None, "unknown"), ("void", "provider", "unknown")]
    engine.dispose()
