"""Finds the action in what a model answered, in one of six modes: an option of the agent.

`whole` is all that was said. `last_line` is its last line. `tag` is what the last `<answer>` holds,
or the last of another tag: `{tag: vote}`. `{regex: PATTERN}` is the last match, or its first group.
`json` asks for a JSON object, by schema where the provider has that, and takes its field `action`;
`{json: SCHEMA, field: NAME}` takes another. `tool` makes the model call a tool with the action.

Thoughts are no part of an answer in any mode. Where the form is missing, all that was said is the
action, and the turn's reading says so.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arena.core import Action, CallOptions, Completion, UsageError
from arena.core.inert import without_end_tokens
from arena.llm.lenient_json import find_object
from arena.llm.thoughts import read

MODES = ("whole", "last_line", "tag", "regex", "json", "tool")

_TOOL = "act"
# Nothing, a fence of code, or a rule across the page.
_RULE = re.compile(r"[\s`~*_=-]*")
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "action": {"type": "string", "description": "what you say or do in the game, word for word"}
    },
    "required": ["action"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class AnswerMode:
    """How an agent's answers are read. `pattern` is of `regex` and `tag`; `schema` and `field` are
    of `json` and `tool`."""

    mode: str = "whole"
    pattern: re.Pattern[str] | None = None
    schema: Mapping[str, Any] = field(default_factory=dict)
    field: str = "action"

    @property
    def options(self) -> CallOptions | None:
        """What a call asks of the provider in this mode."""
        if self.mode == "json":
            described = {"name": "answer", "schema": dict(self.schema), "strict": True}
            return CallOptions(response_format={"type": "json_schema", "json_schema": described})
        if self.mode == "tool":
            function = {
                "name": _TOOL,
                "description": "Say or do something in the game.",
                "parameters": dict(self.schema),
            }
            return CallOptions(
                tools=({"type": "function", "function": function},),
                tool_choice={"type": "function", "function": {"name": _TOOL}},
            )
        return None

    @property
    def instruction(self) -> str:
        """What the model is told, because not every provider holds it to a schema."""
        if self.mode != "json":
            return ""
        if self.schema is _SCHEMA:
            return 'Answer with one JSON object: {"action": "<what you say or do in the game>"}'
        return f"Answer with one JSON object of this schema: {json.dumps(self.schema)}"

    def action(self, completion: Completion) -> Action:
        """The action in an answer, with the thoughts that came with it."""
        said = read(completion.text, unwrap=self.mode != "tag")
        thoughts = [completion.thoughts or "", said.thoughts]
        text = without_end_tokens(said.text)
        found: str | None = text
        if self.mode == "last_line":
            lines = [line.strip() for line in text.splitlines() if not _RULE.fullmatch(line)]
            found = lines[-1] if lines else ""
        elif self.pattern is not None:
            group = 1 if self.pattern.groups else 0
            matches = [(match[group] or "").strip() for match in self.pattern.finditer(text)]
            # The last that says something.
            found = next(filter(None, reversed(matches)), matches[-1] if matches else None)
        elif self.mode in {"json", "tool"}:
            found, others = self._field(completion, text)
            thoughts.append(others)
        missed = found is None
        return Action(
            text if found is None else found,
            thoughts="\n\n".join(thought for thought in thoughts if thought),
            reading={"answer": f"no {self.mode}"} if missed else None,
        )

    def _field(self, completion: Completion, text: str) -> tuple[str | None, str]:
        """The field of a tool's arguments, or of the object in the text, and what else it says."""
        for written in (*(call.arguments for call in completion.tool_calls), text):
            found = find_object(written, {self.field.lower()})
            if found is None:
                continue
            value = next(v for k, v in found.value.items() if k.lower() == self.field.lower())
            others = "\n".join(
                f"{name}: {other}" for name, other in found.value.items() if other is not value
            )
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                return str(value), others
        return None, ""


def answer_mode(kind: str, options: Mapping[str, Any]) -> AnswerMode:
    """The mode that the option `answer` names. Raises UsageError."""
    written = options.get("answer", "whole")
    given = {written: None} if isinstance(written, str) else written
    if not isinstance(given, Mapping) or not given:
        raise _wrong(kind, written)
    mode = next((str(name) for name in given if name != "field"), "field")
    if mode not in MODES or not {*given} <= {mode, "field"}:
        raise _wrong(kind, written)
    value = given[mode]
    if "field" in given and mode not in {"json", "tool"}:
        raise _wrong(kind, written)
    match mode:
        case "whole" | "last_line":
            if value is not None:
                raise _wrong(kind, written)
            return AnswerMode(mode)
        case "tag":
            return AnswerMode(mode, _tag(kind, "answer" if value is None else value))
        case "regex":
            return AnswerMode(mode, _regex(kind, value))
        case _:
            return _structured(kind, mode, value, given.get("field", "action"))


def _tag(kind: str, name: Any) -> re.Pattern[str]:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][\w-]*", name):
        raise UsageError(
            f"the option 'answer' of the kind {kind!r} names the tag {name!r}; expected a word, as "
            "in {tag: answer}"
        )
    return re.compile(
        rf"<{name}(?:\s[^<>]*)?>(.*?)(?:</\s*{name}\s*>|\Z)", re.DOTALL | re.IGNORECASE
    )


def _regex(kind: str, pattern: Any) -> re.Pattern[str]:
    try:
        if not isinstance(pattern, str) or not pattern:
            raise re.error("a pattern is missing")
        return re.compile(pattern, re.MULTILINE)
    except re.error as error:
        raise UsageError(
            f"the option 'answer' of the kind {kind!r} has the regular expression {pattern!r}, "
            f"which cannot be used: {error}; expected one as in {{regex: 'Vote: (.*)'}}"
        ) from error


def _structured(kind: str, mode: str, schema: Any, name: Any) -> AnswerMode:
    if schema is None:
        schema = _SCHEMA
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping) or not isinstance(name, str) or name not in properties:
        raise UsageError(
            f"the option 'answer' of the kind {kind!r} has a schema without the property {name!r}; "
            f"expected a JSON schema of an object, as in {{{mode}: {{type: object, properties: "
            "{action: {type: string}}}}, and its `field`"
        )
    return AnswerMode(mode, schema=schema, field=name)


def _wrong(kind: str, given: Any) -> UsageError:
    word = next(iter(given), "") if isinstance(given, Mapping) else given
    near = difflib.get_close_matches(str(word), MODES, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return UsageError(
        f"the option 'answer' of the kind {kind!r} is {given!r}; {hint}"
        f"expected one of: {', '.join(MODES)}, or as in {{tag: vote}}, {{regex: 'Vote: (.*)'}}"
    )
