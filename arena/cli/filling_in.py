"""Takes at the terminal what a person answers: a line, or the parts of an answer one by one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from arena.cli.output import advise, print_line, safe

if TYPE_CHECKING:
    from arena.replay.answer_form import AnswerField


def typed() -> str | None:
    """What the person types: a line, and those after it as long as one ends with a backslash. None
    for the end of input."""
    lines: list[str] = []
    while True:
        line = _line("> " if not lines else ". ")
        if line is None:
            return None
        if not line.endswith("\\"):
            return "\n".join([*lines, line])
        lines.append(line[:-1])


def fill(fields: Sequence[AnswerField]) -> str | None:
    """The answer in these fields, each asked for until it is right, or pasted as one JSON object.
    None for the end of input."""
    from arena.replay.answer_form import filled, pasted

    advise("what is asked for comes part by part; a whole JSON object may be pasted instead")
    given: dict[str, str] = {}
    for field in fields:
        while True:
            about = "" if field.description is None else f" ({field.description})"
            print_line(safe(f"{field.name}{about}: {field.takes}"))
            text = typed()
            if text is None:
                return None
            if text.lstrip().startswith("{"):
                whole = _rest(text)
                if whole is None:
                    return None
                answer = pasted(fields, whole)
                if not answer.wrong:
                    return answer.text
                advise("; ".join(answer.wrong.values()))
                continue
            wrong = filled([field], {field.name: text}).wrong
            if not wrong:
                given[field.name] = text
                break
            advise("; ".join(wrong.values()))
    return filled(fields, given).text


def _rest(text: str) -> str | None:
    """A JSON object whose first lines were typed, with those that follow until it is whole, or
    until an empty one."""
    while True:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            line = _line(". ")
            if line is None:
                return None
            if not line.strip():
                return text
            text += f"\n{line}"
        else:
            return text


def _line(prompt: str) -> str | None:
    try:
        return input(prompt)
    except EOFError:
        typer.echo()
        return None
