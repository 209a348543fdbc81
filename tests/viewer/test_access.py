"""People log in, do what their role allows, and see nothing but their seat while they hold one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest

from arena.config import loads
from arena.orchestrator import run
from arena.viewer.access import LEAST_ROLE, Visitor, WrongTokens
from db import Repository, get_session
from db.errors import BadAccess
from db.queries.requests import RequestRow, observed, request_rows
from tests.cli.commands import run_arena
from tests.viewer.browser import HERE, PORT, TOKEN, Get, browsing

# Each of the two is dealt a card that the other must not know.
POKER = """
name: poker
seed: 4
environment: {name: KuhnPoker-v0, players: 2}
games: 2
agents:
  - {name: Ann, kind: human}
  - {name: Bob, kind: human}
"""


@pytest.fixture
def poker(sqlite_url: str) -> str:
    """Two games of poker that wait for their first moves."""
    asyncio.run(run(loads(POKER), url=sqlite_url))
    return sqlite_url


def token_of(url: str, name: str, role: str = "player") -> str:
    with get_session(url) as session:
        return Repository(session).add_person(name, role)[1]


def first_request(url: str) -> RequestRow:
    with get_session(url) as session:
        return request_rows(session)[0]


def cookie(token: str) -> str:
    return f"arena_{PORT}={token}"


def test_a_token_is_shown_once_and_kept_as_a_hash(poker: str) -> None:
    token = token_of(poker, "Ann")
    with get_session(poker) as session:
        row = Repository(session).get_person("Ann")
        assert row is not None
        assert re.fullmatch("[0-9a-f]{64}", row.token_hash)
        assert token not in row.token_hash
        assert Repository(session).person_of_token(token) is row
        assert Repository(session).person_of_token(token[:-1]) is None
        with pytest.raises(BadAccess, match="Ann has access already, as player"):
            Repository(session).add_person("Ann", "operator")
        with pytest.raises(BadAccess, match="no role 'king'; expected one of: viewer, annot"):
            Repository(session).add_person("Eve", "king")


def test_a_role_allows_what_those_before_it_do() -> None:
    allowed = {
        role: [action for action in LEAST_ROLE if Visitor("Ann", role).may(action)]
        for role in ("viewer", "annotator", "player", "operator")
    }
    assert allowed == {
        "viewer": ["read"],
        "annotator": ["read", "annotate"],
        "player": ["read", "annotate", "play"],
        "operator": ["read", "annotate", "play", "approve"],
    }


def test_other_machines_log_in_and_the_token_of_this_one_is_no_way_in(poker: str) -> None:
    token = token_of(poker, "Vic", "viewer")
    with browsing(poker, cookie=None, anywhere=True) as get:
        there = {"host": "arena.example", "origin": "https://arena.example"}
        assert get("/games", **there).headers["location"] == "/login"
        assert get(f"/games?token={TOKEN}", **there).headers["location"] == "/login"
        assert get("/games", cookie=cookie(TOKEN), **there).headers["location"] == "/login"
        assert 'type="password"' in get("/login", **there).text
        assert get("/login", form={"token": "no"}, **there).status_code == 403
        entered = get("/login", form={"token": token}, **there)
        kept = entered.headers["set-cookie"].lower()
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        assert "httponly" in kept
        assert "samesite=strict" in kept
        assert get("/games", cookie=cookie(token), **there).status_code == 200
        other = {"host": "arena.example", "origin": "https://elsewhere.example"}
        assert get("/login", form={"token": token}, **other).status_code == 403


@pytest.mark.parametrize(
    ("role", "answers"), [("viewer", (200, 403, 403)), ("annotator", (200, 400, 403))]
)
def test_every_action_asks_for_its_role(poker: str, role: str, answers: tuple[int, ...]) -> None:
    held = cookie(token_of(poker, "Vic", role))
    with browsing(poker, cookie=None, people=True) as get:
        found = (
            get("/games", cookie=held),
            get("/annotate", form={"game": "1"}, cookie=held),
            get("/play", form={"request": "1", "response": "[check]"}, cookie=held),
        )
        assert tuple(page.status_code for page in found) == answers
    assert first_request(poker).response is None


def test_who_is_revoked_is_out_at_once_and_what_was_answered_stays(poker: str) -> None:
    request = first_request(poker)
    token = token_of(poker, str(request.person))
    held = cookie(token)
    with browsing(poker, cookie=None, people=True) as get:
        sent = get("/play", form={"request": str(request.id), "response": "[bet]"}, cookie=held)
        assert sent.headers["location"] == "/play?noted=taken"
        assert get("/play", cookie=held).status_code == 200
        result = run_arena("access", "revoke", str(request.person), "--db", poker)
        assert result.exit_code == 0, result.stderr
        out = get("/play", cookie=held)
        # Nobody else has access, and the page that says so is there.
        assert get("/login").status_code == 200
        again = get("/login", form={"token": token})
        assert "This is nobody&#39;s token, or it was revoked." in again.text
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    assert "max-age=0" in out.headers["set-cookie"].lower()
    with get_session(poker) as session:
        (kept,) = request_rows(session, request=request.id, waiting=False)
        assert (kept.response, kept.answered_by) == ("[bet]", request.person)
        person = Repository(session).get_person(str(request.person))
        assert person is not None
        assert person.last_used_at is not None


def test_who_holds_a_seat_sees_what_the_seat_observes_and_nothing_else(poker: str) -> None:
    request = first_request(poker)
    other = {"Ann": "Bob", "Bob": "Ann"}[str(request.person)]
    mine, theirs = (cookie(token_of(poker, str(name))) for name in (request.person, other))
    with get_session(poker) as session:
        assert request.game_id is not None
        assert request.turn is not None
        seen = observed(session, request.game_id, request.turn)
    card = re.search(r"[Yy]our card is:? '?(\w)", seen)
    assert card is not None, seen
    with browsing(poker, cookie=None, people=True) as get:
        page = get(f"/play/{request.id}", cookie=mine)
        assert card[0].replace("'", "&#39;") in page.text
        assert "/game/" not in page.text
        for path in ("/games", "/game/1", "/game/1/turn/0", "/search?q=card", "/live", "/calls"):
            assert get(path, cookie=mine).status_code == 403, path
        assert get("/", cookie=mine).headers["location"] == "/play"
        assert get(f"/play/{request.id}", cookie=theirs).status_code == 404
        assert card[0] not in get("/play", cookie=theirs).text
        refused = get("/play", form={"request": str(request.id), "response": "x"}, cookie=theirs)
        assert refused.status_code == 404
    assert first_request(poker).response is None


def test_the_second_of_two_pages_is_told(poker: str) -> None:
    request = first_request(poker)
    form = {"request": str(request.id), "as": str(request.person)}
    with browsing(poker) as get:
        doubtful = get("/play", form={**form, "response": " "})
        first = get("/play", form={**form, "response": "[bet]"})
        second = get("/play", form={**form, "response": "[check]"})
    assert (doubtful.status_code, first.status_code, second.status_code) == (400, 303, 409)
    assert "nothing is said in it" in doubtful.text
    assert "was answered already" in second.text
    with get_session(poker) as session:
        (kept,) = request_rows(session, request=request.id, waiting=False)
    assert kept.response == "[bet]"


def test_wrong_tokens_are_not_looked_at_for_ever(poker: str) -> None:
    token = token_of(poker, "Vic", "viewer")
    with browsing(poker, cookie=None, people=True) as get:
        for _ in range(10):
            assert get("/login", form={"token": "guess"}).status_code == 403
        assert get("/login", form={"token": token}).status_code == 429
    now = [0.0]
    wrong = WrongTokens(lambda: now[0])
    for _ in range(10):
        wrong.add("a")
    assert (wrong.too_many("a"), wrong.too_many("b")) == (True, False)
    now[0] = 61.0
    assert not wrong.too_many("a")


def test_without_people_pages_are_as_they_were(poker: str, get_nothing: Get) -> None:
    assert get_nothing("/login").status_code == 404
    assert get_nothing("/games").status_code == 404
    assert get_nothing(f"{HERE}/games?token={TOKEN}").status_code == 303


@pytest.fixture
def get_nothing(poker: str) -> Iterator[Get]:
    with browsing(poker, cookie=None, people=True) as get:
        yield get


def test_other_machines_are_refused_where_nobody_has_access(poker: str) -> None:
    result = run_arena("view", "--host", "0.0.0.0", "--port", "0", "--db", poker)
    assert result.exit_code == 2
    assert "`arena access add NAME --role viewer` first" in " ".join(result.stderr.split())
