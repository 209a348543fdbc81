"""The reference clients, each in a process of its own, put to the check that anybody's can be."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import textarena.core

from arena.core import ModelSpec
from arena.llm.programs import allow_program
from arena.llm.providers.protocol import ProviderSettings
from arena.remote.provider import RemoteProvider
from arena.testing import ConformanceError, check_remote
from arena.testing.providers import no_policy
from tests.remote.test_remote_endpoint import messages
from tests.servers.programs import CLIENTS, ProgramServer, arena_remote

NODE = shutil.which("node")
SECRET = "correct-horse-7"

clients = pytest.mark.parametrize(
    ("command", "name"),
    [
        pytest.param([sys.executable, "arena_remote.py"], "first-option@1", id="python"),
        pytest.param(
            [NODE or "node", "arena_remote.mjs"],
            "last-option@1",
            id="node",
            marks=pytest.mark.skipif(NODE is None, reason="needs Node"),
        ),
    ],
)


@contextmanager
def waiting(command: list[str], **variables: str) -> Iterator[str]:
    """The client as it is typed; yields its address, which it says when it waits."""
    process = subprocess.Popen(
        [*command, "--port", "0"],
        cwd=CLIENTS,
        env={**os.environ, **variables},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found is not None
        yield found[0]
    finally:
        process.kill()
        process.communicate()


@clients
def test_a_client_keeps_the_protocol(command: list[str], name: str) -> None:
    with waiting(command, ARENA_SECRET=SECRET) as address:
        assert check_remote(address, secret=SECRET) == name
        with pytest.raises(ConformanceError, match="HTTP 401"):
            check_remote(address)


@clients
def test_a_client_plays_as_a_child(
    command: list[str], name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(CLIENTS)
    allow_program([*command, "--stdio"])
    model = ModelSpec("bob", f"remote/{name}", {"command": [*command, "--stdio"]})

    async def main() -> list[str]:
        provider = RemoteProvider(ProviderSettings(20.0, no_policy))
        endpoint = provider.prepare(model)
        try:
            return [
                (await endpoint.ask(messages(session=each * 32), None)).completion.text
                for each in "ab"
            ]
        finally:
            await provider.aclose()
            await asyncio.sleep(0.05)

    assert asyncio.run(main()) == ["[0]", "[0]"]


def test_an_agent_of_textarena_plays_by_one_line() -> None:
    class Theirs(textarena.core.Agent):
        def __call__(self, observation: str) -> str:
            return f"[{len(observation)}]"

    with ProgramServer(Theirs(), name="mine") as server:
        assert check_remote(server.url) == "mine@1"
        seen = next(turn for turn in server.turns if turn["turn_number"] == 7)

    program = arena_remote.Program(Theirs(), name="mine", version="1")
    assert program.answer(seen)["action"] == f"[{len(seen['observation'])}]"


def test_a_program_that_answers_wrongly_does_not_pass() -> None:
    def confused(message: dict[str, object]) -> dict[str, object]:
        if message["type"] == "hello":
            return {"type": "hello", "protocol": 1, "name": "bob", "version": "1"}
        return {"type": "act", "turn": "the last one", "action": "[1]"}

    with ProgramServer(answer=confused) as server, pytest.raises(ConformanceError, match="turn 0"):
        check_remote(server.url)


def test_an_unsigned_request_that_is_answered_does_not_pass() -> None:
    with ProgramServer() as server, pytest.raises(ConformanceError, match="no signature"):
        check_remote(server.url, secret=SECRET)
