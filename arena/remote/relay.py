"""Where programs dial in that nobody can call: each asks whether it is its turn, and answers.

It stands on loopback while a run plays, with two sides on one port. A program posts its messages to
/NAME with its token, and is given its next turn as soon as there is one. Whatever process plays
posts turns to /turns/NAME, signed, and is given the program's answer as if it had called it. An
answer counts once, for the turn whose id it has; a program that comes back is given the turn that
it has not answered. Of the token only its hash is kept.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import hmac
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import orjson

from arena.core import UsageError
from arena.llm.pacing.deadlines import within
from arena.llm.pacing.loop_lag import LoopLag
from arena.remote.protocol import MOST, VERSION, Malfunction, read_hello
from arena.remote.signing import is_signed

# Seconds for which a question without an answer is held, and a turn without a program.
POLL = 20.0
AWAY = 8.0


def token_hash(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


@dataclass(slots=True)
class _OpenTurn:
    body: bytes
    answer: asyncio.Future[bytes]
    given: bool = False


@dataclass(slots=True)
class _Dialled:
    """The program: what it said of itself, and its turns in the order in which they came."""

    hello: bytes | None = None
    turns: dict[str, _OpenTurn] = field(default_factory=dict)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)


class DialInRelay:
    """Listens at a port of loopback for one program, in a thread of its own, until it is closed.
    `hashed` is the hash of the program's token."""

    def __init__(self, port: int, name: str, hashed: str) -> None:
        self._wanted = port
        self._name = name
        self._hashed = hashed
        self._program = _Dialled()
        self._lag = LoopLag()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self.port = 0

    def open(self) -> bool:
        """Whether it listens now: another process may do so already. Raises UsageError where
        nobody can."""
        self._thread.start()
        self._ready.wait()
        if self._error is None:
            return True
        if self._error.errno == errno.EADDRINUSE:
            return False
        raise UsageError(
            f"nothing can listen at 127.0.0.1:{self._wanted}: {self._error.strerror}; choose "
            "another port"
        ) from self._error

    def close(self) -> None:
        """Stop listening, and wait until it has."""
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        web = import_module("aiohttp.web")
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/turns/{name}", self._asked)
        app.router.add_post("/{name}", self._dialled)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", self._wanted)
            await site.start()
            self.port = runner.addresses[0][1]
        except OSError as error:
            self._error = error
            await runner.cleanup()
            self._ready.set()
            return
        self._ready.set()
        await self._stop.wait()
        await site.stop()
        # Who was let in as it stopped listening is known after a step of the loop, and gone after
        # another one.
        await asyncio.sleep(0)
        await runner.cleanup()
        await asyncio.sleep(0)

    async def _asked(self, request: Any) -> Any:
        """The arena's side: a turn in, the program's answer out; 503 while it is away."""
        found, body = self._program, await request.read()
        signed = is_signed(self._hashed, request.headers, body)
        if request.match_info["name"] != self._name or not signed:
            return _reply(401, {"type": "error", "message": "another program listens here"})
        message = orjson.loads(body)
        if message["type"] == "hello":
            async with found.news:
                if not await self._within(AWAY, lambda: found.hello is not None):
                    return _reply(503, {"type": "error", "message": "it has not dialled in"})
            return _bytes(found.hello or b"")
        turn = _OpenTurn(body, asyncio.get_running_loop().create_future())
        async with found.news:
            found.turns[message["turn"]] = turn
            found.news.notify_all()
        try:
            async with found.news:
                if not await self._within(AWAY, lambda: turn.given):
                    return _reply(503, {"type": "error", "message": "it is away"})
            return _bytes(await turn.answer)
        finally:
            found.turns.pop(message["turn"], None)

    async def _dialled(self, request: Any) -> Any:
        """The program's side: a hello or an answer in, its next turn out."""
        found = self._program
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        right = hmac.compare_digest(token_hash(token), self._hashed)
        if request.match_info["name"] != self._name or scheme != "Bearer" or not right:
            return _reply(401, {"type": "error", "message": "the name or the token is wrong"})
        if (request.content_length or MOST + 1) > MOST:
            return _reply(413, {"type": "error", "message": f"expected at most {MOST} bytes"})
        body = await request.read()
        async with found.news:
            if (wrong := self._heard(found, body)) is not None:
                return _reply(400, {"type": "error", "message": wrong})
            found.news.notify_all()
            await self._within(POLL, lambda: bool(found.turns))
            turn = next(iter(found.turns.values()), None)
            if turn is None:
                return _reply(200, {"type": "wait", "protocol": VERSION})
            turn.given = True
            found.news.notify_all()
            return _bytes(turn.body)

    async def _within(self, seconds: float, true: Callable[[], bool]) -> bool:
        """Whether something became true, of which the program's news tell, within so many
        seconds."""
        try:
            async with within(seconds, self._lag):
                await self._program.news.wait_for(true)
        except TimeoutError:
            return False
        return True

    def _heard(self, found: _Dialled, body: bytes) -> str | None:
        """Takes what a program said; what is wrong with it, if anything is."""
        try:
            said = orjson.loads(body)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            return "expected a JSON object"
        if said.get("type") == "hello":
            try:
                read_hello(body)
            except Malfunction as error:
                return str(error)
            found.hello = body
            return None
        number = said.get("turn")
        if isinstance(number, str) and (turn := found.turns.pop(number, None)) is not None:
            if not turn.answer.done():
                turn.answer.set_result(body)
            return None
        if found.hello is None:
            return "expected a hello first"
        # One of a turn that is over changes nothing.
        return None


def _reply(status: int, said: Mapping[str, Any]) -> Any:
    return _bytes(orjson.dumps(said), status)


def _bytes(body: bytes, status: int = 200) -> Any:
    web = import_module("aiohttp.web")
    return web.Response(body=body, status=status, content_type="application/json")
