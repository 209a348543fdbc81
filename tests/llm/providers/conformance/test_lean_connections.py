"""What can go wrong with a connection is the same fault as through LiteLLM: with its certificate,
at a proxy, and with one that was kept open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from arena import registry
from arena.core import ModelSpec
from arena.llm.failures.kinds import RULES, FaultKind
from arena.llm.providers.lean.path import LeanPath
from arena.llm.providers.litellm import LiteLLM
from arena.llm.providers.protocol import ProviderSettings
from tests.llm.providers.conformance.compared import KEY, made
from tests.llm.providers.conformance.openai_like import PLAIN
from tests.servers.canned_server import CERTIFICATE, Canned, CannedServer

pytestmark = pytest.mark.slow

# One that the SDK of OpenAI sends, and one that LiteLLM sends by itself.
ROUTES = [
    pytest.param("openai/any"),
    pytest.param("mistral/any", marks=pytest.mark.sweep),
]
FAR = "https://models.invalid/v1"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAN_KEY", KEY)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)


def both_ways(
    route: str, api_base: str, server: CannedServer | None = None, *answers: Canned
) -> list[dict[str, Any]]:
    """What becomes of requests that are answered so, by the lean path; the same through LiteLLM."""

    async def asked() -> list[list[dict[str, Any]]]:
        found = []
        litellm = LiteLLM(ProviderSettings(10.0, registry.policy))
        model = ModelSpec(
            "m", route, api_base=api_base, api_key_env="LEAN_KEY", input_price=1.0, output_price=2.0
        )
        endpoint = litellm.prepare(model)
        assert isinstance(await endpoint.path(), LeanPath)
        for lean in (True, False):
            if server is not None:
                server.queue.extend(answers)
            found.append([await made(endpoint, None, lean=lean) for _ in answers or (None,)])
            if server is not None:
                server.queue.clear()
        await litellm.aclose()
        return found

    ours, theirs = asyncio.run(asked())
    assert ours == theirs
    return ours


def never_sent(found: Sequence[Mapping[str, Any]], kind: FaultKind, words: str) -> None:
    """Nothing is charged, and a person is told this of it."""
    [fault] = found
    assert (fault["fault"], fault["billed"]) == (kind, False)
    assert words in RULES[kind].advice


@pytest.mark.parametrize("route", ROUTES)
def test_a_certificate_that_nobody_has_signed_is_not_trusted(route: str) -> None:
    with CannedServer(safe=True) as server:
        found = both_ways(route, server.url)
        assert not server.requests
    never_sent(found, FaultKind.CERTIFICATE, "The server's certificate is not trusted")
    assert "self-signed certificate" in found[0]["message"]


@pytest.mark.parametrize("route", ROUTES)
def test_a_certificate_of_ones_own_is_trusted_for_its_own_name_only(
    route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with CannedServer(safe=True) as server:
        [answer] = both_ways(route, server.url, server, PLAIN)
        assert "text" in answer
        assert len(server.requests) == 2
        found = both_ways(route, server.url.replace("127.0.0.1", "localhost"))
        assert len(server.requests) == 2
    never_sent(found, FaultKind.CERTIFICATE, "SSL_CERT_FILE")
    assert "mismatch" in found[0]["message"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("status", [407, 403])
def test_a_proxy_may_let_nothing_through(
    route: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CannedServer() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        refusal = Canned(b"", status, closes=True)
        found = both_ways(route, FAR, proxy, refusal)
        targets = [(asked.method, asked.target) for asked in proxy.requests]
        assert targets == [("CONNECT", "models.invalid:443")] * 2
        assert all("authorization" not in asked.headers for asked in proxy.requests)
    never_sent(found, FaultKind.PROXY, "HTTPS_PROXY")


@pytest.mark.parametrize("route", ROUTES)
def test_a_proxy_may_be_gone(route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer() as proxy:
        gone = proxy.url
    monkeypatch.setenv("HTTPS_PROXY", gone)
    never_sent(both_ways(route, FAR), FaultKind.PROXY, "NO_PROXY")


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_that_was_kept_open_may_take_no_request(route: str, reset: bool) -> None:
    with CannedServer() as server:
        first, lost, after = both_ways(
            route, server.url, server, PLAIN, Canned(raw=b"", reset=reset), PLAIN
        )
        assert len(server.requests) == 6
    assert first == after
    never_sent([lost], FaultKind.UNREACHABLE, "Nothing listens")


@pytest.mark.parametrize("route", ROUTES)
def test_one_that_ends_within_an_answer_has_taken_it(route: str) -> None:
    with CannedServer() as server:
        begun = Canned(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{")
        first, lost, after = both_ways(route, server.url, server, PLAIN, begun, PLAIN)
    assert first == after
    assert (lost["fault"], lost["billed"]) == (FaultKind.LOST, True)
