"""Dollars: reserved with the intent, charged with the answer, orphans settled, all added up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from sqlmodel import Session

from arena.core import Usage
from db import Recorder, Repository, get_session
from db.queries.cache import cached_answer
from db.queries.spending import ModelSpending, spending, spent
from db.queries.transcript import transcript
from db.queries.usage import usage
from db.writer.games import GameStarted
from db.writer.subject import Record
from tests.db.test_recorder import acted, answered, intended, opened
from tests.db.tournaments import FOLD, NOON, tournament, void

HASH = "00112233445566ff"


def write(url: str, *records: Record) -> None:
    async def main() -> None:
        async with Recorder(url, FOLD) as recorder:
            for record in records:
                await recorder.append(record)

    asyncio.run(main())


def played(url: str) -> tuple[int, int]:
    """Two games: one void with an answer, an error and an orphan; one that is played now."""
    first, second, *_ = tournament(url)
    write(
        url,
        GameStarted(first, NOON),
        opened(first, 0, 0, "go"),
        replace(intended(first, 0, 0, "go"), reserved=1.0),
        answered(
            first,
            0,
            0,
            "",
            text=None,
            response=None,
            usage=Usage(20, 3),
            charged=1.0,
            error_class="Timeout",
            error_message="nothing came",
        ),
        replace(intended(first, 0, 0, "go", 1), reserved=1.0),
        answered(first, 0, 0, "[1]", 1, charged=0.25),
        acted(first, 0, 0, "[1]"),
        opened(first, 1, 1, "go on"),
        replace(intended(first, 1, 1, "go on"), reserved=2.0),
        GameStarted(second, NOON),
        opened(second, 0, 0, "go"),
        replace(intended(second, 0, 0, "go"), reserved=4.0),
    )
    return first, second


def test_what_was_spent_is_added_up_per_model(database_url: str) -> None:
    first, _ = played(database_url)
    write(database_url, void(first))
    with get_session(database_url) as session:
        # agents 1 and 2 play the first game, 2 and 3 the second
        assert spent(session, 1) == {"model-0": 1.25, "model-1": 2.0 + 4.0}
        assert spending(session, 1)["model-0"] == ModelSpending("model-0", 2, 2, 1, 0, 0, 1.25)
        assert spent(session, 2) == {}
        rows = transcript(session, first)
        assert [(call.reserved, call.charged) for row in rows for call in row.calls] == [
            (1.0, 1.0),
            (1.0, 0.25),
            (2.0, None),
        ]


def test_orphans_are_settled_once(database_url: str) -> None:
    first, second = played(database_url)
    with get_session(database_url) as session:
        # What is in flight in a running game is no orphan, what was when it ended is.
        assert [row.orphans for row in usage(session).values()] == [0, 0, 0]
        repo = Repository(session)
        (orphan,) = repo.settle_orphans([first])
        assert orphan == ((((first << 16) + 1) << 8) + 1 << 8, 2.0)
        assert repo.settle_orphans([first]) == []
    write(database_url, void(first), void(second))
    with get_session(database_url) as session:
        call = transcript(session, first)[1].calls[0]
        assert (call.error_class, call.reserved, call.charged) == ("Orphaned", 2.0, 2.0)
        assert call.error_message == "the process ended while this call was in flight"
        assert not call.answered
        assert spending(session, 1)["model-1"] == ModelSpending("model-1", 2, 0, 0, 2, 0, 6.0)
        rows = usage(session)
        assert {key: (row.orphans, row.failed_calls) for key, row in rows.items()} == {
            1: (0, 1),
            2: (2, 0),
            3: (0, 0),
        }
        assert Repository(session).settle_orphans([first, second, 99]) == [
            ((second << 16 << 8) << 8, 4.0)
        ]


def test_a_game_goes_on_after_its_orphan(database_url: str) -> None:
    first, _ = played(database_url)
    with get_session(database_url) as session:
        Repository(session).settle_orphans([first])
    write(
        database_url,
        opened(first, 1, 1, "go on"),
        replace(intended(first, 1, 1, "go on", 1), reserved=2.0),
        answered(first, 1, 1, "[2]", 1, charged=0.5),
    )
    with get_session(database_url) as session:
        calls = transcript(session, first)[1].calls
        assert [call.charged for call in calls] == [2.0, 0.5]
        assert spent(session, 1)["model-1"] == 6.5


def test_a_cacheable_answer_is_found_by_its_request(database_url: str) -> None:
    first, second = played(database_url)
    said = answered(first, 1, 1, "I take two \x00 \ud800", cacheable=True)
    write(database_url, said)
    with get_session(database_url) as session:
        found = cached_answer(session, HASH, NOON)
        assert found is not None
        assert (found.text, found.response) == (said.answer.text, said.answer.response)
        assert (found.finish_reason, found.model_answered) == ("stop", "random-1")
        assert (found.prompt_tokens, found.response_tokens, found.cost) == (20, 3, 0.25)
        assert found.stored_at == NOON
        assert cached_answer(session.connection(), HASH, NOON) == found
        assert cached_answer(session, HASH, NOON + timedelta(microseconds=1)) is None
        assert cached_answer(session, "another", NOON) is None

    # The newest answer takes the place of the one before; one that is not cacheable does not.
    later = NOON + timedelta(hours=1)
    newer = answered(second, 0, 0, "[7]", response_received_at=later, cacheable=True)
    cached = replace(newer, answer=replace(newer.answer, cached=True))  # type: ignore[type-var]
    write(database_url, cached, acted(second, 0, 0, "[7]"), newer)
    write(database_url, intended(second, 0, 0, "go", 1), answered(second, 0, 0, "[8]", 1))
    with get_session(database_url) as session:
        found = cached_answer(session, HASH, later)
        assert found is not None
        assert (found.text, found.stored_at) == ("[7]", later)
        (call, _) = transcript(session, second)[0].calls
        assert (call.call_id, call.cached) == (found.call_id, True)
        assert spending(session, 1)["model-1"].cached == 1
        delete(session, second)
        assert cached_answer(session, HASH, NOON) is None


def delete(session: Session, game_id: int) -> None:
    from db import Game

    session.delete(session.get_one(Game, game_id))
    session.flush()


def test_an_answer_that_was_the_action_is_cached_whole(database_url: str) -> None:
    first, _ = played(database_url)
    said = answered(first, 1, 1, "I take two of them.", cacheable=True)

    async def main() -> None:
        async with Recorder(database_url) as recorder:
            await recorder.append(said, acted(first, 1, 1, "I take two of them."))

    asyncio.run(main())
    with get_session(database_url) as session:
        found = cached_answer(session, HASH, NOON)
        assert found is not None
        assert (found.text, found.response) == (said.answer.text, said.answer.response)
