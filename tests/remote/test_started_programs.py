"""Programs that the arena starts: allowed by the user, kept from its keys, ended with the run."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arena.core import ModelSpec, UsageError
from arena.llm.failures.classify import Fault
from arena.llm.programs import allow_program, allowed_programs, forget_program
from arena.llm.providers.protocol import Answer, ProviderSettings
from arena.remote.provider import RemoteProvider
from arena.testing.providers import no_policy
from tests.remote.held_loop import HELD, held_until
from tests.remote.test_remote_endpoint import messages

HELLO = '{"type": "hello", "protocol": 1, "name": "bob", "version": "1"}'
Written = Callable[[str], ModelSpec]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    """Makes the model of a program whose body answers `message`, in a folder where it may start."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    def write(body: str) -> ModelSpec:
        lines = "\n        ".join(body.splitlines())
        (tmp_path / "bob.py").write_text(
            "import json, os, sys, time\n"
            "def say(**what): print(json.dumps(what), flush=True)\n"
            "for line in sys.stdin:\n"
            "    message = json.loads(line)\n"
            "    if message['type'] == 'hello':\n"
            f"        print('{HELLO}', flush=True)\n"
            "    else:\n"
            "        turn = message['turn']\n"
            f"        {lines}\n",
            "utf-8",
        )
        command = [sys.executable, "bob.py"]
        allow_program(command)
        return ModelSpec("bob", "remote/bob@1", {"command": command})

    return write


def ask(model: ModelSpec, *sessions: str, limit: float = 10.0) -> list[Answer]:
    async def main() -> list[Answer]:
        provider = RemoteProvider(ProviderSettings(limit, no_policy))
        endpoint = provider.prepare(model)
        try:
            return [await endpoint.ask(messages(session=each * 32), None) for each in sessions]
        finally:
            await provider.aclose()
            await asyncio.sleep(0.05)

    return asyncio.run(main())


def said(answers: list[Answer]) -> list[str]:
    return [a.completion.text or str((a.response or {})["malfunction"]) for a in answers]


def test_a_program_plays_on_stdin_and_stdout_and_ends_with_the_run(written: Written) -> None:
    model = written("say(type='act', turn=turn, action=f'{os.getpid()} {message[\"new\"]}')")

    first, second = said(ask(model, "a", "b"))

    assert first == second
    assert first.endswith(" new")
    assert not _lives(int(first.split()[0]))


def _lives(pid: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state == "Z":
            return False
        time.sleep(0.05)
    return True


def test_no_key_is_in_its_environment(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-programs")
    model = written("say(type='act', turn=turn, action=' '.join(sorted(os.environ)))")

    (names,) = said(ask(model, "a"))

    assert "PATH" in names.split()
    assert "KEY" not in names
    assert {*names.split()} <= {*os.environ, "LC_CTYPE"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("sys.exit(3)", "it has ended"),
        ("print('{', flush=True)", "it sent no JSON"),
        ("print('x' * 300_000, flush=True)", "it sent more than 256 KiB in one message"),
        ("time.sleep(60)", "it gave no answer within 0.5 s"),
        ("say(type='act', turn='f' * 32, action='[1]')", "it answered turn"),
    ],
)
def test_a_program_that_fails_is_started_again_for_its_next_turn(
    written: Written, body: str, expected: str
) -> None:
    model = written(
        f"if message['session'][0] == 'a':\n    {body}\n"
        "else:\n    say(type='act', turn=turn, action='well')"
    )

    first, second = said(ask(model, "a", "b", limit=0.5 if "sleep" in body else 20.0))

    assert first.startswith(expected)
    assert second == "well"


def test_only_the_first_action_of_a_turn_counts(written: Written) -> None:
    model = written(
        "say(type='act', turn=turn, action='first')\nsay(type='act', turn=turn, action='more')"
    )

    assert said(ask(model, "a", "b", "c")) == ["first"] * 3


def test_a_strangers_file_starts_no_program(written: Written, tmp_path: Path) -> None:
    model = written("sys.exit(0)")
    provider = RemoteProvider(ProviderSettings(1.0, no_policy))
    provider.check(model)
    assert [one.folder for one in allowed_programs()] == [str(tmp_path)]

    forget_program(model.params["command"])

    for refused in (provider.check, provider.prepare):
        with pytest.raises(UsageError, match=r"type: arena programs add -- \S+ bob\.py"):
            refused(model)


def test_what_is_allowed_is_so_in_its_folder(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = written("sys.exit(0)")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")

    with pytest.raises(UsageError, match="nobody has allowed it in this folder"):
        RemoteProvider(ProviderSettings(1.0, no_policy)).check(model)


def test_a_program_that_does_not_start_says_so(written: Written) -> None:
    written("sys.exit(0)")
    command = ["./is-not-there"]
    allow_program(command)

    with pytest.raises(Fault, match="cannot be started"):
        ask(ModelSpec("bob", "remote/bob@1", {"command": command}), "a")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"command": "python3 bob.py"}, "expected a list of words"),
        ({"command": []}, "expected a list of words"),
        ({"command": ["a\0b"]}, "expected a list of words"),
        ({"command": ["a"], "processes": 0}, "expected a number from 1 to 64"),
        ({"command": ["a"], "shell": True}, "'shell'"),
    ],
)
def test_a_command_is_a_list_of_words(params: dict[str, Any], expected: str) -> None:
    with pytest.raises(UsageError) as raised:
        RemoteProvider(ProviderSettings(1.0, no_policy)).check(
            ModelSpec("bob", "remote/bob@1", params)
        )

    assert expected in str(raised.value)


def test_an_answer_that_lay_there_while_the_loop_was_held_is_no_malfunction(
    written: Written, tmp_path: Path
) -> None:
    """The process, started and greeted, answers its second turn while the loop stands still."""
    model = written(
        "name = 'second' if os.path.exists('first') else 'first'\n"
        "while name == 'second' and not os.path.exists('now'):\n"
        "    time.sleep(0.001)\n"
        "say(type='act', turn=turn, action='in time')\n"
        "open(name, 'w').close()"
    )
    answer, lag = held_until(
        lambda settings: RemoteProvider(settings).prepare(model),
        [messages(session="a" * 32)] * 2,
        asked=lambda: True,
        answer_now=(tmp_path / "now").touch,
        answered=lambda: (tmp_path / "second").exists(),
    )

    assert said([answer]) == ["in time"]
    assert lag > HELD - 1.0
