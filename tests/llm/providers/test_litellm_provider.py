"""LiteLLM as a provider: two in one process do not hurt each other, and leave the process alone."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import pytest

from arena import registry
from arena.core import CallAnswer, CallIntent, CallOptions, ModelSpec, PluginError
from arena.llm.clearance import LocalClearance
from arena.llm.client import Client
from arena.llm.pacing.limits import Limits
from arena.llm.providers.litellm import LiteLLM
from arena.llm.providers.protocol import ProviderSettings
from arena.llm.turn import TurnLLM
from tests.clients import client
from tests.servers.openai_server import OpenAIServer, Reply

HELLO = [{"role": "user", "content": "hello there"}]
# A route that streams through the client that LiteLLM keeps for its whole module.
ANTHROPIC = "anthropic/loopback"


class Log:
    def __init__(self) -> None:
        self.intents: list[CallIntent] = []
        self.answers: list[CallAnswer] = []

    async def intend(self, intent: CallIntent) -> None:
        self.intents.append(intent)

    async def answer(self, answer: CallAnswer) -> None:
        self.answers.append(answer)


def model(server: OpenAIServer, *, stream: bool = False) -> ModelSpec:
    return ModelSpec("loop", "openai/loopback", api_base=server.url, stream=stream)


async def ask(asked: Client, spec: ModelSpec, log: Log | None = None) -> str:
    log = log or Log()
    clearance = LocalClearance(Limits())
    return (await asked.complete(spec, HELLO, log=log, clearance=clearance)).text


@pytest.mark.parametrize("stream", [False, True])
def test_headers_come_from_variables_and_are_on_no_record(
    stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARENA_TEST_KEY", "gateway-hunter22")
    monkeypatch.setenv("TEST_KEY", "An arena")
    headers = {"X-Gateway": "$ARENA_TEST_KEY", "X-Title": "${TEST_KEY}"}
    log = Log()

    async def main(spec: ModelSpec) -> None:
        asked = client(retries=0)
        await ask(asked, spec, log)
        await asked.aclose()

    with OpenAIServer(lambda body: Reply("It is gateway-hunter22.")) as server:
        spec = model(server, stream=stream)
        asyncio.run(main(replace(spec, params={"extra_headers": headers})))
        sent = {name.lower(): value for name, value in server.requests[0].headers.items()}
    assert (sent["x-gateway"], sent["x-title"]) == ("gateway-hunter22", "An arena")
    assert "x-gateway" not in json.dumps(server.requests[0].body).lower()
    assert "hunter22" not in repr(log.intents)


@pytest.mark.parametrize("stream", [False, True])
def test_closing_one_client_cuts_no_call_of_another(stream: bool) -> None:
    """A request that is answered only when the other client has been closed."""
    closed, all_there = threading.Event(), threading.Event()

    def reply(body: dict[str, Any]) -> Reply:
        if body["messages"][0]["content"] == "warm":
            return Reply("warmed")
        if len(server.requests) == 10:
            all_there.set()
        return Reply("we vote for [2]", after=closed, gap=0.01)

    log = Log()
    with OpenAIServer(reply) as server:
        spec = model(server, stream=stream)

        async def main() -> list[str]:
            one, other = client(retries=0), client(retries=0)
            for asked in (one, other):
                await asked.complete(
                    spec,
                    [{"role": "user", "content": "warm"}],
                    log=Log(),
                    clearance=LocalClearance(Limits()),
                )
            calls = [asyncio.create_task(ask(one, spec, log)) for _ in range(8)]
            await asyncio.to_thread(all_there.wait, 20)
            await other.aclose()
            closed.set()
            try:
                return await asyncio.gather(*calls)
            finally:
                await one.aclose()

        assert asyncio.run(main()) == ["we vote for [2]"] * 8
        assert len(server.requests) == 10, "no request was sent twice"
    assert [answer.error_class for answer in log.answers] == [None] * 8
    assert [intent.attempt for intent in log.intents] == [0] * 8


def test_a_client_that_was_closed_can_be_used_again() -> None:
    with OpenAIServer(["ok"]) as server:

        async def main() -> list[str]:
            asked = client(retries=0)
            texts = []
            for _ in range(2):
                texts.append(await ask(asked, model(server)))
                await asked.aclose()
            return texts

        assert asyncio.run(main()) == ["ok", "ok"]


@pytest.mark.parametrize("stream", [False, True])
def test_one_client_lives_through_two_event_loops(stream: bool) -> None:
    asked = client(retries=0)
    with OpenAIServer(["ok"]) as server:

        async def main() -> str:
            try:
                return await ask(asked, model(server, stream=stream))
            finally:
                await asked.aclose()

        assert [asyncio.run(main()) for _ in range(2)] == ["ok", "ok"]
        assert len(server.requests) == 2


def test_two_clients_in_two_loops_at_once() -> None:
    texts: list[str] = []

    def play(server: OpenAIServer) -> None:
        async def main() -> None:
            asked = client(retries=0)
            calls = (ask(asked, model(server)) for _ in range(20))
            texts.extend(await asyncio.gather(*calls))
            await asked.aclose()

        asyncio.run(main())

    with OpenAIServer(["ok"]) as server:
        threads = [threading.Thread(target=play, args=(server,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert texts == ["ok"] * 40
        assert len(server.requests) == 40


def test_the_client_that_litellm_keeps_for_its_module_is_each_providers_own() -> None:
    """Streams of Anthropic's, among others, are sent by `litellm.module_level_aclient`."""
    settings = ProviderSettings(5.0, registry.policy)

    async def main() -> None:
        one, other = LiteLLM(settings), LiteLLM(settings)
        one.load()
        other.load()
        import litellm

        def found(provider: LiteLLM) -> Any:
            assert provider._connections is not None
            with provider._connections.used():
                return litellm.module_level_aclient.client

        first, second, outside = found(one), found(other), litellm.module_level_aclient.client
        assert len({id(first), id(second), id(outside)}) == 3
        assert found(one) is first
        await other.aclose()
        assert (first.is_closed, second.is_closed, outside.is_closed) == (False, True, False)
        await one.aclose()
        await litellm.close_litellm_async_clients()
        litellm.in_memory_llm_clients_cache.flush_cache()

    asyncio.run(main())


