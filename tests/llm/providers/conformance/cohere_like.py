"""Cohere's chat, as Cohere answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from arena.llm.request import PER_CALL
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

COUNTS = {
    "billed_units": {"input_tokens": 30, "output_tokens": 9},
    "tokens": {"input_tokens": 40, "output_tokens": 9},
}
SAID = "[3] I vote é\N{WOLF FACE} today"
CALL = {"id": "c1", "type": "function", "function": {"name": "vote", "arguments": '{"p": 3}'}}


def part(text: str = SAID) -> dict[str, Any]:
    return {"type": "text", "text": text}


def said(
    *parts: Mapping[str, Any],
    reason: Any = "COMPLETE",
    usage: Any = COUNTS,
    message: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    content = {"role": "assistant", "content": [*parts] or [part()], **(message or {})}
    return {
        "id": "c-1",
        "message": content,
        "finish_reason": reason,
        **({} if usage is None else {"usage": usage}),
        **more,
    }


def answer(*parts: Mapping[str, Any], **named: Any) -> Canned:
    return as_json(said(*parts, **named))


def error(status: int, message: str, **headers: str) -> Canned:
    """An error as Cohere words it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return as_json({"id": "e-1", "message": message}, status=status, headers=named)


PLAIN = answer()
ANSWERS: Mapping[str, Canned] = {
    "plain": PLAIN,
    "a sequence that stops": answer(reason="STOP_SEQUENCE"),
    "two parts": answer(part("[3] "), part("yes")),
    "cached": answer(usage={**COUNTS, "cached_tokens": 30}),
    "cut by the limit": answer(reason="MAX_TOKENS"),
    "toxic": answer(reason="ERROR_TOXIC"),
    "failed": answer(reason="ERROR"),
    "an odd reason": answer(reason="LATER"),
    "no reason": answer(reason=None),
    "thoughts": answer({"type": "thinking", "thinking": "Hm."}, part()),
    "thoughts in the text": answer(part("<think>Hm.</think>[3]")),
    "a tool": answer(message={"tool_calls": [CALL], "content": None}, reason="TOOL_CALL"),
    "citations": answer(message={"citations": [{"start": 0, "end": 3, "text": "[3]"}]}),
    "silence": answer(part("")),
    "blanks": answer(part(" \n ")),
    "no parts": as_json({**said(), "message": {"role": "assistant", "content": []}}),
    "a text for content": as_json({**said(), "message": {"role": "assistant", "content": "[3]"}}),
    "no message": as_json({n: v for n, v in said().items() if n != "message"}),
    "no usage": answer(usage=None),
    "only what is billed": answer(usage={"billed_units": COUNTS["billed_units"]}),
    "a usage of parts": answer(usage={"tokens": {"input_tokens": 40.0, "output_tokens": 9.0}}),
    "a usage of texts": answer(usage={"tokens": {"input_tokens": "40", "output_tokens": "9"}}),
    "a usage of zeros": answer(usage={"tokens": {"input_tokens": 0, "output_tokens": 0}}),
    "probabilities": answer(logprobs=[{"text": "[3]", "logprobs": [-0.5]}]),
    "a surrogate": answer(part("[3] \ud800")),
    "a NUL": answer(part("[3] \x00")),
    "an endless number": Canned(json.dumps(said()).replace("40", "9" * 400).encode()),
    "another protocol": as_json({"choices": [{"message": {"content": "[3]"}}]}),
    "a deep one": Canned(b"[" * 2_000),
    "null": as_json(None),
}


def begun(index: int = 0, kind: str = "text") -> dict[str, Any]:
    return delta({"type": kind, kind: ""}, index, "start")


def delta(content: Any, index: int = 0, named: str = "delta") -> dict[str, Any]:
    message = {"message": {"content": content}}
    return {"type": f"content-{named}", "index": index, "delta": message}


def words(said: str = SAID) -> list[dict[str, Any]]:
    """A part in pieces, one a word."""
    first, *others = said.split(" ")
    pieces = [first, *(f" {word}" for word in others)]
    end = {"type": "content-end", "index": 0}
    return [begun(), *(delta({"text": piece}) for piece in pieces), end]


def chunks(
    *events: Mapping[str, Any], reason: Any = "COMPLETE", usage: Any = COUNTS, **more: Any
) -> list[dict[str, Any]]:
    """All events of an answer."""
    message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}
    end = {"finish_reason": reason, **({} if usage is None else {"usage": usage}), **more}
    return [
        {"id": "c-1", "type": "message-start", "delta": {"message": message}},
        *map(dict, events or words()),
        {"type": "message-end", "id": "c-1", "delta": end},
    ]


def event(said: Any) -> bytes:
    """One event, as Cohere sends it."""
    named = said["type"].encode() if isinstance(said, dict) and "type" in said else b"message"
    return b"event: %s\ndata: %s\n\n" % (named, as_bytes(said))


def streamed(*events: Any, **more: Any) -> Canned:
    return Canned([event(one) for one in events], kind=EVENTS, **more)


