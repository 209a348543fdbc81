"""What a person says of a game in the browser: the only thing that pages write."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from db import Database, Repository, get_session
from db.queries.annotations import AnnotationRow, annotation_rows
from db.queries.games import games
from tests.cli.commands import run_arena
from tests.viewer.browser import HERE, PORT, TOKEN, Get, browsing
from tests.viewer.live import Evening
from torture.commands import Commands


@pytest.fixture
def url(watched: str, tmp_path: Path) -> str:
    """A copy of the watched tournament."""
    source = Path(watched.removeprefix("sqlite:///"))
    with get_session(watched) as session:
        session.connection().execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return f"sqlite:///{shutil.copy(source, tmp_path / 'mine.db')}"


@pytest.fixture
def ask(url: str) -> Iterator[Get]:
    with browsing(url) as get:
        yield get


def on_record(url: str) -> list[AnnotationRow]:
    with get_session(url, create=False) as session:
        return annotation_rows(session)


def test_a_game_is_rated_blind_and_then_shows_who_it_was(ask: Get, url: str) -> None:
    page = ask("/game/1?blind=1").text
    assert 'action="/annotate"' in page
    assert "Echidna" not in page
    assert "Villager" not in page
    said = {"game": "1", "blind": "1", "page": "game", "target": "", "annotator": "Ann",
            "rating": "4", "tags": "Lie, bluff", "comment": "It was\r\nthe third."}  # fmt: skip
    sent = ask("/annotate", form=said)
    assert (sent.status_code, sent.headers["location"]) == (303, "/game/1?noted=new#annotations")
    (row,) = on_record(url)
    assert (row.game_id, row.turn, row.annotator, row.rating) == (1, None, "Ann", 4)
    assert (row.tags, row.comment, row.blind) == (("bluff", "lie"), "It was\nthe third.", True)

    after = ask("/game/1?noted=new").text
    assert "Saved." in after
    assert "the third." in after
    assert "Echidna" in after
    again = ask("/annotate", form={**said, "rating": "2"})
    assert again.headers["location"] == "/game/1?noted=again#annotations"
    assert "in the place of what you had said" in ask("/game/1?noted=again").text
    (row,) = on_record(url)
    assert (row.rating, row.blind) == (2, False), "it had been shown who plays"
    assert "the third." in ask("/annotations").text
    assert 'href="/game/1"' in ask("/games?tag=bluff").text


def test_a_turn_of_a_blind_page_is_written_by_its_own_number(ask: Get, url: str) -> None:
    """Turns are counted anew where the night is hidden."""
    page = ask("/game/1?blind=1").text
    words = re.findall(r'id="turn-(\d+)".*?</h3><bdi>(.*?)</bdi>', page, re.S)
    place, said = words[3]
    ask("/annotate", form={"game": "1", "blind": "1", "target": place, "annotator": "Ann",
                           "rating": "5"})  # fmt: skip
    (row,) = on_record(url)
    assert row.turn is not None
    assert row.turn > int(place)
    own = ask(f"/game/1/turn/{row.turn}").text
    assert said in own
    assert "Ann" in own
    # What others said stands in no page that hides something.
    for hidden in ("blind=1", "hidden=1", "as=0"):
        assert "5 of 5" not in ask(f"/game/1?{hidden}").text


def test_the_next_to_rate_are_those_that_one_has_not_rated(ask: Get) -> None:
    who = {"cookie": f"arena_{PORT}={TOKEN}; arena_annotator=Zo%C3%AB"}
    offered = set(re.findall(r'href="/game/(\d)\?blind=1"', ask("/annotations", **who).text))
    assert offered == {"1", "2", "3"}
    sent = ask("/annotate", form={"game": "2", "annotator": "Zoë", "tags": "dull"}, **who)
    assert "arena_annotator=Zo%C3%AB" in sent.headers["set-cookie"]
    assert "HttpOnly" in sent.headers["set-cookie"]
    assert "samesite=strict" in sent.headers["set-cookie"].lower()
    page = ask("/annotations", **who).text
    assert set(re.findall(r'href="/game/(\d)\?blind=1"', page)) == {"1", "3"}
    assert "Zoë is the only annotator" in page


@pytest.mark.parametrize(
    ("said", "status", "why"),
    [
        ({"game": "9", "rating": "3"}, 404, "there is no game 9"),
        ({"game": "x", "rating": "3"}, 404, "is not the number of a game"),
        ({"game": "1"}, 400, "nothing is said: give a rating from 1 to 5"),
        ({"game": "1", "rating": "6"}, 400, "a number from 1 to 5"),
        ({"game": "1", "rating": "1" * 5000}, 400, "a number from 1 to 5"),
        ({"game": "1", "rating": "3", "target": "400"}, 400, "there is no turn"),
        ({"game": "1", "rating": "3", "annotator": " "}, 400, "annotator&#39;s name is empty"),
        ({"game": "1", "comment": "x" * 10_001}, 400, "10,001 characters"),
        ({"game": "1", "tags": ",".join(map(str, range(30)))}, 400, "30 tags are given"),
    ],
)
def test_what_cannot_be_written_is_said_and_stays_typed(
    ask: Get, url: str, said: dict[str, str], status: int, why: str
) -> None:
    answer = ask("/annotate", form={"annotator": "Ann", **said})
    assert answer.status_code == status
    assert why in answer.text
    assert "Traceback" not in answer.text
    if status == 400:
        typed = said.get("comment") or said.get("tags") or "Ann"
        assert typed[:200] in answer.text
    assert on_record(url) == []


HOSTILE = ("<script>alert(1)</script>", '" onfocus="x', "\u202egnp.exe", "a\x00b", "{{ 7 * 7 }}",
           "\r\nset-cookie: a=b")  # fmt: skip


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_words(ask: Get, url: str, words: str) -> None:
    said = {"game": "1", "annotator": words, "tags": words, "comment": words * 40, "rating": "1"}
    sent = ask("/annotate", form=said)
    assert sent.status_code == 303
    assert sent.headers.get_list("set-cookie")[0].startswith("arena_annotator=")
    assert len(sent.headers.get_list("set-cookie")) == 1
    cookie = sent.headers["set-cookie"].partition(";")[0]
    (row,) = on_record(url)
    for path in ("/annotations", "/game/1", f"/games?tag={row.tags[0].replace('&', '%26')}"):
        page = ask(path, cookie=f"arena_{PORT}={TOKEN}; {cookie}")
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert ' onfocus="x' not in page.text
        assert "\u202e" not in page.text
        assert "\x00" not in page.text


def test_bytes_that_are_no_text_are_no_fault(ask: Get, url: str) -> None:
    sent = ask("/annotate", form="game=1&annotator=%FF%ED%A0%80&rating=2&comment=%00%C0%AF")
    assert sent.status_code == 303
    assert ask("/annotations").status_code == 200
    assert len(on_record(url)) == 1
    many = "&".join(f"f{n}=" for n in range(60))
    assert ask("/annotate", form=many).status_code == 400


def test_forms_are_taken_from_our_own_pages_alone(ask: Get, url: str) -> None:
    said = {"game": "1", "annotator": "Ann", "rating": "3"}

    def status(**headers: str) -> int:
        return ask("/annotate", form=said, **headers).status_code

    for origin in ("http://evil.example", f"http://127.0.0.1:{PORT + 1}", "null", "", HERE + "/",
                   f"https://127.0.0.1:{PORT}", f"http://localhost:{PORT}"):  # fmt: skip
        assert status(origin=origin) == 403, origin
    assert ask("/annotate", method="POST", **{"content-length": "0"}).status_code == 403
    for site in ("cross-site", "same-site", "none"):
        assert status(**{"sec-fetch-site": site}) == 403
    assert status(cookie=f"arena_{PORT}=wrong") == 404
    assert status(cookie="") == 404
    assert status(host=f"evil.example:{PORT}", origin=f"http://evil.example:{PORT}") == 421
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/json", ""):
        assert status(**{"content-type": kind}) == 415
    assert ask(f"/annotate?token={TOKEN}", form=said, cookie="").status_code == 404
    for path in ("/", "/games", "/game/1", "/annotations", "/annotate/", "//annotate", "/static/x"):
        assert ask(path, form=said).status_code == 405, path
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"):
        assert ask("/annotate", method=method).status_code == 405
    assert on_record(url) == []
    assert status(host=f"localhost:{PORT}", origin=f"http://localhost:{PORT}") == 303
    assert status(**{"sec-fetch-site": "same-origin"}) == 303


def test_what_is_too_long_is_refused_before_it_is_read(ask: Get, url: str) -> None:
    long = "game=1&annotator=A&comment=" + "x" * 300_000
    assert ask("/annotate", form=long).status_code == 413
    for length in ("1e3", "-1", "", "9" * 40):
        assert ask("/annotate", form="x=1", **{"content-length": length}).status_code in (411, 413)
    # What says less than it sends is cut by the server, and here by the application.
    short = ask("/annotate", form=long, **{"content-length": "10"})
    assert short.status_code == 413
    assert on_record(url) == []


def test_while_others_write_it_is_said_and_nothing_that_was_typed_is_lost(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.viewer.pages.annotating._PATIENCE_S", 0.05)
    said = {"game": "1", "annotator": "Ann", "rating": "3", "comment": "Not to be lost."}
    with browsing(url) as get:
        with Database(url) as writer, writer.session() as session:
            Repository(session).annotate(2, None, "Bob", rating=1)
            busy = get("/annotate", form=said)
            assert busy.status_code == 503
            assert "others have been writing" in busy.text
            assert "Not to be lost." in busy.text
            assert get("/game/1").status_code == 200
        assert get("/annotate", form=said).status_code == 303
    assert [row.annotator for row in on_record(url)] == ["Ann", "Bob"]


@pytest.mark.slow
def test_a_run_and_annotators_write_at_once_and_neither_loses_anything(
    commands: Commands, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'evening.db'}"
    with Evening(commands, tmp_path, url) as evening, evening.played() as run:
        evening.wait_until_held()
        with browsing(url) as get:

            def rate(game: int, name: str) -> None:
                said = {"game": str(game), "annotator": name, "rating": "3", "tags": "seen"}
                assert get("/annotate", form=said).status_code == 303

            # Two games are in the middle; the run's next rows wait for a slow annotator.
            rate(1, "Ann")
            with Database(url) as other, other.session() as session:
                Repository(session).annotate(1, None, "Bob", rating=1)
                evening.go_on()
                assert get("/games").status_code == 200
            names = [f"Annotator {number}" for number in range(12)]
            for number, name in enumerate(names):
                rate(number % 6 + 1, name)
            assert run.wait().code == 0
    with get_session(url, create=False) as session:
        assert {row.status for row in games(session)} == {"completed"}
        assert len(games(session)) == 6
        rows = annotation_rows(session)
    assert {row.annotator for row in rows} == {"Ann", "Bob", *names}
    assert run_arena("db", "verify", "--db", url).exit_code == 0
