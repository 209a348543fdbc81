"""The hash by which a request is known: on record, in a cache, and when a game is replayed.

It is the same on every machine and Python version: fields are written with their lengths, the
request as canonical JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Literal

from arena.core import ContentPart, Message

TOOL_FIELDS: tuple[Literal["tool_calls", "tool_call_id", "thinking_blocks"], ...] = (
    "tool_calls",
    "tool_call_id",
    "thinking_blocks",
)
"""What a message of a tool, or one that calls any, has beside its content."""

_HELD = 2047

_HEAD = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str)


def request_hash(model: str, messages: Sequence[Message], request: Mapping[str, Any]) -> str:
    """32 hex digits over the LiteLLM name of the model, the messages and the stored request."""
    return HashChain().of(model, messages, request)


class HashChain:
    """Hashes the requests of one player of a game, of which each begins as the one before it: only
    what is new in it is hashed. Every hash is `request_hash` of its request."""

    __slots__ = ("_head", "_messages", "_states")

    def __init__(self) -> None:
        self._head = ""
        # What was hashed last, with the state after some of it: after as many messages.
        self._messages: Sequence[Message] = ()
        self._states: list[tuple[int, blake2b]] = []

    def of(self, model: str, messages: Sequence[Message], request: Mapping[str, Any]) -> str:
        """The hash of one request. The messages are not to be written to afterwards."""
        count, digest = self._begun(_HEAD.encode([model, request]), messages)
        states, length = self._states[:1], len(messages)
        for place in range(count, length):
            if 0 < place == length - 1:
                # The next request may differ in the last message already.
                states.append((place, digest.copy()))
            _add(digest, messages[place])
        states.append((length, digest))
        self._messages, self._states = messages, states
        return digest.hexdigest()

    def _begun(self, head: str, messages: Sequence[Message]) -> tuple[int, blake2b]:
        """How many of the messages are hashed already, behind the same head, and the state after
        them, to go on from."""
        same = 0
        if head == self._head:
            for message, before in zip(messages, self._messages, strict=False):
                if not _same(message, before):
                    break
                same += 1
        else:
            digest = blake2b(b"%d\n%s" % (len(head), head.encode()), digest_size=16)
            self._head, self._states = head, [(0, digest)]
        count, known = next(state for state in reversed(self._states) if state[0] <= same)
        return count, known.copy()


def _same(message: Message, before: Message) -> bool:
    """Whether two messages are written alike. Of what is no text, equal values may not be."""
    return (
        len(message) == len(before) == 2
        and isinstance(message["content"], str)
        and message["content"] == before["content"]
        and message["role"] == before["role"]
    )


def _add(digest: blake2b, message: Message) -> None:
    role, content = message["role"].encode(), content_bytes(message["content"])
    # What was there before there was more than text is hashed as it was then.
    more = b"" if isinstance(message["content"], str) else b"parts "
    digest.update(b"\n%s%d %d\n%s\n" % (more, len(role), len(content), role))
    feed(digest, content)
    for name in TOOL_FIELDS:
        if name in message:
            extra = _canonical(message[name])
            digest.update(b"\n%s %d\n" % (name.encode(), len(extra)))
            feed(digest, extra)


def content_bytes(content: str | Sequence[ContentPart]) -> bytes:
    """A content as bytes: a text in UTF-8, parts as canonical JSON."""
    return (
        content.encode("utf-8", "surrogatepass")
        if isinstance(content, str)
        else _canonical(content)
    )


def _canonical(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def feed(digest: blake2b, content: bytes) -> None:
    """`digest.update`, without letting another thread run in between: hashlib does for 2,048 bytes
    or more, and to wait for one's turn again takes longer than the hashing."""
    for at in range(0, len(content), _HELD):
        digest.update(content[at : at + _HELD])
