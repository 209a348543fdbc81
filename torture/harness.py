"""What the parts share: a folder that keeps everything, a key to be looked for, and processes."""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from torture.commands import PATIENCE, Command, Commands
from torture.databases import Databases
from torture.facts import read_census, read_facts
from torture.service import Books, Service
from torture.tournaments import KEY_VARIABLE
from torture.verdict import Undisturbed


class Harness:
    """Runs in `folder`: databases, books, tournament files, and what every command printed stay
    there. `key` is the API key that every command is given; it must never be written down. With
    `postgresql`, the URL of a server that is there already, none is started; with `commands`, no
    process to fork them from.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        postgresql: str | None = None,
        commands: Commands | None = None,
    ) -> None:
        self.folder = folder
        self.seed = seed
        self.key = f"sk-torture-{secrets.token_hex(16)}"
        self.started = time.monotonic()
        self.databases = Databases(folder / "databases", postgresql)
        self._stack = ExitStack()
        self._commands = commands and commands.elsewhere(folder / "printed", self.env)

    def __enter__(self) -> Self:
        self._stack.enter_context(self.databases)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def env(self) -> dict[str, str]:
        """The environment of every command, beside this process's own; the key may go to the
        servers of the torture."""
        allowed = self.folder / "allowed" / "arena" / "keys.json"
        allowed.parent.mkdir(parents=True, exist_ok=True)
        allowed.write_text(json.dumps([[KEY_VARIABLE, "127.0.0.1"]]))
        return {
            KEY_VARIABLE: self.key,
            "COLUMNS": "100",
            "XDG_CONFIG_HOME": str(allowed.parents[1]),
        }

    @property
    def commands(self) -> Commands:
        """Where commands are typed; started when it is first asked for."""
        if self._commands is None:
            self._commands = self._stack.enter_context(Commands(self.folder / "printed", self.env))
        return self._commands

    def service(self, name: str, low: float = 0.0, high: float = 0.0) -> Service:
        """A server for a part, to be entered; answers take `low` to `high` seconds."""
        books = self.folder / "books"
        books.mkdir(exist_ok=True)
        return Service(books / f"{name}.log", latency=(low, high), seed=self.seed)

    def say(self, text: str) -> None:
        """Progress, on stderr."""
        print(f"{time.monotonic() - self.started:6.0f} s  {text}", file=sys.stderr, flush=True)

    def without_paths(self, text: str) -> str:
        """A text without the places where this run keeps its files: they say nothing to others."""
        for place in (self.folder, self.databases.server.folder):
            if place is not None:
                text = text.replace(f"{place}/", "").replace(quote(f"{place}/", safe=""), "")
        return text

    def alone(self, config: Path, url: str, service: Service) -> Undisturbed:
        """Play a tournament of `config` (its name is its lane) to its end, and measure it."""
        command = self.commands.start("run", config, "--db", url)
        first = first_request(service, command)
        ended = command.wait()
        if ended.code != 0 or first is None:
            raise RuntimeError(
                f"a run of {config} without disturbance ended with {ended.code}: {ended.last_words}"
            )
        return Undisturbed(
            facts=read_facts(url, config.stem),
            census=read_census(url, config.stem),
            startup=first - command.started,
            playing=ended.at - first,
        )


def first_request(service: Service, command: Command, seconds: float = PATIENCE) -> float | None:
    """Wait for the first request that is new to the books: the moment, None when there is none
    before the command ends, or within `seconds`."""
    before, until = service.written, time.monotonic() + seconds
    while not service.asked_since(before):
        if not command.running(0.002) or time.monotonic() > until:
            return None
    return time.monotonic()


def wait_for(condition: Callable[[], bool], seconds: float = 60.0, pause: float = 0.005) -> bool:
    """Whether the condition came true within `seconds`."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(pause)
    return True


def of_run(books: Books, command: Command, end: float) -> Books:
    """What a run asked from its start to its end."""
    return books.between(command.started, end)
