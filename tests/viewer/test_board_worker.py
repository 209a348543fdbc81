"""The worker beside the pages: it answers as many questions as are asked, one after another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from threading import Event

import pytest
from sqlalchemy import text

from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.stored import stored_answer
from arena.viewer.boards import BoardWorker, Computed
from arena.viewer.links import ServerLinks
from arena.viewer.templating import environment
from arena.viewer.visit import Visit
from db import Database, Session, get_session
from db.queries.games import count_games, games
from db.selection import Selection


@pytest.fixture
def worker(watched: str) -> Iterator[BoardWorker]:
    with Database(watched) as source, closing(BoardWorker(source)) as made:
        yield made


def settled(worker: BoardWorker, key: str, state: str, compute: object) -> Computed:
    """The answer once it is there."""
    for _ in range(600):
        found = worker.computed(key, state, compute)  # type: ignore[arg-type]
        if not found.behind:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{key} is never answered")


def test_forty_questions_are_all_answered(worker: BoardWorker, watched: str) -> None:
    # Of days on which nothing was played: each is a question of its own, and quickly answered.
    queries = [
        LeaderboardQuery(Selection(until=f"19{year:02}-01-01T00:00+00:00")) for year in range(40)
    ]
    for query in queries:
        for _ in range(600):
            assert worker.ask(query) is None
            with get_session(watched, create=False) as session:
                if stored_answer(session, query) is not None:
                    break
            time.sleep(0.01)
        else:
            raise AssertionError(f"{query.selection.until} is never answered")


def test_an_answer_is_kept_until_what_it_rests_on_moves(worker: BoardWorker) -> None:
    asked: list[dict[str, int]] = []

    def compute(session: Session) -> int:
        asked.append(count_games(session))
        return len(asked)

    assert settled(worker, "games", "a", compute).value == 1
    assert settled(worker, "games", "a", compute).value == 1
    first = worker.computed("games", "b", compute)
    assert first.value in (1, 2)
    assert settled(worker, "games", "b", compute).value == 2


def test_an_answer_that_comes_while_a_page_is_drawn_moves_it(worker: BoardWorker) -> None:
    drawn = Event()

    def compute(session: Session) -> int:
        drawn.wait()
        return sum(count_games(session).values())

    with get_session(worker.source, create=False) as session:
        visit = Visit(session, environment(), ServerLinks(), worker=worker)
        assert visit.computed("games", "a", compute).behind
        drawn.set()
        while worker.ended == 0:
            time.sleep(0.01)
        page = visit.watching("all")
        later = Visit(session, environment(), ServerLinks(), worker=worker)
        assert later.computed("games", "a", compute).value == 3
        assert page != later.watching("all") == later.watching("all")


def test_what_cannot_be_answered_says_why_and_is_asked_again(worker: BoardWorker) -> None:
    from arena.core import UsageError

    def refuse(session: Session) -> None:
        raise UsageError("no two agents have met: play some games")

    found = settled(worker, "nobody", "a", refuse)
    assert (found.value, found.failed) == (None, "no two agents have met: play some games")
    assert settled(worker, "nobody", "b", lambda session: 7).value == 7


def test_an_answer_beside_the_pages_cannot_write(worker: BoardWorker, watched: str) -> None:
    def write(session: Session) -> None:
        session.connection().execute(text("UPDATE games SET reason = 'written'"))

    found = settled(worker, "writes", "a", write)
    assert found.value is None
    assert found.failed is not None
    with get_session(watched) as session:
        game = games(session, Selection(), limit=1)[0]
    assert game.reason != "written"
