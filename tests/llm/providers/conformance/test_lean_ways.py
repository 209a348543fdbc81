"""A request goes where LiteLLM would have it: through a proxy, to an address with more to it, with
the key of the moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from arena import registry
from arena.core import ModelSpec
from arena.llm.providers.lean.path import LeanPath
from arena.llm.providers.litellm import LiteLLM
from arena.llm.providers.protocol import ProviderSettings
from tests.llm.providers.conformance.compared import KEY, TITLE, compared, made
from tests.llm.providers.conformance.openai_like import PLAIN, cases
from tests.servers.canned_server import Asked, CannedServer

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAN_KEY", KEY)
    monkeypatch.setenv("LEAN_TITLE", TITLE)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


async def both_ways(route: str, api_base: str, server: CannedServer) -> list[dict[str, Any]]:
    """What becomes of one request by the lean path, and of one through LiteLLM."""
    litellm = LiteLLM(ProviderSettings(10.0, registry.policy))
    endpoint = litellm.prepare(ModelSpec(
        "m", route, api_base=api_base, api_key_env="LEAN_KEY", input_price=1.0, output_price=2.0
    ))  # fmt: skip
    assert isinstance(await endpoint.path(), LeanPath)
    server.queue.extend([PLAIN] * 2)
    found = [await made(endpoint, None, lean=lean) for lean in (True, False)]
    await litellm.aclose()
    return found


@pytest.mark.parametrize("route", ["openai/any", "mistral/any"])
def test_a_proxy_of_the_environment_is_used(route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        ours, theirs = asyncio.run(both_ways(route, "http://models.invalid/v1", proxy))
        assert ours == theirs
        mine, other = proxy.requests
        assert mine.target == other.target == "http://models.invalid/v1/chat/completions"


@pytest.mark.parametrize("route", ["openai/any", "mistral/any"])
def test_an_address_that_is_no_matter_of_the_proxy_is_asked_itself(
    route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CannedServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "models.invalid")
        ours, theirs = asyncio.run(both_ways(route, "http://models.invalid/v1", proxy))
        assert ours == theirs
        assert ours["fault"] == "host"
        assert not proxy.requests


@pytest.mark.parametrize("base", ["/a/longer/path/v1/", "/v1?tenant=a"])
def test_an_address_may_have_more_to_it(base: str) -> None:
    asked = replace(cases("openai/any"), base=base)
    found = asyncio.run(compared(asked, "few", stream=False, only=["plain", "429"]))
    assert isinstance(found.path, LeanPath)
    assert not found.differences, "\n".join(found.differences)


def test_the_key_is_that_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def asked(server: CannedServer) -> list[Asked]:
        litellm = LiteLLM(ProviderSettings(10.0, registry.policy))
        model = ModelSpec("m", "openai/any", api_base=server.url, api_key_env="LEAN_KEY")
        endpoint = litellm.prepare(model)
        for key in ("the-first-key-0123", "the-second-key-456"):
            monkeypatch.setenv("LEAN_KEY", key)
            server.queue.append(PLAIN)
            await endpoint.ask([{"role": "user", "content": "Night."}], None)
        await litellm.aclose()
        return server.requests

    with CannedServer() as server:
        sent = [request.headers["authorization"] for request in asyncio.run(asked(server))]
    assert sent == ["Bearer the-first-key-0123", "Bearer the-second-key-456"]
