"""Calls of tools that are the same twice in one answer, sent back as one.

LiteLLM leaves the second out of what it sends to Google and keeps both results, and Google refuses
a request that has more results than calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Sent = Mapping[str, Any]
"""A message as it is sent."""

GOOGLE = ("gemini/", "vertex_ai/", "vertex_ai_beta/")
"""How names of models begin that are asked in Google's form."""


def without_twins(messages: Sequence[Sent]) -> Sequence[Sent]:
    """The messages with each call once, and with all that was said of it as its result, a line for
    each; the very messages where no call has a twin."""
    found: list[Sent] = []
    first: dict[str, str] = {}
    places: dict[str, int] = {}
    for message in messages:
        if message.get("tool_calls"):
            kept, first = _once(message["tool_calls"])
            places = {}
            found.append({**message, "tool_calls": kept})
        elif message["role"] == "tool" and message["tool_call_id"] in first:
            own = first[message["tool_call_id"]]
            if own in places:
                before = found[places[own]]
                said = f"{before['content']}\n{message['content']}"
                found[places[own]] = {**before, "content": said}
                continue
            places[own] = len(found)
            found.append(message)
        else:
            found.append(message)
    return messages if len(found) == len(messages) else found


def _once(calls: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], dict[str, str]]:
    """The calls without twins, and the id of the first that is the same, by id."""
    ids: dict[tuple[str, str], str] = {}
    kept, first = list[Mapping[str, Any]](), dict[str, str]()
    for call in calls:
        key = (call["function"]["name"], call["function"]["arguments"])
        if key not in ids:
            ids[key] = call["id"]
            kept.append(call)
        first[call["id"]] = ids[key]
    return kept, first
