"""The methods of the manager, and what the databases refuse whoever writes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from arena.core import ConfigError, UsageError
from arena.templates import (
    AgentTemplateCreate,
    AgentTemplateUpdate,
    TemplateManager,
    TournamentTemplateCreate,
    TournamentTemplateUpdate,
)
from arena.templates.schemas import ModelTemplate, Personality
from db import Database, Repository, Session
from tests.db.tournaments import tournament

NOBODY = 999


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with Database(database_url) as database, database.session() as session:
        yield session


@pytest.fixture
def manager(session: Session) -> TemplateManager:
    return TemplateManager(session)


def sceptic(name: str = "sceptic") -> AgentTemplateCreate:
    return AgentTemplateCreate(
        name=name,
        personality=Personality(text="You are {{vars.name}}.", vars={"name": "Vera"}),
        model=ModelTemplate(params={"temperature": 0.5}),
    )


def evening(agents: object = None) -> TournamentTemplateCreate:
    config = {"environment": {"name": "TicTacToe-v0", "players": 2}}
    more = {} if agents is None else {"agents": agents}
    return TournamentTemplateCreate(name="evening", config={**config, **more}, roles={"player": 2})


def test_an_agent_template_is_made_found_changed_and_deleted(manager: TemplateManager) -> None:
    made = manager.create_agent_template(sceptic())

    assert made.personality.vars == {"name": "Vera"}
    assert made.created_at == made.updated_at or made.created_at < made.updated_at
    assert manager.list_agent_templates() == [made]
    assert manager.get_agent_template("sceptic") == made
    assert manager.get_agent_template_by_id(made.id) == made

    update = AgentTemplateUpdate(name="vera", description="Believes nothing.")
    changed = manager.update_agent_template(made.id, update)

    assert (changed.id, changed.name, changed.description) == (made.id, "vera", "Believes nothing.")
    assert (changed.personality, changed.model) == (made.personality, made.model)
    assert changed.updated_at > made.updated_at
    assert changed.created_at == made.created_at
    assert manager.get_agent_template("sceptic") is None
    assert manager.get_agent_template_by_id(made.id) == changed
    without = manager.update_agent_template(made.id, AgentTemplateUpdate(description=None))
    assert without.description is None

    manager.delete_agent_template(made.id)

    assert manager.list_agent_templates() == []
    assert manager.get_agent_template_by_id(made.id) is None


def test_a_tournament_template_is_made_found_changed_and_deleted(manager: TemplateManager) -> None:
    made = manager.create_tournament_template(evening())

    assert manager.list_tournament_templates() == [made]
    assert manager.get_tournament_template("evening") == made
    changed = manager.update_tournament_template(
        made.id, TournamentTemplateUpdate(config={"games": 4}, roles={})
    )
    assert (changed.config, changed.roles, changed.name) == ({"games": 4}, {}, "evening")
    assert manager.get_tournament_template_by_id(made.id) == changed

    manager.delete_tournament_template(made.id)

    assert manager.get_tournament_template("evening") is None
    assert manager.list_tournament_templates() == []


def test_what_is_not_there_is_neither_changed_nor_deleted(manager: TemplateManager) -> None:
    with pytest.raises(UsageError, match="there is no agent template 999: `arena templates list`"):
        manager.update_agent_template(NOBODY, AgentTemplateUpdate(name="x"))
    with pytest.raises(UsageError, match="there is no agent template 999"):
        manager.delete_agent_template(NOBODY)
    with pytest.raises(UsageError, match="there is no tournament template 999"):
        manager.update_tournament_template(NOBODY, TournamentTemplateUpdate(name="x"))
    with pytest.raises(UsageError, match="there is no tournament template 999"):
        manager.delete_tournament_template(NOBODY)


def test_a_name_is_given_once_and_a_refusal_changes_nothing(manager: TemplateManager) -> None:
    first = manager.create_agent_template(sceptic())
    second = manager.create_agent_template(sceptic("other"))

    with pytest.raises(ConfigError, match="there is an agent template 'sceptic' already"):
        manager.create_agent_template(sceptic())
    with pytest.raises(ConfigError, match="there is an agent template 'sceptic' already"):
        manager.update_agent_template(second.id, AgentTemplateUpdate(name="sceptic"))
    with pytest.raises(UsageError, match="personality: expected what it becomes, found nothing"):
        manager.update_agent_template(first.id, AgentTemplateUpdate(personality=None))
    mute = Personality(text="You are {{vars.name}}.")
    with pytest.raises(ConfigError, match=r"personality\.vars: the prompt 'sceptic' uses"):
        manager.update_agent_template(first.id, AgentTemplateUpdate(personality=mute))

    assert manager.list_agent_templates() == [second, first]


def test_a_template_that_another_one_names_keeps_its_name(manager: TemplateManager) -> None:
    Repository(manager.session).create_model("m", "scripted/random")
    made = manager.create_agent_template(sceptic())
    other = manager.create_tournament_template(evening([{"template": "sceptic", "model": "m"}]))

    with pytest.raises(UsageError, match="in the tournament template 'evening': change that"):
        manager.update_agent_template(made.id, AgentTemplateUpdate(name="vera"))
    with pytest.raises(UsageError, match="is used by the tournament template 'evening'"):
        manager.delete_agent_template(made.id)
    manager.update_tournament_template(other.id, TournamentTemplateUpdate(config={}, roles={}))
    manager.delete_agent_template(made.id)

    assert manager.list_agent_templates() == []


def test_the_database_keeps_what_is_used_whoever_deletes(database_url: str) -> None:
    tournament(database_url)
    with Database(database_url) as database:
        with database.session() as session:
            manager, repo = TemplateManager(session), Repository(session)
            one = manager.create_agent_template(sceptic())
            two = manager.create_tournament_template(evening())
            agent = repo.create_agent(1, 1, 1, alias="made", options={"made": True})
            repo.use_agent_template(one.id, agent.id or 0)
            repo.use_agent_template(one.id, agent.id or 0)
            repo.use_tournament_template(two.id, 1)

        def refused(statement: str) -> bool:
            with pytest.raises(DBAPIError), database.engine.begin() as connection:
                connection.execute(text(statement))
            return True

        row = "SELECT 9, 'sceptic', '{}', '{}', '{}', created_at, updated_at FROM agent_templates"
        columns = "(id, name, personality, model, tools, created_at, updated_at)"
        assert refused("DELETE FROM agent_templates")
        assert refused("DELETE FROM tournament_templates")
        assert refused(f"INSERT INTO agent_templates {columns} {row}")
        assert refused("UPDATE agent_templates SET name = ''")
        assert refused("UPDATE tournament_templates SET name = ''")
        assert refused("UPDATE agent_templates SET personality = NULL")
        assert refused("UPDATE agent_template_uses SET template_id = 999")
        assert refused("UPDATE agent_template_uses SET agent_id = 999")
        assert refused("UPDATE tournament_template_uses SET tournament_id = 999")
        with database.session() as session:
            repo = Repository(session)
            repo.delete_agent(agent.id or 0)
            assert repo.get_agent_template_uses() == {}
            session.execute(text("DELETE FROM games"))
            session.execute(text("DELETE FROM tournaments"))
            assert repo.get_tournament_template_uses() == {}
            TemplateManager(session).delete_agent_template(one.id)
            TemplateManager(session).delete_tournament_template(two.id)


def test_changes_at_the_same_time_are_made_one_after_the_other(database_url: str) -> None:
    with Database(database_url) as database:
        with database.session() as session:
            made = TemplateManager(session).create_agent_template(sceptic())
        together = Barrier(4)
        updates = [
            AgentTemplateUpdate(name="vera"),
            AgentTemplateUpdate(description="Believes nothing."),
            AgentTemplateUpdate(model=ModelTemplate(params={"temperature": 0.9})),
            AgentTemplateUpdate(
                personality=Personality(text="You are {{vars.name}}.", vars={"name": "Otto"})
            ),
        ]

        def update(change: AgentTemplateUpdate) -> None:
            together.wait()
            with database.session() as session:
                TemplateManager(session).update_agent_template(made.id, change)

        with ThreadPoolExecutor(4) as threads:
            [*threads.map(update, updates)]
        with database.session() as session:
            found = TemplateManager(session).get_agent_template("vera")

    assert found is not None
    assert (found.description, found.personality.vars) == ("Believes nothing.", {"name": "Otto"})
    assert found.model.params == {"temperature": 0.9}


def test_of_those_who_make_the_same_at_once_one_does(database_url: str) -> None:
    with Database(database_url) as database:
        together = Barrier(4)

        def create(_: int) -> str:
            try:
                with database.session() as session:
                    together.wait()
                    TemplateManager(session).create_agent_template(sceptic())
            except ConfigError as error:
                return str(error)
            return "made"

        with ThreadPoolExecutor(4) as threads:
            said = sorted(threads.map(create, range(4)))

    taken = [each for each in said if "there is an agent template 'sceptic' already" in each]
    assert (len(taken), said.count("made")) == (3, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"name": "two\nlines"},
        {"name": "\x1b[31mred"},
        {"name": " x"},
        {"name": "x", "colour": "red"},
        {"name": "x", "personality": {"mood": "bad"}},
        {"name": "x", "personality": {"vars": {"a b": "c"}}},
        {"name": "x", "personality": {"vars": {"a": ["c"]}}},
        {"name": "x", "personality": {"prompt": "p", "text": "t"}},
        {"name": "x", "model": {"api_base": "http://127.0.0.1:1"}},
        {"name": "x", "tools": {"calculator": 3}},
        {"name": "x", "description": "x" * 10_001},
        {"name": "x", "description": "\0"},
        {"name": "x", "personality": {"text": "\ud800"}},
    ],
)
def test_a_shape_refuses_what_it_does_not_know(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AgentTemplateCreate.model_validate(wrong)
