"""The providers that speak OpenAI's protocol, with what each of them adds to an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.llm.request import PER_CALL
from tests.llm.providers.conformance.cases import FEW, ProviderCases
from tests.llm.providers.conformance.openai_like import (
    COUNTS,
    answer,
    cases,
    chunk,
    chunks,
    message,
    words,
)

_NO_AUDIO = {"cached_tokens": 0, "audio_tokens": 0}
_OPENAI_USAGE = {
    **COUNTS,
    "prompt_tokens_details": _NO_AUDIO,
    "completion_tokens_details": {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}


def _choice(said: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"index": 0, "message": dict(said), "finish_reason": "stop", **more}


_OPENAI = answer(
    usage=_OPENAI_USAGE,
    choices=[_choice(message(refusal=None, annotations=[]), logprobs=None)],
    service_tier="default",
    system_fingerprint="fp_44709d6fcb",
)
_FILTERED = {
    name: {"filtered": False, "severity": "safe"}
    for name in ("hate", "self_harm", "sexual", "violence")
}
_AZURE = answer(
    usage=_OPENAI_USAGE,
    choices=[_choice(message(refusal=None), logprobs=None, content_filter_results=_FILTERED)],
    prompt_filter_results=[{"prompt_index": 0, "content_filter_results": _FILTERED}],
    system_fingerprint="fp_ded0d14823",
)
_AZURE_STREAM = [
    {
        **chunk({}),
        "choices": [],
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _FILTERED}],
    },
    *chunks(*words()),
]
_DEEPSEEK = answer(
    usage={
        **COUNTS,
        "prompt_tokens_details": {"cached_tokens": 0},
        "prompt_cache_hit_tokens": 0,
        "prompt_cache_miss_tokens": 40,
    },
    choices=[_choice(message(), logprobs=None)],
    system_fingerprint="fp_8802369eaa_prod0623_fp8_kvcache",
)
_OPENROUTER = answer(
    provider="DeepInfra",
    id="gen-1700000000-abc",
    choices=[
        _choice(message(refusal=None, reasoning=None), logprobs=None, native_finish_reason="stop")
    ],
    usage={
        **COUNTS,
        "cost": 0.0000123,
        "is_byok": False,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0, "video_tokens": 0},
        "cost_details": {
            "upstream_inference_cost": None,
            "upstream_inference_prompt_cost": 0.00001,
            "upstream_inference_completions_cost": 0.0000023,
        },
        "completion_tokens_details": {"reasoning_tokens": 0, "image_tokens": 0},
    },
)
_GROQ_USAGE = {
    **COUNTS,
    "queue_time": 0.018,
    "prompt_time": 0.004,
    "completion_time": 0.02,
    "total_time": 0.024,
}
_GROQ = answer(
    choices=[_choice(message(), logprobs=None)],
    usage=_GROQ_USAGE,
    usage_breakdown=None,
    system_fingerprint="fp_c40956ddc4",
    x_groq={"id": "req_01jbd6g2qdfw2adyrt2az8hz4w"},
    service_tier="on_demand",
)
_GROQ_STREAM = [
    chunk(
        {"role": "assistant", "content": ""},
        x_groq={"id": "req_01jbd6g2qdfw2adyrt2az8hz4w", "seed": 1_234},
    ),
    *(chunk(word) for word in words()),
    chunk({}, "stop", x_groq={"id": "req_01jbd6g2qdfw2adyrt2az8hz4w", "usage": _GROQ_USAGE}),
    {**chunk({}), "choices": [], "usage": _GROQ_USAGE},
    b"[DONE]",
]
_TOGETHER = answer(
    prompt=[],
    choices=[_choice(message(tool_calls=[]), seed=1_234_567, logprobs=None)],
    usage={**COUNTS, "cached_tokens": 0},
)
_CEREBRAS = answer(
    usage={
        **COUNTS,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    },
    system_fingerprint="fp_8c9cc0aa",
    time_info={"queue_time": 0.0001, "prompt_time": 0.002, "total_time": 0.01, "created": 17},
)
_FIREWORKS = answer(usage={**COUNTS, "prompt_tokens_details": {"cached_tokens": 0}})
_PERPLEXITY = answer(
    usage={
        **COUNTS,
        "search_context_size": "low",
        "cost": {
            "input_tokens_cost": 0.00001,
            "output_tokens_cost": 0.0001,
            "request_cost": 0.005,
            "total_cost": 0.00511,
        },
    },
    citations=["https://example.org/a"],
    search_results=[{"title": "A", "url": "https://example.org/a", "date": None}],
)
_XAI = answer(
    usage={
        "prompt_tokens": 40,
        "completion_tokens": 9,
        "total_tokens": 149,
        "prompt_tokens_details": {
            "text_tokens": 40,
            "audio_tokens": 0,
            "image_tokens": 0,
            "cached_tokens": 12,
        },
        "completion_tokens_details": {
            "reasoning_tokens": 100,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
        "num_sources_used": 0,
    },
    choices=[_choice(message(reasoning_content="Hm.", refusal=None))],
    system_fingerprint="fp_6ca29cf396",
)
_VLLM = answer(
    usage={**COUNTS, "prompt_tokens_details": None},
    service_tier=None,
    system_fingerprint=None,
    choices=[
        _choice(
            message(
                refusal=None,
                annotations=None,
                audio=None,
                function_call=None,
                tool_calls=[],
                reasoning_content=None,
            ),
            logprobs=None,
            stop_reason=None,
            token_ids=None,
        )
    ],
    prompt_logprobs=None,
    kv_transfer_params=None,
)
_LLAMA_CPP = answer(
    system_fingerprint="b4277-c5ede384",
    timings={"prompt_n": 40, "prompt_ms": 9.1, "predicted_n": 9, "predicted_per_second": 88.8},
)
_SGLANG = answer(
    usage={**COUNTS, "reasoning_tokens": 0, "prompt_tokens_details": None},
    choices=[_choice(message(reasoning_content=None, tool_calls=None), matched_stop=128_009)],
    metadata={"weight_version": "default"},
)

OPENAI_LIKE: tuple[ProviderCases, ...] = (
    cases(
        "openai/gpt-4o-mini",
        {
            "of OpenAI": _OPENAI,
            "of vLLM": _VLLM,
            "of llama.cpp": _LLAMA_CPP,
            "of SGLang": _SGLANG,
            "of a router": _OPENROUTER,
        },
        {"of OpenAI": chunks(*words(), service_tier="default", obfuscation="aB3")},
    ),
    cases("mistral/mistral-small-latest"),
    cases("hosted_vllm/qwen", {"of vLLM": _VLLM}),
    cases(
        "azure/gpt-4o",
        {"of Azure": _AZURE},
        {"of Azure": _AZURE_STREAM},
        base="",
        environment={"AZURE_API_VERSION": "2024-06-01"},
    ),
    cases("deepseek/deepseek-chat", {"of DeepSeek": _DEEPSEEK}),
    cases("openrouter/meta-llama/llama-3-8b-instruct", {"of OpenRouter": _OPENROUTER}),
    cases(
        "groq/llama-3.1-8b-instant",
        {"of Groq": _GROQ},
        {"of Groq": _GROQ_STREAM},
        unplain=frozenset({"plain"}),
    ),
    cases("together_ai/meta-llama/Llama-3-8b-chat-hf", {"of Together": _TOGETHER}),
    cases("cerebras/llama3.1-8b", {"of Cerebras": _CEREBRAS}),
    cases(
        "fireworks_ai/accounts/fireworks/models/llama-v3p1-8b-instruct",
        {"of Fireworks": _FIREWORKS},
    ),
    cases(
        "perplexity/sonar",
        {"of Perplexity": _PERPLEXITY},
        params={
            "few": FEW,
            "many": {
                "max_tokens": 400,
                "top_p": 0.9,
                "extra_headers": {"X-Title": "$LEAN_TITLE"},
            },
        },
    ),
    cases("xai/grok-3-mini", {"of xAI": _XAI}),
    cases(
        "openai/gpt-5",
        {"of OpenAI": _OPENAI},
        params={"few": {"max_tokens": 50}, "many": {"max_tokens": 400, "seed": PER_CALL}},
    ),
    cases(
        "openai/o3-mini",
        params={"few": {"max_tokens": 50}, "many": {"max_tokens": 400, "seed": PER_CALL}},
        why=dict.fromkeys([False, True], "LiteLLM rewrites messages for its provider"),
    ),
)
