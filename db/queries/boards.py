"""Leaderboards as they were stored, and whether anything has changed since."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from db.models import AnnotationTag, Counters, Environment, Game, PairScope, StoredBoard, Tournament
from db.models.columns import aware
from db.queries.agents import agent_names
from db.selection import Selection, several

# Counters of a tournament that are others after a game has ended, void ones included.
_GROWING = ("seats", "turns", "calls", "charged", "votes")


@dataclass(frozen=True, slots=True)
class BoardState:
    """What an answer rests on: `newest` is the fold_index of the newest rated game of the
    tournaments and environments that it is about, None where none is, and `digest` changes whenever
    a game of theirs ends, is rated or goes, or is tagged with what is asked for, or something that
    the answer names gets another name."""

    newest: int | None
    digest: str


@dataclass(frozen=True, slots=True)
class KeptBoard:
    """An answer as it was stored: what it was `asked`, its `body`, the `version` of that, and the
    state that it was computed in."""

    question: str
    asked: Mapping[str, Any]
    version: int
    state: BoardState
    stored_at: datetime
    body: str


def board_state(session: Session, selection: Selection) -> BoardState:
    """The state of the tournaments and environments of a selection, whatever else it leaves out.
    What is read does not grow with the games, but with tournaments and agents.

    Raises BadSelection for what is not on record.
    """
    named = selection.on(session).named
    cups, places = [*named.get("tournament", {})], [*named.get("environment", {})]
    here: list[Any] = []
    scopes: Any = select(PairScope)
    if cups:
        here.append(col(Tournament.id).in_(cups))
        scopes = scopes.where(col(PairScope.tournament_id).in_(cups))
    else:
        scopes = scopes.where(col(PairScope.tournament_id).is_(None))
    if places:
        here.append(col(Tournament.environment_id).in_(places))
        scopes = scopes.where(col(PairScope.environment_id).in_(places))
    counted = sorted(
        (row.environment_id, row.tournament_id or 0, row.games, row.repeats, row.newest)
        for row in session.scalars(scopes)
    )
    tournaments: Any = (
        select(
            col(Tournament.id),
            col(Tournament.name),
            col(Tournament.environment_id),
            col(Tournament.next_fold_index),
            *(func.sum(getattr(Counters, name)) for name in _GROWING),
        )
        .outerjoin(Counters, col(Counters.tournament_id) == col(Tournament.id))
        .where(*here)
        .group_by(col(Tournament.id))
        .order_by(col(Tournament.id))
    )
    cup_rows = [list(row) for row in session.execute(tournaments)]
    environments: Any = select(col(Environment.id), col(Environment.name), col(Environment.version))
    whole: Any = select(func.max(col(Game.fold_index)))
    known = [
        counted,
        [[*row[:4], *(int(number or 0) for number in row[4:])] for row in cup_rows],
        [list(row) for row in session.execute(environments.order_by(col(Environment.id)))],
        [
            [key, *map(str, (row.name, row.kind, row.model, row.prompt))]
            for key, row in agent_names(session).items()
        ],
    ]
    newest = max((row[-1] for row in counted), default=None)
    if not counted or len(counted) < len({row[2] for row in cup_rows}):
        # Games that nobody has counted: any that was rated may be one of them.
        newest = session.execute(whole).scalar()
        known.append([newest])
    if selection.tag:
        tagged = col(AnnotationTag.tag).in_(several(selection.tag))
        games = select(col(AnnotationTag.game_id)).where(tagged).distinct()
        known.append(sorted(session.scalars(games)))
    digest = hashlib.sha256(json.dumps(known).encode()).hexdigest()
    return BoardState(None if newest is None else int(newest), digest)


def kept_board(session: Session, question: str) -> KeptBoard | None:
    """The answer to a question, None where there is none."""
    row = session.get(StoredBoard, question)
    return None if row is None else _kept(row)


def kept_boards(session: Session) -> list[KeptBoard]:
    """Every answer, the newest first."""
    query: Any = select(StoredBoard).order_by(col(StoredBoard.stored_at).desc())
    return [_kept(row) for row in session.scalars(query)]


def _kept(row: StoredBoard) -> KeptBoard:
    return KeptBoard(
        row.question,
        row.asked,
        row.version,
        BoardState(row.newest, row.state),
        aware(row.stored_at),
        zlib.decompress(row.body).decode(),
    )
