"""A chat-completions server on loopback that misbehaves by a seed, in every known way.

    with FaultyServer(lambda body: "[3]", share=0.3, seed=1) as server:
        ...  # server.url is the api_base, server.log() what was asked and what it was answered

Or as a process of its own, which prints its port and stops when its standard input ends:

    python -m tests.servers.faulty --port 0 --seed 1 --share 0.3 --log FILE
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.servers.misbehaviour import ALL, ANSWERS, BILLED, fits
from tests.servers.own_thread import ThreadServer
from tests.servers.wire import Wire, answer

ANSWERED = "answer"


@dataclass(frozen=True)
class Logged:
    """One request and what was done with it; on file before the first byte of the answer.

    `digest` is of the messages alone; `billed` says whether the provider would charge for it.
    """

    number: int
    digest: str
    kind: str
    prompt_tokens: int
    completion_tokens: int
    billed: bool

    @property
    def answered(self) -> bool:
        """Whether the text came through."""
        return self.kind == ANSWERED or self.kind in ANSWERS


def digest_of(body: Mapping[str, Any]) -> str:
    """32 hex digits of a request's messages."""
    canonical = json.dumps(body.get("messages"), sort_keys=True, separators=(",", ":"))
    return blake2b(canonical.encode(), digest_size=16).hexdigest()


class FaultyServer(ThreadServer):
    """Answers with what `answer` makes of the body, but for a `share` of the requests.

    What happens to the request that comes in as number i (from 0) follows from `seed` and i alone,
    but that after `in_a_row` faults for the same messages there is an answer. `hang` is the most
    seconds for which a server that hangs does so (it stops when the client leaves). With `log`
    every request is a line of JSON in that file, in the order of coming in.
    """

    def __init__(
        self,
        answer: Callable[[dict[str, Any]], str] = lambda body: "ok",
        *,
        share: float = 0.3,
        seed: int = 0,
        kinds: Iterable[str] = ALL,
        in_a_row: int = 3,
        hang: float = 30.0,
        log: Path | None = None,
        port: int = 0,
    ) -> None:
        super().__init__("faulty-server")
        self._answer = answer
        self._share = share
        self._seed = seed
        self._kinds = tuple(kinds)
        self._in_a_row = in_a_row
        self._hang = hang
        self._path = log
        self._wanted_port = port
        self._logged: list[Logged] = []
        self._failed: Counter[str] = Counter()
        self._elsewhere = 0
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def port(self) -> int:
        return self._port

    def misbehave(self, *kinds: str) -> None:
        """From now on, in these ways."""
        self._kinds = kinds

    @property
    def elsewhere(self) -> int:
        """Requests that came in somewhere else, where only a redirect leads."""
        return self._elsewhere

    def log(self) -> list[Logged]:
        """Every request so far, in the order of coming in."""
        return list(self._logged)

    async def serve(self) -> None:
        """Serves until the block is left, or until it is cancelled."""
        server = await asyncio.start_server(
            self._connected, "127.0.0.1", self._wanted_port, backlog=4096
        )
        try:
            await self._until_left(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)
            # Transports close in the loop's next turn.
            await asyncio.sleep(0)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve_connection(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            # A client may leave at any moment; that is its good right.
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._exchange(reader, writer):
                    pass
            with suppress(ConnectionError):
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and what comes of it; True when the connection can take another."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        if not head[0].startswith("POST /v1/chat/completions "):
            self._elsewhere += 1
            await Wire({}, "", {}, reader, writer).error(404, "nothing is here")
            return False
        body: dict[str, Any] = json.loads(raw)
        text = self._answer(body)
        usage = _usage(body, text)
        kind = self._next(body)
        self._write(body, kind, usage)
        wire = Wire(body, text, usage, reader, writer, self._hang, self.url)
        await (answer if kind == ANSWERED else ALL[kind])(wire)
        if writer.is_closing():
            return False
        await writer.drain()
        return not body.get("stream") and (kind == ANSWERED or kind in _KEPT)

    def _next(self, body: Mapping[str, Any]) -> str:
        number, digest = len(self._logged), digest_of(body)
        kinds = [kind for kind in self._kinds if fits(kind, bool(body.get("stream")))]
        kind = drawn(self._seed, number, self._share, kinds)
        if self._failed[digest] >= self._in_a_row:
            kind = ANSWERED
        failed = kind != ANSWERED and kind not in ANSWERS
        self._failed[digest] = self._failed[digest] + 1 if failed else 0
        return kind

    def _write(self, body: Mapping[str, Any], kind: str, usage: Mapping[str, int]) -> None:
        entry = Logged(
            number=len(self._logged),
            digest=digest_of(body),
            kind=kind,
            prompt_tokens=usage["prompt_tokens"],
            completion_tokens=usage["completion_tokens"],
            billed=kind == ANSWERED or kind in BILLED,
        )
        self._logged.append(entry)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(entry)) + "\n")


def drawn(seed: int, number: int, share: float, kinds: Sequence[str]) -> str:
    """What request `number` is answered with: a kind, or ANSWERED."""
    rng = random.Random(f"{seed} {number}")
    return rng.choice(kinds) if kinds and rng.random() < share else ANSWERED


_KEPT = frozenset(ANSWERS) - {"slow_headers"}


def read_log(path: Path) -> list[Logged]:
    """What a server of another process wrote; a last line that was cut by a kill is left out."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    return [Logged(**json.loads(line)) for line in lines if line.endswith("\n")]


def _usage(body: Mapping[str, Any], text: str) -> dict[str, int]:
    prompt = sum(1 + len(str(message["content"])) // 4 for message in body["messages"])
    completion = 1 + len(text) // 4
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def main() -> None:
    """The server as a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.faulty")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--share", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", default=list(ALL), choices=list(ALL), metavar="KIND")
    parser.add_argument("--in-a-row", type=int, default=3)
    parser.add_argument("--hang", type=float, default=30.0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--answer", default="", help="module:function of the body; default: ok")
    arguments = parser.parse_args()
    options: dict[str, Any] = {}
    if arguments.answer:
        module, _, name = arguments.answer.partition(":")
        options["answer"] = getattr(import_module(module), name)
    server = FaultyServer(
        share=arguments.share,
        seed=arguments.seed,
        kinds=arguments.kinds,
        in_a_row=arguments.in_a_row,
        hang=arguments.hang,
        log=arguments.log,
        port=arguments.port,
        **options,
    )
    with server:
        print(server.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
