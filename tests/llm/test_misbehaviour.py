"""Every known misbehaviour of a server, through LiteLLM as it is: what becomes of it, that each
attempt is one request, and that nothing goes elsewhere."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from arena import registry
from arena.core import CallAnswer, CallIntent, Completion, ModelSpec
from arena.llm.clearance import LocalClearance
from arena.llm.costs.budget import Budget
from arena.llm.failures.classify import Fault, fault_of
from arena.llm.failures.kinds import FaultKind
from arena.llm.failures.retry import Backoff
from arena.llm.pacing.limits import Limits
from arena.llm.providers.lean.path import LeanPath
from arena.llm.providers.litellm import LiteLLM
from arena.llm.providers.protocol import Answer, ProviderSettings
from tests.clients import client
from tests.servers.faulty import FaultyServer, drawn, read_log
from tests.servers.misbehaviour import ALL, ANSWERS, BILLED, FAULTS, fits

TEXT = "I vote [3] today"
# Its end is no part of the keys of other tests: it stays in the environment.
KEY = "canary-key-of-misbehaviour-qwv"

EXPECTED = {
    FaultKind.RATE_LIMIT: {
        "rate_limit", "rate_limit_seconds", "rate_limit_date", "rate_limit_nonsense",
    },
    FaultKind.OVERLOADED: {"overloaded", "unavailable_wait"},
    FaultKind.LOADING: {"loading"},
    FaultKind.SERVER: {
        "server_error", "bad_gateway", "unavailable", "error_object", "error_text",
        "error_in_stream", "failed_choice", "half_an_answer", "native_failure", "nothing_computed",
        "failed_stream", "native_failure_in_stream", "nothing_in_stream",
    },
    FaultKind.TIMEOUT: {"hang", "endless_headers"},
    FaultKind.LOST: {
        "reset", "hung_up", "not_http", "enormous_header", "reset_in_body", "hung_up_in_body",
    },
    FaultKind.REDIRECT: {"redirect_loop", "redirect_elsewhere"},
    FaultKind.MALFORMED: {
        "no_content", "truncated_json", "malformed_json", "deep_json", "not_unicode", "html",
        "empty_body", "empty_choices", "null_message", "false_gzip", "cut_gzip",
        "garbage_in_stream",
    },
    FaultKind.CUT: {"cut_stream", "reset_stream"},
    FaultKind.OVERSIZED: {"bomb", "large_bomb", "deflate_bomb", "claimed_oversized", "oversized"},
}  # fmt: skip

# Two ways through LiteLLM: OpenAI's own SDK, and LiteLLM's client for all the others.
ROUTES = ("openai/loopback", "mistral/loopback")
ASKED = [
    (route, kind, stream)
    for route in ROUTES
    for kind in ALL
    for stream in (False, True)
    if fits(kind, stream) and not (stream and route != ROUTES[0])
]


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt, and what its server saw."""

    result: Answer | Fault
    hits: int
    elsewhere: int


def provider() -> LiteLLM:
    """LiteLLM, loaded."""
    os.environ["MISBEHAVIOUR_KEY"] = KEY
    made = LiteLLM(ProviderSettings(1.5, registry.policy))
    made.load()
    return made


async def attempt(
    litellm: LiteLLM, route: str, server: FaultyServer, stream: bool
) -> Answer | Fault:
    """One attempt as an endpoint makes it."""
    spec = ModelSpec("m", route, api_base=server.url, api_key_env="MISBEHAVIOUR_KEY", stream=stream)
    endpoint = litellm.prepare(spec)
    assert isinstance(await endpoint.path(), LeanPath)
    try:
        async with asyncio.timeout(2.5):
            return await endpoint.ask([{"role": "user", "content": "vote"}], None)
    except Fault as fault:
        return fault
    except Exception as error:
        return fault_of(error, KEY)


