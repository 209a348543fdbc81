"""A row that the database refuses takes nothing else of its transaction with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from db import DatabaseError, Repository, get_session
from db.models.columns import Table
from db.queries.audit import audit_rows
from tests.db.tournaments import Pairing, tournament

TOO_LARGE = 2**70

REFUSED: dict[str, Callable[[Repository], object]] = {
    "a model's name is taken": lambda repo: repo.create_model("model-0", "x/y"),
    "half a character": lambda repo: repo.create_model("\ud83d", "x/y"),
    "a price below nothing": lambda repo: repo.create_model("m", "x/y", input_price=-1.0),
    "a kind's version is there": lambda repo: repo.create_kind("thinking"),
    "a version 0": lambda repo: repo.get_or_create_kind("thinking", version=0),
    "a prompt's name is taken": lambda repo: repo.create_prompt("plain", "You play."),
    "a fork of nothing": lambda repo: repo.create_prompt("p", "You play.", forked_from=99),
    "an agent is there": lambda repo: repo.create_agent(1, 1, 1),
    "an alias is taken": lambda repo: repo.get_or_create_agent(
        1, 1, 1, alias="agent-0", options={"a": 1}
    ),
    "a game for nobody": lambda repo: repo.get_or_create_environment(
        "Nim-v0", 0, package="textarena", version="1"
    ),
    "a tournament's name is taken": lambda repo: repo.create_tournament("cup", {}, 7, 4, 1),
    "a tournament of no rules": lambda repo: repo.create_tournament("other", {}, 7, 4, 99),
    "a status that does not exist": lambda repo: repo.set_tournament_status(1, "tired"),
    "a schedule with an unknown agent": lambda repo: repo.schedule_games(
        1, [Pairing(10, 1, (1, 2)), Pairing(11, 2, (1, 99))]
    ),
    "a place of the schedule twice": lambda repo: repo.schedule_games(1, [Pairing(0, 1, (1, 2))]),
    "a game of no rules": lambda repo: repo.create_game(environment_id=99),
    "a seed that is too large": lambda repo: repo.create_game(seed=TOO_LARGE),
    "a seat that is taken": lambda repo: repo.add_game_player(1, 2, 0),
    "a player that is nobody": lambda repo: repo.add_game_player(1, 99, 5),
    "a rank that is too large": lambda repo: repo.update_game_player(1, 0, rank=TOO_LARGE),
    "a rank below the first": lambda repo: repo.update_game_player(1, 0, role="Mafia", rank=-1),
    "a turn that is there": lambda repo: repo.add_game_turn(1, 0, 0, "You are up.", "[1]"),
    "a turn of no game": lambda repo: repo.add_game_turn(99, 0, 0, "You are up.", "[1]"),
    "a call of no turn": lambda repo: repo.add_llm_call(99, "x/y", []),
    "a call with too many tokens": lambda repo: repo.add_llm_call(
        repo.get_game_turns(1)[0].id, "x/y", [], prompt_tokens=TOO_LARGE
    ),
    "a rating without spread": lambda repo: repo.create_or_update_trueskill(1, 25.0, 0.0),
    "a rating of nobody": lambda repo: repo.create_or_update_trueskill(99, 25.0, 8.0),
}


def everything(session: Session) -> dict[str, list[Any]]:
    return {
        name: [tuple(row) for row in session.connection().execute(text(f"SELECT * FROM {name}"))]
        for name in Table.metadata.tables
        if name not in ("prompts", "audit_log")
    }


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def begun(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Two games of two agents, one of which has begun: whatever is refused leaves it as it is."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path_factory.mktemp('begun') / 'begun.db'}"
        if request.param == "postgresql":
            fresh = request.getfixturevalue("fresh_postgresql")
            url = stack.enter_context(fresh("arena_template"))
        tournament(url, games=2, agents=2)
        with get_session(url) as session:
            Repository(session).add_game_turn(1, 0, 0, "You are up.", "[1]")
        yield url


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_undone_alone(begun: str, what: str) -> None:
    with get_session(begun) as session:
        before = everything(session)
        prompts = {prompt.name for prompt in Repository(session).get_prompts()}
        last = audit_rows(session, limit=1)[0].id

    mine, other = f"mine, {what}", f"other, {what}"
    with get_session(begun) as session:
        repo = Repository(session)
        repo.create_prompt(mine, f"You play. {what}")
        with pytest.raises(DatabaseError):
            REFUSED[what](repo)
        repo.create_prompt(other, f"You play well. {what}")

    with get_session(begun) as session:
        kept = {prompt.name for prompt in Repository(session).get_prompts()}
        assert kept == prompts | {mine, other}
        assert everything(session) == before
        told = [row.entity_name for row in audit_rows(session) if row.id > last]
        assert told == [other, mine], "nothing of what was refused is on the trail"


def test_what_is_not_committed_is_not_kept(database_url: str) -> None:
    """The savepoint of the first row is not the transaction."""
    with get_session(database_url) as session:
        Repository(session).create_prompt("mine", "You play.")
        session.rollback()

    with get_session(database_url) as session, session.begin_nested():
        assert Repository(session).get_prompts() == []


def test_a_reason_is_given(database_url: str) -> None:
    with get_session(database_url) as session:
        Repository(session).create_prompt("mine", "You play.")
        with pytest.raises(DatabaseError, match=r"prompt 'mine' cannot be added: .*(?i:unique)"):
            Repository(session).create_prompt("mine", "You play.")


WANTED: dict[str, Callable[[Repository], Any]] = {
    "create_kind": lambda repo: repo.get_or_create_kind("remembering"),
    "create_model": lambda repo: repo.get_or_create_model("gpt", "openai/gpt"),
    "create_prompt": lambda repo: repo.get_or_create_prompt("calm", "Stay calm."),
    "create_agent": lambda repo: repo.get_or_create_agent(1, 1, 1, options={"depth": 2}),
}


@pytest.mark.parametrize("create", WANTED)
def test_a_process_that_was_faster_is_believed(
    database_url: str, monkeypatch: pytest.MonkeyPatch, create: str
) -> None:
    tournament(database_url)
    get_or_create, made = WANTED[create], getattr(Repository, create)
    faster: list[int] = []

    def after_another(repo: Repository, *arguments: Any, **settings: Any) -> Any:
        """Between the look and the insert another process adds the row."""
        monkeypatch.undo()
        with get_session(database_url) as other:
            faster.append(get_or_create(Repository(other)).id)
        return made(repo, *arguments, **settings)

    monkeypatch.setattr(Repository, create, after_another)
    with get_session(database_url) as session:
        assert [get_or_create(Repository(session)).id] == faster
