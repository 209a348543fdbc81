"""Amazon Bedrock's Converse, as its models answer, with a token or with signatures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from arena.llm.providers.lean.frames import KIND, frame_of
from tests.llm.providers.conformance.cases import FEW, ProviderCases, as_json, on_the_wire
from tests.servers.canned_server import Canned

COUNTS = {"inputTokens": 40, "outputTokens": 9, "totalTokens": 49}
CACHED = {
    "inputTokens": 20,
    "cacheReadInputTokens": 3_000,
    "cacheWriteInputTokens": 100,
    "outputTokens": 9,
    "totalTokens": 3_129,
}
THOUGHT = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2lnbmVk"}}}
TOOL = {"toolUse": {"toolUseId": "t1", "name": "vote", "input": {"p": 3}}}
COUNTED = {"usage": {"output_tokens_details": {"thinking_tokens": 5}}}
SAID = "[3] I vote é\N{WOLF FACE} today"


def said(
    *blocks: Mapping[str, Any], reason: Any = "end_turn", usage: Any = COUNTS, **more: Any
) -> dict[str, Any]:
    return {
        "output": {"message": {"role": "assistant", "content": [*blocks] or [{"text": SAID}]}},
        "stopReason": reason,
        **({} if usage is None else {"usage": usage}),
        "metrics": {"latencyMs": 500},
        **more,
    }


def answer(*blocks: Mapping[str, Any], **named: Any) -> Canned:
    return as_json(said(*blocks, **named))


def error(status: int, kind: str, message: str) -> Canned:
    """An error as Amazon words it."""
    headers = {"x-amzn-ErrorType": f"{kind}:http://internal.amazon.com/coral/"}
    return as_json({"message": message}, status=status, headers=headers)


def frames(
    *deltas: Mapping[str, Any],
    reason: str | None = "end_turn",
    usage: Any = COUNTS,
    ended: Mapping[str, Any] | None = None,
    **metadata: Any,
) -> list[bytes]:
    """A stream that says this."""
    found = [frame_of("messageStart", {"role": "assistant", "p": "abcd"})]
    for delta in deltas or words():
        piece = {"contentBlockIndex": 0, "delta": delta, "p": "ab"}
        found.append(frame_of("contentBlockDelta", piece))
    found.append(frame_of("contentBlockStop", {"contentBlockIndex": 0, "p": "abc"}))
    if reason is not None:
        found.append(frame_of("messageStop", {"stopReason": reason, "p": "a", **(ended or {})}))
    if usage is not None:
        told = {"usage": usage, "metrics": {"latencyMs": 5}, "p": "abcde", **metadata}
        found.append(frame_of("metadata", told))
    return found


def words(text: str = SAID) -> list[dict[str, Any]]:
    first, *others = text.split(" ")
    return [{"text": first}, *({"text": f" {one}"} for one in others)]


def stream(*pieces: bytes) -> Canned:
    return Canned([*pieces], kind=KIND)


PLAIN = answer()
ANSWERS: Mapping[str, Canned] = {
    "plain": PLAIN,
    "cut by the limit": answer(reason="max_tokens"),
    "a sequence that stops": answer(reason="stop_sequence"),
    "two blocks": answer({"text": "[3] "}, {"text": "yes"}),
    "cached and written": answer(usage=CACHED),
    "written for an hour": answer(
        usage={**CACHED, "cacheDetails": [{"ttl": "1h", "inputTokens": 100}]}
    ),
    "counted by other names": answer(
        usage={**COUNTS, "cacheReadInputTokenCount": 0, "cacheWriteInputTokenCount": 0}
    ),
    "no total": answer(usage={"inputTokens": 40, "outputTokens": 9}),
    "thoughts": answer(THOUGHT, {"text": SAID}),
    "counted thoughts": answer(THOUGHT, {"text": SAID}, additionalModelResponseFields=COUNTED),
    "counted thoughts alone": answer(additionalModelResponseFields=COUNTED),
    "hidden thoughts": answer({"reasoningContent": {"redactedContent": "c2Vj"}}, {"text": SAID}),
    "thoughts in the text": answer({"text": "<thinking>Hm.</thinking>[3]"}),
    "a tool": answer(TOOL, reason="tool_use"),
    "a tool and a text": answer({"text": SAID}, TOOL, reason="tool_use"),
    "citations": answer({"citationsContent": {"content": [{"text": "[3]"}], "citations": []}}),
    "a guardrail": answer(reason="guardrail_intervened"),
    "filtered": answer(reason="content_filtered"),
    "an odd reason": answer(reason="model_context_window_exceeded"),
    "no reason": answer(reason=None),
    "silence": answer({"text": ""}),
    "blanks": answer({"text": " \n "}),
    "no blocks": as_json({**said(), "output": {"message": {"role": "assistant", "content": []}}}),
    "no message": as_json({**said(), "output": {}}),
    "no usage": answer(usage=None),
    "a usage of texts": answer(usage={"inputTokens": "40", "outputTokens": "9"}),
    "a tier": answer(serviceTier={"type": "default"}),
    "a faster one": answer(performanceConfig={"latency": "optimized"}),
    "a trace": answer(trace={"guardrail": {}}),
    "a surrogate": answer({"text": "[3] \ud800"}),
    "a NUL": answer({"text": "[3] \x00"}),
    "an endless number": Canned(json.dumps(said()).replace("40", "9" * 400).encode()),
    "another protocol": as_json({"choices": [{"message": {"content": "[3]"}}]}),
    "a deep one": Canned(b"[" * 2_000),
    "null": as_json(None),
}
FAILURES: Mapping[str, Canned] = {
    "400": error(400, "ValidationException", "The provided model identifier is invalid."),
    "403": error(403, "AccessDeniedException", "You don't have access to the model"),
    "403 of a token": error(403, "ExpiredTokenException", "The security token is expired"),
    "404": error(404, "ResourceNotFoundException", "Could not resolve the model"),
    "408": error(408, "ModelTimeoutException", "The model took too long"),
    "424": error(424, "ModelErrorException", "The model failed"),
    "429": error(429, "ThrottlingException", "Too many requests, please wait"),
    "too long": error(400, "ValidationException", "Input is too long for requested model."),
    "500": error(500, "InternalServerException", "An internal error"),
    "503": error(503, "ServiceUnavailableException", "Bedrock is unable to process"),
}
_WHOLE = b"".join(frames())
STREAMS: Mapping[str, Canned] = {
    "pieces": stream(*frames()),
    "one piece": stream(*frames({"text": "[3]"})),
    "in one chunk": stream(_WHOLE),
    "in pieces of seven bytes": stream(
        *(_WHOLE[at : at + 7] for at in range(0, 700, 7)), _WHOLE[700:]
    ),
    "limit": stream(*frames(reason="max_tokens")),
    "cached and written": stream(*frames(usage=CACHED)),
    "a tier": stream(*frames(serviceTier={"type": "default"})),
    "thinking": stream(
        *frames(
            {"reasoningContent": {"text": "Hm."}},
            {"reasoningContent": {"signature": "c2ln"}},
            *words(),
        )
    ),
    "counted thoughts": stream(*frames(ended={"additionalModelResponseFields": COUNTED})),
    "called a tool": stream(
        frames()[0],
        frame_of(
            "contentBlockStart",
            {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t1", "name": "vote"}}},
        ),
        *frames({"toolUse": {"input": '{"p"'}}, {"toolUse": {"input": ": 3}"}}, reason="tool_use")[
            1:
        ],
    ),
    "a guardrail": stream(*frames(reason="guardrail_intervened")),
    "oddly ended": stream(*frames(reason="malformed_model_output")),
    "not ended": stream(*frames(reason=None)),
    "without a usage": stream(*frames(usage=None)),
    "said nothing": stream(*frames({"text": ""})),
    "said blanks": stream(*frames({"text": "\n"})),
    "more behind the end": stream(*frames(), *frames()),
    "an error within": stream(
        *frames()[:3],
        frame_of("throttlingException", {"message": "Too many tokens"}),
    ),
    "a broken frame": stream(*frames()[:3], frames()[3][:-1] + b"\x00", *frames()[4:]),
    "half a frame": stream(*frames()[:-1], frames()[-1][:-9]),
    "not streamed at all": PLAIN,
}


def cases(model: str, **fields: Any) -> ProviderCases:
    """A model that Bedrock answers for."""
    plain = {"plain", "cut by the limit", "cached and written", "counted thoughts", "a tier"}
    return ProviderCases(
        model,
        "bedrock",
        {**ANSWERS, **on_the_wire(PLAIN), **FAILURES},
        {**STREAMS, **on_the_wire(Canned(_WHOLE, kind=KIND)), **FAILURES},
        plain=frozenset(plain | {"pieces", "limit", "in pieces of seven bytes"}),
        params={
            "few": FEW,
            "many": {
                "max_tokens": 4_000,
                "top_p": 0.9,
                "stop": ["END"],
                "extra_headers": {"X-Title": "$LEAN_TITLE"},
            },
        },
        environment={"AWS_REGION_NAME": "us-east-1"},
        made_up=frozenset({"id", "created"}),
        **{"base": "", **fields},
    )


BEDROCK_LIKE = (cases("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0"),)
