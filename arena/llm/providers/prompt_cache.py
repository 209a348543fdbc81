"""Marks in a request up to where a provider is to cache it, for those that want to be told.

OpenAI, DeepSeek, Gemini and most others cache what begins alike by themselves and are sent nothing.
LiteLLM would make a cache at Google in requests of its own, which are on no record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from arena.core import Message

# Claude caches no less than about 1,024 tokens. A text that grows is cut into parts that stay.
_PART = 4096

_MARK = {"cache_control": {"type": "ephemeral"}}

# By the providers of LiteLLM: which of their models, by a word of the name; all of them for None.
_WANTED: dict[str, tuple[str, ...] | None] = {
    "anthropic": None,
    "azure_ai": ("claude",),
    "bedrock": ("claude", "nova"),
    "bedrock_converse": ("claude", "nova"),
    "databricks": ("claude",),
    "litellm_proxy": ("claude",),
    "openrouter": ("claude", "anthropic", "gemini"),
    "vertex_ai": ("claude",),
    "vertex_ai_beta": ("claude",),
}


def wants_marks(provider: str, model: str) -> bool:
    """Whether a provider of LiteLLM wants to be told what to cache of this model's requests."""
    if provider not in _WANTED:
        return False
    words = _WANTED[provider]
    return words is None or any(word in model.lower() for word in words)


def marked(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Fresh messages with at most two marks: on the system message, and on the last message of a
    chat, whose next turn begins with all of it. Where there is no chat, the last message is cut
    into parts of which all but the last will begin the next turn too; the last of those is marked.
    """
    fresh: list[dict[str, Any]] = [{**message} for message in messages]
    systems = [message for message in fresh if message["role"] == "system"]
    if systems:
        _mark(systems[-1])
    last = fresh[-1] if fresh else None
    if last is None or last["role"] == "system":
        return fresh
    if any(message["role"] == "assistant" for message in fresh):
        _mark(last)
    elif isinstance(last["content"], str):
        parts = _parts(last["content"])
        if len(parts) > 1:
            texts: list[dict[str, Any]] = [{"type": "text", "text": part} for part in parts]
            texts[-2] |= _MARK
            last["content"] = texts
    return fresh


def _mark(message: dict[str, Any]) -> None:
    content = message["content"]
    if isinstance(content, str):
        # No provider takes a mark on nothing.
        if content.strip():
            message["content"] = [{"type": "text", "text": content, **_MARK}]
    elif content:
        message["content"] = [*content[:-1], {**content[-1], **_MARK}]


def _parts(text: str) -> list[str]:
    """The text in parts, each of at least `_PART` characters up to the end of a line, and the rest;
    where a text grows, all of them but the rest stay."""
    parts = []
    start = 0
    while (end := text.find("\n", start + _PART)) >= 0:
        parts.append(text[start:end])
        start = end
    return [*parts, text[start:]]
