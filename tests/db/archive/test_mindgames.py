"""A database of mindgames.db, made by models as that arena has them, read into one of ours."""

import json
import sqlite3
from datetime import datetime

import pytest
from sqlalchemy import JSON, CheckConstraint, ForeignKey, UniqueConstraint, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from db import DatabaseError, Repository, get_session
from db.archive.mindgames import import_mindgames, is_mindgames
from tests.cli.commands import run_arena

AT = datetime(2025, 6, 1, 12, 30, 15, 250_000)


class Base(DeclarativeBase):
    pass


class OtherModel(Base):
    __tablename__ = "models"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    litellm_model_name: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)


class OtherKind(Base):
    __tablename__ = "kinds"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    active: Mapped[bool] = mapped_column(default=True)


class OtherPrompt(Base):
    __tablename__ = "prompts"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    content: Mapped[str]
    forked_from: Mapped[int | None] = mapped_column(ForeignKey("prompts.id", ondelete="SET NULL"))
    active: Mapped[bool] = mapped_column(default=True)


class OtherAgent(Base):
    __tablename__ = "agents"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind_id: Mapped[int] = mapped_column(ForeignKey("kinds.id", ondelete="RESTRICT"))
    model_id: Mapped[int] = mapped_column(ForeignKey("models.id", ondelete="RESTRICT"))
    prompt_id: Mapped[int] = mapped_column(ForeignKey("prompts.id", ondelete="RESTRICT"))
    alias: Mapped[str | None]
    class_: Mapped[str | None] = mapped_column("class")


