"""Calls of tools, the newest first, in pages: each starts where the one before it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from db import keys
from db.errors import BadSelection
from db.models import CalledTool
from db.queries.fitting import bounds, fitting_calls, seats_of
from db.queries.transcript import ToolCallRow, tool_call_row
from db.selection import Selection
from db.transcripts.reading import archived_part

ERRORS = ("unknown", "arguments", "refused", "failed", "timeout", "limit", "interrupted")
"""Of what kind the error of a call of a tool is (`arena.core.tools.ToolUse`)."""
ANY = "any"
"""Whichever error it is."""

_PAGE = 200  # calls that are read together
_LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class CalledToolRow:
    """A call of a tool and whose turn it was made in."""

    call: ToolCallRow
    game_id: int
    turn_number: int
    player_index: int
    tournament: str | None
    agent: str | None
    role: str | None
    team: str | None


@dataclass(frozen=True, slots=True)
class CalledTools:
    """A page of them; `older` is the call before which the next page begins, None where there is
    none."""

    rows: tuple[CalledToolRow, ...]
    older: int | None = None


def called_tools(
    session: Session,
    selection: Selection | None = None,
    *,
    failed: Sequence[str] = (),
    limit: int,
    before: int | None = None,
) -> CalledTools:
    """At most `limit` calls of tools by the seats of a selection, the newest first, from before a
    call; those that failed by some errors (`ERRORS`, or `ANY`), where they are given.

    Raises BadSelection for what is not on record, and for an error that there is not.
    """
    chosen = (selection or Selection()).on(session)
    wanted = _errors(failed)
    of_games = bounds(session, chosen)
    since, below = (
        (0, _LAST)
        if of_games is None
        else (keys.calls_of_game(of_games[0])[0], keys.calls_of_game(of_games[1])[1])
    )
    at = below if before is None else min(below, before)
    kept: list[int] = []
    more = True
    while more and len(kept) <= limit:
        query: Any = select(col(CalledTool.id)).where(
            col(CalledTool.id) >= since, col(CalledTool.id) < at, *wanted
        )
        page = [*session.scalars(query.order_by(col(CalledTool.id).desc()).limit(_PAGE))]
        more = len(page) == _PAGE
        at = page[-1] if page else at
        kept += fitting_calls(session, chosen, page)
    older = kept[limit - 1] if len(kept) > limit else None
    return CalledTools(_rows(session, kept[:limit]), older)


def _errors(failed: Sequence[str]) -> list[Any]:
    for name in failed:
        if name not in (*ERRORS, ANY):
            raise BadSelection(
                f"no call of a tool fails by {name[:80]!r}: expected {', '.join(ERRORS)}, or {ANY}"
            )
    if not failed:
        return []
    error = col(CalledTool.error)
    return [error.is_not(None) if ANY in failed else error.in_(failed)]


def _rows(session: Session, found: Sequence[int]) -> tuple[CalledToolRow, ...]:
    query: Any = select(CalledTool).where(col(CalledTool.id).in_(found))
    away = {
        row["id"]: row
        for game_id in sorted({key >> 32 for key in found})
        for row in archived_part(session, game_id, "tool_calls")
    }
    calls = {row.id: tool_call_row(row, None, away.get(row.id)) for row in session.scalars(query)}
    seats = seats_of(session, sorted({key >> 32 for key in found}))
    rows = []
    for key in found:
        game_id, turn_number, player_index = keys.turn_of(key >> 8)
        tournament, *_ = seats.get((game_id, None), (None,))
        _, _, agent, role, team, *_ = seats.get((game_id, player_index), (None,) * 5)
        rows.append(
            CalledToolRow(
                calls[key], game_id, turn_number, player_index, tournament, agent, role, team
            )
        )
    return tuple(rows)
