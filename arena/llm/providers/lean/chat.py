"""The dialect of chat completions, which most providers have."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from arena.llm.providers.lean.chat_stream import ChatPieces
from arena.llm.providers.lean.dialect import Dialect
from arena.llm.providers.lean.plain import plain_answer, read_plain
from arena.llm.providers.lean.stream import PlainStream
from arena.llm.providers.protocol import Answer

DONE = b"data: [DONE]\n\n"


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


def read(body: bytes, headers: Mapping[str, str], prefix: str) -> Answer | None:
    """A plain body, read."""
    answer = plain_answer(body)
    return None if answer is None else read_plain(answer, headers, prefix)


def stream(now: Callable[[], float]) -> PlainStream:
    """A stream of chunks, as it comes."""
    return PlainStream(now, ChatPieces())


CHAT = Dialect("chat completions", answers, read, events, stream)
