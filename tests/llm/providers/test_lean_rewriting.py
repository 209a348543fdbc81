"""Messages that a provider wants otherwise: LiteLLM's own rewriting, called again without it, gives
the bytes that it would have sent, or is not used."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from arena import registry
from arena.core import Message, ModelSpec
from arena.llm.providers.lean.anthropic import answers
from arena.llm.providers.lean.path import LeanPath
from arena.llm.providers.lean.rewriting import LibraryCall
from arena.llm.providers.lean.signing import signing_of
from arena.llm.providers.litellm import LiteLLM, LiteLLMEndpoint
from arena.llm.providers.litellm_transport import answered
from arena.llm.providers.prompt_cache import marked
from arena.llm.providers.protocol import ProviderSettings

CLAUDE = "anthropic/claude-sonnet-4-5"
OF_AMAZON = "bedrock/anthropic.claude-3-haiku-20240307-v1:0"
ROUTES = (
    CLAUDE,
    "gemini/gemini-2.5-flash",
    OF_AMAZON,
    pytest.param("bedrock/amazon.nova-pro-v1:0", marks=pytest.mark.sweep),
)
CARRIED = ("host", "content-length")
KEY = "a-key-of-the-rewriting-qwv"


def said(*turns: str) -> list[Message]:
    return [
        {"role": role, "content": text}
        for role, _, text in (turn.partition(": ") for turn in turns)
    ]


CONVERSATIONS: Mapping[str, Sequence[Message]] = {
    "alone": said("user: Night."),
    "alternating": said("system: é \u2028", "user: a\n", "assistant:  [2] ", "user: \U0001f43a"),
    "several systems": said("system: a", "system: b", "user: c", "system: d", "user: e"),
    "the same twice": said("user: a", "user: b", "assistant: c", "assistant: d", "user: e"),
    "nothing said": said("system: ", "user:  ", "assistant: ", "user: \n"),
    "begun by the assistant": said("assistant: a", "user: b"),
    "ended by the assistant": said("user: a", "assistant: b "),
    "long": said("system: Win.", "user: " + "[Player 1] I say\n" * 2_000),
}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAN_KEY", KEY)
    monkeypatch.setenv("AWS_REGION_NAME", "us-east-1")


def prepared(litellm: LiteLLM, route: str, name: str = "m", **params: Any) -> LiteLLMEndpoint:
    params = {"max_tokens": 50, "temperature": 0.5, **params}
    return litellm.prepare(ModelSpec(name, route, api_key_env="LEAN_KEY", params=params))


async def sent(endpoint: LiteLLMEndpoint, messages: Sequence[Any], **more: Any) -> httpx.Request:
    """What LiteLLM would send."""
    requests: list[httpx.Request] = []

    def keep(_: Any, request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json=answers("m")[0], request=request)

    with answered(keep):
        try:
            await endpoint.provider.send({**endpoint.kwargs, **more}, messages)
        except Exception:  # it is an answer of another protocol
            assert requests
    return requests[0]


async def learned(endpoint: LiteLLMEndpoint) -> LeanPath:
    path = await endpoint.path()
    assert isinstance(path, LeanPath), path
    return path


@pytest.mark.slow
@pytest.mark.parametrize("route", ROUTES)
def test_its_bytes_are_those_that_litellm_sends(route: str) -> None:
    async def run() -> None:
        litellm = LiteLLM(ProviderSettings(20.0, registry.policy, cached=frozenset({"cached"})))
        for name in ("m", "cached"):
            endpoint = prepared(litellm, route, name)
            path = await learned(endpoint)
            assert path.rewriting is not None
            for conversation, messages in CONVERSATIONS.items():
                whole: Sequence[Any] = marked(messages) if endpoint.marks else messages
                theirs = await sent(endpoint, whole, api_key=KEY)
                assert await path.body(whole, None) == theirs.content, (name, conversation)
                head = path.head(path.secrets(KEY, {}) or {}, theirs.content)
                assert head is not None
                assert str(head[0]) == str(theirs.url)
                headers = {n: v for n, v in theirs.headers.items() if n not in CARRIED}
                assert {name.lower(): value for name, value in head[1].items()} == headers
        await litellm.aclose()

    asyncio.run(run())


def test_it_is_not_used_where_its_bytes_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        litellm = LiteLLM(ProviderSettings(20.0, registry.policy))
        litellm.load()
        from litellm.llms.anthropic.chat.transformation import AnthropicConfig

        theirs = AnthropicConfig.transform_request
        times = 0

        def differs(*args: Any, **named: Any) -> Any:
            nonlocal times
            times += 1
            return {**theirs(*args, **named), "metadata": {"user_id": str(times)}}

        monkeypatch.setattr(AnthropicConfig, "transform_request", differs)
        path = await prepared(litellm, CLAUDE).path()
        assert path == "LiteLLM sends something else than its rewriting gives"
        await litellm.aclose()

    asyncio.run(run())


def test_what_litellm_refuses_it_refuses_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rewriting that fails asks LiteLLM, which says what is wrong, and that is said once."""

    async def run() -> None:
        litellm = LiteLLM(ProviderSettings(20.0, registry.policy))
        endpoint = prepared(litellm, CLAUDE)
        await learned(endpoint)
        from litellm.llms.anthropic.chat.transformation import AnthropicConfig

        def refuses(*_: Any, **__: Any) -> Any:
            raise ValueError("no such message is known")

        monkeypatch.setattr(AnthropicConfig, "transform_request", refuses)
        for conversation in ("alone", "alternating"):
            with pytest.raises(Exception, match="no such message is known"):
                await endpoint.ask(CONVERSATIONS[conversation], None)
        assert litellm.news == [
            "some calls of m go through LiteLLM: LiteLLM's rewriting fails (ValueError)"
        ]
        await litellm.aclose()

    asyncio.run(run())


