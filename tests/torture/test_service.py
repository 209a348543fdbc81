"""The server's books: every request before its answer, and the same answer to the same words."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from torture.server import digest_of, legal
from torture.service import PRICES, Service, read_books
from torture.unready import UNREADY


def ask(url: str, *contents: str, key: str = "none") -> dict[str, Any]:
    messages = [{"role": "user", "content": content} for content in contents]
    request = urllib.request.Request(
        f"{url}/chat/completions",
        json.dumps({"model": "one", "messages": messages}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_the_same_messages_are_always_answered_the_same_and_billed_each_time(
    tmp_path: Path,
) -> None:
    with Service(tmp_path / "log", latency=(0.0, 0.01)) as service:
        url = service.url("lane")
        first = ask(url, "Available Moves: '[0]', '[1]'", "in Tic Tac Toe.")
        again = ask(url, "Available Moves: '[0]', '[1]'", "in Tic Tac Toe.")
        ask(service.url("other"), "hello")
        books = service.books("lane")

    assert first == again
    one, other = books.requests
    assert one.digest == other.digest == first["id"].removeprefix("chatcmpl-")
    assert all(r.sent is not None and r.at < r.sent for r in books.requests)
    usage = first["usage"]
    bill = (usage["prompt_tokens"] * PRICES[0] + usage["completion_tokens"] * PRICES[1]) / 1e6
    assert books.dollars == 2 * bill
    assert books.answered(one.sent or 0.0).total() == 1
    assert len(service.books().requests) == 3


def test_a_digest_is_of_roles_and_contents_and_nothing_else() -> None:
    message = {"role": "user", "content": "half a pair \ud83d"}
    assert digest_of([message]) == digest_of([{**message, "name": "x"}])
    assert digest_of([message]) != digest_of([{**message, "role": "system"}])
    assert digest_of([message, message]) != digest_of([message])
    assert legal({"messages": [message]}) == legal({"messages": [message], "model": "two"})


def test_a_hostile_output_is_in_the_books_as_it_was_sent(tmp_path: Path) -> None:
    with Service(tmp_path / "log") as service:
        sent = [ask(service.url("lane", "hostile"), "Hello")["choices"][0]["message"]["content"]
                for _ in range(25)]  # fmt: skip
        books = service.books("lane")

    assert [request.text for request in books.requests] == sent
    assert len(set(sent)) == 25


def test_errors_that_repeat_the_key_come_in_every_wording_under_every_status(
    tmp_path: Path,
) -> None:
    seen = set()
    with Service(tmp_path / "log") as service:
        for _ in range(49):
            try:
                body = json.dumps(ask(service.url("lane", "echo"), "Hi", key="sk-0123456789abcdef"))
                status = 200
            except urllib.error.HTTPError as error:
                body, status = error.read().decode(), error.code
            assert "789ab" in body or "c2stMDEy" in body
            seen.add((status, json.loads(body)["error"]["message"]))

    assert len(seen) == 49


def test_a_line_that_was_cut_is_left_out() -> None:
    line = json.dumps({"n": 0, "lane": "a", "digest": "d", "at": 1.0, "dollars": 0.0})
    sent = json.dumps({"n": 0, "sent": 2.0})

    assert read_books([f"{line}\n", sent]).requests[0].sent is None
    assert read_books([f"{line}\n", f"{sent}\n"]).requests[0].sent == 2.0
    assert read_books([line[:20]]).requests == ()


@pytest.mark.parametrize("mode", ["system", "wait"])
def test_a_lane_that_answers_nobody_does_once_it_is_mended(tmp_path: Path, mode: str) -> None:
    with Service(tmp_path / "log") as service:
        for lane in ("lane", "other"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                ask(service.url(lane, mode), "hello")
            assert refused.value.code == UNREADY[mode].status
            assert UNREADY[mode].message in refused.value.read().decode()
        service.mend("lane")
        assert ask(service.url("lane", mode), "hello")["choices"]
        with pytest.raises(urllib.error.HTTPError):
            ask(service.url("other", mode), "hello")
        assert len(service.books("lane").requests) == 2