MARKS = """
import asyncio, gc, json, locale, logging, os, signal, sys, warnings
import tests.llm.providers.test_litellm_provider as here
from tests.servers.openai_server import OpenAIServer

def marks():
    return {
        "environment": dict(os.environ),
        "filters": [str(one) for one in warnings.filters],
        "frozen": gc.get_freeze_count(),
        "collector": [gc.isenabled(), gc.get_threshold()],
        "signals": [str(signal.getsignal(number)) for number in signal.valid_signals()],
        "logging": [
            logging.getLogger().level, len(logging.getLogger().handlers), logging.raiseExceptions,
            logging.getLogger("LiteLLM").level, logging.root.manager.disable,
        ],
        "interval": sys.getswitchinterval(),
        "hooks": [str(sys.excepthook), str(sys.unraisablehook), str(sys.displayhook)],
        "locale": locale.setlocale(locale.LC_ALL),
        "stdout": str(sys.stdout),
        "recursion": sys.getrecursionlimit(),
    }

with OpenAIServer(["ok"]) as server:
    async def main():
        asked = here.client(retries=0)
        for stream in (False, True):
            await here.ask(asked, here.model(server, stream=stream))
        await here.ask(asked, here.ModelSpec("r", "scripted/random"))
        await asked.aclose()

    before = marks()
    asyncio.run(main())
    after = marks()
changed = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
print(json.dumps(changed))
"""


@pytest.mark.slow
def test_calls_leave_the_process_as_it_was() -> None:
    """Warning filters, the collector, the environment, signals, logging: they are the caller's."""
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", MARKS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}


