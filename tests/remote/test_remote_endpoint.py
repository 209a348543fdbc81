"""A program over HTTP: what it is sent, and what becomes of whatever it answers."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import http.server
import json
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from arena.core import Message, ModelSpec, Observation, UsageError
from arena.llm.failures.classify import Fault, fault_of
from arena.llm.failures.kinds import FaultKind
from arena.llm.providers.protocol import Answer, ProviderSettings
from arena.remote.kind import Remote
from arena.remote.provider import RemoteProvider
from arena.testing.providers import no_policy
from tests.remote.held_loop import HELD, held_until
from tests.servers.canned_server import Canned, CannedServer
from tests.servers.programs import ProgramServer

PLACE = {"environment": "Game-v0", "num_players": 2, "player_index": 1, "turn_number": 3, "new": 3}
HELLO = json.dumps({"type": "hello", "protocol": 1, "name": "bob", "version": "1"}).encode()


def messages(**place: Any) -> list[Message]:
    return [
        {"role": "system", "content": json.dumps({**PLACE, **place})},
        {"role": "user", "content": "old new"},
    ]


def bob(url: str, **more: Any) -> ModelSpec:
    return ModelSpec("bob", "remote/bob@1", api_base=url, **more)


def ask(model: ModelSpec, *asked: Sequence[Message], timeout: float = 5.0) -> list[Answer]:
    async def main() -> list[Answer]:
        provider = RemoteProvider(ProviderSettings(timeout, no_policy))
        endpoint = provider.prepare(model)
        try:
            return [await endpoint.ask(each, None) for each in asked]
        finally:
            await provider.aclose()

    return asyncio.run(main())


def test_a_program_is_told_what_its_seat_sees_and_nothing_else() -> None:
    with ProgramServer(lambda observation: f"I saw {observation}") as server:
        first, second = ask(bob(server.url), messages(), messages(session="0" * 32, new="else"))

    assert first.completion.text == "I saw old new"
    assert first.model_answered == "bob@1"
    hello, told, again = server.heard
    assert hello == {"type": "hello", "protocol": 1}
    session, turn = told.pop("session"), told.pop("turn")
    assert told == {
        "type": "observe", "protocol": 1, "environment": "Game-v0", "player_index": 1,
        "num_players": 2, "turn_number": 3, "observation": "old new", "new": "new",
        "instructions": "",
    }  # fmt: skip
    assert [call.arguments for call in first.completion.tool_calls] == [session]
    assert (len(session), len(turn)) == (32, 32)
    assert (again["session"], again["new"]) == ("0" * 32, "else")
    assert second.completion.tool_calls == ()
    assert again["turn"] != turn


def test_the_kind_goes_on_in_the_session_of_its_first_answer() -> None:
    class Recorded:
        def __init__(self) -> None:
            self.asked: list[Any] = []

        async def complete(self, asked: Sequence[Message], options: object = None) -> Any:
            self.asked.append(json.loads(str(asked[0]["content"])))
            return answer.completion

    with ProgramServer(lambda observation: "x") as server:
        (answer,) = ask(bob(server.url), messages())
    llm, agent = Recorded(), Remote(prompt="Be brief.", options={})
    agent.seated("Game-v0", 2)
    for number in (0, 2):
        asyncio.run(agent.act(Observation(0, number, "seen", "seen"), llm))

    assert "session" not in llm.asked[0]
    assert llm.asked[1] == {
        "environment": "Game-v0", "num_players": 2, "player_index": 0, "turn_number": 2,
        "new": 4, "instructions": "Be brief.", "session": answer.completion.tool_calls[0].arguments,
    }  # fmt: skip


DEEP = b"[" * 100_000
BOMB = gzip.compress(b'{"type": "act"}' + b" " * 50_000_000)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Canned(b""), "no JSON"),
        (Canned(b"{]"), "no JSON"),
        (Canned(b"[1]"), "expected a JSON object"),
        (Canned(DEEP), "no JSON"),
        (Canned(b'{"type": "act", "turn": "0"}'), "it was asked for turn"),
        (Canned(b'{"type": "hello"}'), "expected 'act'"),
        (Canned(b'{"type": "error", "message": "\\u001b[31mno\\u0000"}'), r"\x1b[31mno\x00"),
        (Canned(b"x" * 300_000), "more than 256 KiB"),
        (Canned([b"x" * 65_536] * 200), "more than 256 KiB"),
        (Canned(BOMB, headers={"Content-Encoding": "gzip"}), "compressed"),
        (Canned(b"", status=302, headers={"Location": "http://127.0.0.1:1/"}), "not followed"),
        (Canned(b"{}", status=500), "HTTP 500"),
        (Canned(b"{}", status=418), "HTTP 418"),
    ],
)
def test_what_is_no_answer_is_the_programs_own_malfunction(answer: Canned, said: str) -> None:
    with CannedServer() as server:
        server.queue += [Canned(HELLO), answer]
        (found,) = ask(bob(server.url), messages())
        assert len(server.requests) == 2

    assert (found.completion.text, found.completion.finish_reason) == ("", "malfunction")
    assert found.response is not None
    assert said in found.response["malfunction"]
    assert found.completion.thoughts == f"malfunction: {found.response['malfunction']}"
    assert found.response["malfunction"].isprintable()
    assert len(found.response["malfunction"]) < 3_000


def _act(**changes: Any) -> Any:
    def answer(message: dict[str, Any]) -> dict[str, Any]:
        if message["type"] == "hello":
            return {"type": "hello", "protocol": 1, "name": "bob", "version": "1"}
        return {"type": "act", "turn": message["turn"], "action": "[1]", **changes}

    return answer


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"action": None}, "its action is 'None'"),
        ({"action": ["[1]", "[2]"]}, "expected a string"),
        ({"thoughts": 5}, "its thoughts are '5'"),
        ({"turn": "f" * 32}, "it answered turn 'ffff"),
        ({"action": "\ud800"}, "no JSON"),
        ({"type": "observe"}, "expected 'act'"),
    ],
)
def test_an_action_that_is_none_is_a_malfunction(changes: dict[str, Any], said: str) -> None:
    with ProgramServer(answer=_act(**changes)) as server:
        (found,) = ask(bob(server.url), messages())

    assert found.completion.finish_reason == "malfunction"
    assert found.response is not None
    assert said in found.response["malfunction"]


def test_what_a_program_adds_to_its_action_is_not_read() -> None:
    with ProgramServer(answer=_act(session="f" * 32, actions=["[2]"], win=True)) as server:
        (found,) = ask(bob(server.url), messages(session="0" * 32))

    assert found.completion.text == "[1]"
    assert found.completion.tool_calls == ()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Canned(status=503), FaultKind.OVERLOADED),
        (Canned(status=502), FaultKind.SERVER),
        (Canned(status=429), FaultKind.RATE_LIMIT),
        (Canned(status=401), FaultKind.KEY),
        (Canned(status=404), FaultKind.MODEL),
        (Canned(b"{", cut=True), FaultKind.LOST),
        (Canned(b"{", reset=True, cut=True), FaultKind.LOST),
    ],
)
def test_what_the_way_to_it_does_is_nobodys_fault(answer: Canned, kind: FaultKind) -> None:
    with CannedServer() as server:
        server.queue += [Canned(HELLO), answer]
        with pytest.raises(Exception) as raised:  # noqa: PT011
            ask(bob(server.url), messages())

    error = raised.value
    assert (error if isinstance(error, Fault) else fault_of(error)).kind is kind


def test_a_program_that_keeps_breaking_its_connections_has_malfunctioned() -> None:
    breaks = Canned(b"{", cut=True, reset=True)

    async def main() -> list[Any]:
        provider = RemoteProvider(ProviderSettings(5.0, no_policy))
        endpoint = provider.prepare(bob(server.url))
        try:
            sessions = [{}] * 4 + [{"session": "a" * 32}] * 3 + [{"session": "b" * 32}]
            asked = [messages(**session) for session in sessions]
            return [await _answer(endpoint.ask(each, None)) for each in asked]
        finally:
            await provider.aclose()

    async def _answer(asking: Any) -> str:
        try:
            return str((await asking).response["malfunction"])
        except Exception as error:
            return fault_of(error).kind.value

    with CannedServer() as server:
        server.queue += [Canned(HELLO), *[breaks] * 8]
        found = asyncio.run(main())

    # First turns are no reason to count, and other games have counts of their own.
    assert found == ["lost"] * 6 + ["it broke the connection 3 times", "lost"]


@pytest.mark.parametrize(
    ("hello", "said"),
    [
        ({"protocol": 2}, "it speaks protocol '2'; expected 1"),
        ({"version": "2"}, "write `litellm_model: remote/bob@2`"),
        ({"name": "eve"}, "the program says that it is eve@1"),
        ({"name": "a/b"}, "expected a name and a version"),
        ({"name": None}, "names 'None'"),
    ],
)
def test_a_program_that_is_another_is_not_played(hello: dict[str, Any], said: str) -> None:
    body = json.dumps({**json.loads(HELLO), **hello}).encode()
    with CannedServer() as server:
        server.queue.append(Canned(body))
        with pytest.raises(Fault) as raised:
            ask(bob(server.url), messages())

    assert said in raised.value.message
    assert raised.value.kind is FaultKind.MODEL


def _trickling(listening: socket.socket) -> None:
    """Answers the hello, and a turn byte by byte, for as long as it is listened to."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    connection, _ = listening.accept()
    with connection, contextlib.suppress(OSError):
        connection.recv(65_536)
        connection.sendall(head % len(HELLO) + HELLO)
        connection.recv(65_536)
        connection.sendall(head % 100_000)
        for _ in range(500):
            connection.sendall(b" ")
            time.sleep(0.02)


