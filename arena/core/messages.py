"""Messages between agents and models: a text, or parts of which some are text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

ContentPart = Mapping[str, Any]
"""One part of a content, as OpenAI writes it: `{"type": "text", "text": "..."}`,
`{"type": "image_url", "image_url": {"url": "..."}}`, ...; JSON."""


class Message(TypedDict):
    """One chat message: role is `system`, `user`, `assistant` or `tool`.

    `content` is a text, or parts of it. `tool_calls` are an assistant's, as OpenAI writes them;
    `tool_call_id` says which of them a tool's message answers; `thinking_blocks` are an assistant's
    thoughts before it called, with the signatures that its provider wants back.
    """

    role: str
    content: str | Sequence[ContentPart]
    tool_calls: NotRequired[Sequence[Mapping[str, Any]]]
    tool_call_id: NotRequired[str]
    thinking_blocks: NotRequired[Sequence[Mapping[str, Any]]]


def text_of(message: Message) -> str:
    """The text of a message: of its parts those that are text, a line apart."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if is_text(part))


def is_text(part: ContentPart) -> bool:
    """Whether a part of a content is text."""
    return part.get("type") == "text" and isinstance(part.get("text"), str)
