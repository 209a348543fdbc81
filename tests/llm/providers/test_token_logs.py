"""Tokens and their log-probabilities: asked for and stored where a run wants them, and no part of
the request that is recorded."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from arena.core import ModelSpec
from arena.llm.failures.inside import Heard
from arena.llm.providers.token_logs import listen, recorded_tokens
from tests.clients import client
from tests.llm.providers.test_litellm_provider import Log, ask
from tests.servers.openai_server import OpenAIServer

SAID = {"tokens": ["we", " vote", " [2]"], "token_logprobs": [0.0, -0.125, -0.25]}


def asked(spec: ModelSpec, *, logprobs: bool) -> tuple[dict[str, Any], Log]:
    """What the server was sent, and what is on record."""
    log = Log()

    async def main(server: OpenAIServer) -> None:
        asking = client(retries=0, logprobs=logprobs)
        await ask(asking, replace(spec, api_base=server.url), log)
        await asking.aclose()

    with OpenAIServer(["we vote [2]"]) as server:
        asyncio.run(main(server))
        return server.requests[0].body, log


@pytest.mark.parametrize("stream", [False, True])
def test_they_are_asked_for_stored_and_no_part_of_the_request(stream: bool) -> None:
    spec = ModelSpec("loop", "openai/loopback", stream=stream)
    plain, before = asked(spec, logprobs=False)
    body, log = asked(spec, logprobs=True)
    assert "logprobs" not in plain
    assert body == {**plain, "logprobs": True}
    assert (log.answers[0].response or {})["logprobs"] == SAID
    assert log.answers[0].text == "we vote [2]"
    # The same request to whoever compares it with the record.
    assert log.intents[0].request_hash == before.intents[0].request_hash
    assert log.intents[0].request == before.intents[0].request
    assert "logprobs" not in (before.answers[0].response or {})


@pytest.mark.parametrize("stream", [False, True])
def test_vllm_is_asked_for_the_ids_too(stream: bool) -> None:
    spec = ModelSpec("loop", "hosted_vllm/loopback", stream=stream, params={"temperature": 0.5})
    body, log = asked(spec, logprobs=True)
    assert body["return_token_ids"] is True
    response = log.answers[0].response or {}
    assert (response["token_ids"], response["logprobs"]) == ([100, 101, 102], SAID)


def test_a_model_that_asks_by_its_own_params_is_heard_too() -> None:
    spec = ModelSpec("loop", "openai/loopback", params={"logprobs": True})
    _, log = asked(spec, logprobs=False)
    assert (log.answers[0].response or {})["logprobs"] == SAID


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"logprobs": None},
        {"logprobs": "none"},
        {"logprobs": {"content": None}},
        {"logprobs": {"content": [None, 7, {"token": 3}]}},
        {"logprobs": {"tokens": "abc", "token_logprobs": [1]}},
        {"token_ids": [1, "2"]},
        {"token_ids": [True]},
        {"token_ids": [-1]},
        {"token_ids": {"a": 1}},
    ],
)
def test_what_is_no_list_of_tokens_is_left_out(odd: dict[str, Any]) -> None:
    heard = Heard()
    listen(odd, heard)
    assert recorded_tokens(heard) == {}


def test_numbers_that_are_none_are_unknown_and_long_tokens_are_cut() -> None:
    heard = Heard()
    numbers = [float("nan"), float("-inf"), True, "-1", None, -2]
    content = [{"token": "x" * 1000, "logprob": number} for number in numbers]
    listen({"logprobs": {"content": content}}, heard)
    said = recorded_tokens(heard)["logprobs"]
    assert said["token_logprobs"] == [None] * 5 + [-2.0]
    assert {len(token) for token in said["tokens"]} == {256}


def test_the_older_form_is_read_too() -> None:
    heard = Heard()
    listen({"logprobs": {"tokens": ["a", "b"], "token_logprobs": [None, -1]}}, heard)
    assert recorded_tokens(heard)["logprobs"] == {
        "tokens": ["a", "b"],
        "token_logprobs": [None, -1.0],
    }
