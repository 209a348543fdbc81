"""The trail: every change of what people make, once, and nothing takes it back."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import select

from db import DatabaseError, Repository, get_engine, get_session, schema
from db.errors import BadSelection
from db.login import login_name
from db.maintenance.forgetting import forget, old_entries
from db.models import TOURNAMENT_STATUSES, AgentTemplate, AuditEntry, Tournament
from db.models.audit import AUDITED
from db.queries.audit import audit_rows, status_history
from db.repository.audit import acting_as, record_change
from db.repository.people import hash_of
from db.repository.tournaments import MOVES
from tests.db.tournaments import tournament


def told(url: str, **asked: Any) -> list[tuple[str, str, str, Any, Any]]:
    """The entries, the oldest first."""
    with get_session(url) as session:
        return [
            (row.action, row.entity, row.entity_name, row.before, row.after)
            for row in reversed(audit_rows(session, **asked))
        ]


def test_what_is_defined_run_and_changed_is_told_in_order(database_url: str) -> None:
    with get_session(database_url) as session:
        repo = Repository(session)
        model = repo.create_model("gpt", "openai/gpt", api_key_env="MY_KEY")
        prompt = repo.create_prompt("plain", "You play.")
        kind = repo.get_or_create_kind("thinking", version=2)
        agent = repo.create_agent(kind.id or 0, model.id or 0, prompt.id or 0, alias="Ann")
    assert told(database_url) == [
        ("add", "models", "gpt", None,
         {"name": "gpt", "litellm_model_name": "openai/gpt", "api_key_env": "MY_KEY",
          "stream": False, "active": True}),
        ("add", "prompts", "plain", None,
         {"name": "plain", "content": "You play.", "active": True}),
        ("add", "kinds", "thinking@2", None, {"name": "thinking", "version": 2, "active": True}),
        ("add", "agents", "Ann", None,
         {"kind": "thinking", "model": "gpt", "prompt": "plain", "alias": "Ann", "active": True}),
    ]  # fmt: skip

    with get_session(database_url) as session:
        acting_as(session, "Zoe")
        repo = Repository(session)
        repo.edit_model(model.id or 0, input_price=2.0)
        repo.edit_model(model.id or 0, input_price=2.0)
        repo.replace_prompt(prompt.id or 0, "calm", "Stay calm.", None)
        other = repo.create_prompt("loud", "Shout.")
        repo.edit_agent(agent.id or 0, kind.id or 0, model.id or 0, other.id or 0, "Ann")
        repo.set_agent_active(agent.id or 0, False)
        repo.delete_agent(agent.id or 0)
    assert told(database_url, actor="Zoe") == [
        ("edit", "models", "gpt", {"input_price": None}, {"input_price": 2.0}),
        ("edit", "prompts", "calm", {"name": "plain", "content": "You play."},
         {"name": "calm", "content": "Stay calm."}),
        ("add", "prompts", "loud", None, {"name": "loud", "content": "Shout.", "active": True}),
        ("edit", "agents", "Ann", {"prompt": "calm"}, {"prompt": "loud"}),
        ("edit", "agents", "Ann", {"active": True}, {"active": False}),
        ("delete", "agents", "Ann",
         {"kind": "thinking", "model": "gpt", "prompt": "loud", "alias": "Ann", "active": False},
         None),
    ]  # fmt: skip
    by_either_name = told(database_url, name="plain")
    assert [row[0] for row in by_either_name] == ["add", "edit"]
    assert by_either_name == told(database_url, name="calm")
    with get_session(database_url) as session:
        actors = {row.actor for row in audit_rows(session, actor=login_name() or "nobody")}
        assert actors == {login_name() or "nobody"}
        now = datetime.now(UTC)
        assert audit_rows(session, since=now + timedelta(hours=1)) == []
        assert len(audit_rows(session, until=now + timedelta(hours=1))) == 10
        assert [row.id for row in audit_rows(session, limit=2)] == [10, 9]
        assert [row.id for row in audit_rows(session, older_than=3)] == [2, 1]
        for asked, said in (
            ({"entity": "agent"}, "unknown entity 'agent'; did you mean 'agents'? `arena audit`"),
            ({"name": "calmm"}, "unknown name on the trail 'calmm'; did you mean 'calm'?"),
            ({"actor": "Zoey"}, "unknown actor 'Zoey'; did you mean 'Zoe'?"),
        ):
            with pytest.raises(BadSelection) as refused:
                audit_rows(session, **asked)
            assert said in str(refused.value)
        assert audit_rows(session, entity="suggestions") == []


def added(row: Any) -> int:
    return int(row.id)


def kept(repo: Repository) -> int:
    repo.keep_suggestion("k", "prompt", "Shorter is better.", 0.5, {"games": 4})
    return added(repo.get_suggestions()[0])


# What a table is changed by, on a small tournament; every changing method of the repository that
# is about one of them is here, or writes none of its columns that are on the trail.
CHANGES: dict[str, Callable[[Repository], object]] = {
    "create_model": lambda repo: repo.create_model("m", "x/y"),
    "edit_model": lambda repo: repo.edit_model(1, stream=True),
    "set_model_active": lambda repo: repo.set_model_active(1, False),
    "delete_model": lambda repo: repo.delete_model(added(repo.create_model("m", "x/y"))),
    "create_kind": lambda repo: repo.create_kind("other"),
    "set_kind_active": lambda repo: repo.set_kind_active(1, False),
    "delete_kind": lambda repo: repo.delete_kind(added(repo.create_kind("other"))),
    "create_prompt": lambda repo: repo.create_prompt("p", "You."),
    "fork_prompt": lambda repo: repo.fork_prompt(1, "p", "You."),
    "replace_prompt": lambda repo: repo.replace_prompt(1, "plain", "You.", None),
    "set_prompt_active": lambda repo: repo.set_prompt_active(1, False),
    "delete_prompt": lambda repo: repo.delete_prompt(added(repo.create_prompt("p", "You."))),
    "create_agent": lambda repo: repo.create_agent(1, 1, 1, options={"a": 1}),
    "edit_agent": lambda repo: repo.edit_agent(1, 1, 1, 1, "Zed"),
    "set_agent_active": lambda repo: repo.set_agent_active(1, False),
    "delete_agent": lambda repo: repo.delete_agent(
        added(repo.create_agent(1, 1, 1, options={"a": 1}))
    ),
    "create_tournament": lambda repo: repo.create_tournament("two", {}, 1, 1, 1),
    "set_tournament_status": lambda repo: repo.set_tournament_status(1, "running"),
    "set_tournament_settings": lambda repo: repo.set_tournament_settings(1, {"concurrency": 2}),
    "set_tournament_config": lambda repo: repo.set_tournament_config(1, {"games": 5}, games=5),
    "delete_tournament": lambda repo: repo.delete_tournament(1),
    "annotate": lambda repo: repo.annotate(1, None, "Ann", rating=3),
    "delete_annotation": lambda repo: (
        repo.annotate(1, None, "Ann", rating=3), repo.delete_annotation(1, None, "Ann")
    ),
    "keep_suggestion": kept,
    "set_suggestion_status": lambda repo: repo.set_suggestion_status(kept(repo), "accepted", "Ann"),
    "add_suggestion_effect": lambda repo: repo.add_suggestion_effect(kept(repo), {"comparison": 1}),
    "delete_suggestion": lambda repo: repo.delete_suggestion(kept(repo)),
    "add_person": lambda repo: repo.add_person("Zoe", "viewer"),
    "revoke_access": lambda repo: (
        repo.add_person("Zoe", "viewer"), repo.revoke_access("Zoe")
    ),
    "add_template": lambda repo: repo.add_template(template()),
    "edit_template": lambda repo: repo.edit_template(repo.add_template(template()), name="two"),
    "delete_template": lambda repo: repo.delete_template(repo.add_template(template())),
}  # fmt: skip
# They change games, turns, calls and what is computed of them.
RECORD = ("game", "turn", "call", "trueskill", "rating", "counters", "branch", "board", "event",
          "pair", "position", "vector", "schedule")  # fmt: skip
WRITES = (
    "create_",
    "edit_",
    "set_",
    "delete_",
    "replace_",
    "fork_",
    "add_",
    "annotate",
    "keep_",
    "revoke_",
)


def template() -> AgentTemplate:
    return AgentTemplate(name="sceptic", personality={}, model={}, tools={})


def test_every_method_that_changes_what_people_make_is_tried() -> None:
    methods = [name for name, _ in inspect.getmembers(Repository, inspect.isfunction)]
    about = [
        name
        for name in methods
        if name.startswith(WRITES) and not any(word in name for word in RECORD)
    ]
    assert {*about} <= {*CHANGES}


@pytest.mark.parametrize("method", CHANGES)
def test_every_change_is_told_once_and_undone_with_it(sqlite_url: str, method: str) -> None:
    tournament(sqlite_url)
    with get_session(sqlite_url) as session:
        before = len(audit_rows(session))
    with get_session(sqlite_url) as session:
        CHANGES[method](Repository(session))
        session.flush()
        (newest, *_) = audit_rows(session)
        assert len(audit_rows(session)) > before
        assert newest.entity in AUDITED
        assert newest.before or newest.after
        session.rollback()
        assert len(audit_rows(session)) == before


def test_what_goes_with_a_tournament_is_told_too(database_url: str) -> None:
    tournament(database_url)
    with get_session(database_url) as session:
        repo = Repository(session)
        repo.annotate(1, None, "Ann", rating=4, tags=["lie"])
        repo.annotate(1, None, "Ann", rating=2, tags=["lie"])
    with get_session(database_url) as session:
        Repository(session).delete_tournament(1)
        rows = audit_rows(session, limit=5)
    reason = "deleted with the tournament cup"
    assert [(row.action, row.entity, row.entity_name, row.reason) for row in rows] == [
        ("delete", "environments", "Nim-v0", reason),
        ("delete", "tournaments", "cup", None),
        ("delete", "annotations", "1 by Ann", reason),
        ("edit", "annotations", "1 by Ann", None),
        ("add", "annotations", "1 by Ann", None),
    ]
    assert rows[2].before == {"rating": 2, "tags": ["lie"], "blind": False}
    assert (rows[3].before, rows[3].after) == ({"rating": 4}, {"rating": 2})


def test_games_and_calls_are_not_on_the_trail(sqlite_url: str) -> None:
    (game, *_) = tournament(sqlite_url)
    with get_session(sqlite_url) as session:
        before = len(audit_rows(session))
        repo = Repository(session)
        repo.add_game_turn(game, 0, 0, "You are up.", "[1]")
        repo.create_or_update_trueskill(1, 26.0, 8.0)
        assert len(audit_rows(session)) == before


def refused(url: str, statement: str, said: str) -> None:
    engine = get_engine(url)
    with pytest.raises((IntegrityError, StatementError), match=said), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


COLUMNS = "(id, at, actor, entity, entity_id, entity_name, action)"
ROW = f"INTO audit_log {COLUMNS} VALUES (1, '2026-01-01', 'x', 'agents', 1, 'x', 'add')"


def test_no_statement_changes_or_removes_an_entry(database_url: str) -> None:
    tournament(database_url)
    before = told(database_url)
    refused(database_url, "UPDATE audit_log SET actor = 'x'", "an entry is never changed")
    refused(database_url, "UPDATE audit_log SET id = 99 WHERE id = 1", "an entry is never changed")
    refused(database_url, "DELETE FROM audit_log", "only `arena db forget` removes old entries")
    refused(database_url, "DELETE FROM audit_log WHERE id = 1", "only `arena db forget`")
    if database_url.startswith("sqlite"):
        refused(database_url, f"INSERT OR REPLACE {ROW}", "an entry is never replaced")
        refused(database_url, f"REPLACE {ROW}", "an entry is never replaced")
        upsert = f"INSERT {ROW} ON CONFLICT (id) DO UPDATE SET actor = 'x'"
        refused(database_url, upsert, "the trail is append-only")
    else:
        refused(database_url, "TRUNCATE audit_log", "only `arena db forget`")
        refused(database_url, "TRUNCATE audit_log CASCADE", "only `arena db forget`")
        upsert = f"INSERT {ROW} ON CONFLICT (id) DO UPDATE SET actor = 'x'"
        refused(database_url, upsert, "an entry is never changed")
    nobody = ROW.replace("(1,", "(900,").replace("'x', 'agents'", "'', 'agents'")
    refused(database_url, f"INSERT {nobody}", "ck_audit_log_actor")
    burnt = ROW.replace("(1,", "(900,").replace("'add'", "'burn'")
    refused(database_url, f"INSERT {burnt}", "ck_audit_log_action")
    with get_session(database_url) as session:
        entry = session.exec(select(AuditEntry)).first()
        assert entry is not None
        entry.actor = "x"
        with pytest.raises(IntegrityError, match="append-only"):
            session.flush()
        session.rollback()
    assert told(database_url) == before


def test_a_trigger_that_is_gone_is_missed(database_url: str) -> None:
    engine = get_engine(database_url)
    server = " ON audit_log" if engine.dialect.name == "postgresql" else ""
    with engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER audit_log_kept{server}"))
    assert schema.differences(engine) == ["missing trigger audit_log_kept"]
    engine.dispose()


@pytest.mark.parametrize("status", TOURNAMENT_STATUSES)
def test_a_status_makes_legal_moves_only(database_url: str, status: str) -> None:
    tournament(database_url)
    engine = get_engine(database_url)
    with engine.begin() as connection:
        for way in {"finished": ("running",), "paused": (), "running": ()}.get(status, ()):
            connection.execute(text("UPDATE tournaments SET status = :way"), {"way": way})
        connection.execute(text("UPDATE tournaments SET status = :status"), {"status": status})
    for other in {*TOURNAMENT_STATUSES} - {status}:
        move = f"UPDATE tournaments SET status = '{other}'"
        if other in MOVES[status]:
            with engine.connect() as connection:
                connection.execute(text(move))
                connection.rollback()
            continue
        refused(database_url, move, "a tournament cannot go from this status to that one")
        with get_session(database_url) as session:
            with pytest.raises(DatabaseError) as error:
                Repository(session).set_tournament_status(1, other)
            assert str(error.value) == (
                f"the tournament 'cup' is {status} and cannot be '{other}' next: expected "
                + " or ".join(MOVES[status])
            )
            row = session.get_one(Tournament, 1)
            assert row.status == status
    engine.dispose()


def test_the_statuses_of_a_tournament_are_its_history(database_url: str) -> None:
    tournament(database_url)
    with get_session(database_url) as session:
        repo = Repository(session)
        repo.set_tournament_status(1, "running", reason="its run began")
        repo.set_tournament_status(1, "running")
        repo.set_tournament_settings(1, {"concurrency": 2})
        acting_as(session, "Zoe")
        repo.set_tournament_status(1, "paused", reason="it was interrupted")
        history = status_history(session, 1)
    me = login_name() or "nobody"
    assert [(move.before, move.after, move.reason, move.actor) for move in history] == [
        (None, "created", None, me),
        ("created", "running", "its run began", me),
        ("running", "paused", "it was interrupted", "Zoe"),
    ]
    assert [move.at for move in history] == sorted(move.at for move in history)

    with get_session(database_url) as session:
        Repository(session).delete_tournament(1)
    tournament(database_url, name="next")
    with get_session(database_url) as session:
        row = Repository(session).get_tournament_by_name("next")
        assert row is not None
        (made,) = status_history(session, row.id or 0)
        assert (made.before, made.after) == (None, "created"), "of another of its number nothing"


def test_only_old_entries_are_forgotten_and_that_is_told(database_url: str) -> None:
    tournament(database_url)
    with get_session(database_url) as session:
        all_of_them = len(audit_rows(session))
        assert old_entries(session, datetime.now(UTC) - timedelta(hours=1)) == 0
    moment = datetime.now(UTC)
    with get_session(database_url) as session:
        Repository(session).create_prompt("later", "You.")
        assert old_entries(session, moment) == all_of_them
        assert forget(session, moment).entries == all_of_them
        session.rollback()
    assert len(told(database_url)) == all_of_them, "stopped, it changes nothing"

    with get_session(database_url) as session:
        Repository(session).create_prompt("later", "You.")
    with get_session(database_url) as session:
        acting_as(session, "Zoe")
        forget(session, moment)
    (later, forgot) = told(database_url)
    assert later[:3] == ("add", "prompts", "later")
    assert forgot == (
        "forget", "audit_log", "the trail", None,
        {"before": moment.isoformat(), "entries": all_of_them},
    )  # fmt: skip
    refused(database_url, "DELETE FROM audit_log", "only `arena db forget`")
    engine = get_engine(database_url)
    assert schema.differences(engine) == []
    engine.dispose()


@pytest.mark.parametrize("hostile", ["\ud83d\x00", "\x1b[2J" * 30, "", " \n "])
def test_a_strange_actor_is_one_line(sqlite_url: str, hostile: str) -> None:
    with get_session(sqlite_url) as session:
        acting_as(session, hostile)
        Repository(session).create_prompt("p", "You.")
        (row,) = audit_rows(session)
    assert row.actor
    assert len(row.actor) <= 80
    assert "\n" not in row.actor


def test_access_is_on_the_trail_without_its_token(database_url: str) -> None:
    with get_session(database_url) as session:
        repo = Repository(session)
        _, token = repo.add_person("Zoe", "viewer")
        repo.use_access("Zoe")
        repo.revoke_access("Zoe")
        _, other = repo.add_person("Zoe", "operator")
        rows = audit_rows(session, entity="people")
    found = [(row.action, row.before, row.after) for row in reversed(rows)]
    revoked = found[1][2]["revoked_at"]
    assert datetime.fromisoformat(revoked).tzinfo is not None
    assert found == [
        ("add", None, {"name": "Zoe", "role": "viewer"}),
        ("edit", {"revoked_at": None}, {"revoked_at": revoked}),
        ("edit", {"role": "viewer", "revoked_at": revoked},
         {"role": "operator", "revoked_at": None}),
    ]  # fmt: skip
    for secret in (token, other, hash_of(token), hash_of(other)):
        assert secret not in repr(rows)


def test_other_changes_are_told_by_one_function(database_url: str) -> None:
    with get_session(database_url) as session:
        record_change(session, "guests", 7, "Zoe", "edit",
                      before={"role": "viewer", "name": "Zoe"},
                      after={"role": "operator", "name": "Zoe"})  # fmt: skip
        record_change(session, "guests", 7, "Zoe", "edit", before={"a": 1}, after={"a": 1})
    assert told(database_url, entity="guests") == [
        ("edit", "guests", "Zoe", {"role": "viewer"}, {"role": "operator"})
    ]
