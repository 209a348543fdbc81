"""Lines of the logs of runs, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from db.errors import BadSelection
from db.models import ExecutionLog, Tournament
from db.models.columns import aware
from db.queries.agents import agent_names
from db.selection import Chosen, Selection, several

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}

FIELDS = ("tournament", "agent", "game", "since", "until")
"""What lines can be chosen by."""


@dataclass(frozen=True, slots=True)
class LogRow:
    """A line: who said it (`logger`) about what; `level` is a word of `LEVELS`."""

    log_id: int
    at: datetime
    level: str
    logger: str
    tournament: str | None
    game_id: int | None
    agent: str | None
    message: str


def level_of(word: str) -> int:
    """The number of a level. Raises BadSelection for a word that names none."""
    number = LEVELS.get(word.strip().lower())
    if number is None:
        raise BadSelection(f"unknown level {word[:80]!r}: expected {', '.join(LEVELS)}")
    return number


def word_of(level: int) -> str:
    """The word for a level: that of the highest one that it reaches."""
    return max((n, word) for word, n in LEVELS.items() if n <= max(level, 10))[1]


def lines(chosen: Chosen, level: int = 0) -> list[ColumnElement[bool]]:
    """The conditions on the table of lines: those of a selection, of at least a level."""
    logs, asked = ExecutionLog, chosen.asked
    found: list[ColumnElement[bool]] = [
        column.in_(values)
        for column, values in (
            (col(logs.tournament_id), [*chosen.named.get("tournament", ())]),
            (col(logs.agent_id), [*chosen.named.get("agent", ())]),
            (col(logs.game_id), several(asked.game)),
        )
        if values
    ]
    if level:
        found.append(col(logs.level) >= level)
    if asked.since is not None:
        found.append(col(logs.at) >= asked.since)
    if asked.until is not None:
        found.append(col(logs.at) < asked.until)
    return found


def execution_logs(
    session: Session,
    selection: Selection | None = None,
    *,
    level: str | None = None,
    limit: int,
    before: int | None = None,
    after: int | None = None,
) -> list[LogRow]:
    """At most `limit` lines of a selection of at least a level, the newest first, which are older
    than the line `before`; or, of those that are newer than the line `after`, the oldest first.

    Raises BadSelection for what is not on record, and for what no line can be chosen by.
    """
    selection = selection or Selection()
    selection.allow(*FIELDS, what="lines of a log")
    least = 0 if level is None else level_of(level)
    where = lines(selection.on(session), least)
    logs = ExecutionLog
    if before is not None:
        where.append(col(logs.id) < before)
    if after is not None:
        where.append(col(logs.id) > after)
    order = col(logs.id).desc() if after is None else col(logs.id)
    query: Any = (
        select(
            col(logs.id), col(logs.at), col(logs.level), col(logs.logger), col(Tournament.name),
            col(logs.game_id), col(logs.agent_id), col(logs.message),
        )
        .outerjoin(Tournament, col(Tournament.id) == col(logs.tournament_id))
        .where(*where)
        .order_by(order)
        .limit(limit)
    )  # fmt: skip
    rows = session.execute(query).all()
    agents = {row[6] for row in rows if row[6] is not None}
    named = agent_names(session, agents) if agents else {}
    names = {key: each.name for key, each in named.items()}
    return [
        LogRow(key, aware(at), word_of(of), logger, cup, game, names.get(agent), said)
        for key, at, of, logger, cup, game, agent, said in rows
    ]
