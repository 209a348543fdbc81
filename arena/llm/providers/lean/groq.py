"""The dialect of Groq: chat completions whose tier of the service a library names otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.llm.providers.lean import chat
from arena.llm.providers.lean.dialect import Dialect
from arena.llm.providers.lean.plain import plain_answer, read_plain
from arena.llm.providers.protocol import Answer

# Those that OpenAI has too; a library calls all others by the first.
_TIERS = ("auto", "default", "flex")


def answers(model: str) -> list[dict[str, Any]]:
    """Plain answers, one of each sort of tier."""
    tiers = ("default", "on_demand")
    return [
        {**one, "service_tier": tier} for one, tier in zip(chat.answers(model), tiers, strict=True)
    ]


def read(body: bytes, headers: Mapping[str, str], prefix: str) -> Answer | None:
    """A plain body, read; one without a tier is not plain."""
    answer = plain_answer(body)
    if answer is None or not answer.get("service_tier"):
        return None
    if answer["service_tier"] not in _TIERS:
        answer["service_tier"] = _TIERS[0]
    return read_plain(answer, headers, prefix)


GROQ = Dialect("chat completions of Groq", answers, read)
