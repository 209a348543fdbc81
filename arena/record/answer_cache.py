"""Looks for answers in the database's own record of calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from arena.core.threads import in_thread
from arena.llm.providers.protocol import Answer
from arena.record.reading import completion
from db import Database
from db.queries.cache import cached_answer


class DatabaseCache:
    """Answers at most `ttl` seconds old (`arena.llm.cache.Answers`)."""

    def __init__(self, database: Database, ttl: float) -> None:
        self._database = database
        self._ttl = timedelta(seconds=ttl)

    async def get(self, request_hash: str) -> Answer | None:
        """The answer on record for this request; None when there is none, or it is too old."""
        return await in_thread(self._get, request_hash)

    def _get(self, request_hash: str) -> Answer | None:
        not_before = datetime.now(UTC) - self._ttl
        found = self._database.reconnecting(
            lambda session: cached_answer(session, request_hash, not_before)
        )
        if found is None:
            return None
        return Answer(completion(found), found.model_answered)
