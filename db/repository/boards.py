"""Leaderboards that were computed: kept by question, read, and forgotten."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlmodel import Session, col

from db.models import StoredBoard

MOST = 200
"""Questions whose answers are kept: beyond it the oldest go."""

_STORE = (
    "INSERT INTO stored_boards (question, asked, version, newest, state, stored_at, body) VALUES "
    "(:question, {asked}, :version, :newest, :state, :stored_at, :body) "
    "ON CONFLICT (question) DO UPDATE SET version = excluded.version, newest = excluded.newest, "
    "state = excluded.state, stored_at = excluded.stored_at, body = excluded.body"
)


class BoardRepository:
    session: Session

    def store_board(
        self,
        question: str,
        asked: Mapping[str, Any],
        body: str,
        *,
        version: int,
        newest: int | None,
        state: str,
    ) -> None:
        """Keep an answer in the place of the one before it, and at most MOST of them."""
        dialect = self.session.get_bind().dialect.name
        value = "CAST(:asked AS jsonb)" if dialect == "postgresql" else ":asked"
        moment = datetime.now(UTC)
        values = {
            "question": question,
            "asked": json.dumps(asked),
            "version": version,
            "newest": newest,
            "state": state,
            "stored_at": moment if dialect == "postgresql" else moment.isoformat(" ")[:26],
            "body": zlib.compress(body.encode()),
        }
        self.session.connection().execute(text(_STORE.format(asked=value)), values)
        count: Any = select(func.count()).select_from(StoredBoard)
        if self.session.execute(count).scalar_one() > MOST:
            kept: Any = (
                select(col(StoredBoard.question)).order_by(col(StoredBoard.stored_at).desc())
            ).limit(MOST)
            self.session.execute(
                delete(StoredBoard).where(col(StoredBoard.question).not_in(kept.scalar_subquery()))
            )

    def forget_boards(self) -> None:
        """Delete every answer: they are computed again when they are asked for."""
        self.session.execute(delete(StoredBoard))
