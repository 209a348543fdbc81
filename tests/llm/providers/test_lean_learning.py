"""How a model is asked is learned once, and whatever becomes of that, the model is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from arena import registry
from arena.core import ModelSpec
from arena.llm.providers.lean.chat import CHAT
from arena.llm.providers.lean.path import LeanPath
from arena.llm.providers.litellm import LiteLLM, LiteLLMEndpoint
from arena.llm.providers.litellm_learning import Learning
from arena.llm.providers.protocol import ProviderSettings
from tests.servers.canned_server import Canned, CannedServer

PLAIN = Canned(CHAT.body(CHAT.answers("m")[0]))


def endpoint_of(url: str, **params: Any) -> tuple[LiteLLM, LiteLLMEndpoint]:
    litellm = LiteLLM(ProviderSettings(20.0, registry.policy))
    model = ModelSpec(
        "m", "openai/m", api_base=f"{url}/v1", api_key_env="LEAN_LEARNED_KEY", params=params
    )
    return litellm, litellm.prepare(model)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAN_LEARNED_KEY", "a-key-for-learning-qwv")


@pytest.mark.slow
def test_two_hundred_calls_learn_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    learned = []
    learn = Learning.path

    async def counted(self: Learning) -> Any:
        learned.append(self)
        return await learn(self)

    monkeypatch.setattr(Learning, "path", counted)

    async def ask() -> list[LeanPath | str]:
        litellm, endpoint = endpoint_of("http://127.0.0.1:9")
        try:
            return await asyncio.gather(*(endpoint.path() for _ in range(200)))
        finally:
            await litellm.aclose()

    paths = asyncio.run(ask())
    assert isinstance(paths[0], LeanPath)
    assert len(learned) == 1
    assert all(path is paths[0] for path in paths)


@pytest.mark.slow
def test_a_model_that_cannot_be_learned_is_asked_through_litellm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(self: Learning) -> Any:
        raise AttributeError("another version has it elsewhere")

    monkeypatch.setattr(Learning, "path", broken)

    async def ask() -> list[str]:
        with CannedServer() as server:
            litellm, endpoint = endpoint_of(server.url)
            try:
                server.queue.append(PLAIN)
                told = await endpoint.ask([{"role": "user", "content": "?"}], None)
                return [told.completion.text, *litellm.news]
            finally:
                await litellm.aclose()

    text, news = asyncio.run(ask())
    assert text == "[3] It is I."
    assert news.endswith("learning how it is asked fails: AttributeError")


@pytest.mark.slow
def test_learning_that_was_cancelled_begins_again() -> None:
    async def ask() -> LeanPath | str:
        litellm, endpoint = endpoint_of("http://127.0.0.1:9")
        try:
            before = asyncio.all_tasks()
            first = asyncio.create_task(endpoint.path())
            await asyncio.sleep(0)
            for task in asyncio.all_tasks() - before:
                task.cancel()
            await asyncio.gather(first, return_exceptions=True)
            return await endpoint.path()
        finally:
            await litellm.aclose()

    assert isinstance(asyncio.run(ask()), LeanPath)


@pytest.mark.slow
def test_a_header_may_have_the_name_of_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAN_LEARNED_HEADER", "the value of the header")

    async def ask() -> Mapping[str, str]:
        with CannedServer() as server:
            headers = {"Key": "$LEAN_LEARNED_HEADER"}
            litellm, endpoint = endpoint_of(server.url, extra_headers=headers)
            try:
                assert isinstance(await endpoint.path(), LeanPath)
                server.queue.append(PLAIN)
                await endpoint.ask([{"role": "user", "content": "?"}], None)
                return server.requests[0].headers
            finally:
                await litellm.aclose()

    sent = asyncio.run(ask())
    assert sent["key"] == "the value of the header"
    assert sent["authorization"] == "Bearer a-key-for-learning-qwv"


@pytest.mark.slow
def test_a_key_that_begins_like_another_is_put_in_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SHORTER_KEY", "sk-begins-alike")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-begins-alike-and-is-longer")

    async def learned() -> LeanPath | str:
        litellm = LiteLLM(ProviderSettings(20.0, registry.policy))
        try:
            return await litellm.prepare(ModelSpec("m", "openai/gpt-4o")).path()
        finally:
            await litellm.aclose()

    path = asyncio.run(learned())
    assert isinstance(path, LeanPath)
    assert [*path.variables.values()] == ["OPENAI_API_KEY"]
    assert "longer" not in path.template.headers["authorization"]
