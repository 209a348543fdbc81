"""The catalogue: what is unique, what is immutable, what is refused, what is found again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session

from db import Agent, DatabaseError, Game, GameTurn, Prompt, Repository, get_engine, get_session
from db.errors import UnknownURL, UnwritablePath
from db.urls import resolve_url, shown
from tests.db.tournaments import tournament


def catalogue(session: Session) -> tuple[Repository, int, int, int]:
    repo = Repository(session)
    kind = repo.create_kind("thinking")
    model = repo.create_model("gpt", "openai/gpt", params={"temperature": 0.5})
    prompt = repo.create_prompt("v1", "You play.")
    return repo, kind.id or 0, model.id or 0, prompt.id or 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE prompts SET content = 'other'",
        "UPDATE prompts SET name = 'other'",
        "UPDATE prompts SET forked_from = id",
        "UPDATE prompts SET content_hash = ''",
        "UPDATE prompts SET id = 77",
    ],
)
def test_a_prompt_cannot_be_edited_not_even_in_sql(database_url: str, change: str) -> None:
    with get_session(database_url) as session:
        catalogue(session)
    engine = get_engine(database_url)
    with pytest.raises(DBAPIError, match="immutable"), engine.begin() as connection:
        connection.execute(text(change))
    engine.dispose()
    with get_session(database_url) as session:
        (prompt,) = Repository(session).get_prompts()
        assert (prompt.name, prompt.content, prompt.forked_from) == ("v1", "You play.", None)


def test_a_prompt_is_switched_off_and_forked(database_url: str) -> None:
    with get_session(database_url) as session:
        repo, _, _, prompt = catalogue(session)
        fork = repo.fork_prompt(prompt, "v2", "You play well.")
        again = repo.fork_prompt(fork.id or 0, "v3", "You play better.")
        repo.set_prompt_active(prompt, False)
        assert [row.name for row in repo.get_active_prompts()] == ["v2", "v3"]
        assert [row.name for row in repo.get_prompt_lineage(again.id or 0)] == ["v3", "v2", "v1"]
        with pytest.raises(DatabaseError, match="no prompt 99"):
            repo.fork_prompt(99, "v4", "")
        with pytest.raises(DatabaseError, match="another text"):
            repo.get_or_create_prompt("v2", "You cheat.")


def test_a_prompt_in_use_cannot_be_deleted(database_url: str) -> None:
    with get_session(database_url) as session:
        repo, kind, model, prompt = catalogue(session)
        repo.create_agent(kind, model, prompt)
        repo.fork_prompt(prompt, "v2", "...")
        free = repo.create_prompt("free", "...").id
    for key, allowed in ((prompt, False), (free, True)):
        engine = get_engine(database_url)
        statement = text(f"DELETE FROM prompts WHERE id = {key}")
        if allowed:
            with engine.begin() as connection:
                connection.execute(statement)
        else:
            with pytest.raises(IntegrityError), engine.begin() as connection:
                connection.execute(statement)
        engine.dispose()


def test_an_agent_is_its_kind_model_prompt_and_options(database_url: str) -> None:
    with get_session(database_url) as session:
        repo, kind, model, prompt = catalogue(session)
        plain = repo.create_agent(kind, model, prompt, alias="plain", class_="baseline")
        deep = repo.create_agent(kind, model, prompt, options={"depth": 2, "a": 1})
        assert repo.get_or_create_agent(kind, model, prompt, options={"a": 1, "depth": 2}) is deep
        assert repo.get_agent_by_config(kind, model, prompt) is plain
        assert repo.get_agent_by_alias("plain") is plain
        assert plain.fingerprint != deep.fingerprint
        assert repo.get_agent_by_fingerprint(deep.fingerprint) is deep
        assert (plain.class_, plain.label, deep.label) == ("baseline", "plain", "thinking/gpt/v1")
    for wrong in ({"options": {}}, {"alias": "plain", "options": {"x": 1}}):
        with (
            pytest.raises(DatabaseError, match="cannot be added"),
            get_session(database_url) as session,
        ):
            Repository(session).create_agent(kind, model, prompt, **wrong)  # type: ignore[arg-type]
    with (
        pytest.raises(DatabaseError, match="no model 99"),
        get_session(database_url) as session,
    ):
        Repository(session).create_agent(kind, 99, prompt)


def test_a_fingerprint_is_the_same_in_another_database(tmp_path: Path) -> None:
    prints = []
    for name in ("one", "two"):
        with get_session(tmp_path / f"{name}.db") as session:
            repo = Repository(session)
            if name == "two":
                repo.create_model("filler", "x/y")
            _, kind, model, prompt = catalogue(session)
            prints.append(repo.create_agent(kind, model, prompt, alias=name).fingerprint)
    assert prints[0] == prints[1]


def test_kinds_have_versions(database_url: str) -> None:
    with get_session(database_url) as session:
        repo = Repository(session)
        first, second = repo.create_kind("thinking"), repo.create_kind("thinking", version=2)
        assert repo.get_kind_by_name("thinking") is second
        assert repo.get_kind_by_name("thinking", version=1) is first
        assert repo.get_or_create_kind("thinking", version=2) is second
        repo.set_kind_active(first.id or 0, False)
        assert list(repo.get_active_kinds()) == [second]
        assert repo.set_kind_active(99, False) is None


def test_inactive_agents_are_not_drawn(database_url: str) -> None:
    tournament(database_url, agents=4)
    with get_session(database_url) as session:
        repo = Repository(session)
        repo.set_agent_active(2, False)
        assert {agent.id for agent in repo.get_random_agents(10)} == {1, 3, 4}
        assert len(repo.get_random_agents(2)) == 2
        assert [agent.id for agent in repo.get_active_agents()] == [1, 3, 4]
        assert len(repo.get_agents()) == 4


def test_a_change_of_rules_is_another_environment(database_url: str) -> None:
    with get_session(database_url) as session:
        repo = Repository(session)

        def rules(**changed: Any) -> int | None:
            facts: dict[str, Any] = {"num_players": 6, "package": "textarena", "version": "0.7.4"}
            return repo.get_or_create_environment("SecretMafia-v0", **{**facts, **changed}).id

        assert rules() == rules()
        others = {rules(num_players=8), rules(version="0.7.5"), rules(options={"rounds": 1})}
        assert len(others | {rules()}) == 4
        assert len(repo.get_environments("SecretMafia-v0")) == 4


def test_a_deleted_game_takes_its_rows_with_it(database_url: str) -> None:
    tournament(database_url)
    with get_session(database_url) as session:
        repo = Repository(session)
        game = repo.create_game()
        turn = repo.add_game_turn(game.id or 0, 0, 0, "seen", "[1]")
        repo.add_llm_call(turn.id, "m", [], {})
        session.delete(game)
    with get_session(database_url) as session:
        assert session.get(GameTurn, turn.id) is None
        for table in ("game_turns", "turn_payloads", "llm_calls", "call_payloads"):
            assert session.connection().execute(text(f"SELECT COUNT(*) FROM {table}")).scalar() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE games SET status = 'lost'",
        "UPDATE games SET turn_count = -1",
        "UPDATE tournaments SET status = 'over'",
        "UPDATE game_players SET rank = -1",
        "UPDATE game_players SET player_index = -1",
        "UPDATE agent_trueskill SET sigma = 0",
        "UPDATE agent_trueskill SET wins = 3",
        "UPDATE game_turns SET id = id + 1",
        "UPDATE models SET input_price = -1",
        "DELETE FROM agents",
        "DELETE FROM environments",
    ],
)
def test_the_tables_refuse_what_cannot_be(database_url: str, statement: str) -> None:
    tournament(database_url)
    with get_session(database_url) as session:
        repo = Repository(session)
        repo.create_or_update_trueskill(1, 25.0, 8.0)
        repo.add_game_turn(1, 0, 0, "seen", "[1]")
    engine = get_engine(database_url)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_a_failed_block_leaves_nothing(database_url: str) -> None:
    def fail() -> None:
        with get_session(database_url) as session:
            catalogue(session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with get_session(database_url) as session:
        assert Repository(session).get_models() == []


def test_a_name_that_is_taken_is_said_and_nothing_is_half_written(database_url: str) -> None:
    def twice() -> None:
        with get_session(database_url) as session:
            repo = Repository(session)
            repo.create_prompt("p", "...")
            repo.create_model("a", "x/a")
            repo.create_model("a", "x/b")

    with pytest.raises(DatabaseError, match="the model 'a' cannot be added"):
        twice()
    with get_session(database_url) as session:
        assert Repository(session).get_prompts() == []


def test_what_is_read_stays_readable_after_the_session(database_url: str) -> None:
    tournament(database_url)
    with get_session(database_url) as session:
        repo = Repository(session)
        repo.add_game_turn(1, 0, 0, "seen", "[1]")
        (read,) = repo.get_game_turns(1)
        game = repo.get_game_by_id(1, with_relations=True)
    with get_session(database_url) as session:
        unread = session.get_one(GameTurn, read.id)
    assert game is not None
    assert [player.agent.label for player in game.players] == ["agent-0", "agent-1"]
    assert read.observation == "seen"
    with pytest.raises(DatabaseError, match="no longer in a session"):
        _ = unread.observation


def test_text_columns_can_be_asked_for_by_name(database_url: str) -> None:
    from sqlmodel import select

    tournament(database_url)
    with get_session(database_url) as session:
        repo = Repository(session)
        repo.add_game_turn(1, 0, 0, "seen", "a\x00b")
        assert session.exec(select(GameTurn.action)).one() == "a\\x00b"
        assert session.exec(select(GameTurn).where(GameTurn.action == "a\\x00b")).one()


def test_naive_times_are_utc(database_url: str) -> None:
    noon = datetime(2026, 5, 1, 12)
    with get_session(database_url) as session:
        key = Repository(session).create_game(started_at=noon).id
    with get_session(database_url) as session:
        assert session.get_one(Game, key).started_at == noon.replace(tzinfo=UTC)


def test_json_none_is_null(database_url: str) -> None:
    with get_session(database_url) as session:
        Repository(session).create_game()
    engine = get_engine(database_url)
    with engine.connect() as connection:
        query = "SELECT COUNT(*) FROM games WHERE game_info IS NULL"
        assert connection.execute(text(query)).scalar() == 1
    engine.dispose()


def test_games_are_listed_newest_first(database_url: str) -> None:
    tournament(database_url, games=5)
    with get_session(database_url) as session:
        repo = Repository(session)
        repo.finish_game(2, winning_team="Village")
        assert [game.id for game in repo.get_games(limit=2, offset=1)] == [4, 3]
        assert [game.id for game in repo.get_games(status="completed")] == [2]
        assert [game.id for game in repo.get_games(winning_team="Village")] == [2]
        assert repo.finish_game(99) is None
        with pytest.raises(DatabaseError, match="'done' is no status"):
            repo.get_games(status="done")


def test_where_the_database_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ARENA_DATABASE_URL", raising=False)
    assert str(resolve_url()) == "sqlite:///arena.db"
    monkeypatch.setenv("ARENA_DATABASE_URL", "postgres://me:secret@host/db")
    assert resolve_url().drivername == "postgresql+psycopg"
    assert "secret" not in shown(resolve_url())
    assert resolve_url(tmp_path / "a b.db").database == str(tmp_path / "a b.db")
    assert resolve_url("games/x.db").database == "games/x.db"
    for wrong in ("mysql://host/db", ":memory:", "sqlite://", "what is this://"):
        with pytest.raises(UnknownURL):
            resolve_url(wrong)
    with pytest.raises(UnwritablePath, match="is a folder"):
        get_engine(tmp_path)


def test_a_missing_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import util

    monkeypatch.setattr(util, "find_spec", lambda name: None)
    with pytest.raises(DatabaseError, match=r"pip install 'llm-arena\[postgres\]'"):
        resolve_url("postgresql://host/db")


def test_the_models_are_rows_of_the_catalogue(database_url: str) -> None:
    with get_session(database_url) as session:
        repo, kind, model, prompt = catalogue(session)
        agent = repo.create_agent(kind, model, prompt)
        assert repo.get_agent_by_id(agent.id or 0, with_relations=True) is agent
        assert repo.get_model_by_id(model) is agent.model
        assert repo.get_prompt_by_id(prompt) is agent.prompt
        assert repo.get_kind_by_id(kind) is agent.kind
        assert isinstance(agent, Agent)
        assert isinstance(agent.prompt, Prompt)
        assert repo.get_or_create_model("gpt", "other/name") is agent.model
        repo.set_model_active(model, False)
        assert repo.get_active_models() == []
