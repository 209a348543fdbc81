"""Calls that failed, the newest first, in pages: each starts where the one before it ended."""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from db import keys
from db.errors import BadSelection
from db.models import LLMCall
from db.models.columns import original_text
from db.queries.fitting import bounds, fitting_calls, seats_of
from db.selection import Selection

_PAGE = 200  # calls that are read together
_LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class FailedCallRow:
    """An attempt that failed: whose, in which turn, by which `error_class`, and `later` how that
    call went on: the attempts after it, and whether one of them was `answered`."""

    call_id: int
    game_id: int
    turn_number: int
    player_index: int
    call_number: int
    attempt: int
    model: str
    error_class: str
    error_status: int | None
    error_message: str | None
    request_sent_at: datetime | None
    total_response_time_ms: float | None
    lag_ms: float | None
    prompt_tokens: int | None
    later: int
    answered: bool
    tournament: str | None
    game_status: str | None
    agent: str | None
    role: str | None
    team: str | None
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FailedCalls:
    """A page of them; `older` is the call before which the next page begins, None where there is
    none. `looked_through` says that the page ended because few of many calls fitted."""

    rows: tuple[FailedCallRow, ...]
    older: int | None = None
    looked_through: bool = False


def error_classes(session: Session) -> list[str]:
    """The classes of error on record, by name; read from the index class by class."""
    found: list[str] = []
    while True:
        query: Any = select(func.min(col(LLMCall.error_class))).where(
            col(LLMCall.error_class).is_not(None)
        )
        if found:
            query = query.where(col(LLMCall.error_class) > found[-1])
        name = session.execute(query).scalar()
        if name is None:
            return found
        found.append(name)


def failed_calls(
    session: Session,
    selection: Selection | None = None,
    *,
    failed: Sequence[str] = (),
    limit: int,
    before: int | None = None,
    most: int | None = None,
) -> FailedCalls:
    """At most `limit` calls of the seats of a selection that failed, the newest first, of some
    error classes, from before a call; where `most` is given, no more than about so many failed
    calls are looked at. A `model` of the selection is the one that the seat's agent is made with.

    Raises BadSelection for what is not on record.
    """
    chosen = (selection or Selection()).on(session)
    classes = _known(error_classes(session), failed)
    of_games = bounds(session, chosen)
    since, below = (
        (0, _LAST)
        if of_games is None
        else (keys.calls_of_game(of_games[0])[0], keys.calls_of_game(of_games[1])[1])
    )
    below = below if before is None else min(below, before)
    kept: list[int] = []
    looked, at, more = 0, below, True
    while more and len(kept) <= limit and (most is None or looked < most):
        page = _newest(session, classes, since, at, _PAGE)
        more = len(page) == _PAGE
        looked += len(page)
        at = page[-1] if page else at
        kept += fitting_calls(session, chosen, page)
    rows = _rows(session, kept[:limit])
    if len(kept) > limit:
        return FailedCalls(rows, kept[limit - 1])
    return FailedCalls(rows, at if more else None, more)


def _known(known: list[str], asked: Sequence[str]) -> list[str]:
    for name in asked:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            expected = ", ".join(known) if known else "no call has failed"
            raise BadSelection(f"no call failed by {name[:80]!r}: expected {expected}{hint}")
    return [*asked] or known


def _newest(
    session: Session, classes: Sequence[str], since: int, below: int, limit: int
) -> list[int]:
    """The largest numbers of such calls below one, from the index of each class."""
    found: list[Iterator[int]] = []
    for name in classes:
        query: Any = (
            select(col(LLMCall.id))
            .where(
                col(LLMCall.error_class) == name,
                col(LLMCall.id) >= since,
                col(LLMCall.id) < below,
            )
            .order_by(col(LLMCall.id).desc())
            .limit(limit)
        )
        found.append(iter(session.execute(query).scalars().all()))
    return [*heapq.merge(*found, reverse=True)][:limit]


def _rows(session: Session, found: Sequence[int]) -> tuple[FailedCallRow, ...]:
    columns = (
        LLMCall.id, LLMCall.call_number, LLMCall.attempt, LLMCall.model, LLMCall.error_class,
        LLMCall.error_status, LLMCall.error_message_text, LLMCall.error_message_raw,
        LLMCall.request_sent_at, LLMCall.response_received_at, LLMCall.total_response_time_ms,
        LLMCall.lag_ms, LLMCall.prompt_tokens,
    )  # fmt: skip
    query: Any = select(*(col(each) for each in columns)).where(
        col(LLMCall.game_turn_id).in_(sorted({key >> 8 for key in found}))
    )
    of_turns = {row[0]: row for row in session.execute(query)}
    seats = seats_of(session, sorted({key >> 32 for key in found}))
    rows = []
    for key in found:
        _, number, attempt, model, name, status, said, raw, sent, _, ms, lag, tokens = of_turns[key]
        game_id, turn_number, player_index = keys.turn_of(key >> 8)
        later = [
            row
            for row in of_turns.values()
            if row[0] >> 8 == key >> 8 and row[1] == number and row[2] > attempt
        ]
        nobody = (*seats.get((game_id, None), (None, None)), None, None, None, None, ())
        tournament, game_status, agent, role, team, _, teams = seats.get(
            (game_id, player_index), nobody
        )
        rows.append(
            FailedCallRow(
                key, game_id, turn_number, player_index, number, attempt, model, name, status,
                original_text(said, raw), sent, ms, lag, tokens, len(later),
                any(row[4] is None and row[9] is not None for row in later),
                tournament, game_status, agent, role, team, teams,
            )
        )  # fmt: skip
    return tuple(rows)
