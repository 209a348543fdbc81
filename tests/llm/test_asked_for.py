"""What no model could be asked with is found before anything is sent: keys, addresses, params."""

from __future__ import annotations

from typing import Any

import pytest

from arena import registry
from arena.core import ModelSpec, UsageError
from arena.llm.client import Client


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def check(litellm_model: str, **settings: Any) -> None:
    client = Client(registry.provider, policy=registry.policy)
    model = ModelSpec(name="m", litellm_model=litellm_model, **settings)
    client.check(model)
    client.check_keys(model)


@pytest.mark.parametrize(
    ("model", "settings", "said"),
    [
        ("openai/gpt-4o", {}, "OPENAI_API_KEY, which is not set"),
        ("gpt-4o", {}, "OPENAI_API_KEY, which is not set"),
        ("gemini/gemini-2.0-flash", {}, "GOOGLE_API_KEY or GEMINI_API_KEY, which is not set"),
        ("openai/x", {"api_base": "localhost"}, "no address; expected one such as http://"),
        ("openai/x", {"api_base": "localhost:8000/v1"}, "no address"),
        ("openai/o3-mini", {"params": {"temperature": 0.3}}, "says LiteLLM: O-series"),
        ("anthropic/claude-3-haiku-20240307", {"params": {"logit_bias": {}}}, "logit_bias"),
    ],
)
def test_what_cannot_be_asked_is_refused(model: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        check(model, **settings)
    assert "HTTP" not in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "model", "settings"),
    [
        ({"OPENAI_API_KEY": "sk-proj-0123456789"}, "openai/gpt-4o", {}),
        ({"GEMINI_API_KEY": "AIza0123456789"}, "gemini/gemini-2.0-flash", {}),
        ({"HF_TOKEN": "hf_0123456789"}, "huggingface/a/b", {}),
        ({}, "openai/x", {"api_base": "http://localhost:8000/v1", "params": {"top_k": 3}}),
        ({}, "bedrock/anthropic.claude-3-haiku-20240307-v1:0", {}),
        ({}, "ollama_chat/llama3.2", {}),
        ({}, "scripted/random", {}),
    ],
)
def test_what_may_be_asked_is_not(
    variables: dict[str, str],
    model: str,
    settings: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    check(model, **settings)


@pytest.mark.parametrize("value", ["sk-01234\n56789", "sk-0123456789\n", "sk 0123", "sk-\u00e9"])
@pytest.mark.parametrize("named", [None, "OPENAI_API_KEY"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(
    value: str, named: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", value)
    with pytest.raises(UsageError, match="OPENAI_API_KEY holds a line break") as caught:
        check("openai/gpt-4o", api_key_env=named)
    assert "0123" not in str(caught.value)
