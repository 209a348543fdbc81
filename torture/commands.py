"""Types `arena` commands: each in a process of its own, its output kept in files."""

from __future__ import annotations

import copy
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

# Longer than any command of the torture takes on a slow machine.
PATIENCE = 900.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code (minus the signal that killed it), when it did, in
    seconds of the machine's monotonic clock, and what it printed."""

    code: int
    at: float
    stdout: str
    stderr: str

    @property
    def last_words(self) -> str:
        """The last line on stderr that says something, for notes."""
        lines = [line.strip(" │╭╰─╮╯") for line in self.stderr.splitlines()]
        return next((line for line in reversed(lines) if line), "")


class Command:
    """A command that runs. `started` is a moment of the machine's monotonic clock."""

    def __init__(
        self, commands: Commands, pid: int, started: float, outputs: tuple[Path, Path]
    ) -> None:
        self.pid = pid
        self.started = started
        self._commands = commands
        self._outputs = outputs

    def signal(self, number: int = signal.SIGKILL) -> float | None:
        """Send a signal: the moment before it was sent, or None when the command had ended."""
        return self._commands.send_signal(self.pid, number)

    def wait(self, seconds: float = PATIENCE) -> Ended:
        """Its end. Raises TimeoutError."""
        code, at = self._commands.end_of(self.pid, seconds)
        out, err = (path.read_text(errors="surrogateescape") for path in self._outputs)
        return Ended(code, at, out, err)

    def first_line(self, seconds: float = PATIENCE) -> str:
        """The first line on stdout, as soon as it is there; empty when the command ends without
        one. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            ended = not self.running(0.02)
            line, found, _ = self._outputs[0].read_text().partition("\n")
            if found or ended:
                return line
        raise TimeoutError(f"the command with pid {self.pid} prints nothing")

    def running(self, seconds: float = 0.0) -> bool:
        """Whether it still runs after that many seconds."""
        return not self._commands.ended(self.pid, seconds)


class Commands:
    """The process that commands are forked from (`torture.zygote`). It ends with the block.

    They run in `folder`, where what they print is kept. `inside` are the words of a command that
    becomes another one, to run it somewhere else.
    """

    def __init__(self, folder: Path, env: Mapping[str, str], *, inside: Sequence[str] = ()) -> None:
        self.folder = folder
        self._env = dict(env)
        self._inside = tuple(inside)
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._ends: dict[int, tuple[int, float]] = {}
        self._changed = threading.Condition()
        self._listener = threading.Thread(target=self._listen, name="zygote", daemon=True)
        self._typed = 0

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [*self._inside, sys.executable, "-m", "torture.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **self._env},
        )
        self._listener.start()
        self._answer()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._listener.join(5)
        assert process.stdout is not None
        process.stdout.close()

    def elsewhere(self, folder: Path, env: Mapping[str, str]) -> Commands:
        """The same process, to type commands in another folder and environment."""
        other = copy.copy(self)
        other.folder, other._env = folder, dict(env)
        folder.mkdir(parents=True, exist_ok=True)
        return other

    @property
    def pid(self) -> int:
        """The process that commands are forked from."""
        assert self._process is not None
        return self._process.pid

    def start(
        self,
        *arguments: str | Path,
        env: Mapping[str, str] | None = None,
        clock: tuple[float, float] | None = None,
        largest_file: int | None = None,
        core_files: bool = False,
    ) -> Command:
        """Type a command. `clock` (after, by): from so many seconds on its clock is so many
        seconds off. `largest_file` is its limit on the size of a file, in bytes; with `core_files`
        the user lets a crash write its memory to a file."""
        words = [str(argument) for argument in arguments]
        self._typed += 1
        name = f"{self._typed:05}-{words[0]}"
        outputs = (self.folder / f"{name}.out", self.folder / f"{name}.err")
        for output in outputs:
            # The process opens them in its own time; who reads before finds nothing yet.
            output.touch()
        answer = self._order(
            {
                "arguments": words,
                "env": {**self._env, **(env or {})},
                "cwd": str(self.folder),
                "stdout": str(outputs[0]),
                "stderr": str(outputs[1]),
                "clock": clock,
                "largest_file": largest_file,
                "core_files": core_files,
            }
        )
        return Command(self, answer["started"], answer["at"], outputs)

    def run(self, *arguments: str | Path, seconds: float = PATIENCE, **options: Any) -> Ended:
        """Type a command and wait for its end."""
        return self.start(*arguments, **options).wait(seconds)

    def send_signal(self, pid: int, number: int) -> float | None:
        answer = self._order({"pid": pid, "signal": int(number)})
        return answer["at"] if answer["alive"] else None

    def ended(self, pid: int, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: pid in self._ends, seconds)

    def end_of(self, pid: int, seconds: float) -> tuple[int, float]:
        if not self.ended(pid, seconds):
            raise TimeoutError(f"the command with pid {pid} still runs after {seconds:g} s")
        return self._ends[pid]

    def _order(self, order: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        answer = self._answers.get(timeout=PATIENCE)
        if not answer:
            raise RuntimeError("the process that commands are forked from has died")
        return answer

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            if "exit" in message:
                with self._changed:
                    self._ends[message["pid"]] = (message["exit"], message["at"])
                    self._changed.notify_all()
            else:
                if "started" in message:
                    # A number that was used before is another process now.
                    self._ends.pop(message["started"], None)
                self._answers.put(message)
        self._answers.put({})
