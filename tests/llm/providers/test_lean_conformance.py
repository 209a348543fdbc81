"""The lean path beside LiteLLM itself: the same request leaves, and the same is made of whatever
comes back, for every provider that it is learned of."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from arena import registry
from arena.core import Message, ModelSpec
from arena.llm.failures.classify import Fault, fault_of
from arena.llm.providers.litellm import LiteLLM, LiteLLMEndpoint
from arena.llm.providers.litellm_lean import LeanPath
from arena.llm.providers.protocol import ProviderSettings
from arena.llm.request import PER_CALL
from tests.servers.openai_server import OpenAIServer, Reply, error

KEY = "a-key-of-the-lean-path-qwv"
SHORT = ("openai/gpt-4o-mini", "mistral/mistral-small-latest", "hosted_vllm/qwen")
ROUTES = (
    *SHORT,
    "azure/gpt-4o",
    "deepseek/deepseek-chat",
    "openrouter/meta-llama/llama-3-8b-instruct",
    "groq/llama-3.1-8b-instant",
    "together_ai/meta-llama/Llama-3-8b-chat-hf",
    "cerebras/llama3.1-8b",
    "fireworks_ai/accounts/fireworks/models/llama-v3p1-8b-instruct",
    "perplexity/sonar",
    "xai/grok-3-mini",
)
PARAMS: Mapping[str, Mapping[str, Any]] = {
    "few": {"max_tokens": 50, "temperature": 0.5},
    "many": {
        "max_tokens": 400,
        "top_p": 0.9,
        "seed": PER_CALL,
        "extra_headers": {"X-Title": "$LEAN_TITLE"},
    },
}
SAID: tuple[Message, ...] = (
    {"role": "system", "content": "You are player 1. é \u2028"},
    {"role": "user", "content": 'Night.\n"Whom?" \U0001f43a'},
    {"role": "assistant", "content": "[2]"},
    {"role": "user", "content": "Day. <b>"},
)


def message(**fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": "[3] I vote", **fields}


def body(
    said: Mapping[str, Any] | None = None, reason: Any = "stop", usage: Any = ..., **more: Any
) -> str:
    counts = {"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49}
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "answered",
        "choices": [{"index": 0, "message": said or message(), "finish_reason": reason}],
        **({} if usage is None else {"usage": counts if usage is ... else usage}),
        **more,
    }
    return json.dumps(answer)


CALL = {"id": "c1", "type": "function", "function": {"name": "vote", "arguments": '{"p": 3}'}}
DETAILS = {
    "prompt_tokens": 4_000, "completion_tokens": 900, "total_tokens": 4_900,
    "prompt_tokens_details": {"cached_tokens": 3_000},
    "completion_tokens_details": {"reasoning_tokens": 700},
}  # fmt: skip
ANSWERS: Mapping[str, str] = {
    "plain": body(),
    "cut by the limit": body(reason="length"),
    "fingerprint and tier": body(system_fingerprint="fp_1", service_tier="priority"),
    "cached and reasoned": body(usage=DETAILS),
    "cached beside the prompt": body(
        usage={"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 3_014,
               "prompt_tokens_details": {"cached_tokens": 3_000}}
    ),
    "written into the cache": body(
        usage={"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49,
               "cache_creation_input_tokens": 30, "cache_read_input_tokens": 0}
    ),
    "a cost": body(
        usage={"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49, "cost": 0.0123}
    ),
    "thoughts": body(message(reasoning_content="Hm.")),
    "thoughts by another name": body(message(reasoning="Hm.")),
    "thoughts in the text": body(message(content="<think>Hm.</think>[3]")),
    "a tool": body(message(content=None, tool_calls=[CALL]), "tool_calls"),
    "parts": body(message(content=[{"type": "text", "text": "[3]"}])),
    "a refusal": body(message(content=None, refusal="I cannot.")),
    "filtered": body(message(content=""), "content_filter"),
    "silence": body(message(content="")),
    "blanks": body(message(content=" \n ")),
    "no content": body(message(content=None)),
    "an odd reason": body(reason="eos_token"),
    "a failed choice": body(message(content="half"), "error"),
    "no reason": body(reason=None),
    "no usage": body(usage=None),
    "a usage of texts": body(usage={"prompt_tokens": "40", "completion_tokens": "9"}),
    "two choices": json.dumps(
        json.loads(body()) | {"choices": 2 * json.loads(body())["choices"]}
    ),
    "no choice": json.dumps(json.loads(body()) | {"choices": []}),
    "an error in a 200": json.dumps({"error": {"message": "overloaded", "code": 529}}),
    "a provider behind a router": body(provider="DeepInfra"),
    "a surrogate": body(message(content="[3] \ud800")),
    "a deep one": "[" * 2_000,
    "no JSON": "<html>",
}  # fmt: skip
FAILURES: Mapping[str, Reply] = {
    "400": error(400, "max_tokens is too large"),
    "401": error(401, "Incorrect API key", "invalid_api_key"),
    "402": error(402, "Insufficient credits"),
    "403": error(403, "Country not supported"),
    "404": error(404, "The model does not exist", "model_not_found"),
    "413": error(413, "Too large"),
    "422": error(422, "Unprocessable"),
    "429": error(429, "Rate limit reached", None, Retry_After="7"),
    "429 of the account": error(429, "You exceeded your current quota", "insufficient_quota"),
    "too long": error(400, "maximum context length is 8192", "context_length_exceeded"),
    "500": error(500, "The server had an error"),
    "503": error(503, "Loading model", None, Retry_After="3"),
    "529": error(529, "Overloaded"),
    "hung up": Reply(cut=0),
}
USAGE = {"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49}
STREAMS: Mapping[str, Reply] = {
    "pieces": Reply("[3] I vote for three \U0001f43a", usage=USAGE),
    "one piece": Reply("[3]", usage=USAGE),
    "cached": Reply("[3] yes", usage=DETAILS),
    "limit": Reply("[3] I vo", finish_reason="length", usage=USAGE),
    "thinking": Reply("[3] yes", reasoning="Hm.", usage=USAGE),
    "thinking in the text": Reply("<think>Hm. </think>[3] yes", usage=USAGE),
    "said nothing": Reply("", usage=USAGE),
    "not ended": Reply("[3] yes", finish_reason=None, usage=USAGE),
    "oddly ended": Reply("[3] yes", finish_reason="eos", usage=USAGE),
    "failed in the middle": Reply("[3] yes", finish_reason="error", usage=USAGE),
    "cut in the middle": Reply("[3] I vote for three", cut=2),
    "without a usage": Reply("[3] yes", send_usage=False),
    "called a tool": Reply("", tool_calls=[CALL], finish_reason="tool_calls", usage=USAGE),
    "in parts": Reply(parts=[{"type": "text", "text": "[3]"}], usage=USAGE),
    "of a router": Reply("[3] yes", provider="DeepInfra", usage=USAGE),
}
CASES: Mapping[str, Reply] = {
    **{name: Reply(body=said) for name, said in ANSWERS.items()},
    **FAILURES,
}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAN_KEY", KEY)
    monkeypatch.setenv("LEAN_TITLE", "a title of the lean path")
    monkeypatch.setenv("AZURE_API_VERSION", "2024-06-01")


def spec(route: str, url: str, params: str, *, stream: bool) -> ModelSpec:
    return ModelSpec(
        "m", route, api_base=url, api_key_env="LEAN_KEY", params=PARAMS[params], stream=stream
    )


async def made(endpoint: LiteLLMEndpoint, seed: int | None, *, lean: bool) -> Any:
    """What becomes of one request, as the client sees it."""
    asked = endpoint if lean else replace(endpoint, _path=["LiteLLM itself is asked"])
    try:
        answer = await asked.ask(SAID, seed)
    except Exception as raised:
        fault = raised if isinstance(raised, Fault) else fault_of(raised, KEY)
        named = (fault.kind, fault.status, fault.code, fault.message, fault.error_class)
        return *named, fault.retry_after, fault.billed
    if not endpoint.model.stream:
        return answer
    # Of a stream LiteLLM tells the name that was asked for and the time of the request.
    stored = {k: v for k, v in (answer.response or {}).items() if k not in ("model", "created")}
    return answer.completion, stored, answer.first_token_ms is not None


async def both(route: str, params: str, *, stream: bool) -> None:
    cases = {**CASES, **STREAMS} if stream else CASES
    seed = 7 if PARAMS[params].get("seed") == PER_CALL else None
    litellm = LiteLLM(ProviderSettings(20.0, registry.policy))
    answered = iter([reply for reply in cases.values() for _ in range(2)])
    with OpenAIServer(lambda _: next(answered)) as server:
        endpoint = litellm.prepare(spec(route, server.url, params, stream=stream))
        path = await endpoint.path()
        assert isinstance(path, LeanPath), path
        assert not server.requests, "learning sends nothing"
        for case in cases:
            ours = await made(endpoint, seed, lean=True)
            theirs = await made(endpoint, seed, lean=False)
            assert ours == theirs, (route, params, case)
            mine, other = server.requests[-2:]
            assert mine.body == other.body, (route, params, case)
            assert _named(mine.headers) == _named(other.headers), (route, params, case)
    await litellm.aclose()


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers but the length: the bodies are equal as JSON, and may be spaced otherwise."""
    named = {name.lower(): value for name, value in headers.items()}
    del named["content-length"]
    return named


@pytest.mark.slow
@pytest.mark.parametrize("params", PARAMS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("route", SHORT)
def test_the_lean_path_is_as_litellm_itself(route: str, stream: bool, params: str) -> None:
    asyncio.run(both(route, params, stream=stream))


@pytest.mark.sweep
@pytest.mark.parametrize("params", PARAMS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("route", [route for route in ROUTES if route not in SHORT])
def test_so_it_is_for_every_provider(route: str, stream: bool, params: str) -> None:
    asyncio.run(both(route, params, stream=stream))
