"""What people are asked, and what they have answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from db import keys
from db.models import Environment, Game, GameTurn, Request, Tournament, TournamentLease
from db.models.columns import aware


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request: `type` is move, verdict or spend; `person` who is asked, None for any operator.
    Of a `spend`, `content` says what for, and `model` whose budget it is; what else is asked
    is what the seat observes (`observed`)."""

    id: int
    type: str
    tournament_id: int | None
    tournament: str | None
    environment: str | None
    game_id: int | None
    turn: int | None
    player_index: int | None
    person: str | None
    content: str | None
    model: str | None
    asked_at: datetime
    deadline_at: datetime | None
    response: str | None
    answered_by: str | None
    answered_at: datetime | None
    lapsed: bool


def request_rows(
    session: Session,
    *,
    person: str | None = None,
    operator: bool = True,
    game: int | None = None,
    waiting: bool = True,
    request: int | None = None,
    limit: int = 200,
) -> list[RequestRow]:
    """Requests, the oldest first: those of a person, and with `operator` those of any operator;
    without a person, all. Only those that wait, unless said otherwise."""
    query = (
        select(Request, col(Tournament.name), col(Environment.name))
        .join(Game, col(Game.id) == Request.game_id, isouter=True)
        .join(Tournament, col(Tournament.id) == Request.tournament_id, isouter=True)
        .join(Environment, col(Environment.id) == Game.environment_id, isouter=True)
        .order_by(col(Request.id))
        .limit(limit)
    )
    if person is not None:
        mine = col(Request.person) == person
        query = query.where(mine | col(Request.person).is_(None) if operator else mine)
    if game is not None:
        query = query.where(Request.game_id == game)
    if request is not None:
        query = query.where(Request.id == request)
    if waiting:
        query = query.where(
            col(Request.answered_at).is_(None),
            col(Request.game_id).is_(None) | (col(Game.status) == "running"),
        )
    return [_row(session, *found) for found in session.exec(query)]


def _row(
    session: Session, row: Request, tournament: str | None, environment: str | None
) -> RequestRow:
    assert row.id is not None
    turn = None if row.game_id is None else _turn(session, row.game_id, row.turn_number or 0)
    return RequestRow(
        row.id,
        row.type,
        row.tournament_id,
        tournament,
        environment,
        row.game_id,
        row.turn_number,
        None if turn is None else turn.player_index,
        row.person,
        row.content,
        row.model,
        aware(row.asked_at),
        None if row.deadline_at is None else aware(row.deadline_at),
        row.response,
        row.answered_by,
        None if row.answered_at is None else aware(row.answered_at),
        row.lapsed,
    )


def _turn(session: Session, game: int, turn: int) -> GameTurn | None:
    first = keys.turn_key(game, turn, 0)
    query = select(GameTurn).where(GameTurn.id >= first, GameTurn.id < first + 256)
    return session.exec(query).first()


def observed(session: Session, game: int, turn: int) -> str:
    """What the seat of a turn was shown: everything it has seen so far."""
    found = _turn(session, game, turn)
    return "" if found is None else str(found.observation)


def open_spending(session: Session, tournament_id: int) -> bool:
    """Whether operators are asked to let a tournament spend more, and have not answered."""
    query = select(Request.id).where(
        Request.tournament_id == tournament_id,
        Request.type == "spend",
        col(Request.answered_at).is_(None),
    )
    return session.exec(query).first() is not None


def open_turn(session: Session, game: int) -> tuple[int, int] | None:
    """(turn_number, player_index) of the turn in which a game waits; None where it waits in
    none."""
    first, end = keys.turns_of_game(game)
    query = (
        select(GameTurn)
        .where(GameTurn.id >= first, GameTurn.id < end)
        .order_by(col(GameTurn.id).desc())
        .limit(1)
    )
    found = session.exec(query).first()
    if found is None or found.action is not None:
        return None
    return found.turn_number, found.player_index


def answered_requests(
    session: Session, game: int
) -> list[tuple[int, str | None, datetime, datetime]]:
    """(turn, response, asked, answered) of the requests of a game that are closed, in order; the
    response of one that lapsed is None."""
    query = (
        select(Request)
        .where(Request.game_id == game, col(Request.answered_at).is_not(None))
        .order_by(col(Request.turn_number))
    )
    return [
        (row.turn_number, row.response, aware(row.asked_at), aware(row.answered_at))
        for row in session.exec(query)
        if row.turn_number is not None and row.answered_at is not None
    ]


def closed_turns(session: Session, games: Collection[int]) -> set[tuple[int, int]]:
    """(game, turn) of the requests of these games that are closed."""
    query = select(Request.game_id, Request.turn_number).where(
        col(Request.game_id).in_(games), col(Request.answered_at).is_not(None)
    )
    return {
        (game, turn) for game, turn in session.exec(query) if game is not None and turn is not None
    }


def seated_in(session: Session, person: str) -> list[tuple[int, str]]:
    """(number, name) of the tournaments that are not finished and in which a person holds a
    seat, or judges."""
    query = select(Tournament).where(Tournament.status != "finished").order_by(col(Tournament.id))
    return [
        (row.id, row.name)
        for row in session.exec(query)
        if row.id is not None and person in people_of(row.config)
    ]


def people_of(config: Mapping[str, Any] | None) -> list[str]:
    """The people who hold seats in a tournament, by its configuration, each once."""
    rules = (config or {}).get("environment") or {}
    everybody = [*((config or {}).get("agents") or ()), rules.get("referee") or {}]
    named = [
        agent.get("options", {}).get("person")
        for agent in everybody
        if isinstance(agent, Mapping) and agent.get("kind") == "human"
    ]
    return [*dict.fromkeys(name for name in named if isinstance(name, str))]


def people_waited_for(session: Session, game: int | None = None) -> list[str]:
    """Who holds a seat in an unfinished tournament, or is asked something; of one game, whom it
    waits for."""
    asked = [row.person for row in request_rows(session, game=game)]
    query = select(Tournament).where(Tournament.status != "finished").order_by(col(Tournament.id))
    seated = (
        []
        if game is not None
        else [name for row in session.exec(query) for name in people_of(row.config)]
    )
    return [*dict.fromkeys(name for name in (*asked, *seated) if name is not None)]


def idle_tournaments(session: Session, person: str) -> list[str]:
    """The unfinished tournaments in which a person holds a seat and that no process plays."""
    held = select(TournamentLease.tournament_id).where(col(TournamentLease.holder).is_not(None))
    busy = set(session.exec(held))
    return [name for key, name in seated_in(session, person) if key not in busy]
