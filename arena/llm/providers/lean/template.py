"""What is the same in every request to a model, and where the rest of it goes.

A template is learned from requests that a library made and nobody sent. It holds no key: where one
stands there is a mark, and the key is put in for each call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson

from arena.core import Message

# What carries a request, which is the connection's to say, and differs with the body.
_CARRIED = frozenset({"accept-encoding", "content-length", "host"})
_SPEAKERS = ("user", "assistant")


class Trait(Enum):
    """A way in which a conversation is unusual, so that a library might rewrite it."""

    EMPTY = "an empty message"
    REPEATED = "the same role twice in a row"
    ENDS_OTHERWISE = "an end that is not the user's"
    BEGINS_OTHERWISE = "a beginning that is not the user's"
    LATE_SYSTEM = "a system message that is not the first"


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as a library would have sent it; names of headers are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Template:
    """A request without its messages: `constant` is the rest of its body. `headers` hold marks in
    the places of secrets; `seed` names the field of each body's own seed, if it has one."""

    url: str
    headers: Mapping[str, str]
    constant: Mapping[str, Any]
    seed: str | None = None

    def body(self, messages: Sequence[Mapping[str, Any]], seed: int | None) -> bytes:
        """The bytes of a request with these messages.

        Raises TypeError for a text that is not Unicode, such as a lone surrogate.
        """
        whole: dict[str, Any] = {**self.constant, "messages": messages}
        if self.seed is not None:
            whole[self.seed] = seed
        return orjson.dumps(whole)

    def filled(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """The headers, with secrets in the places of their marks."""
        return {name: filled(value, secrets) for name, value in self.headers.items()}


def filled(said: str, secrets: Mapping[str, str]) -> str:
    """A text, with secrets in the places of their marks."""
    for mark, secret in secrets.items():
        said = said.replace(mark, secret)
    return said


def template_of(
    sent: Sequence[tuple[Sequence[Mapping[str, Any]], SentRequest]], seed: int | None
) -> Template | str:
    """The template of requests with these messages, or why they have none."""
    found: Template | None = None
    for messages, request in sent:
        one = _template(messages, request, seed)
        if isinstance(one, str):
            return one
        if found is not None and one != found:
            return "its requests differ in more than their messages"
        found = one
    return found if found is not None else "LiteLLM sent no request"


def frame_of(sent: Sequence[SentRequest]) -> Template | str:
    """The template of requests whose bodies are made elsewhere, or why they have none."""
    frames = [Template(one.url, _kept(one.headers), {}) for one in sent]
    if any(one.method != "POST" for one in sent):
        return "its requests are no POST"
    if not frames or any(one != frames[0] for one in frames):
        return "its requests differ in more than their messages"
    return frames[0]


def _template(
    messages: Sequence[Mapping[str, Any]], request: SentRequest, seed: int | None
) -> Template | str:
    if request.method != "POST":
        return f"its requests are {request.method}"
    try:
        body = json.loads(request.body)
    except ValueError:
        return "its requests are not JSON"
    if not isinstance(body, dict) or body.get("messages") != [dict(one) for one in messages]:
        return "LiteLLM rewrites messages for its provider"
    del body["messages"]
    named = [name for name, value in body.items() if seed is not None and value == seed]
    if seed is not None and len(named) != 1:
        return "its requests do not name the seed of a call"
    for name in named:
        del body[name]
    return Template(request.url, _kept(request.headers), body, *named)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _CARRIED}


def traits(messages: Sequence[Message]) -> frozenset[Trait] | None:
    """What is unusual about a conversation; None where it has more than texts of the three roles,
    so that nothing of it was learned."""
    found: set[Trait] = set()
    before = None
    spoken = False
    for place, message in enumerate(messages):
        role, content = message["role"], message["content"]
        if type(content) is not str or len(message) != 2:
            return None
        if not content or content.isspace():
            found.add(Trait.EMPTY)
        if role == before:
            found.add(Trait.REPEATED)
        if role == "system":
            if place:
                found.add(Trait.LATE_SYSTEM)
        elif role not in _SPEAKERS:
            return None
        elif not spoken:
            spoken = True
            if role != "user":
                found.add(Trait.BEGINS_OTHERWISE)
        before = role
    if before != "user":
        found.add(Trait.ENDS_OTHERWISE)
    return frozenset(found)
