"""Anthropic's messages, as Anthropic answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.llm.providers.conformance.cases import (
    EVENTS,
    FEW,
    ProviderCases,
    as_bytes,
    as_json,
    on_the_line,
    on_the_wire,
)
from tests.servers.canned_server import Canned

COUNTS = {"input_tokens": 40, "output_tokens": 9}
DETAILS = {
    "input_tokens": 20,
    "cache_creation_input_tokens": 130,
    "cache_read_input_tokens": 3_000,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 30},
    "output_tokens": 900,
    "service_tier": "standard",
    "inference_geo": "not_available",
}
THOUGHT = {"type": "thinking", "thinking": "Hm.\N{WOLF FACE}", "signature": "c2lnbmVk"}
TOOL = {"type": "tool_use", "id": "t1", "name": "vote", "input": {"p": 3}}
SAID = "[3] I vote é\N{WOLF FACE} today"


def text(said: str = SAID) -> dict[str, Any]:
    return {"type": "text", "text": said}


def message(
    *blocks: Mapping[str, Any], reason: Any = "end_turn", usage: Any = COUNTS, **more: Any
) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "answered",
        "content": [*blocks] or [text()],
        "stop_reason": reason,
        "stop_sequence": None,
        **({} if usage is None else {"usage": usage}),
        **more,
    }


def answer(*blocks: Mapping[str, Any], **named: Any) -> Canned:
    return as_json(message(*blocks, **named))


def message_without_words(reason: str) -> Canned:
    return as_json({**message(reason=reason), "content": []})


def error(status: int, kind: str, said: str, **headers: str) -> Canned:
    """An error as Anthropic words it."""
    body = {"type": "error", "error": {"type": kind, "message": said}, "request_id": "req_1"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return as_json(body, status=status, headers=named)


def block(index: int, kind: str, *pieces: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A block of a stream, in these pieces."""
    begun = {
        "text": {"type": "text", "text": ""},
        "thinking": {"type": "thinking", "thinking": "", "signature": ""},
        "tool_use": {**TOOL, "input": {}},
        "redacted_thinking": {"type": "redacted_thinking", "data": "c2VjcmV0"},
    }[kind]
    said: list[dict[str, Any]] = [
        {"type": "content_block_start", "index": index, "content_block": begun}
    ]
    said += [{"type": "content_block_delta", "index": index, "delta": piece} for piece in pieces]
    return [*said, {"type": "content_block_stop", "index": index}]


def words(said: str = SAID) -> list[dict[str, Any]]:
    first, *others = said.split(" ")
    pieces = [first, *(f" {one}" for one in others)]
    return [{"type": "text_delta", "text": piece} for piece in pieces]


def events(
    *blocks: Sequence[Mapping[str, Any]],
    reason: Any = "end_turn",
    usage: Any = COUNTS,
    begun: Any = ...,
) -> list[Mapping[str, Any]]:
    """A stream that says this."""
    first = {**usage, "output_tokens": 1} if begun is ... else begun
    head = {**message(usage=first, reason=None), "content": []}
    said: list[Mapping[str, Any]] = [{"type": "message_start", "message": head}, {"type": "ping"}]
    for one in blocks or [block(0, "text", *words())]:
        said += one
    if reason is not None:
        delta = {"stop_reason": reason, "stop_sequence": None}
        said.append({"type": "message_delta", "delta": delta, "usage": usage})
    return [*said, {"type": "message_stop"}]