def test_a_secret_is_in_no_path() -> None:
    async def run() -> None:
        litellm = LiteLLM(ProviderSettings(20.0, registry.policy))
        path = await learned(prepared(litellm, CLAUDE))
        assert KEY not in repr(path)
        assert KEY.encode() not in await path.body(CONVERSATIONS["alone"], None)
        await litellm.aclose()

    asyncio.run(run())


def test_each_request_to_amazon_is_signed_as_litellm_signs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHELEANPATH")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-the-lean-path")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-session-of-the-lean-path")
    monkeypatch.setenv("LEAN_TITLE", "a title")
    messages = CONVERSATIONS["alternating"]

    async def run() -> None:
        litellm = LiteLLM(ProviderSettings(20.0, registry.policy))
        params = {"max_tokens": 50, "extra_headers": {"X-Title": "$LEAN_TITLE"}}
        endpoint = litellm.prepare(ModelSpec("m", OF_AMAZON, params=params))
        path = await learned(endpoint)
        assert path.signing is not None
        secrets = path.secrets(None, {"X-Title": "a title"})
        assert secrets is not None
        more = {"extra_headers": {"X-Title": "a title"}}
        body = await path.body(messages, None)
        ours: Mapping[str, str] = {}
        for _ in range(20):
            # A signature is of its second.
            theirs = await sent(endpoint, messages, **more)
            head = path.head(secrets, body)
            assert head is not None
            ours = {name.lower(): value for name, value in head[1].items()}
            if ours["x-amz-date"] == theirs.headers["x-amz-date"]:
                break
        assert theirs.content == body
        assert ours == {n: v for n, v in theirs.headers.items() if n not in CARRIED}
        # Without its key nothing is signed, and LiteLLM is asked.
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        assert path.head(secrets, body) is None
        await litellm.aclose()

    asyncio.run(run())


def test_an_access_key_that_litellm_renews_is_its_own() -> None:
    class Renewed:
        access_key, secret_key, token = "AKIA", "secret", "of another hour"

    call = LibraryCall(print, (), {"credentials": Renewed()})
    assert signing_of(call) == "LiteLLM finds and renews its access key by itself"
    assert signing_of(LibraryCall(print, (), {"credentials": None})) is None
