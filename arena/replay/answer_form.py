"""The answer that a person is to give in parts: what each takes, and how what is typed is read.

The rules say what they expect by a JSON Schema (`arena.core.TellsAnswerSchema`); what is filled in
becomes the JSON object that a model would have written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.core import ArenaError
from arena.replay.moves import rules_at
from db import Session
from db.errors import DatabaseError

_MOST_FIELDS = 100
_NUMBER = re.compile(r"[-+]?\d{1,20}(?:\.\d{1,9})?")


@dataclass(frozen=True, slots=True)
class AnswerField:
    """A part of an answer: one of the `options`, or a number from `low` to `high`, a `whole` one or
    any, or else a text of at most `longest` characters. None is no bound."""

    name: str
    description: str | None = None
    options: tuple[str, ...] = ()
    number: bool = False
    whole: bool = False
    low: float | None = None
    high: float | None = None
    longest: int | None = None

    @property
    def takes(self) -> str:
        """What it takes, for people: `a whole number from 0 to 10`."""
        if self.options:
            return " or ".join(self.options)
        if not self.number:
            return "a text" if self.longest is None else f"a text, at most {self.longest:,} long"
        kind = "a whole number" if self.whole else "a number"
        low = "" if self.low is None else f" from {self.low:.15g}"
        return kind + low + ("" if self.high is None else f" to {self.high:.15g}")

    def read(self, typed: str) -> str | int | float | None:
        """The value of what was typed; None for what it does not take."""
        text = typed.strip()
        if self.options:
            same = (option for option in self.options if option.casefold() == text.casefold())
            return next(same, None)
        if not self.number:
            return text if text and len(text) <= (self.longest or len(text)) else None
        if _NUMBER.fullmatch(text) is None:
            return None
        value = float(text)
        beyond = (self.low is not None and value < self.low) or (
            self.high is not None and value > self.high
        )
        if beyond or (self.whole and value != int(value)):
            return None
        return int(value) if value == int(value) else value


@dataclass(frozen=True, slots=True)
class FilledAnswer:
    """An answer that was filled in: its `text`, and by field what is `wrong`, a sentence each; with
    such it is none."""

    text: str
    wrong: Mapping[str, str]


def answer_fields(session: Session, game_id: int, turn: int) -> tuple[AnswerField, ...]:
    """The parts in which a game that waits at this turn asks for an answer; none where it asks for
    words."""
    try:
        schema = rules_at(session, game_id, turn)[0].answer_schema()
    except (ArenaError, DatabaseError):
        # The rules are not here as they were: words are taken.
        return ()
    if schema is None:
        return ()
    parts = schema.get("properties")
    if not isinstance(parts, Mapping) or not 0 < len(parts) <= _MOST_FIELDS:
        return ()
    return tuple(_field(str(name), part) for name, part in parts.items())


def _field(name: str, part: Any) -> AnswerField:
    said = part if isinstance(part, Mapping) else {}
    return AnswerField(
        name,
        said.get("description"),
        options=tuple(map(str, said.get("enum", ()))),
        number=said.get("type") in ("number", "integer"),
        whole=said.get("type") == "integer",
        low=said.get("minimum"),
        high=said.get("maximum"),
        longest=said.get("maxLength"),
    )


def filled(fields: Sequence[AnswerField], typed: Mapping[str, str]) -> FilledAnswer:
    """The answer of what was typed in each field, by its name."""
    read: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for field in fields:
        given = typed.get(field.name, "")
        value = field.read(given)
        if value is None:
            found = f"found {given.strip()[:60]!r}" if given.strip() else "nothing was given"
            wrong[field.name] = f"{field.name}: expected {field.takes}, {found}"
        else:
            read[field.name] = value
    return FilledAnswer(json.dumps(read, ensure_ascii=False), wrong)


def pasted(fields: Sequence[AnswerField], text: str) -> FilledAnswer:
    """The answer of a JSON object with all fields."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        names = ", ".join(field.name for field in fields)
        return FilledAnswer(text, {"": f"that is no JSON object; expected one with {names}"})
    words = {str(name): value if isinstance(value, str) else json.dumps(value)
             for name, value in found.items()}  # fmt: skip
    return filled(fields, words)
