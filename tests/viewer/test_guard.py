"""Who may ask for pages, and what every answer says."""

from __future__ import annotations

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


def test_other_hosts_other_sites_and_other_methods_are_refused(get: Get) -> None:
    assert get("/games", host=f"arena.example:{PORT}").status_code == 421
    assert get("/games", host="127.0.0.1").status_code == 421
    assert get("/games", host=f"localhost:{PORT}").status_code == 200
    for site in ("cross-site", "same-site"):
        assert get("/games", **{"sec-fetch-site": site}).status_code == 403
    assert get("/games", **{"sec-fetch-site": "same-origin"}).status_code == 200
    assert get("/games", method="POST").status_code == 405


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
