"""Google's generateContent, as Gemini answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from arena.llm.request import PER_CALL
from tests.llm.providers.conformance.cases import (
    EVENTS,
    FEW,
    ProviderCases,
    as_json,
    event,
    on_the_line,
    on_the_wire,
    streamed,
)
from tests.servers.canned_server import Canned

COUNTS = {"promptTokenCount": 40, "candidatesTokenCount": 9, "totalTokenCount": 49}
THOUGHT_OF = {**COUNTS, "thoughtsTokenCount": 700, "totalTokenCount": 749}
CACHED = {
    **COUNTS,
    "promptTokenCount": 4_000,
    "cachedContentTokenCount": 3_000,
    "totalTokenCount": 4_009,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 4_000}],
    "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 3_000}],
    "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 9}],
}
CALL = {"functionCall": {"name": "vote", "args": {"p": 3}}}
THOUGHT = {"text": "Hm.\N{WOLF FACE}", "thought": True}
SAID = "[3] I vote é\N{WOLF FACE} today"
_ERROR = {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}


def said(
    *parts: Mapping[str, Any],
    reason: str | None = "STOP",
    usage: Any = COUNTS,
    candidate: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    content = {"parts": [*parts] or [{"text": SAID}], "role": "model"}
    ended = {} if reason is None else {"finishReason": reason}
    return {
        "candidates": [{"content": content, **ended, "index": 0, **(candidate or {})}],
        **({} if usage is None else {"usageMetadata": usage}),
        "modelVersion": "answered",
        "responseId": "r-1",
        **more,
    }


def answer(*parts: Mapping[str, Any], **named: Any) -> Canned:
    return as_json(said(*parts, **named))


def error(status: int, word: str, message: str, **more: Any) -> Canned:
    """An error as Google words it."""
    return as_json(
        {"error": {"code": status, "message": message, "status": word, **more}}, status=status
    )


def chunks(
    *parts: Mapping[str, Any], usage: Any = COUNTS, reason: str | None = "STOP"
) -> list[dict[str, Any]]:
    """A stream with a chunk for each part, the last of which says why it ended."""
    *before, last = parts or words()
    return [
        *(said(part, reason=None, usage=usage) for part in before),
        said(last, reason=reason, usage=usage),
    ]


def words(text: str = SAID) -> list[dict[str, Any]]:
    first, *others = text.split(" ")
    return [{"text": first}, *({"text": f" {one}"} for one in others)]


def counted(count: int) -> dict[str, Any]:
    return {**COUNTS, "candidatesTokenCount": count, "totalTokenCount": 40 + count}


PLAIN = answer()
BLOCKED = as_json(
    {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 40, "totalTokenCount": 40},
        "modelVersion": "answered",
    }
)
ANSWERS: Mapping[str, Canned] = {
    "plain": PLAIN,
    "cut by the limit": answer(reason="MAX_TOKENS"),
    "two parts": answer({"text": "[3] "}, {"text": "yes"}),
    "cached": answer(usage=CACHED),
    "cached without details": answer(
        usage={**COUNTS, "promptTokenCount": 4_000, "cachedContentTokenCount": 3_000}
    ),
    "thoughts": answer(THOUGHT, {"text": SAID}, usage=THOUGHT_OF),
    "thoughts within the answer": answer(
        THOUGHT, {"text": SAID}, usage={**COUNTS, "thoughtsTokenCount": 5}
    ),
    "counted thoughts alone": answer(usage=THOUGHT_OF),
    "no thoughts counted": answer(usage={**COUNTS, "thoughtsTokenCount": 0}),
    "a signature of thoughts": answer({"text": SAID, "thoughtSignature": "c2lnbmVk"}),
    "thoughts that took all": answer(THOUGHT, reason="MAX_TOKENS", usage=THOUGHT_OF),
    "no answer for thoughts": as_json(
        {
            "candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}],
            "usageMetadata": {**THOUGHT_OF, "candidatesTokenCount": 0},
            "modelVersion": "answered",
        }
    ),
    "more in the total": answer(usage={**COUNTS, "totalTokenCount": 60}),
    "no total": answer(usage={"promptTokenCount": 40, "candidatesTokenCount": 9}),
    "of a tool": answer(usage={**COUNTS, "toolUsePromptTokenCount": 5, "totalTokenCount": 54}),
    "of pictures": answer(
        usage={**COUNTS, "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 4}]}
    ),
    "a probability": answer(candidate={"avgLogprobs": -0.25}),
    "ratings of safety": answer(
        candidate={"safetyRatings": [{"category": "HARM", "probability": "NEGLIGIBLE"}]}
    ),
    "citations": answer(candidate={"citationMetadata": {"citationSources": [{"uri": "x"}]}}),
    "grounding": answer(candidate={"groundingMetadata": {"webSearchQueries": ["x"]}}),
    "thoughts in the text": answer({"text": "<think>Hm.</think>[3]"}),
    "a call": answer(CALL),
    "a call and a text": answer({"text": SAID}, CALL),
    "code": answer({"executableCode": {"language": "PYTHON", "code": "1"}}, {"text": "[3]"}),
    "sound in a text": answer({"text": "data:audio/wav;base64,UklGRg=="}),
    "a text that begins like data": answer({"text": "data: [3]"}),
    "safety": answer(reason="SAFETY"),
    "safety without a word": as_json(
        {"candidates": [{"finishReason": "SAFETY", "index": 0}], "usageMetadata": COUNTS}
    ),
    "recitation": answer(reason="RECITATION"),
    "a broken call": answer({"text": ""}, reason="MALFORMED_FUNCTION_CALL"),
    "blocked": BLOCKED,
    "an odd reason": answer(reason="OTHER"),
    "a later reason": answer(reason="NEVER_HEARD_OF"),
    "no reason": answer(reason=None),
    "silence": answer({"text": ""}),
    "blanks": answer({"text": " \n "}),
    "no parts": as_json({**said(), "candidates": [{"content": {}, "finishReason": "STOP"}]}),
    "no candidates": as_json({**said(), "candidates": []}),
    "two candidates": as_json({**said(), "candidates": 2 * said()["candidates"]}),
    "no usage": answer(usage=None),
    "a usage of texts": answer(usage={"promptTokenCount": "40", "candidatesTokenCount": "9"}),
    "a usage of zeros": answer(usage=dict.fromkeys(COUNTS, 0)),
    "no version": as_json({n: v for n, v in said().items() if n != "modelVersion"}),
    "a version of a time": answer(modelVersion="answered@001"),
    "no id": as_json({n: v for n, v in said().items() if n != "responseId"}),
    "a tier": Canned(PLAIN.body, headers={"x-gemini-service-tier": "standard"}),
    "a flexible tier": Canned(PLAIN.body, headers={"x-gemini-service-tier": "FLEX"}),
    "an error in a 200": as_json({"error": _ERROR}),
    "an error beside the answer": answer(error=_ERROR),
    "in a list": as_json([said()]),
    "a surrogate": answer({"text": "[3] \ud800"}),
    "a NUL": answer({"text": "[3] \x00"}),
    "an endless number": Canned(json.dumps(said()).replace("40", "9" * 400).encode()),
    "no Unicode": Canned(json.dumps(said()).encode().replace(b"[3]", b"[\xff]")),
    "another protocol": as_json({"choices": [{"message": {"content": "[3]"}}]}),
    "a deep one": Canned(b"[" * 2_000),
    "null": as_json(None),
}
_WAIT = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"}
FAILURES: Mapping[str, Canned] = {
    "400": error(400, "INVALID_ARGUMENT", "Invalid value at generation_config"),
    "400 of the key": error(400, "INVALID_ARGUMENT", "API key not valid."),
    "401": error(401, "UNAUTHENTICATED", "Request had invalid credentials"),
    "403": error(403, "PERMISSION_DENIED", "The caller does not have permission"),
    "404": error(404, "NOT_FOUND", "models/answered is not found"),
    "429": error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", details=[_WAIT]),
    "too long": error(400, "INVALID_ARGUMENT", "The input token count exceeds the maximum"),
    "500": error(500, "INTERNAL", "An internal error has occurred"),
    "503": error(503, "UNAVAILABLE", "The model is overloaded"),
    "504": error(504, "DEADLINE_EXCEEDED", "The deadline has passed"),
    "an error in a list": as_json(
        [{"error": {"code": 429, "message": "x", "status": "RESOURCE_EXHAUSTED"}}], status=429
    ),
}
STREAMS: Mapping[str, Canned] = {
    "pieces": streamed(*chunks()),
    "one piece": streamed(said()),
    "limit": streamed(*chunks(reason="MAX_TOKENS")),
    "cached": streamed(*chunks(usage=CACHED)),
    "counted on": streamed(
        *(said(part, reason=None, usage=counted(n)) for n, part in enumerate(words())),
        said({"text": "!"}, usage=counted(9)),
    ),
    "counted for each": streamed(
        *(said(part, reason=None, usage=counted(2)) for part in words()),
        said({"text": "!"}, usage=counted(2)),
    ),
    "counted at the end": streamed(
        *(said(part, reason=None, usage=None) for part in words()), said({"text": "!"})
    ),
    "the prompt counted first": streamed(
        said({"text": "[3]"}, reason=None, usage={"promptTokenCount": 40, "totalTokenCount": 40}),
        said({"text": "!"}),
    ),
    "thinking": streamed(*chunks(THOUGHT, *words(), usage=THOUGHT_OF)),
    "thinking in the text": streamed(*chunks(*words("<think>a </think>[3] b"))),
    "a signature": streamed(*chunks(*words(), {"text": "!", "thoughtSignature": "c2ln"})),
    "an end without a word": streamed(
        *(said(part, reason=None) for part in words()), said({"text": ""})
    ),
    "an end without a content": streamed(
        *(said(part, reason=None) for part in words()),
        {**said(), "candidates": [{"finishReason": "STOP", "index": 0}]},
    ),
    "a usage behind the end": streamed(
        *chunks(usage=None), {"usageMetadata": COUNTS, "modelVersion": "answered"}
    ),
    "more behind the end": streamed(*chunks(), *chunks()),
    "called a tool": streamed(said(CALL)),
    "safety": streamed(*chunks(reason="SAFETY")),
    "blocked": Canned([b"data: %s\n\n" % BLOCKED.body], kind=EVENTS),
    "oddly ended": streamed(*chunks(reason="OTHER")),
    "not ended": streamed(*chunks(reason=None)),
    "said nothing": streamed(said({"text": ""})),
    "said blanks": streamed(said({"text": "\n"})),
    "without a usage": streamed(*chunks(usage=None)),
    "a tier": streamed(*chunks(), headers={"x-gemini-service-tier": "standard"}),
    "an error within": streamed(*chunks()[:2], {"error": _ERROR}),
    "an error at once": streamed({"error": _ERROR}),
    "a surrogate": streamed(*chunks({"text": "\ud83d"}, {"text": "\udc3a"}, *words())),
    "done": streamed(*chunks(), b"[DONE]"),
    "not streamed at all": PLAIN,
    "a list in the place of a stream": as_json(chunks()),
}


def cases(model: str, **fields: Any) -> ProviderCases:
    """A model that Google answers for."""
    lines = [event(one) for one in chunks()]
    whole = Canned(b"".join(lines), kind=EVENTS)
    plain = {"plain", "cut by the limit", "cached", "thoughts", "a tier"}
    return ProviderCases(
        model,
        "google",
        {**ANSWERS, **on_the_wire(PLAIN), **FAILURES},
        {**STREAMS, **on_the_line(lines), **on_the_wire(whole), **FAILURES},
        plain=frozenset(plain | {"pieces", "limit", "thinking", "counted on", "with comments"}),
        params={
            "few": FEW,
            "many": {
                "max_tokens": 4_000,
                "top_p": 0.9,
                "seed": PER_CALL,
                "extra_headers": {"X-Title": "$LEAN_TITLE"},
            },
        },
        made_up=frozenset({"id", "created"}),
        **fields,
    )


GOOGLE_LIKE = (cases("gemini/gemini-2.5-flash"),)
