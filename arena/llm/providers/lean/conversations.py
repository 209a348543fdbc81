"""What a library is asked so that its requests and its reading can be learned: probe conversations,
one for each way in which a conversation may be unusual, and answers to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from arena.core import Message
from arena.llm.providers.lean.template import Trait

DONE = b"data: [DONE]\n\n"


def _said(*turns: str) -> list[Message]:
    """Messages from `role: text`."""
    return [
        {"role": role, "content": text}
        for role, _, text in (turn.partition(": ") for turn in turns)
    ]


USUAL = (
    _said("user: Good evening."),
    _said("system: You are player 1.", "user: [GAME] It is night.\nWhom do you choose?"),
    _said("system: Q", "user: ünï \u2028 \U0001f43a", 'assistant: "a"\\ {"b": 1}', "user: </c>"),
)
"""Conversations as games have them: where these are rewritten, all are."""

UNUSUAL = {
    Trait.EMPTY: _said("system: Q", "user:  ", "assistant: ", "user: c"),
    Trait.REPEATED: _said("system: Q", "user: a", "user: b"),
    Trait.ENDS_OTHERWISE: _said("user: a", "assistant: b"),
    Trait.BEGINS_OTHERWISE: _said("system: Q", "assistant: a", "user: b"),
    Trait.LATE_SYSTEM: _said("user: a", "system: Q", "user: b"),
}
"""A conversation for each trait: where it is rewritten, those with the trait are."""


def answers(model: str) -> list[dict[str, Any]]:
    """Plain answers, each with other fields than the one before."""
    plain: dict[str, Any] = {
        "id": "probe-1",
        "object": "chat.completion",
        "created": 1_700_000_001,
        "model": model,
        "choices": [_choice("[3] It is I.", "stop")],
        "usage": _usage(11, 7),
    }
    more = {
        **plain,
        "id": "probe-2",
        "system_fingerprint": "fp_1",
        "service_tier": "default",
        "choices": [_choice(" é\n<b>\U0001f43a</b>\n", "length")],
        "usage": {
            **_usage(1_200, 90),
            "prompt_tokens_details": {"cached_tokens": 1_024, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 64, "audio_tokens": 0},
        },
    }
    return [plain, more]


def _choice(text: str, reason: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "refusal": None}
    return {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}


def _usage(prompt: int, completion: int) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def events(answer: Mapping[str, Any]) -> bytes:
    """A plain answer as a stream of events: its text in pieces, why it ended, what it took."""
    choice = answer["choices"][0]
    head = {**answer, "object": "chat.completion.chunk"}
    usage = head.pop("usage")
    text = choice["message"]["content"]
    deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": piece}, None) for piece in (text[:3], text[3:])]
    deltas.append(({}, choice["finish_reason"]))
    said = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        for delta, reason in deltas
    ]
    said.append({**head, "choices": [], "usage": usage})
    return b"".join(b"data: %s\n\n" % json.dumps(one).encode() for one in said) + DONE
