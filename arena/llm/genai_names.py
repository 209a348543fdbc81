"""The names that OpenTelemetry's GenAI conventions have for providers, and for what a request says.
Whatever tells of calls in those names takes them from here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# LiteLLM's names, and those of the conventions where they differ.
_PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "azure_text": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "codestral": "mistral_ai",
    "cohere_chat": "cohere",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "text-completion-openai": "openai",
    "vertex_ai": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "watsonx_text": "ibm.watsonx.ai",
    "xai": "x_ai",
}
_REQUEST = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
}


def named(litellm_model: str) -> tuple[str, str]:
    """A model's provider and its name there, from its name in LiteLLM: `mistral/large` is `large`
    of `mistral_ai`."""
    provider, _, model = litellm_model.partition("/")
    return _PROVIDERS.get(provider, provider), model or provider


def request_attributes(request: Mapping[str, Any]) -> dict[str, int | float]:
    """What a request says, as far as the conventions have a name for it."""
    return {
        _REQUEST[name]: value
        for name, value in request.items()
        if name in _REQUEST and isinstance(value, int | float)
    }


def message_parts(messages: Iterable[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Messages, each with a `role` and a text as its `content`, in the form of
    `gen_ai.input.messages`."""
    return [
        {"role": each["role"], "parts": [{"type": "text", "content": each["content"]}]}
        for each in messages
    ]