class OtherGame(Base):
    __tablename__ = "games"
    __table_args__ = (CheckConstraint("status IN ('running', 'completed', 'failed')"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    status: Mapped[str]
    winning_team: Mapped[str | None]
    environment_crashed: Mapped[bool] = mapped_column(default=False)
    game_info: Mapped[dict | None] = mapped_column(JSON)


class OtherPlayer(Base):
    __tablename__ = "game_players"
    __table_args__ = (UniqueConstraint("game_id", "player_index"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    game_id: Mapped[int] = mapped_column(ForeignKey("games.id", ondelete="CASCADE"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id", ondelete="RESTRICT"))
    player_index: Mapped[int]
    role: Mapped[str | None]
    reward: Mapped[float | None]


class OtherTurn(Base):
    __tablename__ = "game_turns"
    id: Mapped[int] = mapped_column(primary_key=True)
    game_id: Mapped[int] = mapped_column(ForeignKey("games.id", ondelete="CASCADE"))
    turn_number: Mapped[int]
    player_index: Mapped[int]
    observation: Mapped[dict] = mapped_column(JSON)
    action: Mapped[str | None]
    response_time_ms: Mapped[int | None]
    tokens_used: Mapped[int | None]
    created_at: Mapped[datetime]


class OtherCall(Base):
    __tablename__ = "llm_calls"
    id: Mapped[int] = mapped_column(primary_key=True)
    game_turn_id: Mapped[int] = mapped_column(ForeignKey("game_turns.id", ondelete="CASCADE"))
    model: Mapped[str]
    messages: Mapped[list] = mapped_column(JSON)
    response: Mapped[dict | None] = mapped_column(JSON)
    request_sent_at: Mapped[datetime | None]
    response_received_at: Mapped[datetime | None]
    total_response_time_ms: Mapped[int | None]
    response_tokens: Mapped[int | None]
    total_tokens_consumed: Mapped[int | None]


class OtherTrueSkill(Base):
    __tablename__ = "agent_trueskill"
    id: Mapped[int] = mapped_column(primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"), unique=True)
    mu: Mapped[float]
    sigma: Mapped[float]


ROLES = ("Mafia", "Mafia", "Doctor", "Detective", "Villager", "Villager")


@pytest.fixture
def other(tmp_path):
    """A game that the village won, with a call, one that is being played, and two ratings."""
    path = tmp_path / "mindgames.db"
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(
            [
                OtherModel(id=7, name="llama", litellm_model_name="cerebras/llama3.1-8b"),
                OtherKind(id=3, name="standard"),
                OtherPrompt(id=1, name="v2", content="Win!", forked_from=2),
                OtherPrompt(id=2, name="v1", content="Win.", active=False),
            ]
        )
        session.flush()
        for n, prompt in ((1, 2), (2, 1)):
            session.add(
                OtherAgent(
                    id=n, kind_id=3, model_id=7, prompt_id=prompt, alias=f"Agent {n}", class_="a"
                )
            )
        session.flush()
        game = {"started_at": AT, "game_info": {"rounds": 3}}
        session.add(
            OtherGame(id=40, status="completed", winning_team="Villager", finished_at=AT, **game)
        )
        session.add(OtherGame(id=41, status="running", **game))
        session.flush()
        for index, role in enumerate(ROLES):
            for number in (40, 41):
                session.add(
                    OtherPlayer(
                        game_id=number, agent_id=1 + index % 2, player_index=index, role=role,
                        reward=None if number == 41 else -1.0 if role == "Mafia" else 1.0,
                    )
                )  # fmt: skip
        for number, turn, player in ((40, 1, 0), (40, 1, 1), (40, 2, 0), (41, 1, 0)):
            session.add(
                OtherTurn(
                    id=number * 10 + turn * 2 + player, game_id=number, turn_number=turn,
                    player_index=player, observation={"state": f"turn {turn}"},
                    action=f"vote player {player}", response_time_ms=1500, tokens_used=150,
                    created_at=AT,
                )
            )  # fmt: skip
        session.flush()
        session.add(
            OtherCall(
                game_turn_id=402, model="cerebras/llama3.1-8b",
                messages=[{"role": "user", "content": "turn 1"}],
                response={"choices": [{"message": {"content": "vote player 0"}}]},
                request_sent_at=AT, response_received_at=AT, total_response_time_ms=1500,
                response_tokens=20, total_tokens_consumed=200,
            )
        )  # fmt: skip
        session.add_all([OtherTrueSkill(agent_id=n, mu=32.5 - 5 * n, sigma=5.0) for n in (1, 2)])
        session.commit()
    engine.dispose()
    return path


def test_everything_that_it_holds_is_here(other, database_url):
    assert is_mindgames(other)
    with get_session(database_url) as session:
        done = import_mindgames(session, other)
    assert (done.games, done.turns, done.calls, done.ratings, done.unfinished) == (2, 4, 1, 2, 1)
    with get_session(database_url) as session:
        repo = Repository(session)
        game = repo.get_game_by_id(done.first, with_relations=True)
        assert (game.status, game.winning_team) == ("completed", "Village")
        assert game.started_at.isoformat() == "2025-06-01T12:30:15.250000+00:00"
        assert game.game_info == {"rounds": 3, "imported": {"game": 40, "status": "completed"}}
        seats = [(seat.role, seat.team, seat.rank, seat.reward) for seat in game.players]
        assert seats[0] == ("Mafia", "Mafia", 1, -1.0)
        assert seats[5] == ("Villager", "Village", 0, 1.0)
        assert [seat.agent.label for seat in game.players] == ["Agent 1", "Agent 2"] * 3
        turns = repo.get_game_turns(game.id)
        assert [(turn.turn_number, turn.player_index) for turn in turns] == [(1, 0), (1, 1), (2, 0)]
        assert turns[0].observation == {"state": "turn 1"}
        assert (turns[0].action, turns[0].tokens_used) == ("vote player 0", 150)
        (call,) = repo.get_turn_llm_calls(turns[0].id)
        assert call.messages == [{"role": "user", "content": "turn 1"}]
        assert (call.text, call.total_tokens_consumed) == ("vote player 0", 200)
        assert repo.get_game_by_id(done.first + 1).void_cause == "interrupted"
        fork = repo.get_prompt_by_name("v2")
        assert repo.get_prompt_by_id(fork.forked_from).content == "Win."
        best = [(agent.label, r.mu) for agent, r in repo.get_top_agents_by_trueskill()]
        assert best == [("Agent 1", 27.5), ("Agent 2", 22.5)]


def test_a_person_types_it_and_reads_a_game(other, tmp_path):
    db = tmp_path / "arena.db"
    done = run_arena("import", other, "--db", db)
    assert done.exit_code == 0, done.stderr
    assert "2 games, 4 turns, 1 call and 2 ratings read" in done.stdout
    assert "1 game had no end there: void here" in done.stderr
    shown = run_arena("show", "1", "--db", db)
    assert shown.exit_code == 0, shown.stderr
    assert "vote player 1" in shown.stdout
    listed = json.loads(run_arena("games", "--db", db, "--json").stdout)
    assert "completed" in str(listed)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE agents SET prompt_id = 99 WHERE id = 1", "refers to row 99 of prompts"),
        ("UPDATE prompts SET forked_from = 1 WHERE id = 2", "was forked from one that is not"),
        ("UPDATE games SET started_at = 'soon' WHERE id = 41", "not what its column holds"),
        ("UPDATE game_turns SET turn_number = 70000 WHERE id = 402", "has no key"),
        ("CREATE VIEW v AS SELECT load_extension('x')", "holds the view 'v'"),
        ("ALTER TABLE agents DROP COLUMN alias", "agents has no column alias"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_imported(other, tmp_path, statement, said):
    with sqlite3.connect(other) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(statement)
    connection.close()
    with pytest.raises(DatabaseError, match=said), get_session(tmp_path / "arena.db") as session:
        import_mindgames(session, other)
    with get_session(tmp_path / "arena.db") as session:
        assert Repository(session).get_games() == []
        assert Repository(session).get_model_by_name("llama") is None


def test_a_name_that_is_taken_by_another_is_refused(other, tmp_path):
    with get_session(tmp_path / "arena.db") as session:
        Repository(session).create_model("llama", "openai/other")
    with (
        pytest.raises(DatabaseError, match="the model 'llama' here is 'openai/other'"),
        get_session(tmp_path / "arena.db") as session,
    ):
        import_mindgames(session, other)


def test_a_database_of_ours_is_none_of_its(tmp_path):
    with get_session(tmp_path / "arena.db"):
        pass
    assert not is_mindgames(tmp_path / "arena.db")
    (tmp_path / "a.txt").write_text("hello")
    assert not is_mindgames(tmp_path / "a.txt")
    refused = run_arena("import", tmp_path / "a.txt", "--db", tmp_path / "b.db")
    assert refused.exit_code == 2
    assert "it is no archive of a tournament" in refused.stderr
