"""What a model's params may not be: another address, a file, tools, a written header."""

from __future__ import annotations

from typing import Any

import pytest

from arena.core import ModelSpec, UsageError
from arena.llm.request import check_params, check_written, stored_request
from arena.llm.secrets import headers_of, secrets_of


@pytest.mark.parametrize(
    "params",
    [
        {"aws_bedrock_runtime_endpoint": "evil.example"},
        {"proxy_url": "x"},
        {"azure_endpoint": "x"},
        {"anything": "https://evil.example"},
        {"vertex_location": "evil.example/#"},
        {"aws_region_name": "evil.example/"},
        {"ssl_verify": False},
        {"vertex_file": "/etc/passwd"},
        {"vertex_file": "~/key.json"},
        {"vertex_file": "../key.json"},
        {"aws_x": "os.environ/HOME"},
        {"aws_x": "oidc/env/HOME"},
        {"vertex_credentials": '{"token_url": "https:\\/\\/evil.example"}'},
        {"vertex_credentials": {"credential_source": {"file": "/etc/passwd"}}},
        {"aws_web_identity_token": "OPENAI_API_KEY", "aws_role_name": "x"},
        {"some": [{"settings": {"service_key": "x"}}]},
        {"some": {"settings": ["os.environ/HOME"]}},
        {"headers": {"A": "$B"}},
        {"extra_headers": {"X-Title": "Arena"}},
        {"extra_headers": {"Host": "$HOST_NAME"}},
        {"extra_headers": {"A\r\nB": "$HOST_NAME"}},
        {"extra_headers": ["A"]},
    ],
)
def test_a_way_out_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        check_params(ModelSpec("m", "openai/x", params))


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"temperature": "hot"}, "the temperature 'hot' in its params; expected a number, 0"),
        ({"temperature": True}, "expected a number"),
        ({"top_p": float("nan")}, "expected a number"),
        ({"max_tokens": "100"}, "the max_tokens '100' in its params; expected a whole number, 1"),
        ({"max_tokens": 0}, "1 or more"),
        ({"max_completion_tokens": 10.5}, "expected a whole number"),
        ({"seed": [1]}, "expected a whole number, or per_call"),
    ],
)
def test_numbers_are_numbers(params: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_params(ModelSpec("m", "openai/x", params))


def test_an_address_for_a_name_is_refused() -> None:
    with pytest.raises(UsageError, match="`api_base`"):
        check_params(ModelSpec("m", "huggingface/https://evil.example"))


@pytest.mark.parametrize(
    "params",
    [
        {"stop": "/", "user": "me", "vertex_location": "europe-west1"},
        {"extra_body": {"provider": {"order": ["x"]}, "metadata": {"url": "https://a.example"}}},
        {"model_id": "arn:aws:bedrock:eu-west-1:1:inference-profile/x"},
        {"temperature": 0, "top_k": -1, "presence_penalty": -0.5, "seed": None, "max_tokens": 9},
        {"extra_headers": {"Authorization": "Bearer $GATEWAY_KEY", "X-Title": "${MY_TITLE}"}},
    ],
)
def test_ordinary_params_pass(params: dict[str, Any]) -> None:
    check_params(ModelSpec("m", "openai/x", params))


@pytest.mark.parametrize("name", ["tools", "tool_choice", "functions", "function_call"])
def test_tools_of_a_model_are_refused_with_the_reason(name: str) -> None:
    with pytest.raises(UsageError, match="nobody would read the calls of tools"):
        check_written(ModelSpec("m", "openai/x", {name: []}))


def test_headers_are_read_from_variables_and_never_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"Authorization": "Bearer $GATEWAY_KEY", "X-Title": "${MY_TITLE}"}
    model = ModelSpec("m", "openai/x", {"extra_headers": headers, "temperature": 0})
    monkeypatch.setenv("GATEWAY_KEY", "hunter22\n")
    with pytest.raises(UsageError, match="X-Title in the environment variable MY_TITLE"):
        headers_of(model)
    monkeypatch.setenv("MY_TITLE", "An arena")
    assert headers_of(model) == {"Authorization": "Bearer hunter22", "X-Title": "An arena"}
    assert {"hunter22", "An arena"} <= {*secrets_of(model)}
    assert stored_request(model, None) == {"temperature": 0, "also_sent": ["extra_headers"]}
    monkeypatch.setenv("MY_TITLE", "An\r\nX-Evil: 1")
    with pytest.raises(UsageError, match="a line break"):
        headers_of(model)
