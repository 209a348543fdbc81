"""Chunks of clearance are rows that a run's lease fences: what live workers may still send."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from arena.core import RecordError
from arena.llm.chunks import LAPSES, Chunk
from arena.llm.clearance import CallNeeds
from arena.record.chunk_book import RecordedChunks
from arena.record.writing import GameRecorder, Meter
from db import Repository, get_session
from db.leases import Lease
from db.models import GrantedChunk
from db.queries.granted_chunks import unsent_calls
from tests.db.holders import Waiting, at, challenge, elsewhere
from tests.db.tournaments import tournament

NEEDS = CallNeeds("gpt", 100, 0.25)


def chunk(number: int, calls: int) -> Chunk:
    return Chunk(number, NEEDS, calls, calls, 0.0, 1, 100)


def keeps(
    url: str, lease: Lease, what: Callable[[RecordedChunks], Awaitable[None]] | None = None
) -> bool:
    """Whether the holder of a lease has a book for chunks, after it has done `what` with it."""

    async def main() -> bool:
        async with at(url).recorder(lease=lease, delegates=True) as recorder:
            book = GameRecorder(recorder, 1, Meter()).chunk_book
            if book is not None and what is not None:
                await what(book)
            return book is not None

    return asyncio.run(main())


def unsent(url: str, later: float = 0.0) -> list[tuple[str, int, int, float]]:
    with get_session(url) as session:
        found = unsent_calls(session, datetime.now(UTC) + timedelta(seconds=later))
    return [(row.model, row.calls, row.tokens, row.dollars) for row in found]


def test_on_sqlite_chunks_are_the_driver_s_memory(sqlite_url: str) -> None:
    tournament(sqlite_url)
    with challenge(sqlite_url, Waiting()) as lease:
        assert not keeps(sqlite_url, lease)


def test_what_live_workers_may_still_send_is_on_record_until_it_lapses(postgresql_url: str) -> None:
    url = postgresql_url
    tournament(url)
    seen = []

    async def grant(book: RecordedChunks) -> None:
        await book.granted("a", 0, chunk(1, 8))
        await book.granted("b", 0, chunk(1, 2))
        seen.append(unsent(url))
        # The slot is free again: the first chunk was sent.
        await book.granted("a", 0, chunk(2, 4))
        book.returned("a", 0, 1, 8)
        book.returned("a", 0, 2, 1)

    with challenge(url, Waiting()) as lease:
        assert keeps(url, lease, grant)
        assert seen == [[("gpt", 10, 1_000, 2.5)]]
        assert unsent(url) == [("gpt", 5, 500, 1.25)]
        assert unsent(url, later=LAPSES) == []

        # One that is taken for dead sends nothing when it wakes up.
        delegation = lease.delegated(at(url).url)
        with at(url).session() as session:
            delegation.end(session, "a")
        assert unsent(url) == [("gpt", 2, 200, 0.5)]
    assert unsent(url) == [], "its run has ended"


def test_a_run_that_was_taken_over_grants_nothing_more(postgresql_url: str) -> None:
    url = postgresql_url
    tournament(url)
    old = challenge(url, Waiting())

    async def late(book: RecordedChunks) -> None:
        await book.granted("a", 0, chunk(1, 8))
        assert unsent(url) != []
        elsewhere(url)
        new = challenge(url, Waiting())
        assert unsent(url) == [], "workers of the old run write nothing, and send nothing"
        with pytest.raises(RecordError, match="another process has taken over tournament 1"):
            await book.granted("a", 1, chunk(2, 8))
        assert unsent(url) == []
        with at(url).session() as session:
            Repository(session).end_chunks(1, new.fence)
        new.release()

    assert keeps(url, old, late)
    with get_session(url) as session:
        assert session.exec(select(GrantedChunk)).all() == []
    old.release()