def event(said: Mapping[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (str(said["type"]).encode(), as_bytes(said))


def stream(said: Sequence[Mapping[str, Any]]) -> Canned:
    return Canned([event(one) for one in said], kind=EVENTS)


PLAIN = answer()
ANSWERS: Mapping[str, Canned] = {
    "plain": PLAIN,
    "cut by the limit": answer(reason="max_tokens"),
    "a sequence that stops": answer(reason="stop_sequence", stop_sequence="END"),
    "in two blocks": answer(text("[3] "), text("yes")),
    "cached and written": answer(usage=DETAILS),
    "cached alone": answer(usage={**COUNTS, "cache_read_input_tokens": 3_000}),
    "all cached": answer(usage={**COUNTS, "input_tokens": 0, "cache_read_input_tokens": 3_000}),
    "nothing cached": answer(
        usage={**COUNTS, "cache_creation_input_tokens": 0, "cache_read_input_tokens": None}
    ),
    "counted thoughts": answer(
        THOUGHT, text(), usage={**COUNTS, "output_tokens_details": {"thinking_tokens": 5}}
    ),
    "more counted thoughts than tokens": answer(
        THOUGHT, text(), usage={**COUNTS, "output_tokens_details": {"thinking_tokens": 50}}
    ),
    "thoughts": answer(THOUGHT, text()),
    "thoughts that are left out": answer({**THOUGHT, "thinking": ""}, text()),
    "hidden thoughts": answer({"type": "redacted_thinking", "data": "c2VjcmV0"}, text()),
    "thoughts alone": answer(THOUGHT, reason="max_tokens"),
    "thoughts in the text": answer(text("<think>Hm.</think>[3]")),
    "a tool": answer(TOOL, reason="tool_use"),
    "a tool and a text": answer(text(), TOOL, reason="tool_use"),
    "citations": answer({**text(), "citations": [{"type": "char_location", "cited_text": "x"}]}),
    "no citations": answer({**text(), "citations": None}),
    "a refusal": answer(reason="refusal"),
    "a refusal without a word": message_without_words("refusal"),
    "a pause": answer(reason="pause_turn"),
    "an odd reason": answer(reason="model_context_window_exceeded"),
    "no reason": answer(reason=None),
    "silence": answer(text("")),
    "blanks": answer(text(" \n ")),
    "nothing": message_without_words("end_turn"),
    "no usage": answer(usage=None),
    "a usage of texts": answer(usage={"input_tokens": "40", "output_tokens": "9"}),
    "a usage of zeros": answer(usage=dict.fromkeys(COUNTS, 0)),
    "half a usage": answer(usage={"output_tokens": 9}),
    "searches": answer(usage={**COUNTS, "server_tool_use": {"web_search_requests": 2}}),
    "an odd block": answer({"type": "audio", "data": "x"}, text()),
    "a block without a kind": answer({"text": "[3]"}),
    "a text for content": as_json({**message(), "content": "[3]"}),
    "a container": answer(container=None, context_management=None),
    "an error in a 200": as_json({"type": "error", "error": {"type": "overloaded_error"}}),
    "an error beside the answer": answer(error={"type": "overloaded_error", "message": "x"}),
    "a surrogate": answer(text("[3] \ud800")),
    "a NUL": answer(text("[3] \x00")),
    "an endless number": Canned(json.dumps(message()).replace("40", "9" * 400).encode()),
    "no Unicode": Canned(json.dumps(message()).encode().replace(b"[3]", b"[\xff]")),
    "another role": answer(role="user"),
    "another protocol": as_json({"choices": [{"message": {"content": "[3]"}}]}),
    "a deep one": Canned(b"[" * 2_000),
    "a list": as_json([message()]),
    "null": as_json(None),
}
FAILURES: Mapping[str, Canned] = {
    "400": error(400, "invalid_request_error", "max_tokens: too large"),
    "401": error(401, "authentication_error", "invalid x-api-key"),
    "402": error(402, "billing_error", "Your credit balance is too low"),
    "403": error(403, "permission_error", "not allowed"),
    "404": error(404, "not_found_error", "model: answered"),
    "413": error(413, "request_too_large", "Request exceeds the maximum size"),
    "429": error(429, "rate_limit_error", "This would exceed your rate limit", Retry_After="7"),
    "429 with a reset": error(
        429, "rate_limit_error", "x", anthropic_ratelimit_requests_reset="2065-01-01T00:00:00Z"
    ),
    "too long": error(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000"),
    "500": error(500, "api_error", "Internal server error"),
    "503": error(503, "api_error", "Service unavailable", Retry_After="3"),
    "504": error(504, "timeout_error", "The request timed out"),
    "529": error(529, "overloaded_error", "Overloaded"),
}
_THINKING = block(
    0,
    "thinking",
    {"type": "thinking_delta", "thinking": "Hm."},
    {"type": "signature_delta", "signature": "c2ln"},
)
_TOOL = block(
    1,
    "tool_use",
    {"type": "input_json_delta", "partial_json": '{"p"'},
    {"type": "input_json_delta", "partial_json": ": 3}"},
)
_COUNTED = {**COUNTS, "output_tokens_details": {"thinking_tokens": 5}}
_WORDS = block(0, "text", *words())
STREAMS: Mapping[str, Canned] = {
    "pieces": stream(events()),
    "one piece": stream(events(block(0, "text", *words("[3]")))),
    "two blocks": stream(events(_WORDS, block(1, "text", *words(" yes")))),
    "limit": stream(events(reason="max_tokens")),
    "cached and written": stream(events(usage=DETAILS)),
    "a usage told in two": stream(
        events(usage={"output_tokens": 9}, begun={**DETAILS, "output_tokens": 1})
    ),
    "counted from the first": stream(events(begun=COUNTS)),
    "less counted at the end": stream(events(begun={**COUNTS, "output_tokens": 12})),
    "one token counted twice": stream(
        events(usage={**COUNTS, "output_tokens": 2}, begun={**COUNTS, "output_tokens": 2})
    ),
    "counted thoughts": stream(events(_THINKING, block(1, "text", *words()), usage=_COUNTED)),
    "thinking": stream(events(_THINKING, block(1, "text", *words()))),
    "hidden thoughts": stream(events(block(0, "redacted_thinking"), _WORDS)),
    "thinking in the text": stream(events(block(0, "text", *words("<think>a </think>[3] b")))),
    "called a tool": stream(events(_WORDS, _TOOL, reason="tool_use")),
    "citations": stream(
        events(block(0, "text", *words(), {"type": "citations_delta", "citation": {}}))
    ),
    "refused": stream(events(reason="refusal")),
    "oddly ended": stream(events(reason="pause_turn")),
    "not ended": stream(events(reason=None)),
    "not stopped": stream(events()[:-1]),
    "said nothing": stream(events(block(0, "text"))),
    "said blanks": stream(events(block(0, "text", *words("\n")))),
    "nothing at all": stream(events([])),
    "an error within": stream(
        [*events()[:4], {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}]
    ),
    "an error at once": stream(
        [{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}]
    ),
    "pings within": stream([one for said in events() for one in (said, {"type": "ping"})]),
    "another event": stream([*events()[:4], {"type": "later", "index": 0}, *events()[4:]]),
    "more behind the end": stream([*events(), *_WORDS]),
    "more behind the reason": stream([*events()[:-1], *_WORDS, {"type": "message_stop"}]),
    "a surrogate": stream(events(block(0, "text", *words("\ud83d"), *words("\udc3a"), *words()))),
    "without names of events": Canned(
        [b"data: %s\n\n" % as_bytes(one) for one in events()], kind=EVENTS
    ),
    "not streamed at all": PLAIN,
}


def cases(model: str, **fields: Any) -> ProviderCases:
    """A model that Anthropic answers for."""
    lines = [event(one) for one in events()]
    whole = Canned(b"".join(lines), kind=EVENTS)
    plain = {"plain", "cut by the limit", "cached and written", "counted thoughts", "pieces"}
    return ProviderCases(
        model,
        "anthropic",
        {**ANSWERS, **on_the_wire(PLAIN), **FAILURES},
        {**STREAMS, **on_the_line(lines), **on_the_wire(whole), **FAILURES},
        plain=frozenset(plain | {"limit", "a usage told in two"}),
        params={
            "few": FEW,
            "many": {
                "max_tokens": 4_000,
                "top_p": 0.9,
                "stop": ["END"],
                "extra_headers": {"X-Title": "$LEAN_TITLE"},
            },
        },
        made_up=frozenset({"id", "created"}),
        **{"base": "", **fields},
    )


ANTHROPIC_LIKE = (cases("anthropic/claude-sonnet-4-5"),)
