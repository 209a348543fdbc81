"""Who may ask for pages, and what every answer says."""

from __future__ import annotations

import pytest

from arena.viewer.guard import HEADERS
from tests.viewer.browser import HERE, PORT, TOKEN, Get, browsing


def test_the_token_is_exchanged_for_a_cookie(watched: str) -> None:
    with browsing(watched, cookie=None) as get:
        page = get(f"/games?token={TOKEN}&agent=Echidna")
        assert page.status_code == 303
        assert page.headers["location"] == "/games?agent=Echidna"
        cookie = page.headers["set-cookie"]
        assert cookie.startswith(f"arena_{PORT}={TOKEN};")
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        # An address of another machine is none of ours.
        assert get(f"{HERE}//example.org/?token={TOKEN}").headers["location"] == "/example.org/"


def test_nobody_sees_anything_without_it(watched: str) -> None:
    with browsing(watched, cookie=None) as get:
        for path in ("/", "/games", "/static/arena.css", "/?token=wrong", "/?token="):
            assert get(path).status_code == 404
        assert get("/", cookie=f"arena_{PORT}=wrong").status_code == 404
        assert get("/", cookie="\x7f;;=").status_code == 404


@pytest.mark.parametrize("other", ['a={"b": 1, "c": 2}', "a[b]=1", "=;;", 'a="', "caf\u00e9=1"])
def test_cookies_of_other_servers_of_this_machine_lock_nobody_out(get: Get, other: str) -> None:
    held = f"{other}; arena_{PORT}={TOKEN}; {other}"
    assert get("/games", cookie=held.encode()).status_code == 200


def test_other_hosts_other_sites_and_other_methods_are_refused(get: Get) -> None:
    assert get("/games", host=f"arena.example:{PORT}").status_code == 421
    assert get("/games", host="127.0.0.1").status_code == 421
    assert get("/games", host=f"localhost:{PORT}").status_code == 200
    for site in ("cross-site", "same-site"):
        assert get("/games", **{"sec-fetch-site": site}).status_code == 403
    assert get("/games", **{"sec-fetch-site": "same-origin"}).status_code == 200
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"):
        refused = get("/games", method=method)
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    head = get("/games", method="HEAD")
    assert (head.status_code, head.content) == (200, b"")


def test_every_answer_has_the_policy(get: Get) -> None:
    answers = [
        get("/games"),
        get("/nothing"),
        get("/static/arena.js"),
        get("/", host="elsewhere"),
        get("/", cookie="none"),
    ]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
    policy = answers[0].headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy


def test_addresses_and_headers_have_an_end(get: Get) -> None:
    assert get(f"/games?agent={'x' * 8_000}").status_code == 400
    assert get(f"/games?agent={'x' * 9_000}").status_code == 414
    assert get("/games", **{"x-long": "x" * 20_000}).status_code == 200
    assert get("/games", **{"x-long": "x" * 40_000}).status_code == 431
    assert get(f"/game/{'9' * 5_000}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "../guard.py", "..%2fguard.py", "%2e%2e/guard.py", "%2e%2e%2fguard.py", "..%5cguard.py",
        "....//guard.py", "%00", "base.css%00.js", "/etc/passwd", "%2fetc%2fpasswd", "", ".",
        "fonts/../../guard.py", "%c0%ae%c0%ae/guard.py", "x" * 5_000,
    ],
)  # fmt: skip
def test_no_file_is_reached_but_those_of_the_pages(get: Get, path: str) -> None:
    answer = get(f"/static/{path}")
    assert answer.status_code in (404, 405)
    assert "import" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "path",
    ["/%0d%0aset-cookie:%20a=b", "/%0aLocation:%20http://x", "//evil.example/", "/\\evil.example",
     "/%5cevil.example", "/%2f%2fevil.example", "/games%00", "/?next=http://evil.example"],
)  # fmt: skip
def test_a_redirect_leads_nowhere_else_and_holds_one_line(watched: str, path: str) -> None:
    with browsing(watched, cookie=None) as get:
        mark = "&" if "?" in path else "?"
        answer = get(f"{HERE}{path}{mark}token={TOKEN}")
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert location.startswith("/")
    assert location[1:2] not in ("/", "\\")
    assert len(answer.headers.get_list("set-cookie")) == 1
    assert not {"\r", "\n"} & set(location)
    assert TOKEN not in location


def test_what_goes_wrong_is_said_without_a_trace(get: Get, watched: str) -> None:
    for path in ("/game/99", "/nothing", "/game/1?as=77", "/games?status=odd", "/games?before=x"):
        answer = get(path)
        assert answer.status_code in (400, 404)
        assert "This cannot be shown" in answer.text
        assert "Traceback" not in answer.text
        assert watched.removeprefix("sqlite:///") not in answer.text
        assert 'File "' not in answer.text