async def ask_all() -> dict[tuple[str, str, bool], Outcome]:
    litellm = provider()
    outcomes: dict[tuple[str, str, bool], Outcome] = {}
    with ExitStack() as stack:

        def server() -> FaultyServer:
            made = FaultyServer(lambda body: TEXT, share=1.0, kinds=(), in_a_row=10**9, hang=4.0)
            return stack.enter_context(made)

        async def one(server: FaultyServer, route: str, kind: str, stream: bool) -> None:
            server.misbehave(kind)
            hits, elsewhere = len(server.log()), server.elsewhere
            result = await attempt(litellm, route, server, stream)
            outcomes[route, kind, stream] = Outcome(
                result, len(server.log()) - hits, server.elsewhere - elsewhere
            )

        # One for all that take no time: what a model of another address is sent is learned anew.
        quick = server()
        for route in ROUTES:
            # What LiteLLM does at its first call would take the time of the others'.
            await attempt(litellm, route, quick, False)
            await attempt(litellm, route, quick, False)
        slow = [asked for asked in ASKED if asked[1] in ("hang", "endless_headers")]
        for asked in ASKED:
            if asked not in slow:
                await one(quick, *asked)
        await asyncio.gather(*(one(server(), *asked) for asked in slow))
    await litellm.aclose()
    return outcomes


@pytest.fixture(scope="module")
def outcomes() -> dict[tuple[str, str, bool], Outcome]:
    return asyncio.run(ask_all())


def test_every_fault_is_expected_to_become_something() -> None:
    assert set.union(*EXPECTED.values()) == set(FAULTS)


@pytest.mark.parametrize(("route", "kind", "stream"), ASKED)
def test_a_misbehaviour_becomes_a_fault_of_its_kind_or_an_answer(
    outcomes: dict[tuple[str, str, bool], Outcome], route: str, kind: str, stream: bool
) -> None:
    outcome = outcomes[route, kind, stream]
    assert outcome.hits == 1, "an attempt is one request"
    assert outcome.elsewhere == 0, "no redirect is followed"
    result = outcome.result
    if kind in ANSWERS:
        assert isinstance(result, Answer), result
        assert result.completion.text == {"null_content": ""}.get(kind, result.completion.text)
        assert result.completion.text.startswith(TEXT) or kind == "null_content"
        usage_known = kind not in {
            "missing_usage", "null_usage", "negative_usage", "huge_usage", "text_usage",
        }  # fmt: skip
        assert (result.completion.usage.prompt_tokens is not None) is usage_known
        assert len(json.dumps(result.response)) < 2_000
    else:
        assert isinstance(result, Fault), result
        assert kind in EXPECTED[result.kind], (result.kind, result.message)
        assert result.retryable, "a server that misbehaves may do better"
        if kind in BILLED:
            assert result.billed, "what may have been charged is never taken for free"
        assert len(result.message) < 2_100
        assert KEY not in result.message


def test_what_a_provider_asks_to_wait_comes_through(
    outcomes: dict[tuple[str, str, bool], Outcome],
) -> None:
    for route in ROUTES:
        for kind, wait in [("rate_limit_seconds", 0.05), ("rate_limit_nonsense", None)]:
            result = outcomes[route, kind, False].result
            assert isinstance(result, Fault)
            assert result.retry_after == wait


BOMBS = """
import asyncio, sys
from tests.llm.test_misbehaviour import attempt, provider
from tests.servers.faulty import FaultyServer

def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

def most():
    return next(int(l.split()[1]) for l in open("/proc/self/status") if "VmHWM" in l) / 1024

async def main(port):
    litellm = provider()
    server = FaultyServer()
    server._port = port
    for _ in range(10):
        await attempt(litellm, "openai/loopback", server, False)
    before = held()
    open("/proc/self/clear_refs", "w").write("5")
    for _ in range(10):
        batch = (attempt(litellm, "openai/loopback", server, False) for _ in range(4))
        for fault in await asyncio.gather(*batch):
            assert fault.kind == "oversized", (fault.kind, fault.message)
    print(held() - before, most() - before)

asyncio.run(main(int(sys.argv[1])))
"""


