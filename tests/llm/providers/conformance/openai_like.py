"""Chat completions, as OpenAI and those who speak its protocol answer, each in its own way."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.llm.providers.conformance.cases import (
    EVENTS,
    ProviderCases,
    as_json,
    event,
    on_the_line,
    on_the_wire,
    streamed,
)
from tests.servers.canned_server import Canned

COUNTS = {"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49}
DETAILS = {
    "prompt_tokens": 4_000,
    "completion_tokens": 900,
    "total_tokens": 4_900,
    "prompt_tokens_details": {"cached_tokens": 3_000},
    "completion_tokens_details": {"reasoning_tokens": 700},
}
CALL = {"id": "c1", "type": "function", "function": {"name": "vote", "arguments": '{"p": 3}'}}
SAID = "[3] I vote é\N{WOLF FACE} today"


def message(**fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": SAID, **fields}


def answer(
    said: Mapping[str, Any] | None = None, reason: Any = "stop", usage: Any = ..., **more: Any
) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "answered",
        "choices": [{"index": 0, "message": said or message(), "finish_reason": reason}],
        **({} if usage is None else {"usage": COUNTS if usage is ... else usage}),
        **more,
    }


def completion(*args: Any, **named: Any) -> Canned:
    return as_json(answer(*args, **named))


def error(status: int, message: str, code: str | None = None, **headers: str) -> Canned:
    """An error as OpenAI words it."""
    said = {"error": {"message": message, "type": "test_error", "param": None, "code": code}}
    return as_json(
        said, status=status, headers={n.replace("_", "-"): v for n, v in headers.items()}
    )


def chunk(delta: Mapping[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": dict(delta), "finish_reason": reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "answered",
        "choices": [choice],
        **more,
    }


def chunks(
    *deltas: Mapping[str, Any], reason: str | None = "stop", usage: Any = COUNTS, **more: Any
) -> list[Any]:
    """A stream that says this; without a usage it has no word of one."""
    said: list[Any] = [chunk({"role": "assistant", "content": ""}, **more)]
    said += [chunk(delta, **more) for delta in deltas]
    if reason is not None:
        said.append(chunk({}, reason, **more))
    if usage is not None:
        said.append({**chunk({}, **more), "choices": [], "usage": usage})
    return [*said, b"[DONE]"]


def words(text: str = SAID) -> list[dict[str, Any]]:
    first, *others = text.split(" ")
    return [{"content": first}, *({"content": f" {one}"} for one in others)]


PLAIN = completion()
ANSWERS: Mapping[str, Canned] = {
    "plain": PLAIN,
    "cut by the limit": completion(reason="length"),
    "fingerprint and tier": completion(system_fingerprint="fp_1", service_tier="priority"),
    "cached and reasoned": completion(usage=DETAILS),
    "cached beside the prompt": completion(
        usage={
            "prompt_tokens": 5,
            "completion_tokens": 9,
            "total_tokens": 3_014,
            "prompt_tokens_details": {"cached_tokens": 3_000},
        }
    ),
    "written into the cache": completion(
        usage={**COUNTS, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 0}
    ),
    "a cost": completion(usage={**COUNTS, "cost": 0.0123}),
    "thoughts": completion(message(reasoning_content="Hm.")),
    "thoughts by another name": completion(message(reasoning="Hm.")),
    "thoughts in the text": completion(message(content="<think>Hm.</think>[3]")),
    "a tool": completion(message(content=None, tool_calls=[CALL]), "tool_calls"),
    "parts": completion(message(content=[{"type": "text", "text": "[3]"}])),
    "a refusal": completion(message(content=None, refusal="I cannot.")),
    "filtered": completion(message(content=""), "content_filter"),
    "silence": completion(message(content="")),
    "blanks": completion(message(content=" \n ")),
    "no content": completion(message(content=None)),
    "an odd reason": completion(reason="eos_token"),
    "a failed choice": completion(message(content="half"), "error"),
    "no reason": completion(reason=None),
    "no usage": completion(usage=None),
    "a usage of texts": completion(usage={"prompt_tokens": "40", "completion_tokens": "9"}),
    "a usage of zeros": completion(usage=dict.fromkeys(COUNTS, 0)),
    "two choices": as_json(answer() | {"choices": 2 * answer()["choices"]}),
    "no choice": as_json(answer() | {"choices": []}),
    "an error in a 200": as_json({"error": {"message": "overloaded", "code": 529}}),
    "an error beside the answer": completion(error={"message": "overloaded", "code": 529}),
    "a provider behind a router": completion(provider="DeepInfra"),
    "a surrogate": completion(message(content="[3] \ud800")),
    "a NUL": completion(message(content="[3] \x00")),
    "a broken number": Canned(json.dumps(answer()).replace("40", "4e999").encode()),
    "an endless number": Canned(json.dumps(answer()).replace("40", "9" * 400).encode()),
    "a field twice": Canned(json.dumps(answer()).replace('"id"', '"id": "a", "id"', 1).encode()),
    "no Unicode": Canned(json.dumps(answer()).encode().replace(b"[3]", b"[\xff]")),
    "a mark of the order of bytes": Canned(b"\xef\xbb\xbf" + json.dumps(answer()).encode()),
    "a time of parts": completion(created=1_700_000_000.25),
    "a deep one": Canned(b"[" * 2_000),
    "much that nobody reads": completion(
        usage={**COUNTS, "queue_time": 0.018, "is_byok": False, "cost_details": {"a": 0.1}},
        x_groq={"id": "req_1"},
        usage_breakdown=None,
        time_info={"queue_time": 0.1},
        timings={"prompt_n": 40},
        citations=["https://example.org"],
        search_results=[{"title": "A"}],
        prompt=[],
        metadata={"weight_version": "default"},
        prompt_filter_results=[{"prompt_index": 0}],
        choices=[
            {
                "index": 0,
                "message": message(),
                "finish_reason": "stop",
                "native_finish_reason": "completed",
                "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}},
                "matched_stop": 128_009,
                "seed": 1_234_567,
            }
        ],
    ),
    "a list": as_json([answer()]),
    "null": as_json(None),
    "no JSON": Canned(b"<html>"),
}
FAILURES: Mapping[str, Canned] = {
    "400": error(400, "max_tokens is too large"),
    "401": error(401, "Incorrect API key", "invalid_api_key"),
    "402": error(402, "Insufficient credits"),
    "403": error(403, "Country not supported"),
    "404": error(404, "The model does not exist", "model_not_found"),
    "413": error(413, "Too large"),
    "422": error(422, "Unprocessable"),
    "429": error(429, "Rate limit reached", None, Retry_After="7"),
    "429 of the account": error(429, "You exceeded your current quota", "insufficient_quota"),
    "429 in words": error(429, "Rate limit reached. Please try again in 1.5s."),
    "too long": error(400, "maximum context length is 8192", "context_length_exceeded"),
    "500": error(500, "The server had an error"),
    "503": error(503, "Loading model", None, Retry_After="3"),
    "529": error(529, "Overloaded"),
}
STREAMS: Mapping[str, Canned] = {
    "pieces": streamed(*chunks(*words())),
    "one piece": streamed(*chunks({"content": "[3]"})),
    "cached": streamed(*chunks(*words(), usage=DETAILS)),
    "limit": streamed(*chunks(*words(), reason="length")),
    "thinking": streamed(*chunks({"reasoning_content": "Hm."}, *words())),
    "thinking by another name": streamed(*chunks({"reasoning": "Hm."}, *words())),
    "thinking in the text": streamed(*chunks(*words("<think>Hm. </think>[3] yes"))),
    "said nothing": streamed(*chunks({"content": ""})),
    "said blanks": streamed(*chunks({"content": "\n"}, {"content": " "})),
    "not ended": streamed(*chunks(*words(), reason=None)),
    "oddly ended": streamed(*chunks(*words(), reason="eos")),
    "filtered": streamed(*chunks(*words(), reason="content_filter")),
    "failed in the middle": streamed(*chunks(*words(), reason="error")),
    "without a usage": streamed(*chunks(*words(), usage=None)),
    "a usage in every chunk": streamed(*chunks(*words(), **{"usage": COUNTS})),
    "a usage with the end": streamed(
        *chunks(*words(), reason=None, usage=None)[:-1], chunk({}, "stop", usage=COUNTS), b"[DONE]"
    ),
    "a usage before the end": streamed(
        *chunks(*words(), reason=None)[:-1], chunk({}, "stop"), b"[DONE]"
    ),
    "the text with the end": streamed(
        *chunks(*words(), reason=None, usage=None)[:-1],
        chunk({"content": "!"}, "stop"),
        {**chunk({}), "choices": [], "usage": COUNTS},
        b"[DONE]",
    ),
    "called a tool": streamed(
        *chunks(
            {"tool_calls": [{**CALL, "index": 0}]},
            reason="tool_calls",
        )
    ),
    "in parts": streamed(*chunks({"content": [{"type": "text", "text": "[3]"}]})),
    "of a router": streamed(*chunks(*words(), provider="DeepInfra")),
    "a fingerprint and a tier": streamed(
        *chunks(*words(), system_fingerprint="fp_1", service_tier="default")
    ),
    "noise": streamed(*chunks(*words(), obfuscation="aB3")),
    "an error within": streamed(
        *chunks(*words())[:3], {"error": {"message": "overloaded", "code": 529}}, b"[DONE]"
    ),
    "an error at once": streamed({"error": {"message": "overloaded", "code": 529}}),
    "a surrogate": streamed(*chunks({"content": "\ud83d"}, {"content": "\udc3a"}, *words())),
    "not streamed at all": PLAIN,
    "two choices": streamed(
        *chunks(*words())[:-1],
        {**chunk({}), "choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": None}]},
        b"[DONE]",
    ),
}


def cases(
    model: str,
    own: Mapping[str, Mapping[str, Any]] | None = None,
    own_streams: Mapping[str, Sequence[Any]] | None = None,
    unplain: frozenset[str] = frozenset({"of xAI"}),
    **fields: Any,
) -> ProviderCases:
    """A model with what everybody may answer, and what its `own` provider does, which must be read
    without LiteLLM but for those that are `unplain`."""
    answers = {name: as_json(said) for name, said in (own or {}).items()}
    streams = {name: streamed(*said) for name, said in (own_streams or {}).items()}
    plain = frozenset({"plain", "pieces", *answers, *streams} - unplain)
    events = [event(one) for one in chunks(*words())]
    whole = Canned(b"".join(events), kind=EVENTS)
    return ProviderCases(
        model,
        "openai",
        {**answers, **ANSWERS, **on_the_wire(PLAIN), **FAILURES},
        {**streams, **STREAMS, **on_the_line(events), **on_the_wire(whole), **FAILURES},
        **{"plain": plain, "own": frozenset({*answers, *streams}), **fields},
    )
