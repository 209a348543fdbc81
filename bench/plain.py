"""The plain way to record: ORM rows with every call's messages whole, a commit for each turn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import JSON, Engine, MetaData, Text, event, make_url
from sqlmodel import Field, Session, SQLModel, create_engine

from arena.core import Message
from bench.policies import response


def now() -> datetime:
    return datetime.now(UTC)


class Plain(SQLModel):
    """Tables of their own, apart from the arena's."""

    metadata: ClassVar[MetaData] = MetaData()


class PlainGame(Plain, table=True):
    __tablename__ = "games"
    id: int | None = Field(default=None, primary_key=True)
    status: str = "running"
    winning_team: str | None = None
    started_at: datetime = Field(default_factory=now)
    finished_at: datetime | None = None


class PlainPlayer(Plain, table=True):
    __tablename__ = "game_players"
    id: int | None = Field(default=None, primary_key=True)
    game_id: int = Field(foreign_key="games.id", index=True)
    agent_id: int
    player_index: int
    role: str | None = None
    reward: float | None = None


class PlainTurn(Plain, table=True):
    __tablename__ = "game_turns"
    id: int | None = Field(default=None, primary_key=True)
    game_id: int = Field(foreign_key="games.id", index=True)
    turn_number: int
    player_index: int
    action: str | None = Field(default=None, sa_type=Text)
    response_time_ms: float | None = None
    tokens_used: int | None = None
    created_at: datetime = Field(default_factory=now)


class PlainCall(Plain, table=True):
    __tablename__ = "llm_calls"
    id: int | None = Field(default=None, primary_key=True)
    game_turn_id: int = Field(foreign_key="game_turns.id", index=True)
    model: str
    messages: list[dict[str, Any]] = Field(sa_type=JSON)
    response: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    request_sent_at: datetime
    response_received_at: datetime
    total_response_time_ms: float
    prompt_tokens: int
    response_tokens: int
    total_tokens_consumed: int
    finish_reason: str | None = None


class PlainRating(Plain, table=True):
    __tablename__ = "agent_trueskill"
    agent_id: int = Field(primary_key=True)
    mu: float = 25.0
    sigma: float = 25.0 / 3.0
    updated_at: datetime = Field(default_factory=now)


def open_plain(place: Path | str) -> Engine:
    """An engine of a file, with write-ahead log and synchronous=FULL as the arena's own, or of the
    URL of a server; makes the tables."""
    if isinstance(place, str):
        engine = create_engine(make_url(place).set(drivername="postgresql+psycopg"))
        Plain.metadata.create_all(engine)
        return engine
    engine = create_engine(f"sqlite:///{place}")

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA busy_timeout=60000")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    Plain.metadata.create_all(engine)
    return engine


def record(
    engine: Engine,
    *,
    game_id: int,
    turn_number: int,
    player_index: int,
    model: str,
    messages: Sequence[Message],
    text: str,
    sent_at: datetime,
    prompt_tokens: int,
    response_tokens: int,
) -> None:
    """Commit one turn and its call in one transaction."""
    received = now()
    taken = (received - sent_at).total_seconds() * 1e3
    with Session(engine) as session:
        turn = PlainTurn(
            game_id=game_id,
            turn_number=turn_number,
            player_index=player_index,
            action=text,
            response_time_ms=taken,
            tokens_used=prompt_tokens + response_tokens,
        )
        session.add(turn)
        session.flush()
        assert turn.id is not None
        session.add(
            PlainCall(
                game_turn_id=turn.id,
                model=model,
                messages=[dict(message) for message in messages],
                response=response(model, text, prompt_tokens, response_tokens),
                request_sent_at=sent_at,
                response_received_at=received,
                total_response_time_ms=taken,
                prompt_tokens=prompt_tokens,
                response_tokens=response_tokens,
                total_tokens_consumed=prompt_tokens + response_tokens,
                finish_reason="stop",
            )
        )
        session.commit()
