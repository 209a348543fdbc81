"""The commands as a person types them, and the tournament that most tests play."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from click.testing import Result
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from rich.cells import cell_len
from typer import testing
from typer.main import get_command
from typer.testing import CliRunner

from arena import registry
from arena.cli.app import app
from arena.cli.json_outputs import schemas

Arena = Callable[..., Result]

TOURNAMENT = """\
name: small
seed: 3
environment: {name: TicTacToe-v0, players: 2}
games: 6
concurrency: 4
matchmaker: {name: round-robin, blocks: true}
models:
  - {name: random, litellm_model: scripted/random}
prompts:
  - {name: plain, text: "You are player {{player_index}}."}
  - {name: other, text: Play., forked_from: plain}
agents:
  - {name: Ann, model: random, prompt: plain}
  - {name: Bob, model: random, prompt: other}
  - {name: Cy, kind: remembering, model: random, prompt: plain}
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A terminal of some width, and all that was printed to it."""

    width: int
    output: io.StringIO

    def type(self, *arguments: str | Path) -> Shown:
        """Type a command that succeeds."""
        with suppress(SystemExit):
            app([str(argument) for argument in arguments])
        return self

    @property
    def text(self) -> str:
        """Without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.output.getvalue())

    @property
    def lines(self) -> list[str]:
        """None is wider than the terminal."""
        found = self.text.splitlines()
        assert all(cell_len(line) <= self.width for line in found), self.text
        return found


Terminal = Callable[[int], Shown]
"""Makes stdout and stderr a terminal of so many columns."""


class Screen(io.StringIO):
    """A file that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def run_arena(*arguments: str | Path, input: str | None = None) -> Result:
    """Type a command; `exit_code`, `stdout` and `stderr` are in the result."""
    words = [str(argument) for argument in arguments]
    made = _made(tuple(sys.path), tuple(registry.names("commands")))
    # The runner would make it anew for every line that is typed.
    with patch.object(testing, "_get_command", lambda _: made):
        result = CliRunner().invoke(app, words, input=input)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    if "--json" in words and result.exit_code in (0, 1) and result.stdout:
        _check_form(words, result.stdout)
    return result


@cache
def _made(path: tuple[str, ...], names: tuple[str, ...]) -> Any:
    """The root command, of what is installed on this path. To make it, and the types of the options
    of the one that is typed, takes longer than most commands do."""
    return get_command(app)


def _check_form(arguments: Sequence[str], printed: str) -> None:
    """Whatever is printed as JSON has the form that its schema says."""
    command = next(
        name
        for length in (2, 1)
        if (name := " ".join(arguments[:length])) in _validators() or length == 1
    )
    error = best_match(_validators()[command].iter_errors(json.loads(printed)))
    assert error is None, f"arena {command} --json: {error.json_path}: {error.message}"


@cache
def _validators() -> dict[str, Draft202012Validator]:
    return {name: Draft202012Validator(schema) for name, schema in schemas().items()}
