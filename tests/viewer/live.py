"""A tournament that is played for real and held in the middle, and pages that are watched."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from arena import registry
from tests.servers.openai_server import OpenAIServer, Reply
from torture.commands import Command, Commands

_MOVES = 200  # of a page that still does not say what it should
KEY = "sk-arena-test-0123456789abcdef"
_TOURNAMENT = """\
name: evening
seed: 5
environment: {{name: TicTacToe-v0, players: 2}}
games: 6
concurrency: 2
budget: 5
matchmaker: {{name: round-robin}}
models:
  - {{name: far, litellm_model: openai/one, api_base: "{url}",
     input_price: 1.0, output_price: 2.0, params: {{max_tokens: 50}}}}
prompts:
  - {{name: plain, text: "You are player {{{{player_index}}}}."}}
  - {{name: other, text: "Play."}}
agents:
  - {{name: Ann, model: far, prompt: plain}}
  - {{name: Bob, model: far, prompt: other}}
  - {{name: Cy, kind: remembering, model: far, prompt: plain}}
"""


class Evening:
    """A tournament whose model answers the first calls, and then none until `go_on`."""

    def __init__(self, commands: Commands, folder: Path, url: str, *, first: int = 30) -> None:
        self.url = url
        self._commands = commands
        self._file = folder / "evening.yaml"
        self._run: Command | None = None
        self._first = first
        self._asked = 0
        self._gate = threading.Event()
        self._held = threading.Semaphore(0)
        self._server = OpenAIServer(self._reply)

    def _reply(self, body: dict[str, Any]) -> Reply:
        self._asked += 1
        move = registry.policy("random")(
            body["messages"], random.Random(body["messages"][-1]["content"])
        )
        if self._asked <= self._first:
            return Reply(move)
        self._held.release()
        return Reply(move, after=self._gate)

    def __enter__(self) -> Evening:
        self._server.__enter__()
        self._file.write_text(_TOURNAMENT.format(url=self._server.url))
        return self

    def __exit__(self, *raised: Any) -> None:
        self._gate.set()
        self._server.__exit__(*raised)

    def wait_until_held(self, calls: int = 2) -> None:
        """Both games wait for an answer, however long a busy machine takes to get there."""
        assert self._run is not None
        for _ in range(calls):
            while not self._held.acquire(timeout=1):
                assert self._run.running(), self._run.wait().stderr

    def go_on(self) -> None:
        """Answer every call, those that wait too."""
        self._gate.set()

    @contextmanager
    def played(self, *words: str) -> Iterator[Command]:
        """The command as it is typed, in a process that is gone afterwards."""
        words = words or ("run", str(self._file))
        env = {"ARENA_TEST_KEY": KEY}
        self._run = self._commands.start(*words, "--db", self.url, env=env)
        try:
            yield self._run
        finally:
            self._run.signal()
            self._run.wait()


@dataclass(frozen=True, slots=True)
class Watching:
    """A page that is asked for again whenever the server says that something has moved."""

    browser: httpx.Client
    path: str
    lines: Iterator[str]

    def told(self) -> tuple[str, str]:
        """The next that the server says: (event, data)."""
        event, quiet = "", 0
        for line in self.lines:
            quiet += line.startswith(":")
            assert quiet < 30, "nothing moves"
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            if name == "data":
                return event, json.loads(value)
        raise AssertionError("the stream has ended")

    def until(self, *words: str) -> str:
        """The page, as soon as it says all of this at once."""
        for _ in range(_MOVES):
            page = self.browser.get(self.path).text
            if all(word in page for word in words):
                return page
            self.told()
        raise AssertionError(f"it never says {[word for word in words if word not in page]}")


@contextmanager
def watching(address: str, path: str, about: str) -> Iterator[Watching]:
    """A browser at a server of pages, with an open stream."""
    home = str(httpx.URL(address).copy_with(path="/", query=None))
    with httpx.Client(base_url=home, trust_env=False, timeout=120) as browser:
        assert browser.get(address).status_code == 303
        with browser.stream("GET", f"/live?about={about}&state=") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            yield Watching(browser, path, stream.iter_lines())
