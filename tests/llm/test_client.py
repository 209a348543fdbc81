"""The client against a real HTTP server: what is sent, recorded, retried, and never shown."""

from __future__ import annotations

import asyncio
import json
import os
import socketserver
import subprocess
import sys
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from threading import Thread
from typing import Any, ClassVar

import pytest

from arena.config import parse_model
from arena.core import (
    CallAnswer,
    CallIntent,
    Completion,
    ContextOverflow,
    ModelParked,
    ModelRefused,
    ModelSpec,
    ModelUnproven,
    ProviderError,
    ToolCall,
    UsageError,
)
from arena.llm.clearance import LocalClearance
from arena.llm.client import Client
from arena.llm.costs.budget import Budget
from arena.llm.failures.retry import Backoff
from arena.llm.pacing.limits import Limits
from arena.llm.turn import TurnLLM
from tests.clients import client
from tests.servers.openai_server import OpenAIServer, Reply, error

HELLO = [{"role": "system", "content": "be short"}, {"role": "user", "content": "hello there"}]
KEY = "sk-loopback-0123456789abcdef"


class Log:
    """Keeps what is recorded, in order."""

    def __init__(self) -> None:
        self.events: list[CallIntent | CallAnswer] = []

    async def intend(self, intent: CallIntent) -> None:
        self.events.append(intent)

    async def answer(self, answer: CallAnswer) -> None:
        self.events.append(answer)

    @property
    def intents(self) -> list[CallIntent]:
        return [event for event in self.events if isinstance(event, CallIntent)]

    @property
    def answers(self) -> list[CallAnswer]:
        return [event for event in self.events if isinstance(event, CallAnswer)]


