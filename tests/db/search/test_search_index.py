"""Texts are found by their words, in the index that was filled from the record."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError, OperationalError

from arena.reports.search import spoken
from db import Database, DatabaseError, Game, Repository, get_session
from db.errors import BadSelection, Damaged
from db.search.filling import FilledIndex, fill, is_behind, lag
from db.search.hits import MOST_SOUGHT, SearchHits, Sought, search
from db.search.opened import open_made_store, open_store
from db.search.store import FilledTo, IndexName
from db.selection import Selection
from db.session import Session
from tests.db.tournaments import tournament

NASTY = "a\x00NUL, a lone \ud800 and \x1b]52;c;aGk=\x07; I am the DETECTIVE"


def say(session: Session, game: int, turn: int, player: int, action: str) -> int:
    return Repository(session).add_game_turn(game, turn, player, "You see.", action).id


def over(session: Session, *games: int, status: str = "completed") -> None:
    for number in games:
        game = session.get(Game, number)
        assert game is not None
        game.status = status
        for player, rank in zip(game.players, (0, 1), strict=False):
            player.rank, player.role, player.team = rank, ("Mafia", "Village")[rank], str(rank)


@pytest.fixture
def recorded(database_url: str) -> str:
    """Four games of agent-0 against agent-1, ...: 1 and 2 are over, 3 is running, 4 is void."""
    tournament(database_url)
    with get_session(database_url) as session:
        repo = Repository(session)
        say(session, 1, 0, 0, "I am the Detective, and player 1 is Mafia.")
        say(session, 1, 1, 1, "Café is closed. 我是侦探。 🙂 हिन्दी")
        answered = say(session, 2, 0, 0, "[1]")
        repo.add_llm_call(
            answered,
            "m",
            [],
            {"choices": [{"reasoning_content": "They suspect the quiet detective."}]},
            text="<think>Who am I? The doctor.</think>My vote goes to [1].",
        )
        repo.add_llm_call(answered, "m", [], error_class="RateLimited", error_message="slow down")
        say(session, 2, 1, 1, NASTY)
        say(session, 3, 0, 0, "Running: I am the detective")
        over(session, 1, 2)
        over(session, 4, status="void")
        void = session.get(Game, 4)
        third = session.get(Game, 3)
        assert void is not None
        assert third is not None
        void.void_cause, void.error_text = "environment", "KeyError: 'detective'"
        third.status = "running"
    return database_url


def filled(url: str, name: IndexName = "words") -> FilledIndex:
    with get_session(url) as session, open_store(session.get_bind().engine.url) as store:
        return fill(session, store, name, spoken)


def found(
    url: str, *phrases: str, selection: Selection | None = None, limit: int = 20, **asked: object
) -> SearchHits:
    sought = Sought(phrases=phrases, **asked)  # type: ignore[arg-type]
    with get_session(url) as session, open_store(session.get_bind().engine.url) as store:
        return search(session, store, sought, spoken, selection, limit=limit)


def places(hits: SearchHits) -> list[tuple[int, int | None, str]]:
    return [(hit.game_id, hit.turn_number, hit.part) for hit in hits.hits]


def test_a_phrase_a_word_and_who_said_it(recorded: str) -> None:
    first = filled(recorded)

    assert (first.games, first.behind, first.running) == (3, 1, 1)
    assert filled(recorded).texts == 0, "nothing twice"
    hits = found(recorded, "i AM the détective")
    assert places(hits) == [(2, 1, "action"), (1, 0, "action")]
    hit = hits.hits[1]
    assert (hit.agent, hit.role, hit.result, hit.tournament) == ("agent-0", "Mafia", "win", "cup")
    assert [hit.text[start:end] for start, end in hit.matches] == ["I am the Detective"]
    assert hits.hits[0].text == NASTY
    assert places(found(recorded, "detective", "mafia")) == [(1, 0, "action")]
    assert places(found(recorded, "the am i")) == []


def test_every_kind_of_text_is_found(recorded: str) -> None:
    filled(recorded)

    assert places(found(recorded, "my vote goes")) == [(2, 0, "reply")]
    assert places(found(recorded, "quiet detective")) == [(2, 0, "thought")]
    assert places(found(recorded, "the doctor")) == [(2, 0, "thought")]
    assert places(found(recorded, "slow down")) == [(2, 0, "error")]
    assert places(found(recorded, "detective")) == [
        (4, None, "error"),
        (2, 1, "action"),
        (2, 0, "thought"),
        (1, 0, "action"),
    ]
    assert places(found(recorded, "detective", part=("thought", "error"))) == [
        (4, None, "error"),
        (2, 0, "thought"),
    ]


ASKED = {
    "cafe": (1, 1, "action"),
    "侦探": (1, 1, "action"),
    "🙂": (1, 1, "action"),
    "हिन्दी": (1, 1, "action"),
    "[1]": (2, 0, "reply"),
    "detective*": (1, 0, "action"),
    "\ud800 and": (2, 1, "action"),
    "a\x00nul": (2, 1, "action"),
    '"quiet" NOT* (detective': None,
    "quiet AND detective": None,
    "text:detective' OR ''": None,
    "x" * 5_000: None,
}


def test_what_is_asked_is_words_and_no_syntax(recorded: str) -> None:
    filled(recorded)
    for words, where in ASKED.items():
        hits = places(found(recorded, words))
        assert hits == [] if where is None else where in hits, words


def test_hits_are_narrowed_by_the_selection_of_games(recorded: str) -> None:
    filled(recorded)

    def chosen(**fields: object) -> list[tuple[int, int | None, str]]:
        return places(found(recorded, "detective", selection=Selection(**fields)))  # type: ignore[arg-type]

    assert chosen(role="Mafia") == [(2, 0, "thought"), (1, 0, "action")]
    assert chosen(result="loss") == [(2, 1, "action")]
    assert chosen(agent="agent-1") == [(2, 0, "thought")]
    assert chosen(agent="agent-1", role="Village") == []
    assert chosen(status="void") == [(4, None, "error")]
    assert chosen(game=1) == [(1, 0, "action")]
    with pytest.raises(BadSelection, match="agent-1"):
        chosen(agent="agent-11")


def test_hits_are_narrowed_by_what_happened_in_the_turn(recorded: str) -> None:
    filled(recorded)
    told = (
        "INSERT INTO game_events (game_id, seq, turn, phase, kind, source) SELECT {}, id "
        "FROM event_types WHERE name = '{}'"
    )
    with get_session(recorded) as session:
        for place, source, kind in (
            ("1, 0, 0, 'Day-Discussion'", 0, "speech"),
            ("1, 1, 1, 'Day-Voting'", 1, "vote"),
        ):
            values = told.format(place, kind).replace("id FROM", f"id, {source} FROM")
            session.execute(text(values))
        session.execute(text("UPDATE games SET events_version = 1 WHERE id = 1"))

    def chosen(**asked: object) -> list[tuple[int, int | None, str]]:
        return places(found(recorded, "detective", **asked))  # type: ignore[arg-type]

    assert chosen(kind=("speech",)) == [(1, 0, "action")]
    assert chosen(kind=("vote",)) == []
    assert chosen(phase=("discussion",)) == [(1, 0, "action")]
    assert chosen(phase=("Day-Voting",)) == []
    assert places(found(recorded, "café", kind=("vote",), phase=("voting",))) == [(1, 1, "action")]
    assert found(recorded, "detective", kind=("vote",)).without_events == 1, "game 2, not the void"
    with pytest.raises(BadSelection, match="did you mean 'vote'"):
        chosen(kind=("vot",))


def test_pages_lose_nothing_between_them(recorded: str) -> None:
    filled(recorded)
    page = found(recorded, "detective", limit=1)
    assert (places(page), page.more) == ([(4, None, "error")], True)
    older = found(recorded, "detective", limit=1, before=(2, 1))
    assert (places(older), older.more) == ([(2, 0, "thought")], True)
    last = found(recorded, "detective", limit=1, before=(2, 0))
    assert (places(last), last.more) == ([(1, 0, "action")], False)
    with get_session(recorded) as session:
        turn = say(session, 3, 1, 1, "A Detective")
        repo = Repository(session)
        repo.add_llm_call(turn, "m", [], {}, text="<think>detective</think>no detective at all")
        over(session, 3)
    filled(recorded)
    assert places(found(recorded, "detective", limit=1, before=(4, 0))) == [
        (3, 1, "thought"),
        (3, 1, "reply"),
        (3, 1, "action"),
    ], "a turn is not torn apart"


def test_looking_stops_after_so_many_texts_and_goes_on_from_there(
    recorded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(recorded)
    monkeypatch.setattr("db.search.hits._FEWEST", 1)
    sought = Sought(phrases=("detective",))
    first = Selection(game=1)
    seen: list[tuple[int, int | None, str]] = []
    with get_session(recorded) as session, open_store(session.get_bind().engine.url) as store:
        # Without bounds from the selection, as a role or a team has none.
        monkeypatch.setattr("db.search.hits.bounds", lambda *_: None)
        steps = 0
        while True:
            hits = search(session, store, sought, spoken, first, limit=20, most=2)
            seen += places(hits)
            steps += 1
            if hits.left_at is None:
                break
            sought = replace(sought, before=hits.left_at)
    assert seen == [(1, 0, "action")]
    assert steps > 1


def test_an_index_is_read_as_it_is_by_who_only_reads(recorded: str) -> None:
    with Database(recorded, read_only=True) as database:
        with database.session() as session:
            assert open_made_store(session, "words") is None
        filled(recorded)
        with database.session() as session:
            store = open_made_store(session, "words")
            assert store is not None
            with store:
                hits = search(session, store, Sought(phrases=("café",)), spoken, limit=5)
                at = store.progress("words")
                assert not is_behind(session, at)
                with pytest.raises((DatabaseError, OperationalError, InternalError)):
                    store.clear("words")
    assert places(hits) == [(1, 1, "action")]
    assert hits.hits[0].teams == ("0", "1")
    with get_session(recorded) as session:
        over(session, 3)
    with get_session(recorded) as session:
        assert is_behind(session, at)


def test_a_question_of_thousands_of_words_is_refused() -> None:
    with pytest.raises(BadSelection, match=f"at most {MOST_SOUGHT}"):
        Sought(phrases=("mafia",) * 5_000)


def test_the_most_relevant_come_first(recorded: str) -> None:
    with get_session(recorded) as session:
        say(session, 3, 1, 1, "Detective! " * 4)
        say(session, 3, 2, 0, "detective " + "and some talk of other things " * 30)
        over(session, 3)
    filled(recorded)
    ranked = places(found(recorded, "detective", ranked=True, limit=30))
    assert ranked[0] == (3, 1, "action")
    assert ranked[-1] == (3, 2, "action")
    assert not found(recorded, "detective", ranked=True).unranked


def test_pieces_of_words_have_an_index_of_their_own(recorded: str) -> None:
    filled(recorded)
    assert places(found(recorded, "etecti", index="parts")) == []
    filled(recorded, "parts")
    assert (1, 0, "action") in places(found(recorded, "etecti", index="parts"))
    hit = found(recorded, "m the det", index="parts", part=("action",)).hits[-1]
    assert [hit.text[start:end] for start, end in hit.matches] == ["am the Detective"]
    with pytest.raises(BadSelection, match="too short"):
        Sought(phrases=("et",), index="parts")


def test_a_game_is_added_when_it_is_over_whenever_that_is(recorded: str) -> None:
    filled(recorded)
    assert places(found(recorded, "running")) == []
    with get_session(recorded) as session:
        over(session, 3)
    with get_session(recorded) as session, open_store(session.get_bind().engine.url) as store:
        assert lag(session, store.progress("words")) == (1, 0)
    assert filled(recorded) == FilledIndex(1, 1)
    assert places(found(recorded, "running")) == [(3, 0, "action")]


def test_an_interrupted_filling_resumes(recorded: str) -> None:
    def interrupt(done: int, total: int) -> None:
        assert (done, total) == (4, 4)
        raise KeyboardInterrupt

    with get_session(recorded) as session, open_store(session.get_bind().engine.url) as store:
        with pytest.raises(KeyboardInterrupt):
            fill(session, store, "words", spoken, interrupt)
        assert store.progress("words").last == 4
        after = store.progress("words")
        assert not store.add("words", [(1 << 26, ["late"])], FilledTo(), after), "a second filler"
    assert filled(recorded).texts == 0
    assert places(found(recorded, "late")) == []


def test_an_index_of_games_that_are_gone_is_filled_anew(recorded: str) -> None:
    filled(recorded)
    with get_session(recorded) as session:
        session.execute(text("UPDATE games SET created_at = '2001-01-01' WHERE id = 4"))
        session.execute(text("DELETE FROM games WHERE id = 1"))
    assert filled(recorded).texts == 6
    assert (1, 0, "action") not in places(found(recorded, "detective"))


def test_a_damaged_answer_is_counted_and_the_rest_found(recorded: str) -> None:
    with get_session(recorded) as session:
        session.execute(text("UPDATE call_payloads SET response = :bad"), {"bad": b"\x7fno"})
    found_out = filled(recorded)
    assert [turn >> 24 for turn in found_out.unread] == [2]
    assert (1, 0, "action") in places(found(recorded, "detective"))


def test_nothing_to_search_for() -> None:
    for nothing in ("", "...", "\x00"):
        with pytest.raises(BadSelection, match="expected a word"):
            Sought(phrases=(nothing,))
    with pytest.raises(BadSelection, match="action, reply, thought, error"):
        Sought(phrases=("x",), part=("notes",))


def test_the_file_beside_a_database_is_ours_or_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    tournament(sqlite_url)
    beside = tmp_path / "arena.db-search"
    filled(sqlite_url)
    assert beside.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(beside)) as connection:
        connection.execute("CREATE VIEW trap AS SELECT 1")
    with pytest.raises(DatabaseError, match="'trap'"):
        filled(sqlite_url)
    beside.write_bytes(b"no database at all " * 100)
    with pytest.raises(Damaged, match="delete it"):
        filled(sqlite_url)
    beside.unlink()
    filled(sqlite_url)
    assert beside.exists()
