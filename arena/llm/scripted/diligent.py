"""`scripted/mafia-diligent`: calls each of the tools that it is offered, then plays as
`scripted/mafia-sharp`, so that tools are played without a provider."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

from arena.core import Message, ToolCall
from arena.llm.scripted import sharp


def reply(
    messages: Sequence[Message], rng: random.Random, *, tools: Sequence[Mapping[str, Any]] = ()
) -> str | Sequence[ToolCall]:
    """Calls once in a turn, several tools at a time; what they said changes nothing."""
    if not tools or messages[-1]["role"] == "tool":
        return sharp.reply(before_tools(messages), rng)
    offered = [tool["function"] for tool in tools]
    chosen = offered if len(offered) < 3 else rng.sample(offered, rng.randint(1, 3))
    return [call_of(each, rng) for each in chosen]


def before_tools(messages: Sequence[Message]) -> list[Message]:
    """The messages without the calls at their end and what was said of them."""
    asked = [*messages]
    while asked and (asked[-1]["role"] == "tool" or asked[-1].get("tool_calls")):
        asked.pop()
    return asked


def call_of(function: Mapping[str, Any], rng: random.Random) -> ToolCall:
    """A call of a function that is offered, with something for each argument that it needs."""
    return ToolCall(function["name"], json.dumps(_arguments(function, rng)))


def _arguments(function: Mapping[str, Any], rng: random.Random) -> dict[str, Any]:
    """Something for each argument that must be given."""
    schema = function.get("parameters") or {}
    properties = schema.get("properties") or {}
    return {name: _value(name, properties.get(name), rng) for name in schema.get("required") or ()}


def _value(name: str, schema: Any, rng: random.Random) -> Any:
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    match kind:
        case "integer" | "number":
            return rng.randint(1, 5)
        case "boolean":
            return rng.random() < 0.5
        case "array":
            return []
        case "object":
            return {}
    if name == "expression":
        return f"{rng.randint(1, 9)} / {rng.randint(2, 9)}"
    return f"Player {rng.randint(0, 5)}"
