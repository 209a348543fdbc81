"""Odd answers in Anthropic's and Google's own protocols, through LiteLLM as it is: what was said is
used, whole and streamed, and nothing reaches the terminal."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from arena import registry
from arena.llm.failures.classify import Fault, fault_of
from arena.llm.failures.inside import Heard
from arena.llm.failures.kinds import FaultKind
from arena.llm.providers.litellm import LiteLLM
from arena.llm.providers.native import as_events, native_form
from arena.llm.providers.normalize import as_stream, lawful
from arena.llm.providers.protocol import Answer, ProviderSettings

TEXT = "I vote [3] today"
CLAUDE = "anthropic/claude-sonnet-4-20250514"
GEMINI = "gemini/gemini-2.5-flash"
SAID = {"type": "text", "text": TEXT}
GONE = object()


def message(**changes: Any) -> dict[str, Any]:
    """An answer of Anthropic's."""
    answer = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
        "content": [SAID], "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5}, **changes,
    }  # fmt: skip
    return {name: value for name, value in answer.items() if value is not GONE}


def generated(candidate: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """An answer of Google's."""
    only = {
        "content": {"role": "model", "parts": [{"text": TEXT}]}, "finishReason": "STOP",
        "index": 0, **(candidate or {}),
    }  # fmt: skip
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
    answer = {"candidates": [only], "usageMetadata": usage, "modelVersion": "g", **changes}
    return {name: value for name, value in answer.items() if value is not GONE}


def parts(*found: Any) -> dict[str, Any]:
    return generated({"content": {"role": "model", "parts": [*found, {"text": TEXT}]}})


ODD: dict[str, tuple[str, dict[str, Any]]] = {
    **{
        f"Anthropic: {name}": (CLAUDE, message(**changes))
        for name, changes in {
            "as it should be": {},
            "usage missing": {"usage": GONE},
            "usage null": {"usage": None},
            "usage a list": {"usage": [1]},
            "counts as texts": {"usage": {"input_tokens": "10", "output_tokens": "5"}},
            "counts as floats": {"usage": {"input_tokens": 10.0, "output_tokens": 4.5}},
            "counts null": {"usage": {"input_tokens": None, "output_tokens": None}},
            "cache odd": {
                "usage": {"input_tokens": 10, "output_tokens": 5, "cache_creation": "y",
                          "cache_read_input_tokens": "x", "server_tool_use": [], "iterations": 1}
            },
            "reason missing": {"stop_reason": GONE},
            "reason null": {"stop_reason": None},
            "reason unknown": {"stop_reason": "banana"},
            "reason a list": {"stop_reason": ["end_turn"]},
            "reason an object": {"stop_reason": {"type": "end_turn"}},
            "a part of an unknown type": {"content": [{"type": "mystery"}, SAID]},
            "a part without a type": {"content": [{"text": TEXT}]},
            "a part that is a text": {"content": [TEXT]},
            "a part that is null": {"content": [None, SAID]},
            "a part whose text is null": {"content": [{"type": "text", "text": None}, SAID]},
            "a text": {"content": TEXT},
            "an object": {"content": SAID},
            "thoughts null": {"content": [{"type": "thinking", "thinking": None}, SAID]},
            "thoughts an object": {"content": [{"type": "thinking", "thinking": {"a": 1}}, SAID]},
            "thoughts redacted": {"content": [{"type": "redacted_thinking"}, SAID]},
            "a tool without a name": {"content": [SAID, {"type": "tool_use"}]},
            "tools of the server": {"content": [{"type": "web_search_tool_result"}, SAID]},
            "citations odd": {"content": [{**SAID, "citations": "none"}]},
            "names odd": {"id": 5, "model": ["m"], "role": None},
            "names missing": {"id": GONE, "model": GONE, "type": GONE},
            "an error beside it": {"error": {"message": "beside it"}},
        }.items()
    },
    **{
        f"Google: {name}": (GEMINI, answer)
        for name, answer in {
            "as it should be": generated(),
            "usage missing": generated(usageMetadata=GONE),
            "usage null": generated(usageMetadata=None),
            "usage a list": generated(usageMetadata=[]),
            "counts as texts": generated(
                usageMetadata={"promptTokenCount": "10", "candidatesTokenCount": "5"}
            ),
            "counts as floats": generated(
                usageMetadata={"promptTokenCount": 10.0, "candidatesTokenCount": 4.5}
            ),
            "counts null": generated(
                usageMetadata={"promptTokenCount": None, "candidatesTokenCount": None}
            ),
            "details odd": generated(
                usageMetadata={"promptTokenCount": 10, "candidatesTokenCount": 5,
                               "promptTokensDetails": [None, {}], "thoughtsTokenCount": "x",
                               "candidatesTokensDetails": "x", "cacheTokensDetails": None}
            ),
            "reason unknown": generated({"finishReason": "BANANA"}),
            "reason a list": generated({"finishReason": ["STOP"]}),
            "reason a number": generated({"finishReason": 1}),
            "index odd": generated({"index": "0"}),
            "a part of an unknown kind": parts({"mystery": {"a": 1}}),
            "a part that is null": parts(None),
            "a part whose text is null": parts({"text": None}),
            "a call that is null": parts({"functionCall": None}),
            "a picture that is null": parts({"inlineData": None}, {"executableCode": None}),
            "parts a text": generated({"content": {"parts": TEXT}}),
            "parts an object": generated({"content": {"parts": {"text": TEXT}}}),
            "content a text": generated({"content": TEXT}),
            "sources odd": generated({"groundingMetadata": "x", "citationMetadata": [1]}),
            "ratings odd": generated({"safetyRatings": "fine", "logprobsResult": {"a": None}}),
            "feedback null": generated(promptFeedback=None),
            "feedback without a reason": generated(promptFeedback={"blockReason": None}),
            "names odd": generated(modelVersion=[5], responseId=5, createTime=5),
            "an error beside it": generated(error={"message": "beside it"}),
            "a second that is null": generated(
                candidates=[None, generated()["candidates"][0]]
            ),
        }.items()
    },
}  # fmt: skip
ALWAYS = (
    "as it should be", "usage missing", "counts as texts", "reason a list", "a part that is null",
)  # fmt: skip


def stream_of(model: str, answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The answer as events, as odd as it is."""
    if model == GEMINI:
        yield answer
        return
    head = {name: value for name, value in answer.items() if name not in ("content", "error")}
    yield {"type": "message_start", "message": {**head, "content": [], "stop_reason": None}}
    content = answer["content"]
    for index, block in enumerate(content if isinstance(content, list) else [content]):
        odd = block if isinstance(block, dict) else {"text": block}
        begun = {**odd, "text": ""} if isinstance(block, dict) and "text" in odd else block
        yield {"type": "content_block_start", "index": index, "content_block": begun}
        if "text" in odd:
            delta = {"type": "text_delta", "text": odd["text"]} if begun is not block else None
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "mystery", "index": 0}
    ended = {"stop_reason": answer.get("stop_reason")}
    yield {"type": "message_delta", "delta": ended, "usage": answer.get("usage")}
    yield {"type": "message_stop"}


class Server:
    """Sends what it is given, to whatever is asked."""

    def __init__(self) -> None:
        self.body: list[dict[str, Any]] = []
        self.events = False

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        if not self.events:
            return web.json_response(self.body[0])
        events = "".join(f"data: {json.dumps(event)}\n\n" for event in self.body)
        return web.Response(text=events, content_type="text/event-stream")


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Server, str]]:
    server, app = Server(), web.Application()
    app.router.add_post("/{path:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield server, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def ask(names: list[str], *, whole_for_stream: bool = False) -> dict[Any, Answer | Fault]:
    found: dict[Any, Answer | Fault] = {}
    litellm = LiteLLM(ProviderSettings(20.0, registry.policy))
    litellm.load()
    async with served() as (server, url):
        for name in names:
            model, answer = ODD[name]
            for stream in (False, True):
                server.events = stream and not whole_for_stream
                server.body = [*stream_of(model, answer)] if server.events else [answer]
                arguments = {
                    "model": model, "api_base": url, "api_key": "k", "max_retries": 0,
                    "timeout": 20.0, "stream": stream,
                }  # fmt: skip
                asked = [{"role": "user", "content": "vote"}]
                try:
                    found[name, stream] = await litellm.send({**arguments, "stream": stream}, asked)
                except Exception as error:
                    found[name, stream] = error if isinstance(error, Fault) else fault_of(error)
        await litellm.aclose()
    return found


def check(names: list[str], capfd: pytest.CaptureFixture[str], **how: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        found = asyncio.run(ask(names, **how))
    for (name, stream), answer in found.items():
        assert isinstance(answer, Answer), (name, stream, answer)
        assert answer.completion.text.endswith(TEXT), (name, stream)
        usage = answer.completion.usage
        if "counts as" in name or "as it should be" in name:
            assert (usage.prompt_tokens, usage.completion_tokens) == (10, 5), (name, stream)
        if "usage" in name or ("null" in name and "counts" in name):
            assert usage.prompt_tokens is None, (name, stream)
    assert capfd.readouterr() == ("", "")


def test_what_was_said_is_used_in_any_protocol(capfd: pytest.CaptureFixture[str]) -> None:
    check([name for name in ODD if name.endswith(ALWAYS)], capfd)


@pytest.mark.sweep
def test_what_was_said_is_used_however_odd_the_rest_is(capfd: pytest.CaptureFixture[str]) -> None:
    check(list(ODD), capfd)


@pytest.mark.sweep
def test_a_whole_answer_where_a_stream_was_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    check([name for name in ODD if name.endswith(ALWAYS)], capfd, whole_for_stream=True)


@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_has_one_form(name: str) -> None:
    _, answer = ODD[name]
    put = native_form(answer, Heard())
    assert put is not None
    assert TEXT in json.dumps(put)
    assert native_form(put, None) == put, "what is in form stays"
    events = list(as_events(put))
    assert sum(TEXT in json.dumps(event) for event in events) == 1
    assert as_stream(json.dumps(answer).encode()).count(b"data: ") == len(events)


def test_a_stream_that_ends_without_a_reason_was_cut() -> None:
    ODD["cut"] = (GEMINI, generated({"finishReason": None}))
    try:
        found = asyncio.run(ask(["cut"]))
    finally:
        del ODD["cut"]
    assert isinstance(found["cut", False], Answer)
    cut = found["cut", True]
    assert isinstance(cut, Fault)
    assert cut.kind is FaultKind.CUT


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (generated({"content": {}, "finishReason": "STOP"}, usageMetadata={}), True),
        (generated({"content": {}}, usageMetadata={"thoughtsTokenCount": 9}), False),
        (generated({"content": {}, "finishReason": "MALFORMED_FUNCTION_CALL"}), True),
        (generated({"content": {}, "finishReason": "SAFETY"}, usageMetadata={}), False),
        (generated(candidates=[], promptFeedback={"blockReason": "OTHER"}), False),
        (message(content=[], usage={"input_tokens": 3, "output_tokens": 0}), True),
        (message(content=[]), False),
        (message(content=[], stop_reason="refusal", usage={"output_tokens": 0}), False),
    ],
)
def test_nothing_said_for_no_tokens_is_a_failure_in_any_protocol(
    answer: dict[str, Any], failed: bool
) -> None:
    heard = Heard()
    lawful(json.dumps(answer).encode(), heard)
    assert (heard.failure(silent=True) is not None) is failed
    assert heard.failure(silent=False) is None


@pytest.mark.parametrize(
    "body", [{"type": "error", "error": {"message": "x"}}, {"message": {"content": "x"}}, {"a": 1}]
)
def test_what_is_no_answer_of_theirs_is_left_as_it_is(body: dict[str, Any]) -> None:
    assert native_form(body, None) is None
    raw = json.dumps(body).encode()
    assert lawful(raw) is raw
