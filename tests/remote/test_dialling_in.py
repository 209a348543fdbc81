"""Programs that dial in: given their turns with a token, one answer a turn, back in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from arena.core import ModelSpec, UsageError
from arena.llm.failures.classify import Fault
from arena.llm.failures.kinds import FaultKind
from arena.llm.key_places import Pair, allow
from arena.llm.providers.protocol import Answer, Endpoint, ProviderSettings
from arena.remote import relay
from arena.remote.provider import RemoteProvider
from arena.testing.providers import no_policy
from tests.remote.test_remote_endpoint import messages
from tests.servers.programs import arena_remote

TOKEN = "correct-horse-7"
HELLO = {"type": "hello", "protocol": 1, "name": "bob", "version": "1"}


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A free port, the token in its variable, and no long waits."""
    monkeypatch.setenv("TEST_KEY", TOKEN)
    allow(Pair("TEST_KEY", "remote"))
    monkeypatch.setattr(relay, "POLL", 1.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found = int(free.getsockname()[1])
    return found


def bob(port: int, **more: Any) -> ModelSpec:
    how = {"params": {"listen": f"127.0.0.1:{port}"}, "api_key_env": "TEST_KEY", **more}
    return ModelSpec("bob", "remote/bob@1", **how)


def playing(port: int, play: Callable[[Endpoint], Awaitable[Any]], *, limit: float = 10.0) -> Any:
    async def main() -> Any:
        provider = RemoteProvider(ProviderSettings(limit, no_policy))
        try:
            return await play(provider.prepare(bob(port)))
        finally:
            await provider.aclose()

    return asyncio.run(main())


def post(port: int, said: Any, token: str = TOKEN, name: str = "bob") -> dict[str, Any]:
    """What the relay answers; it is asked again until it listens."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{name}", body, headers)
    for _ in range(200):
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                found: dict[str, Any] = json.loads(response.read())
                return found
        except urllib.error.HTTPError as error:
            with error:
                return {"status": error.code, **json.loads(error.read())}
        except OSError:
            time.sleep(0.02)
    raise AssertionError("nothing listens")


def beside(work: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


async def _turns(endpoint: Endpoint, *sessions: str) -> list[Answer]:
    return [await endpoint.ask(messages(session=each * 32), None) for each in sessions]


def test_the_client_dials_in_and_plays(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    program = arena_remote.Program(lambda seen: f"saw {seen}", "bob", "1")
    address, over, post_ = f"http://127.0.0.1:{port}/bob", threading.Event(), arena_remote._post

    def until_over(*how: Any) -> Any:
        if over.is_set():
            raise SystemExit
        return post_(*how)

    monkeypatch.setattr(arena_remote, "_post", until_over)

    def play() -> None:
        with contextlib.suppress(SystemExit):
            arena_remote.dial(program, address, TOKEN)

    dialling = beside(play)
    answers = playing(port, lambda endpoint: _turns(endpoint, "a", "b", "c"))
    over.set()
    dialling.join()

    assert [each.completion.text for each in answers] == ["saw old new"] * 3


def test_one_answer_counts_and_who_comes_back_is_given_the_open_turn(port: int) -> None:
    heard: list[dict[str, Any]] = []

    def program() -> None:
        heard.append(post(port, HELLO))
        # The connection is gone, and the program is back.
        heard.append(post(port, HELLO))
        turn = heard[-1]["turn"]
        act = {"type": "act", "turn": turn, "action": "first"}
        heard.append(post(port, act))
        second = {"type": "act", "turn": heard[-1]["turn"], "action": "second"}
        post(port, {**act, "action": "again"})
        with contextlib.suppress(AssertionError):  # the run may be over before it says so
            post(port, second)

    thread = beside(program)
    answers = playing(port, lambda endpoint: _turns(endpoint, "a", "b"))
    thread.join()

    assert heard[0] == heard[1]
    assert heard[2]["session"] == "b" * 32
    assert [each.completion.text for each in answers] == ["first", "second"]


def test_a_program_that_is_away_is_waited_for_and_has_lost_nothing(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "AWAY", 0.2)
    with pytest.raises(Fault) as raised:
        playing(port, lambda endpoint: _turns(endpoint, "a"))

    assert raised.value.kind is FaultKind.OVERLOADED


def test_one_that_took_its_turn_and_says_nothing_has_malfunctioned(port: int) -> None:
    thread = beside(lambda: [post(port, HELLO), post(port, HELLO)])
    (answer,) = playing(port, lambda endpoint: _turns(endpoint, "a"), limit=0.5)
    thread.join()

    assert answer.response["malfunction"] == "it gave no answer within 0.5 s"


@pytest.mark.parametrize(
    ("said", "how", "status"),
    [
        (HELLO, {"token": "wrong"}, 401),
        (HELLO, {"name": "eve"}, 401),
        (HELLO, {"name": "turns/bob"}, 401),
        (b"{", {}, 400),
        (b"[]", {}, 400),
        ({"type": "hello", "protocol": 9}, {}, 400),
        ({"type": "act", "turn": "x", "action": "[1]"}, {}, 400),
        (b"x" * 300_000, {}, 413),
    ],
)
def test_who_has_no_token_or_says_nonsense_is_told_so(
    port: int, said: Any, how: dict[str, str], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "AWAY", 2.0)
    found: list[dict[str, Any]] = []
    thread = beside(lambda: found.append(post(port, said, **how)))
    with pytest.raises(Fault):
        playing(port, lambda endpoint: _turns(endpoint, "a"))
    thread.join()

    assert found[0]["status"] == status


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"params": {"listen": "0.0.0.0:80"}}, "expected a port of this machine"),
        ({"params": {"listen": "127.0.0.1:0"}}, "expected a port of this machine"),
        ({"params": {"listen": "127.0.0.1:8700", "host": "x"}}, "'host'"),
        ({"api_key_env": None}, "expected `api_key_env`"),
        ({"api_base": "http://x/"}, "expected either `api_base"),
    ],
)
def test_only_this_machine_is_listened_on_and_with_a_token(
    changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(UsageError) as raised:
        RemoteProvider(ProviderSettings(1.0, no_policy)).check(bob(8700, **changes))

    assert expected in str(raised.value)
