"""Boards that are kept: computed once for a question, and read until something changes.

One store for the command line, frames and pages. An answer is as of the newest rated game in it;
whoever asks gets a fresh one, which costs a computation only where a game has ended, was rated or
went since, or the software changed. A worker of whoever serves pages calls `refresh`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC
from functools import cache, lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from arena.core import ArenaError
from arena.leaderboard.board import Board
from arena.leaderboard.query import LeaderboardQuery
from arena.registry import described, load, registered
from db import Repository, Session, get_session
from db.database import Source
from db.errors import DatabaseError
from db.finding import find
from db.queries.boards import BoardState, KeptBoard, board_state, kept_board, kept_boards
from db.queries.played import game_at
from db.selection import Selection, several

VERSION = 3
"""Of the form and meaning of stored boards: it goes up when the same games give other ones."""


@dataclass(frozen=True, slots=True)
class BoardAnswer:
    """The boards of a query. `newest` is the game_id of the newest rated game of the tournaments
    and environments that it is about, None where none is. `stored` says that it was read, `behind`
    that something has changed since it was computed."""

    query: LeaderboardQuery
    boards: tuple[Board, ...]
    newest: int | None
    state: BoardState
    stored: bool = False
    behind: bool = False


def answered(session: Session, query: LeaderboardQuery, *, stored: bool = False) -> BoardAnswer:
    """The boards of a query: as they are stored where nothing has changed since, or, if `stored`
    is asked for, whatever has; else computed now, and not stored yet (`keep`).

    Raises what `boards` raises.
    """
    kept = stored_answer(session, query)
    if kept is not None and (stored or not kept.behind):
        return kept
    query = replace(query, system=registered("ratings", query.system))
    state = _state(session, query)
    # What makes a board is imported where one is made.
    from arena.leaderboard.ask import boards

    load("ratings", query.system)
    if query.covariate is not None:
        load("covariates", query.covariate)
    found = tuple(boards(session, query))
    return BoardAnswer(query, found, game_at(session, state.newest), state)


def stored_answer(session: Session, query: LeaderboardQuery) -> BoardAnswer | None:
    """The boards of a query as they are stored, whatever has changed since; None where they are
    not. Nothing is computed. Raises what `boards` raises before it reads a game."""
    query.check()
    query = replace(query, system=registered("ratings", query.system))
    kept = kept_board(session, _key(question(session, query)))
    found = None if kept is None else _read(kept)
    if kept is None or found is None:
        return None
    newest = game_at(session, kept.state.newest)
    behind = kept.state != _state(session, query)
    return BoardAnswer(query, found, newest, kept.state, True, behind)


@dataclass(frozen=True, slots=True)
class PartRating:
    """An agent's rating on the board of a role or a team, as it was stored whatever has changed
    since."""

    environment: str | None
    num_players: int | None
    rank: int
    of: int
    rating: float
    low: float
    high: float


def stored_part(session: Session, query: LeaderboardQuery, agent_id: int) -> list[PartRating]:
    """The ratings of an agent on the stored boards of a query, which is read without the rest of
    them; none where nothing is stored. Raises what `boards` raises before it reads a game."""
    query = replace(query, system=registered("ratings", query.system))
    kept = kept_board(session, _key(question(session, query)))
    boards = () if kept is None else _read(kept) or ()
    return [
        PartRating(
            board.environment, board.num_players, row.rank, len(board.rows),
            row.rating, row.low, row.high,
        )
        for board in boards
        for row in board.rows
        if row.agent_id == agent_id
    ]  # fmt: skip


def keep(source: Source, answer: BoardAnswer) -> bool:
    """Store an answer that was computed, in a session of its own: an open one may hold what nobody
    else will see. False where the database takes no rows: then it is computed again."""
    if answer.stored:
        return True
    try:
        with get_session(source, create=False) as session:
            asked = question(session, answer.query)
            Repository(session).store_board(
                _key(asked),
                asked,
                json.dumps(_form().dump_python(answer.boards, mode="json")),
                version=VERSION,
                newest=answer.state.newest,
                state=answer.state.digest,
            )
    except DatabaseError:
        return False
    return True


def refresh(
    source: Source,
    queries: Sequence[LeaderboardQuery] = (),
    over: Callable[[], bool] = lambda: False,
) -> int:
    """Compute the stored boards that are behind, and those of `queries`, and store them; how many
    those were. What cannot be answered, or not stored, is left as it is; nothing more is begun when
    it is `over`. For a worker of whoever serves boards, and for a run."""
    done = 0
    asked = [*queries]
    with suppress(DatabaseError), get_session(source, create=False) as session:
        asked += [_query(kept.asked) for kept in kept_boards(session)]
    for query in asked:
        if over():
            break
        # A tournament may be gone, and a board need not make sense any more.
        with suppress(ArenaError, DatabaseError):
            with get_session(source, create=False) as session:
                answer = answered(session, query)
            done += not answer.stored and keep(source, answer)
    return done


def question(session: Session, query: LeaderboardQuery) -> dict[str, Any]:
    """The query as plain data, the same for the same question: what has a number is named by it,
    and what is not asked is left out.

    Raises BadSelection for what is not on record.
    """
    named = query.selection.on(session).named
    asked: dict[str, Any] = {}
    for field in fields(Selection):
        value = getattr(query.selection, field.name)
        if field.name in named:
            asked[field.name] = [*named[field.name]]
        elif field.name in ("since", "until"):
            asked[field.name] = value and value.astimezone(UTC).isoformat()
        else:
            asked[field.name] = [*several(value)]
    rest = {field.name: getattr(query, field.name) for field in fields(query)}
    del rest["selection"]
    if query.anchor is not None:
        rest["anchor"] = find(session, "agent", query.anchor)[0]
    if isinstance(query.weights, Mapping):
        rest["weights"] = dict(sorted(query.weights.items()))
    selection = {name: value for name, value in asked.items() if value}
    return {
        "selection": selection,
        **{name: v for name, v in rest.items() if v not in (None, False)},
    }


def _query(asked: Mapping[str, Any]) -> LeaderboardQuery:
    rest = {name: value for name, value in asked.items() if name != "selection"}
    return LeaderboardQuery(Selection(**asked["selection"]), **rest)


def _key(asked: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _state(session: Session, query: LeaderboardQuery) -> BoardState:
    """That of the games, of the software and of the form."""
    games = board_state(session, query.selection)
    by = [described("ratings", query.system)]
    if query.covariate is not None:
        by.append(described("covariates", query.covariate))
    made = json.dumps([VERSION, games.digest, *by])
    return replace(games, digest=hashlib.sha256(made.encode()).hexdigest())


@cache
def _form() -> TypeAdapter[tuple[Board, ...]]:
    return TypeAdapter(tuple[Board, ...])


def _read(kept: KeptBoard) -> tuple[Board, ...] | None:
    """None where it is of another form."""
    if kept.version != VERSION:
        return None
    try:
        return _parsed(kept.body)
    except ValidationError:
        return None


# Several pages show one board, each of its rows: it is taken apart once.
@lru_cache(maxsize=16)
def _parsed(body: str) -> tuple[Board, ...]:
    return _form().validate_json(body)