def test_a_program_that_trickles_malfunctions_when_its_time_is_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_trickling, args=(listening,))
        thread.start()
        begun = time.monotonic()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        (found,) = ask(bob(url), messages(), timeout=0.3)
        thread.join()

    assert found.response is not None
    assert found.response["malfunction"] == "it gave no answer within 0.3 s"
    assert time.monotonic() - begun < 9.0


def test_a_program_that_hangs_malfunctions_when_its_time_is_over() -> None:
    with ProgramServer(agent=lambda observation: time.sleep(1.0) or "x") as server:
        (found,) = ask(bob(server.url), messages(), timeout=0.2)

    assert found.response is not None
    assert found.response["malfunction"] == "it gave no answer within 0.2 s"


def test_requests_are_signed_and_the_secret_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", "correct-horse-7")
    with ProgramServer(lambda observation: "x", secret="correct-horse-7") as server:
        (found,) = ask(bob(server.url, api_key_env="TEST_KEY"), messages())
        monkeypatch.setenv("TEST_KEY", "wrong-horse-8")
        with pytest.raises(Fault) as raised:
            ask(bob(server.url, api_key_env="TEST_KEY"), messages())

    assert found.completion.text == "x"
    assert raised.value.kind is FaultKind.KEY
    with CannedServer() as canned:
        canned.queue += [Canned(HELLO), Canned(b'{"type": "error", "message": "wrong-horse-8"}')]
        (told,) = ask(bob(canned.url, api_key_env="TEST_KEY"), messages())
        sent = [f"{each.headers}{each.body!r}" for each in canned.requests]
    assert all("arena-signature" in each for each in sent)
    assert not any("wrong-horse-8" in each for each in sent)
    assert told.response is not None
    assert "wrong-horse-8" not in str(told.response)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"litellm_model": "remote/bob"}, "expected remote/NAME@VERSION"),
        ({"api_base": None}, "expected either `api_base"),
        ({"params": {"command": ["x"]}}, "expected either `api_base"),
        ({"api_base": "ftp://bob"}, "expected an address"),
        ({"stream": True}, "does not stream"),
        ({"params": {"temperature": 1}}, "'temperature'"),
    ],
)
def test_a_model_that_is_no_program_is_refused(changes: dict[str, Any], said: str) -> None:
    how = {"name": "b", "litellm_model": "remote/bob@1", "api_base": "http://x/", **changes}
    with pytest.raises(UsageError) as raised:
        RemoteProvider(ProviderSettings(1.0, no_policy)).check(ModelSpec(**how))

    assert said in str(raised.value)


def test_an_answer_that_lay_there_while_the_loop_was_held_is_no_malfunction() -> None:
    """A server that answers while the loop stands still, and says when its bytes have left."""
    asked, now, answered = threading.Event(), threading.Event(), threading.Event()

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if message["type"] == "hello":
                said = {"type": "hello", "protocol": 1, "name": "bob", "version": "1"}
            else:
                asked.set()
                now.wait()
                said = {"type": "act", "turn": message["turn"], "action": "in time"}
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            if message["type"] != "hello":
                answered.set()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever).start()
        model = bob(f"http://127.0.0.1:{server.server_port}")
        try:
            answer, lag = held_until(
                lambda settings: RemoteProvider(settings).prepare(model),
                [messages()],
                asked=asked.is_set,
                answer_now=now.set,
                answered=answered.is_set,
            )
        finally:
            now.set()
            server.shutdown()

    assert answer.completion.text == "in time"
    assert lag > HELD - 1.0
