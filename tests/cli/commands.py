"""The commands as a person types them, and the tournament that most tests play."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from arena.cli.app import app

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


def run_arena(*arguments: str | Path, input: str | None = None) -> Result:
    """Type a command; `exit_code`, `stdout` and `stderr` are in the result."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=input)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