def call(index: int = 0, name: str = "vote") -> list[dict[str, Any]]:
    """A call of a tool, in pieces."""
    function = {"name": name, "arguments": ""}
    told = [{"id": "c1", "type": "function", "function": function}]
    told += [{"function": {"arguments": piece}} for piece in ('{"p":', " 3}")]
    names = ("tool-call-start", "tool-call-delta", "tool-call-delta")
    return [
        *(
            {"type": kind, "index": index, "delta": {"message": {"tool_calls": one}}}
            for kind, one in zip(names, told, strict=True)
        ),
        {"type": "tool-call-end", "index": index},
    ]


PLAN = {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I vote."}}}
CITED = {"start": 0, "end": 3, "text": "[3]", "sources": []}
CITATION = [
    {"type": "citation-start", "index": 0, "delta": {"message": {"citations": CITED}}},
    {"type": "citation-end", "index": 0},
]
STREAMS: Mapping[str, Canned] = {
    "pieces": streamed(*chunks()),
    "one piece": streamed(*chunks(begun(), delta({"text": SAID}))),
    "limit": streamed(*chunks(reason="MAX_TOKENS")),
    "cached": streamed(*chunks(usage={**COUNTS, "cached_tokens": 30})),
    "two parts": streamed(*chunks(*words(), begun(1), delta({"text": " yes"}, 1))),
    "without names": Canned([b"data: %s\n\n" % as_bytes(one) for one in chunks()], kind=EVENTS),
    "a sequence that stops": streamed(*chunks(reason="STOP_SEQUENCE")),
    "toxic": streamed(*chunks(reason="ERROR_TOXIC")),
    "failed": streamed(*chunks(reason="ERROR", error="the model was lost")),
    "failed within": streamed(*chunks()[:5], {"message": "internal error"}),
    "an odd reason": streamed(*chunks(reason="LATER")),
    "no reason": streamed(*chunks(reason=None)),
    "thoughts": streamed(
        *chunks(begun(0, "thinking"), delta({"thinking": "Hm."}), begun(1), *words())
    ),
    "thoughts in the text": streamed(*chunks(*words("<think>Hm.</think>[3]"))),
    "a text for content": streamed(*chunks(delta("[3]"))),
    "a text at the start": streamed(*chunks(delta(part("[3]"), 0, "start"))),
    "a tool": streamed(*chunks(PLAN, *call(), reason="TOOL_CALL")),
    "two tools": streamed(*chunks(*call(), *call(1, "look"), reason="TOOL_CALL")),
    "a citation": streamed(*chunks(*words(), *CITATION)),
    "silence": streamed(*chunks(begun())),
    "blanks": streamed(*chunks(*words(" \n "))),
    "no usage": streamed(*chunks(usage=None)),
    "only what is billed": streamed(*chunks(usage={"billed_units": COUNTS["billed_units"]})),
    "a usage of parts": streamed(
        *chunks(usage={"tokens": {"input_tokens": 40.0, "output_tokens": 9.0}})
    ),
    "a usage of texts": streamed(
        *chunks(usage={"tokens": {"input_tokens": "40", "output_tokens": "9"}})
    ),
    "a usage of zeros": streamed(
        *chunks(usage={"tokens": {"input_tokens": 0, "output_tokens": 0}})
    ),
    "a surrogate": streamed(*chunks(*words("[3] \ud800"))),
    "a NUL": streamed(*chunks(*words("[3] \x00"))),
    "a later event": streamed(*chunks(*words(), {"type": "mood", "index": 0, "delta": {}})),
    "no object": streamed(*chunks()[:5], [], *chunks()[5:]),
    "another end": streamed(*chunks(), *chunks()[-1:]),
    "done": Canned([*map(event, chunks()), b"data: [DONE]\n\n"], kind=EVENTS),
    "a whole body": PLAIN,
    "a whole body with a tool": ANSWERS["a tool"],
    "an error for a stream": as_json({"message": "no credits left"}),
    "nothing": Canned([], kind=EVENTS),
}
FAILURES: Mapping[str, Canned] = {
    "400": error(400, "invalid request: max_tokens"),
    "401": error(401, "invalid api token"),
    "403": error(403, "not allowed"),
    "404": error(404, "model 'answered' not found"),
    "422": error(422, "invalid request: messages"),
    "429": error(429, "You are using a Trial key, which is limited", Retry_After="7"),
    "498": error(498, "blocked by the safety check"),
    "499": error(499, "request cancelled"),
    "too long": error(400, "too many tokens: size limit exceeded by 100 tokens"),
    "500": error(500, "internal server error"),
    "503": error(503, "unavailable", Retry_After="3"),
    "504": error(504, "timeout"),
}


def cases(model: str, **fields: Any) -> ProviderCases:
    """A model that Cohere answers for."""
    return ProviderCases(
        model,
        "cohere",
        {**ANSWERS, **on_the_wire(PLAIN), **FAILURES},
        {**STREAMS, **on_the_line([*map(event, chunks())]), **FAILURES},
        plain=frozenset(
            {"plain", "cut by the limit", "two parts", "cached", "pieces", "limit", "in one piece"}
        ),
        params={
            "few": FEW,
            "many": {
                "max_tokens": 400,
                "top_p": 0.9,
                "seed": PER_CALL,
                "extra_headers": {"X-Title": "$LEAN_TITLE"},
            },
        },
        made_up=frozenset({"id", "created"}),
        **{"base": "/v2/chat", **fields},
    )


COHERE_LIKE = (cases("cohere_chat/command-a-03-2025"),)