class Waits:
    """Stands in for sleeping: takes no time and keeps the seconds."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def spec(server: OpenAIServer | None, **more: Any) -> ModelSpec:
    base = None if server is None else server.url
    return ModelSpec(
        **{"name": "loop", "litellm_model": "openai/loopback", "api_base": base, **more}
    )


def unlimited() -> LocalClearance:
    return LocalClearance(Limits(), sleep=Waits())


def run(work: Callable[[Client], Awaitable[Any]], **options: Any) -> Any:
    async def main() -> Any:
        asked = client(**options)
        try:
            return await work(asked)
        finally:
            await asked.aclose()

    return asyncio.run(main())


def ask(
    model: ModelSpec,
    log: Log,
    waits: Waits | None = None,
    messages: Any = None,
    patience: float = 600.0,
    doubt: float = 30.0,
    proven: Collection[str] = (),
    **options: Any,
) -> Completion:
    limits = Limits(patience=patience, doubt=doubt, proven=proven)
    clearance = LocalClearance(limits, sleep=waits or Waits())

    async def work(client: Client) -> Completion:
        return await TurnLLM(client, model, log, clearance=clearance).complete(messages or HELLO)

    return run(work, **options)


def test_an_answer_is_on_record_before_it_is_used() -> None:
    with OpenAIServer(["I vote [3]"]) as server:

        class Watching(Log):
            async def intend(self, intent: CallIntent) -> None:
                assert not server.requests, "the intent is recorded before the request leaves"
                await super().intend(intent)

        log = Watching()
        completion = ask(
            spec(server, params={"temperature": 0.5}, input_price=1.0, output_price=2.0), log
        )

    assert completion.text == "I vote [3]"
    assert completion.finish_reason == "stop"
    intent, answer = log.events
    assert isinstance(intent, CallIntent)
    assert isinstance(answer, CallAnswer)
    assert (intent.call_index, intent.call_number, intent.attempt) == (0, 0, 0)
    assert intent.model == "openai/loopback"
    assert list(intent.messages) == HELLO
    assert intent.request == {"temperature": 0.5}
    assert answer.text == "I vote [3]"
    assert answer.error_class is None
    assert answer.model_answered == "loopback"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (4, 3)
    assert answer.usage.cost == pytest.approx((4 * 1.0 + 3 * 2.0) / 1e6)
    assert completion.usage == answer.usage
    assert answer.request_sent_at <= answer.response_received_at
    assert answer.request_sent_at.tzinfo is not None
    assert answer.response == {
        "id": "chatcmpl-loopback",
        "model": "loopback",
        "created": 1700000000,
        "system_fingerprint": "fp_loopback",
        "choices": [{"text": "I vote [3]", "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 4, "completion_tokens": 3},
    }
    [request] = server.requests
    assert request.body["messages"] == HELLO
    assert request.body["temperature"] == 0.5
    assert not request.body.get("stream")


@pytest.mark.parametrize("stream", [False, True])
def test_what_a_reasoning_model_says_is_stored_beside_its_answer(stream: bool) -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 40,
        "total_tokens": 140,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }
    call = {"id": "c1", "type": "function", "function": {"name": "vote", "arguments": "{}"}}
    log = Log()
    with OpenAIServer([Reply("[1]", reasoning="hm", usage=usage, tool_calls=[call])]) as server:
        completion = ask(spec(server, stream=stream), log)
    assert completion.thoughts == "hm"
    assert completion.tool_calls == (ToolCall("vote", "{}"),)
    [answer] = log.answers
    assert (answer.usage.cached_tokens, answer.usage.reasoning_tokens) == (64, 30)
    assert answer.usage.cost is None, "no price is known: unknown is not free"
    assert answer.response is not None
    assert answer.response["choices"][0]["reasoning_content"] == "hm"
    assert answer.response["choices"][0]["tool_calls"] == [
        {"id": "c1", "name": "vote", "arguments": "{}"}
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_in_parts_is_no_silence_and_its_thoughts_are_told_apart(stream: bool) -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    parts = [thought, {"type": "text", "text": "vote "}, "[1]"]
    with OpenAIServer([Reply(parts=parts)]) as server:
        completion = ask(spec(server, stream=stream), Log())
    assert (completion.text, completion.thoughts) == ("vote [1]", "hm")


def test_the_providers_behind_a_router_are_asked_for_by_name() -> None:
    log = Log()
    with OpenAIServer(["[1]"]) as server:
        model = parse_model(
            {
                "name": "m",
                "litellm_model": "openrouter/a/m",
                "api_base": server.url,
                "upstream": {"order": ["together", "azure"]},
            }
        )
        ask(model.spec(), log)
        [request] = server.requests
    asked_for = {"order": ["together", "azure"], "allow_fallbacks": False}
    assert request.body["provider"] == asked_for
    [intent] = log.intents
    assert intent.request == {"extra_body": {"provider": asked_for}}


LONG = "prompt is too long: 209353 tokens > 199999 maximum"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("model", "status", "body"),
    [
        ("openai/m", 400, {"error": {"message": "no", "type": "exceed_context_size_error"}}),
        ("openai/m", 422, {"detail": [{"loc": ["body"], "msg": LONG}]}),
        ("openai/m", 500, LONG),
        ("openai/m", 200, {"error": {"message": LONG, "code": 400}}),
        ("openrouter/m", 200, {"error": {"message": LONG, "code": 400}}),
        ("openrouter/m", 400, {"error": {"message": "no", "code": 400, "metadata": {"raw": LONG}}}),
    ],
)
def test_a_conversation_that_is_too_long_is_recorded_as_such(
    model: str, status: int, body: object, stream: bool
) -> None:
    log = Log()
    reply = Reply(status=status, body=body if isinstance(body, str) else json.dumps(body))
    with OpenAIServer([reply]) as server:
        asked = replace(spec(server, stream=stream), litellm_model=model)
        with pytest.raises(ContextOverflow, match="larger one: `-c`"):
            ask(asked, log, proven=["loop"])
        with pytest.raises(ModelUnproven, match="larger one: `-c`"):
            ask(asked, log)
    answer, of_the_first_call = log.answers
    assert answer.error_class == "ContextOverflow"
    assert of_the_first_call.error_class != "ContextOverflow", "a replay asks it again"
    # Of an error inside a 200 LiteLLM may tell its code alone.
    assert answer.error_status in {status, 400}


def test_parts_are_sent_as_they_are_and_no_provider_may_write_to_them() -> None:
    parts = [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    log = Log()
    with OpenAIServer(["a board"]) as server:
        ask(spec(server), log, messages=[{"role": "user", "content": parts}])
        [request] = server.requests
    assert request.body["messages"] == [{"role": "user", "content": parts}]
    [intent] = log.intents
    assert list(intent.messages) == [{"role": "user", "content": parts}]
    assert intent.messages[0]["content"] is not parts


def test_an_image_has_no_worst_case_and_is_not_sent_under_a_budget() -> None:
    message = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}
    log = Log()
    with OpenAIServer(["a board"]) as server:
        model = spec(server, params={"max_tokens": 9}, input_price=1.0, output_price=1.0)

        async def work(client: Client) -> None:
            clearance = LocalClearance(Limits(), Budget(1.0))
            await TurnLLM(client, model, log, clearance=clearance).complete([message])

        with pytest.raises(UsageError, match=r"no known worst case.*send it text alone"):
            run(work)
        assert server.requests == []
    assert log.events == []


def test_a_scripted_model_costs_what_its_own_price_says() -> None:
    free, priced = Log(), Log()
    model = ModelSpec("m", "scripted/random")
    ask(model, free)
    ask(replace(model, input_price=3.0, output_price=15.0), priced)

    assert free.answers[0].usage.cost == 0.0
    usage = priced.answers[0].usage
    assert usage.prompt_tokens
    assert usage.completion_tokens
    assert usage.cost == pytest.approx(
        (3 * usage.prompt_tokens + 15 * usage.completion_tokens) / 1e6
    )


def test_a_stream_gives_the_time_to_the_first_token_and_its_usage() -> None:
    log = Log()
    with OpenAIServer([Reply("we should vote [2]", delay=0.1)]) as server:
        completion = ask(spec(server, stream=True, input_price=1.0, output_price=1.0), log)
        [request] = server.requests
    assert request.body["stream_options"] == {"include_usage": True}
    assert completion.text == "we should vote [2]"
    [answer] = log.answers
    assert answer.finish_reason == "stop"
    assert answer.first_token_ms is not None
    assert 0 < answer.first_token_ms <= answer.total_ms
    assert answer.usage.prompt_tokens == 4
    assert answer.usage.cost == pytest.approx(8 / 1e6)
    assert log.intents[0].request == {"stream": True}


def test_a_stream_without_usage_is_not_free() -> None:
    log = Log()
    with OpenAIServer([Reply("fine", send_usage=False)]) as server:
        ask(spec(server, stream=True, input_price=1.0, output_price=1.0), log)
    assert log.answers[0].usage.prompt_tokens is None
    assert log.answers[0].usage.cost is None


@pytest.mark.parametrize("cut", [0, 2])
def test_a_stream_that_is_cut_is_a_failed_attempt_and_not_an_answer(cut: int) -> None:
    log = Log()
    with OpenAIServer([Reply("we should vote [2]", cut=cut), "we should vote [4]"]) as server:
        completion = ask(spec(server, stream=True), log)
    assert completion.text == "we should vote [4]"
    first, second = log.answers
    assert first.error_class == "CutStream"
    assert first.text is None
    assert (second.error_class, second.call_index) == (None, 1)


def test_a_missing_usage_is_unknown() -> None:
    log = Log()
    with OpenAIServer([Reply("fine", send_usage=False)]) as server:
        ask(spec(server, input_price=1.0, output_price=1.0), log)
    assert log.answers[0].usage.prompt_tokens is None
    assert log.answers[0].usage.cost is None


@pytest.mark.parametrize("stream", [False, True])
def test_a_usage_that_says_too_little_is_charged_at_its_most(stream: bool) -> None:
    details = {"completion_tokens_details": {"reasoning_tokens": 900}}
    told: dict[str, dict[str, Any]] = {
        "no prompt": {"completion_tokens": 2},
        "a prompt of nothing": {"prompt_tokens": 0, "completion_tokens": 2, "total_tokens": 2},
        "no answer": {"prompt_tokens": 4},
        "thoughts beside it": {"prompt_tokens": 4, "completion_tokens": 2, **details},
        "in the total": {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 906},
    }
    log = Log()
    with OpenAIServer([Reply("fine", usage=usage) for usage in told.values()]) as server:
        params = {"max_tokens": 50}
        model = spec(server, stream=stream, params=params, input_price=1.0, output_price=10.0)
        for _ in told:
            ask(model, log)
    charged = dict(zip(told, (answer.charged or 0.0 for answer in log.answers), strict=True))
    at_most = log.intents[0].reserved
    assert at_most is not None
    prompt = at_most - 50 * 10e-6
    assert charged["no prompt"] == pytest.approx(prompt + 2 * 10e-6)
    assert charged["a prompt of nothing"] == pytest.approx(prompt + 2 * 10e-6)
    assert charged["no answer"] == pytest.approx(4e-6 + 50 * 10e-6)
    assert charged["thoughts beside it"] == pytest.approx(4e-6 + 902 * 10e-6)
    assert charged["in the total"] == pytest.approx(4e-6 + 902 * 10e-6)


@pytest.mark.parametrize("silence", [None, ""])
@pytest.mark.parametrize("stream", [False, True])
def test_silence_is_an_answer(silence: str | None, stream: bool) -> None:
    log = Log()
    with OpenAIServer([Reply(silence)]) as server:
        assert ask(spec(server, stream=stream), log).text == ""
        assert len(server.requests) == 1
    assert log.answers[0].error_class is None


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_tried_again(status: int) -> None:
    log, waits = Log(), Waits()
    with OpenAIServer([error(status, "not now"), "back"]) as server:
        assert ask(spec(server), log, waits).text == "back"
        assert len(server.requests) == 2, "LiteLLM and its SDK retry nothing of their own"
    failed, answered = log.answers
    assert failed.error_status == status
    assert "not now" in str(failed.error_message)
    assert answered.text == "back"
    assert [intent.attempt for intent in log.intents] == [0, 1]
    assert len(waits.seconds) == 1


@pytest.mark.parametrize(
    ("reply", "advice"),
    [
        (error(400, "bad temperature"), "params"),
        (error(401, "no such key"), "api_key_env"),
        (error(402, "pay first"), "credit"),
        (error(403, "not allowed"), "api_key_env"),
        (error(404, "no such model"), "name"),
        (error(429, "you are out", "insufficient_quota"), "credit"),
        (error(400, "too long", "context_length_exceeded"), "context"),
        (error(400, "This model's maximum context length is 10 tokens"), "context"),
        (error(400, "no", "content_filter"), "filter"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_will_not_pass_is_not_tried_again(reply: Reply, advice: str, stream: bool) -> None:
    log, waits = Log(), Waits()
    with OpenAIServer([reply]) as server:
        with pytest.raises(ModelRefused) as caught:
            ask(spec(server, stream=stream), log, waits)
        assert len(server.requests) == 1
    message = str(caught.value)
    assert "'loop' (openai/loopback) did not answer in 1 attempt: HTTP" in message
    assert str(reply.status) in message
    assert advice in message
    assert log.answers[0].error_status == reply.status
    assert waits.seconds == []


def test_a_call_is_given_up_after_the_retries_and_every_attempt_is_on_record() -> None:
    log, waits = Log(), Waits()
    with OpenAIServer([error(503, "down")]) as server:
        with pytest.raises(ProviderError, match=r"3 attempts: HTTP 503: down"):
            ask(spec(server), log, waits, retries=2, backoff=Backoff(base=1.0, longest=1.5))
        assert len(server.requests) == 3
    assert [intent.call_index for intent in log.intents] == [0, 1, 2]
    assert [answer.call_index for answer in log.answers] == [0, 1, 2]
    assert len({intent.request_hash for intent in log.intents}) == 1
    for wait, full in zip(waits.seconds, [1.0, 1.5], strict=True):
        assert full / 2 <= wait <= full


def test_a_model_that_has_never_answered_is_doubted_before_long() -> None:
    log, waits = Log(), Waits()
    with OpenAIServer([error(503, "down")]) as server:
        with pytest.raises(ModelParked, match="down") as caught:
            ask(spec(server), log, waits, retries=9, doubt=0.2)
        assert caught.value.model == "loop"
        assert len(server.requests) == len(log.answers) >= 4


def test_what_the_provider_asks_to_wait_is_waited() -> None:
    log, waits = Log(), Waits()
    with OpenAIServer([error(429, "wait", Retry_After="0.2"), "ok"]) as server:
        assert ask(spec(server), log, waits, backoff=Backoff(base=0.0)).text == "ok"
        first, second = server.requests
    assert waits.seconds == [0.0], "all calls to the model wait at its gate"
    assert second.at - first.at >= 0.2


@pytest.mark.parametrize("asked", ["9000", "1e9", "2 hours"])
def test_nobody_waits_longer_than_patience_lasts(asked: str) -> None:
    log, waits = Log(), Waits()
    with OpenAIServer([error(429, "wait", Retry_After=asked), "ok"]) as server:
        with pytest.raises(ModelParked, match="wait"):
            ask(spec(server), log, waits, patience=60.0, backoff=Backoff(base=0.0))
        assert len(server.requests) == 1
        assert sum(waits.seconds) == 0.0, "the game pauses at once"


@pytest.mark.parametrize(
    "body",
    [
        "<html>a proxy speaks</html>",
        "",
        "[]",
        '{"error": {"message": "overloaded", "code": 500}}',
        '{"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": []}',
        '{"id": "x", "object": "chat.completion", "created": 1, "model": "m"}',
    ],
)
def test_a_200_without_an_answer_in_it_is_a_failed_attempt(body: str) -> None:
    log = Log()
    with OpenAIServer([Reply(body=body), "good"]) as server:
        assert ask(spec(server), log).text == "good"
    assert log.answers[0].error_class is not None
    assert log.answers[0].text is None


def test_a_broken_connection_is_tried_again() -> None:
    log = Log()
    with OpenAIServer([Reply(cut=0), "good"]) as server:
        assert ask(spec(server), log).text == "good"
    assert log.answers[0].error_class == "InternalServerError"
    assert log.answers[0].error_status is None, "no server gave that status"


class Closing(socketserver.StreamRequestHandler):
    """Answers the first request of a connection, keeps it open, and closes it at the second."""

    cookies: ClassVar[list[str]] = []

    def handle(self) -> None:
        for answered in (False, True):
            size, lines = 0, []
            while (line := self.rfile.readline()).strip():
                lines.append(line.decode())
                if line.lower().startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            if not lines:
                return
            self.rfile.read(size)
            self.cookies.extend(line for line in lines if line.lower().startswith("cookie:"))
            if answered:
                return
            body = json.dumps(
                {
                    "choices": [
                        {"message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}
                    ],
                    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
                }
            ).encode()
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Set-Cookie: who=you; Path=/\r\nSet-Cookie: more=1\r\n"
                b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
            )


@pytest.mark.parametrize("route", ["openai/loopback", "mistral/loopback"])
def test_what_an_idle_connection_did_not_take_is_not_paid_for_and_no_cookie_comes_back(
    route: str,
) -> None:
    log, Closing.cookies[:] = Log(), []
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Closing) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        model = ModelSpec(
            "loop",
            route,
            api_base=f"http://localhost:{server.server_address[1]}/v1",
            params={"max_tokens": 9},
            input_price=1.0,
            output_price=1.0,
        )

        async def work(client: Client) -> None:
            for _ in range(2):
                turn = TurnLLM(client, model, log, clearance=unlimited())
                assert (await turn.complete(HELLO)).text == "ok"

        run(work)
        server.shutdown()
    first, dropped, second = log.answers
    assert (first.error_class, second.error_class) == (None, None)
    assert dropped.error_class is not None
    assert dropped.charged == 0.0
    assert Closing.cookies == []


def test_a_server_that_is_not_there() -> None:
    with OpenAIServer() as server:
        gone = spec(server)
    log = Log()
    with pytest.raises(ModelParked, match="Nothing listens at the model's address"):
        ask(gone, log, retries=1, doubt=0.2)
    assert len(log.answers) > 2, "no attempt counts that did not reach anybody"


def test_an_attempt_has_a_deadline() -> None:
    log = Log()
    with OpenAIServer([Reply("late", delay=30.0), "in time"]) as server:
        assert ask(spec(server), log, timeout=0.2).text == "in time"
    assert log.answers[0].error_class == "Timeout"
    assert log.answers[0].error_status is None


def test_a_cancelled_call_leaves_its_intent() -> None:
    log = Log()
    with OpenAIServer([Reply("never", delay=30.0)]) as server:

        async def work(client: Client) -> None:
            task = asyncio.create_task(
                TurnLLM(client, spec(server), log, clearance=unlimited()).complete(HELLO)
            )
            await asyncio.to_thread(server.wait_for_request)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        run(work)
    assert len(log.intents) == 1
    assert log.answers == []


def test_no_key_reaches_a_record_or_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPBACK_ACCESS", KEY)
    seen: list[str] = []

    def echo(body: dict[str, Any]) -> Reply:
        key = server.requests[-1].headers["Authorization"]
        seen.append(key)
        return error(401, f"Incorrect API key provided: {key}, that is {key.split()[1]}")

    log = Log()
    with OpenAIServer(echo) as server, pytest.raises(ModelRefused) as caught:
        ask(spec(server, api_key_env="LOOPBACK_ACCESS", params={"user": "x"}), log)
    assert seen == [f"Bearer {KEY}"]
    assert KEY not in str(caught.value)
    assert KEY not in repr(log.events)
    assert KEY[3:] not in repr(log.events)
    assert caught.value.__cause__ is None
    assert "[secret]" in str(log.answers[0].error_message)


def test_a_missing_key_is_said_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOOPBACK_ACCESS", raising=False)
    log = Log()
    with OpenAIServer() as server:
        with pytest.raises(UsageError, match="LOOPBACK_ACCESS"):
            ask(spec(server, api_key_env="LOOPBACK_ACCESS"), log)
        assert server.requests == []
    assert log.events == []


def test_the_key_of_one_provider_is_not_sent_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with OpenAIServer() as server:
        ask(spec(server), Log())
        assert KEY not in str(server.requests[0].headers)


def test_unknown_params_are_sent_and_only_their_names_kept() -> None:
    log = Log()
    params = {"extra_body": {"min_p": 0.1, "access_token": "hush"}, "my_option": "who"}
    with OpenAIServer() as server:
        ask(spec(server, params=params), log)
        assert server.requests[0].body["my_option"] == "who"
        assert server.requests[0].body["min_p"] == 0.1
    assert log.intents[0].request == {
        "extra_body": {"min_p": 0.1, "access_token": "[secret]"},
        "also_sent": ["my_option"],
    }


def test_hostile_text_goes_there_and_back() -> None:
    hostile = "NUL \x00, escape \x1b[31m, <script>, [GAME] me, half \ud800 a pair"
    log = Log()
    with OpenAIServer([hostile]) as server:
        completion = ask(spec(server), log, messages=[{"role": "user", "content": hostile}])
        sent = server.requests[0].body["messages"][0]["content"]
    assert sent == hostile.replace("\ud800", "\ufffd")
    assert log.intents[0].messages[0]["content"] == sent
    assert completion.text == hostile


def test_calls_of_a_turn_are_counted_over_their_attempts() -> None:
    log = Log()
    with OpenAIServer(["one", error(500, "x"), "two", "three"]) as server:

        async def work(client: Client) -> list[str]:
            llm = TurnLLM(client, spec(server), log, clearance=unlimited())
            return [(await llm.complete(HELLO)).text for _ in range(3)]

        assert run(work) == ["one", "two", "three"]
    numbered = [(i.call_index, i.call_number, i.attempt) for i in log.intents]
    assert numbered == [(0, 0, 0), (1, 1, 0), (2, 1, 1), (3, 2, 0)]


def test_many_calls_are_in_flight_at_once() -> None:
    with OpenAIServer(latency=0.2) as server:
        model = spec(server)

        async def work(client: Client) -> None:
            clearance = unlimited()
            calls = [
                TurnLLM(client, model, Log(), clearance=clearance).complete(HELLO)
                for _ in range(40)
            ]
            await asyncio.gather(*calls)

        run(work)
        assert server.peak > 1
        assert len(server.requests) == 40


@pytest.mark.parametrize("name", ["api_key", "messages", "num_retries", "stream"])
def test_params_that_are_not_the_models_to_set_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        client().check(ModelSpec("m", "openai/gpt-4o-mini", params={name: "x"}))


def test_known_names_pass() -> None:
    client().check(ModelSpec("m", "openai/whatever-they-call-it"))
    client().check(ModelSpec("m", "gpt-4o-mini"))
    client().check(ModelSpec("m", "ollama/llama3.2"))
    client().check(ModelSpec("m", "openai/local", api_base="http://127.0.0.1:8000/v1"))
    client().check(ModelSpec("m", "scripted/random"))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gpt-4o-minni", "gpt-4o-mini"),
        ("scripted/radnom", "did you mean 'random'?"),
        ("nobody/knows", "<provider>/<model>"),
    ],
)
def test_a_name_that_no_provider_knows_is_refused(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        client().check(ModelSpec("mine", name))
    assert hint in str(caught.value)


def test_a_server_of_ones_own_is_named_with_its_protocol() -> None:
    with pytest.raises(UsageError, match="openai/qwen3-8b"):
        client().check(ModelSpec("mine", "qwen3-8b", api_base="http://127.0.0.1:8000/v1"))


def test_importing_the_client_does_not_import_litellm() -> None:
    code = "import sys, arena.llm.client; print(json.dumps('litellm' in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"import json; {code}"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert json.loads(done.stdout) is False


def test_without_litellms_switch_calls_only_cost_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.llm.providers.litellm._quiet", lambda: None)
    with OpenAIServer(["[1]"]) as server:
        assert ask(spec(server), Log()).text == "[1]"


def test_a_turn_that_has_used_up_its_attempts_is_given_up_and_nothing_is_sent() -> None:
    log = Log()
    with OpenAIServer(["ok"]) as server:

        async def work(client: Client) -> Completion:
            return await client.complete(
                spec(server), HELLO, log=log, clearance=unlimited(), first_index=256
            )

        with pytest.raises(ProviderError, match="asked 256 times in one turn"):
            run(work)
        assert server.requests == []
    assert log.events == []
