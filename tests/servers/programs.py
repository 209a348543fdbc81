"""Programs that play, on loopback: the reference client of docs/remote, with an agent of a test.

    with ProgramServer(agent) as server:
        ...  # server.url is the address, server.heard what it was told

Binds 127.0.0.1 on a free port and stops with the block.
"""

from __future__ import annotations

import importlib.util
import random
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

CLIENTS = Path(__file__).parents[2] / "docs" / "remote"


def _client() -> ModuleType:
    spec = importlib.util.spec_from_file_location("arena_remote", CLIENTS / "arena_remote.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


arena_remote = _client()


def legal(observation: Any) -> str:
    """A move that is open in TicTacToe, from nothing but the observation."""
    offered = observation.rpartition("Available Moves:")[2].replace("'", "").split(", ")
    return random.Random(str(observation)).choice(offered).strip()


class ProgramServer:
    """Waits for calls. `answer`, where it is given, answers the messages in the client's place."""

    def __init__(
        self,
        agent: Callable[[Any], str] = legal,
        *,
        name: str = "bob",
        version: str = "1",
        secret: str | None = None,
        answer: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> None:
        self.heard: list[dict[str, Any]] = []
        self.on_message: Callable[[dict[str, Any]], None] | None = None
        program = arena_remote.Program(agent, name, version)
        answering = answer or program.answer

        def listened(message: dict[str, Any]) -> dict[str, Any]:
            self.heard.append(message)
            if self.on_message is not None:
                self.on_message(message)
            return answering(message)

        program.answer = listened
        self._server = arena_remote.server(program, port=0, secret=secret)
        self.url = f"http://127.0.0.1:{self._server.server_port}/arena"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def turns(self) -> list[dict[str, Any]]:
        """The turns that it was asked for."""
        return [message for message in self.heard if message["type"] == "observe"]

    def __enter__(self) -> ProgramServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join(20)
        self._server.server_close()
