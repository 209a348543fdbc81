"""A wrong value of an option is one sentence in our words, whatever the option."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_origin

import pytest
import typer

from arena.cli.app import app
from tests.cli.commands import Arena

PYDANTICS = ("Input should", "Value error", "unable to")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("games --limit many", "expected a whole number, found 'many'"),
        ("games --limit 0", "expected a number from 1 up, found '0'"),
        ("show seven", "expected a whole number, found 'seven'"),
        ("run x.yaml --budget much", "expected a number, found 'much'"),
        ("leaderboard --by modl", "unknown value 'modl'; did you mean 'model'?"),
        ("leaderboard --errors-as x", "unknown value 'x'; known: draw, loss, range"),
        ("export out --for sk-aaaaaaaaaaaaaaaaaaaa", "unknown value a secret; known: dpo, inspect"),
    ],
)
def test_what_was_found_and_what_was_expected(arena: Arena, command: str, said: str) -> None:
    wrong = arena(*command.split())

    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert said in " ".join(wrong.stderr.replace("│", " ").split())


def test_every_option_of_every_command_is_answered_so(arena: Arena) -> None:
    options = [*_options(typer.main.get_command(app), ())]
    assert {option for _, option in options} >= {"--limit", "--budget", "--by", "--for", "--h1"}

    for command, option in options:
        wrong = arena(*command, option, "\x1b[31mno such value")
        assert wrong.exit_code == 2
        assert f"Invalid value for '{option}'" in wrong.stderr, (command, option)
        assert not any(words in wrong.stderr for words in PYDANTICS), (command, option)
        assert "\x1b" not in wrong.stderr


def _options(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The options that take a number or one of some values, and the commands that they are of."""
    for name in getattr(command, "commands", {}):
        yield from _options(command.get_command(None, name), (*path, name))
    for parameter in (each for each in command.params if each.opts[0].startswith("-")):
        taken = parameter.type_descriptor.annotation
        if taken in {int, float} or get_origin(taken) is Literal:
            yield path, parameter.opts[-1]