@pytest.mark.sweep
@pytest.mark.slow
def test_forty_bombs_leave_the_memory_as_it_was() -> None:
    kinds = ["bomb", "large_bomb", "deflate_bomb"]
    with FaultyServer(share=1.0, kinds=kinds, in_a_row=10**9) as server:
        child = subprocess.run(
            [sys.executable, "-c", BOMBS, str(server.port)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": "."},
            cwd=Path(__file__).parents[2],
        )
    assert child.returncode == 0, child.stderr
    growth, peak = map(float, child.stdout.split())
    assert growth < 100, f"{growth:.0f} MiB more than before"
    assert peak < 200, f"{peak:.0f} MiB at once"


def test_what_happens_to_a_request_follows_from_the_seed_and_its_number() -> None:
    kinds = list(FAULTS)
    first = [drawn(7, number, 0.3, kinds) for number in range(1000)]
    assert first == [drawn(7, number, 0.3, kinds) for number in range(1000)]
    assert first != [drawn(8, number, 0.3, kinds) for number in range(1000)]
    assert 250 < sum(kind != "answer" for kind in first) < 350


def test_faults_for_the_same_messages_end() -> None:
    async def main() -> list[str]:
        litellm = provider()
        kinds = ["server_error", "hung_up"]
        with FaultyServer(share=1.0, kinds=kinds, in_a_row=2) as server:
            for _ in range(6):
                await attempt(litellm, "openai/loopback", server, False)
            await litellm.aclose()
            return [entry.kind for entry in server.log()]

    kinds = asyncio.run(main())
    assert [kind == "answer" for kind in kinds] == [False, False, True] * 2


def test_the_server_runs_as_a_process_and_logs_before_it_answers(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.servers.faulty", "--share", "1", "--hang", "60"),
            *("--kinds", "hang", "--log", str(log)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        port = int(process.stdout.readline())

        body = b'{"messages": [{"role": "user", "content": "hello"}]}'
        head = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
        with socket.create_connection(("127.0.0.1", port), 20) as connection:
            connection.sendall(head + body)
            end = time.monotonic() + 20
            while not read_log(log):
                assert time.monotonic() < end
                time.sleep(0.01)
        process.kill()
    [entry] = read_log(log)
    assert (entry.number, entry.kind, entry.billed) == (0, "hang", True)


class Log:
    """Keeps what is recorded."""

    def __init__(self) -> None:
        self.intents: list[CallIntent] = []
        self.answers: list[CallAnswer] = []

    async def intend(self, intent: CallIntent) -> None:
        self.intents.append(intent)

    async def answer(self, answer: CallAnswer) -> None:
        self.answers.append(answer)


@pytest.mark.slow
def test_whatever_a_provider_does_every_call_gets_its_answer_and_every_request_is_on_record() -> (
    None
):
    """Half of all requests go wrong, in every way that does not take its time."""
    log = Log()
    kinds = [kind for kind in ALL if kind not in ("hang", "endless_headers")]

    async def work(server: FaultyServer) -> list[Completion]:
        asked = client(timeout=5.0, backoff=Backoff(base=0.01, longest=0.05))
        model = ModelSpec(
            "loop",
            "openai/loopback",
            params={"max_tokens": 50},
            api_base=server.url,
            input_price=1.0,
            output_price=2.0,
        )
        clearance = LocalClearance(Limits(doubt=30.0), Budget(1000.0))
        try:
            return await asyncio.gather(
                *(
                    asked.complete(
                        model,
                        [{"role": "user", "content": f"call {number}"}],
                        log=log,
                        clearance=clearance,
                    )
                    for number in range(80)
                )
            )
        finally:
            await asked.aclose()

    with FaultyServer(lambda body: TEXT, share=0.5, seed=3, kinds=kinds) as server:
        completions = asyncio.run(work(server))
        logged = server.log()
    assert len(completions) == 80
    assert all(c.text.startswith(TEXT) or c.text == "" for c in completions)
    assert len(log.intents) == len(log.answers) == len(logged), "server hits = attempts"
    assert len({entry.kind for entry in logged}) > 25
    answered = [answer for answer in log.answers if answer.error_class is None]
    assert len(answered) == 80 == sum(entry.answered for entry in logged)
    dollars = sum(
        (entry.prompt_tokens * 1.0 + entry.completion_tokens * 2.0) / 1e6
        for entry in logged
        if entry.billed
    )
    charged = sum(answer.charged or 0.0 for answer in log.answers)
    assert dollars <= charged, "by the server's own count no more was spent than was charged"
