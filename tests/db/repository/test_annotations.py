"""What people say of games: once each about each, and gone with the game."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db import Database, Repository, get_session
from db.errors import BadAnnotation, BadSelection
from db.queries.annotations import annotation_rows, annotations_of, tag_counts
from db.queries.boards import board_state
from db.queries.games import games
from db.selection import Selection
from tests.db.tournaments import tournament


@pytest.fixture
def url(database_url: str) -> str:
    """Three scheduled games; the first has two turns, and a branch from the second of them."""
    first, *_ = tournament(database_url, games=3)
    with get_session(database_url) as session:
        repo = Repository(session)
        for number in (0, 1):
            repo.add_game_turn(first, number, number % 2, "Your turn.", f"[{number}]")
        repo.create_game(parent_game_id=first, parent_turn=1)
    return database_url


def test_what_is_said_again_replaces_what_was_said(url: str) -> None:
    with get_session(url) as session:
        repo = Repository(session)
        first = repo.annotate(1, 1, " Ann  B ", rating=2, tags=["Lie, bluff", "LIE"], comment="so")
        assert first.before is None
        assert (first.now.annotator, first.now.tags) == ("Ann B", ("bluff", "lie"))
    with get_session(url) as session:
        again = Repository(session).annotate(1, 1, "Ann B", rating=5, tags=["honest"])
        assert again.before == first.now
    with get_session(url) as session:
        (row,) = annotation_rows(session)
        assert row == again.now
        assert (row.id, row.rating, row.tags, row.comment) == (
            first.now.id, 5, ("honest",), None,
        )  # fmt: skip
        assert row.created_at == first.now.created_at < row.updated_at < datetime.now(UTC)
        # Another annotator, and another turn, are others.
        Repository(session).annotate(1, 1, "Bob", rating=3)
        Repository(session).annotate(1, None, "Ann B", comment="all of it")
        assert [(row.turn, row.annotator) for row in annotations_of(session, 1)] == [
            (None, "Ann B"), (1, "Ann B"), (1, "Bob"),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("about", "said", "why"),
    [
        ((9, None), {"rating": 3}, "there is no game 9: `arena games` lists them"),
        ((1, 2), {"rating": 3}, "game 1 has no turn 2: `arena show 1`"),
        ((4, 1), {"rating": 3}, "game 4 has no turn 1"),
        ((1, 2**40), {"rating": 3}, "has no turn"),
        ((1, None), {}, "nothing is said: give a rating from 1 to 5, a tag or a comment"),
        ((1, None), {"tags": [" ", ","], "comment": " \n"}, "nothing is said"),
        ((1, None), {"rating": 6}, "a number from 1 to 5, found 6"),
        ((1, None), {"rating": 0}, "a number from 1 to 5, found 0"),
        ((1, None), {"tags": ["x" * 41]}, "a tag has 41 characters: expected at most 40"),
        ((1, None), {"tags": [str(n) for n in range(21)]}, "21 tags are given: expected at most"),
        ((1, None), {"comment": "x" * 10_001}, "the comment has 10,001 characters: expected"),
    ],
)
def test_what_cannot_be_written_is_refused(
    url: str, about: tuple[int, int | None], said: dict[str, object], why: str
) -> None:
    with get_session(url) as session:
        with pytest.raises(BadAnnotation) as refused:
            Repository(session).annotate(*about, "Ann", **said)  # type: ignore[arg-type]
        assert why in str(refused.value)
        assert annotation_rows(session) == []


def test_a_branch_has_the_turns_before_it(url: str) -> None:
    with get_session(url) as session:
        assert Repository(session).annotate(4, 0, "Ann", rating=1).now.turn == 0


def test_the_database_itself_refuses_what_no_annotation_is(url: str) -> None:
    columns = "(game_id, turn, annotator, rating, blind, created_at, updated_at)"
    moment = "'2026-01-01 00:00:00+00:00'"
    with get_session(url) as session:
        Repository(session).annotate(1, None, "Ann", rating=1)
    for game, turn, who, rating in ((1, -1, "Ann", 2), (1, -2, "A", 2), (1, 0, "", 2),
                                    (1, 0, "A", 6), (9, 0, "A", 2)):  # fmt: skip
        row = f"({game}, {turn}, '{who}', {rating}, TRUE, {moment}, {moment})"
        with pytest.raises(IntegrityError), get_session(url) as session:
            session.execute(text(f"INSERT INTO annotations {columns} VALUES {row}"))


def test_strange_texts_are_written_so_that_they_can_be_read(url: str) -> None:
    with get_session(url) as session:
        row = Repository(session).annotate(
            1, None, "A\ud800\nn\x00n", tags=["l\x00ie\u202e"], comment="a\x00\ud800\r\nb"
        )
    assert row.now.annotator == r"A\ud800 n\x00n"
    assert row.now.tags == ("l\\x00ie\u202e",)
    assert row.now.comment == "a\\x00\\ud800\nb"


def test_blind_is_what_was_rated_before_roles_were_shown(url: str) -> None:
    with get_session(url) as session:
        repo = Repository(session)
        assert repo.annotate(1, 0, "Ann", rating=2, blind=True).now.blind
        # The turns before the game, in any number; rating the game shows who is who.
        assert repo.annotate(1, None, "Ann", rating=2, blind=True).now.blind
        assert not repo.annotate(1, 1, "Ann", rating=2, blind=True).now.blind
        assert not repo.annotate(1, None, "Ann", rating=3, blind=True).now.blind
        assert repo.annotate(1, 1, "Bob", rating=2, blind=True).now.blind
        # More words do not change what was rated.
        assert repo.annotate(1, 0, "Ann", rating=2, comment="now I know", blind=False).now.blind


def test_games_are_chosen_by_what_they_were_tagged_with(url: str) -> None:
    with get_session(url) as session:
        repo = Repository(session)
        repo.annotate(1, 0, "Ann", tags=["lie", "good"])
        repo.annotate(1, None, "Bob", tags=["lie"])
        repo.annotate(3, None, "Ann", tags=["good"])
        repo.annotate(2, None, "Ann", rating=3)

        def found(limit: int | None, before: int | None = None, **asked: object) -> list[int]:
            chosen = Selection(**asked)  # type: ignore[arg-type]
            return [row.game_id for row in games(session, chosen, limit=limit, before=before)]

        for limit in (None, 5):
            assert found(limit, tag="lie") == [1]
            assert found(limit, tag=["lie", "good"]) == [3, 1]
            assert found(limit, tag="good", before=3) == [1]
            assert found(limit, tag="good", agent="agent-0", status="scheduled") == [3, 1]
            assert found(limit, tag="good", agent="agent-0", game=1) == [1]
        assert tag_counts(session) == [("good", 2), ("lie", 2)]
        assert [row.game_id for row in annotation_rows(session, Selection(tag="good"))] == [3, 1]
        assert len(annotation_rows(session, Selection(tag="lie"), annotator="Bob")) == 1
        assert len(annotation_rows(session, limit=2, before=3)) == 2
        with pytest.raises(BadSelection, match="unknown tag 'lies'; did you mean 'lie'"):
            Selection(tag="lies").on(session)


def test_a_board_of_tagged_games_is_behind_when_another_is_tagged(url: str) -> None:
    with get_session(url) as session:
        Repository(session).annotate(1, None, "Ann", tags=["good"])
        all_games, tagged = Selection(), Selection(tag="good")
        before = [board_state(session, each).digest for each in (all_games, tagged)]
        Repository(session).annotate(2, None, "Ann", tags=["good"])
        after = [board_state(session, each).digest for each in (all_games, tagged)]
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_annotations_go_with_their_game_and_can_be_deleted(url: str) -> None:
    with get_session(url) as session:
        repo = Repository(session)
        repo.annotate(1, 1, "Ann", tags=["lie"])
        repo.annotate(1, None, "Ann", tags=["lie"])
        repo.annotate(2, None, "Ann", tags=["kept"])
        assert repo.delete_annotation(1, None, "Ann")
        assert not repo.delete_annotation(1, None, "Ann")
        assert tag_counts(session) == [("kept", 1), ("lie", 1)]
    with get_session(url) as session:
        session.execute(text("DELETE FROM games WHERE parent_game_id = 1"))
        session.execute(text("DELETE FROM games WHERE id = 1"))
    with get_session(url) as session:
        assert [row.game_id for row in annotation_rows(session)] == [2]
        assert tag_counts(session) == [("kept", 1)]


def test_a_brief_session_waits_for_others_and_says_that_they_are_busy(url: str) -> None:
    from db.errors import Busy

    with Database(url) as writer, Database(url) as pages:
        with writer.session() as session:
            Repository(session).annotate(1, None, "Ann", rating=1)
            with pytest.raises(Busy), pages.brief_session(0.05) as other:
                Repository(other).annotate(2, None, "Bob", rating=1)
        with pages.brief_session(0.05) as other:
            Repository(other).annotate(2, None, "Bob", rating=1)
        # The connection waits as before.
        if url.startswith("sqlite"):
            with pages.session() as session:
                waits = session.connection().exec_driver_sql("PRAGMA busy_timeout").scalar()
            assert waits == 30_000
