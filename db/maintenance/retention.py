"""How long what is kept: a policy, and what of a database is older than it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import false, or_, select, text
from sqlmodel import Session, col

from db.live import run_now
from db.models import ArchivedGame, CachedAnswer, ExecutionLog, Game, GameTurn, Tournament
from db.transcripts.moved import MOVED

_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Retention:
    """Days after which something goes; None keeps it for ever.

    `transcripts` of games that have ended are archived. `answers` of the cache are removed, with
    `by_ttl` once they are older than the longest time to live that a tournament on record gives
    them. `logs` of runs are removed. Results, ratings, events, counters, annotations and the trail
    are kept whatever a policy says.
    """

    transcripts: float | None = 365.0
    answers: float | None = None
    by_ttl: bool = True
    logs: float | None = 30.0


def candidates(session: Session, policy: Retention, now: datetime) -> list[int]:
    """The games whose transcripts are old enough, in the order of their ends: of no tournament that
    is run, with turns, and not archived yet."""
    assert policy.transcripts is not None
    live = sorted(run_now(session))
    query: Any = (
        select(col(Game.id))
        .where(
            col(Game.status).in_(("completed", "void")),
            col(Game.finished_at) < now - timedelta(days=policy.transcripts),
            select(col(GameTurn.id)).where(col(GameTurn.game_id) == col(Game.id)).exists(),
            ~select(col(ArchivedGame.game_id))
            .where(col(ArchivedGame.game_id) == col(Game.id))
            .exists(),
            or_(col(Game.tournament_id).is_(None), col(Game.tournament_id).not_in(live)),
        )
        .order_by(col(Game.finished_at), col(Game.id))
    )
    return [*session.execute(query).scalars()]


def old_size(session: Session, games: Sequence[int]) -> tuple[int, int]:
    """(rows, bytes) of the texts of some games."""
    connection = session.connection()
    length = (
        "OCTET_LENGTH({})" if connection.dialect.name != "sqlite" else ("LENGTH(CAST({} AS BLOB))")
    )
    rows = size = 0
    for game_id in games:
        for part in MOVED:
            first, end = part.span(game_id)
            texts = [*part.told_by, *(n for n, kind in part.columns.items() if kind != "integer")]
            total = " + ".join(f"COALESCE({length.format(name)}, 0)" for name in texts)
            held = " OR ".join(f"{name} IS NOT NULL" for name in part.columns)
            query = text(
                f"SELECT COUNT(*), SUM({total}) FROM {part.name} "  # noqa: S608
                f"WHERE {part.key} >= :first AND {part.key} < :end AND ({held})"
            )
            found, length_of = connection.execute(query, {"first": first, "end": end}).one()
            rows, size = rows + int(found), size + int(length_of or 0)
    return rows, size


def expired_answers(session: Session, policy: Retention, now: datetime) -> Any:
    """The statement of the cached answers that go."""
    query = select(col(CachedAnswer.request_hash))
    seconds = None if policy.answers is None else policy.answers * 86_400
    if seconds is None and policy.by_ttl:
        seconds = longest_ttl(session)
    if seconds is None:
        return query.where(false())
    return query.where(col(CachedAnswer.stored_at) < now - timedelta(seconds=seconds))


def longest_ttl(session: Session) -> float | None:
    """The longest time, in seconds, that a tournament on record has cached answers live; None where
    no tournament says."""
    found = [
        float(cache["ttl"])
        for config in session.execute(select(col(Tournament.config))).scalars()
        if isinstance(cache := (config or {}).get("cache"), dict) and cache.get("ttl")
    ]
    return max(found, default=None)


def expired_lines(policy: Retention, now: datetime) -> Any:
    """The statement of the lines of logs that go."""
    query = select(col(ExecutionLog.id))
    if policy.logs is None:
        return query.where(false())
    return query.where(col(ExecutionLog.at) < now - timedelta(days=policy.logs))
