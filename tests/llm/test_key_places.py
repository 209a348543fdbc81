"""A key goes to its own provider, and elsewhere only where the user has allowed it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from arena.core import ModelSpec, UsageError
from arena.llm.key_places import Pair, allow, allowed, allowed_file, check_places, forget, place_of


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def model(name: str, variable: str | None = None, base: str | None = None, **params: Any) -> Any:
    return ModelSpec("m", name, params, api_base=base, api_key_env=variable)


@pytest.mark.parametrize(
    ("name", "variable", "base"),
    [
        ("openai/gpt-4o-mini", "OPENAI_API_KEY", None),
        ("gpt-4o-mini", "MY_OPENAI_KEY_2", None),
        ("claude-sonnet-4", "ANTHROPIC_API_KEY", None),
        ("gemini/gemini-2.5-flash", "GOOGLE_API_KEY", None),
        ("together_ai/x", "TOGETHER_API_KEY", None),
        ("together_ai/x", "TOGETHERAI_API_KEY", None),
        ("fireworks_ai/x", "FIREWORKS_AI_API_KEY", None),
        ("huggingface/x", "HF_TOKEN", None),
        ("xai/grok-4", "XAI_API_KEY", None),
        ("openai/deepseek-chat", "DEEPSEEK_API_KEY", "https://api.deepseek.com/v1"),
        ("openai/x", "OPENROUTER_API_KEY", "https://openrouter.ai/api/v1"),
        ("azure/x", "AZURE_API_KEY", "https://mine.openai.azure.com"),
        ("bedrock/x", None, "https://bedrock-runtime.eu-west-1.amazonaws.com"),
        ("openai/local", None, "http://127.0.0.1:8000/v1"),
        ("bedrock/x", None, None),
    ],
)
def test_a_key_goes_to_its_provider(name: str, variable: str | None, base: str | None) -> None:
    check_places(model(name, variable, base))


@pytest.mark.parametrize(
    ("name", "variable", "base", "place"),
    [
        ("openai/x", "OPENAI_API_KEY", "https://evil.example/v1", "evil.example"),
        ("openai/x", "OPENAI_API_KEY", "http://127.0.0.1:9/v1", "127.0.0.1:9"),
        ("openai/x", "OPENAI_API_KEY", "http://api.openai.com/v1", "api.openai.com"),
        ("openai/x", "OPENAI_API_KEY", "https://api.openai.com:444/v1", "api.openai.com:444"),
        ("openai/x", "OPENAI_API_KEY", "https://api.openai.com.evil.example", None),
        ("openai/x", "OPENAI_API_KEY", "https://evil.example/api.openai.com", "evil.example"),
        ("openai/x", "OPENAI_API_KEY", "https://api.deepseek.com", "api.deepseek.com"),
        ("openai/x", "GITHUB_TOKEN", None, "openai"),
        ("openai/x", "ANTHROPIC_API_KEY", None, "openai"),
        ("gpt-4o", "AWS_SECRET_ACCESS_KEY", None, "openai"),
        ("openai/x", "HOME", "http://[::1]:8080/v1", "[::1]:8080"),
        ("vertex_ai/x", None, "https://evil.example/v1", "evil.example"),
        ("bedrock/x", None, "https://ec2-1-2-3-4.compute.amazonaws.com", None),
        ("azure/x", None, "https://evil.example", "evil.example"),
        ("gigachat/x", None, "https://evil.example", "evil.example"),
        ("github_copilot/x", None, "https://evil.example", "evil.example"),
        ("sap/x", None, "https://evil.example", "evil.example"),
        ("oci/x", None, "https://evil.example", "evil.example"),
    ],
)
def test_anywhere_else_it_is_asked_for_once(
    name: str, variable: str | None, base: str | None, place: str | None
) -> None:
    asking = model(name, variable, base)
    with pytest.raises(UsageError, match="arena keys add") as caught:
        check_places(asking)
    command = str(caught.value).rpartition("arena keys add ")[2].split()
    assert place is None or command[1] == place
    allow(Pair(command[0], place_of(command[1])))
    check_places(asking)
    assert forget(Pair(command[0], command[1]))
    with pytest.raises(UsageError):
        check_places(asking)


def test_a_host_is_allowed_with_all_of_its_ports_or_with_one() -> None:
    allow(Pair("A_KEY", "127.0.0.1"))
    check_places(model("openai/x", "A_KEY", "http://127.0.0.1:1/v1"))
    allow(Pair("B_KEY", "127.0.0.1:1"))
    with pytest.raises(UsageError):
        check_places(model("openai/x", "B_KEY", "http://127.0.0.1:2/v1"))
    with pytest.raises(UsageError):
        check_places(model("openai/x", "C_KEY", "http://127.0.0.1:1/v1"))
    assert json.loads(allowed_file().read_text()) == [
        ["A_KEY", "127.0.0.1"],
        ["B_KEY", "127.0.0.1:1"],
    ]
    assert allowed_file().stat().st_mode & 0o077 == 0
    allowed_file().write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        allowed()


def test_the_variables_of_headers_are_keys_too() -> None:
    headers = {"X-Gateway-Key": "$AWS_SECRET_ACCESS_KEY"}
    with pytest.raises(UsageError, match="arena keys add AWS_SECRET_ACCESS_KEY openrouter"):
        check_places(model("openrouter/x", extra_headers=headers))
    check_places(model("openrouter/x", extra_headers={"X-Title": "$OPENROUTER_TITLE"}))


@pytest.mark.parametrize(
    "base", ["https://api.openai.com\\@evil.example", "https://a@evil.example", "https:// x"]
)
def test_an_address_that_can_be_read_in_two_ways_is_refused(base: str) -> None:
    with pytest.raises(UsageError):
        check_places(model("openai/x", "OPENAI_API_KEY", base))