STREAM = """
import asyncio, warnings
import tests.llm.providers.test_litellm_provider as here
from tests.servers.openai_server import OpenAIServer, Reply

with OpenAIServer([Reply("a stream of words", reasoning="hm")]) as server:
    async def main():
        asked = here.client(retries=0)
        asked.load([here.model(server)])
        warnings.simplefilter("error")
        print(await here.ask(asked, here.model(server, stream=True)))
        await asked.aclose()

    asyncio.run(main())
"""


@pytest.mark.sweep
def test_a_stream_warns_of_nothing_where_warnings_are_errors() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STREAM], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("a stream of words\n", "", 0)


TOOL = {"type": "function", "function": {"name": "act", "parameters": {"type": "object"}}}
FORM = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}


def test_forms_of_an_answer_are_sent_to_providers_that_have_them() -> None:
    """Neither the tools, for which LiteLLM would look for a package that is not installed, nor what
    a provider lacks, for which it would refuse the call, keeps a model from answering."""

    async def sent(name: str) -> set[str]:
        options = CallOptions(response_format=FORM, tools=(TOOL,), tool_choice="required")
        with OpenAIServer(["[1]"]) as server:
            spec = ModelSpec("loop", name, api_base=server.url)
            asked = client()
            llm = TurnLLM(asked, spec, Log(), clearance=LocalClearance(Limits(patience=0.0)))
            assert (await llm.complete(HELLO, options)).text == "[1]"
            await asked.aclose()
            [request] = server.requests
        return {"response_format", "tools", "tool_choice"} & request.body.keys()

    assert asyncio.run(sent("openai/loopback")) == {"response_format", "tools", "tool_choice"}
    assert asyncio.run(sent("perplexity/loopback")) == {"response_format"}


@pytest.mark.parametrize(
    "moved",
    ["LLMClientCache", "in_memory_llm_clients_cache", "module_level_aclient", "get_llm_provider"],
)
def test_a_version_of_litellm_that_moved_a_name_is_told_with_those_that_work(
    moved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    LiteLLM(ProviderSettings(1.0, registry.policy)).load()
    known = sys.modules["litellm"]

    class Later:
        def __getattr__(self, name: str) -> Any:
            if name == moved:
                raise AttributeError(f"module 'litellm' has no attribute {name!r}")
            return getattr(known, name)

    monkeypatch.setitem(sys.modules, "litellm", Later())
    with pytest.raises(PluginError) as caught:
        LiteLLM(ProviderSettings(1.0, registry.policy)).load()
    said = str(caught.value)
    assert f"LiteLLM {version('litellm')} does not work with this arena: it raised" in said
    assert moved in said
    assert said.endswith("python -m pip install 'litellm<1.110,>=1.106'")


def test_a_litellm_that_cannot_be_imported_is_told_with_those_that_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "litellm", None)
    with pytest.raises(PluginError, match="does not work with this arena: it raised Module"):
        LiteLLM(ProviderSettings(1.0, registry.policy)).check(ModelSpec("m", "openai/gpt-4o-mini"))


def test_a_conversation_that_is_not_sent_as_it_is_goes_through_litellm_and_is_told_once() -> None:
    async def asked(server: OpenAIServer) -> list[str]:
        litellm = LiteLLM(ProviderSettings(5.0, registry.policy))
        model = ModelSpec("m", "mistral/mistral-small-latest", api_base=server.url)
        endpoint = litellm.prepare(model)
        await endpoint.ask(HELLO, None)
        assert not litellm.news
        for _ in range(2):
            await endpoint.ask([{"role": "user", "content": " "}, *HELLO], None)
        await litellm.aclose()
        return litellm.news

    with OpenAIServer() as server:
        news = asyncio.run(asked(server))
    assert news == ["some calls of m go through LiteLLM: an empty message"]


def test_clients_are_made_in_threads_at_once_and_leave_the_environment_as_it_was() -> None:
    def check(_: int) -> None:
        LiteLLM(ProviderSettings(1.0, registry.policy)).check(ModelSpec("m", "openai/gpt-4o-mini"))

    before = dict(os.environ)
    with ThreadPoolExecutor(8) as threads:
        assert [*threads.map(check, range(200))] == [None] * 200
    assert dict(os.environ) == before
