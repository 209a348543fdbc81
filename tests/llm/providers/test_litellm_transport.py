"""Bodies come through decoded and bounded; the head cannot send anybody elsewhere."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.llm.failures.classify import fault_of
from arena.llm.failures.inside import Heard
from arena.llm.providers.litellm_transport import OversizedBody, SentTwice, guarded, one_attempt
from arena.llm.providers.normalize import as_stream, lawful, lawful_events

URL = "http://127.0.0.1:9/v1/chat/completions"


class Pieces(httpx.AsyncByteStream):
    """A body that comes in pieces of a size."""

    def __init__(self, body: bytes, size: int) -> None:
        self._body, self._size = body, size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._body), self._size):
            yield self._body[at : at + self._size]


def receive(
    body: bytes,
    headers: dict[str, str] | None = None,
    *,
    status: int = 200,
    size: int = 1000,
    most: int = 2**20,
) -> httpx.Response:
    """What a client has after a response went through the guard."""

    async def send(self: Any, request: httpx.Request) -> httpx.Response:
        assert request.headers["accept-encoding"] == "gzip, deflate"
        return httpx.Response(status, headers=headers, stream=Pieces(body, size), request=request)

    class Transport(httpx.AsyncBaseTransport):
        handle_async_request = guarded(send, most=most)

    async def main() -> httpx.Response:
        async with httpx.AsyncClient(transport=Transport(), follow_redirects=True) as client:
            with one_attempt():
                return await client.post(URL, json={})

    return asyncio.run(main())


def gzip(body: bytes) -> bytes:
    return zlib.compress(body, wbits=31)


def raw_deflate(body: bytes) -> bytes:
    return zlib.compress(body, wbits=-15)


@settings(max_examples=30, deadline=None)
@given(
    st.binary(max_size=5000),
    st.integers(2, 3000),
    st.sampled_from([("gzip", gzip), ("x-gzip", gzip), ("deflate", zlib.compress),
                     ("deflate", raw_deflate), ("identity", bytes), ("br", bytes)]),
)  # fmt: skip
def test_a_body_comes_through_whatever_its_encoding_and_pieces(
    body: bytes, size: int, encoding: tuple[str, Any]
) -> None:
    name, encode = encoding
    response = receive(encode(body), {"Content-Encoding": name}, size=size)
    assert response.content == body
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize("encode", [bytes, gzip, zlib.compress, raw_deflate])
def test_a_body_may_be_as_large_as_an_answer_and_no_larger(encode: Any) -> None:
    headers = {
        bytes: {},
        gzip: {"Content-Encoding": "gzip"},
    }.get(encode, {"Content-Encoding": "deflate"})
    assert len(receive(encode(b" " * 10_000), headers, most=10_000).content) == 10_000
    with pytest.raises(OversizedBody, match="larger than"):
        receive(encode(b" " * 10_001), headers, most=10_000)


def test_a_body_that_is_said_to_be_too_large_is_not_read() -> None:
    with pytest.raises(OversizedBody):
        receive(b"x", {"Content-Length": "10001"}, most=10_000)


@pytest.mark.parametrize("body", [b"no gzip at all", gzip(b"cut off")[:-9], b""])
def test_a_broken_compression_is_an_error(body: bytes) -> None:
    with pytest.raises(httpx.DecodingError):
        receive(body, {"Content-Encoding": "gzip"})


def test_a_redirect_comes_back_as_it_is() -> None:
    response = receive(b"", {"Location": "http://127.0.0.1:9/elsewhere"}, status=307)
    assert (response.status_code, response.history) == (307, [])


def test_an_attempt_sends_one_request_to_an_address() -> None:
    sent: list[str] = []

    async def send(self: Any, request: httpx.Request) -> httpx.Response:
        sent.append(str(request.url))
        return httpx.Response(200, stream=Pieces(b"", 1))

    guard = guarded(send)

    async def main() -> None:
        with one_attempt():
            await guard(None, httpx.Request("POST", URL))
            await guard(None, httpx.Request("POST", "http://127.0.0.1:9/token"))
            with pytest.raises(SentTwice):
                await guard(None, httpx.Request("POST", URL))
        with one_attempt():
            await guard(None, httpx.Request("POST", URL))
        await guard(None, httpx.Request("POST", URL))

    asyncio.run(main())
    assert len(sent) == 4


@pytest.mark.parametrize("error", [httpx.ConnectError("x"), httpx.RemoteProtocolError("x")])
def test_no_lost_connection_looks_as_if_nothing_had_been_sent(error: Exception) -> None:
    async def send(self: Any, request: httpx.Request) -> httpx.Response:
        raise error

    async def main() -> None:
        with one_attempt(), pytest.raises(httpx.NetworkError) as caught:
            await guarded(send)(None, httpx.Request("POST", URL))
        assert type(caught.value) is httpx.NetworkError
        assert caught.value.__cause__ is error

    asyncio.run(main())


def completion(**changes: Any) -> bytes:
    message = {"role": "assistant", "content": "[3]", **changes.pop("message", {})}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    answer = {"choices": [{"message": message}], "usage": usage, **changes}
    return json.dumps(answer).encode()


def test_a_common_answer_is_left_as_it_is() -> None:
    said = 'He said "content": [1] and "prompt_tokens": "x"'
    bodies = [completion(), completion(message={"content": said}), b"", b"{", b'{"error": 1}']
    for body in bodies:
        # Written as json.dumps does not: it would show if a body had been read and written anew.
        for spaced in (body, body.replace(b": ", b" :\n ").replace(b", ", b" ,")):
            assert lawful(spaced) is spaced


def test_parts_become_a_text() -> None:
    parts = [{"type": "text", "text": "vote "}, "[3]", {"type": "image"}, None]
    answer = json.loads(lawful(completion(message={"content": parts})))
    assert answer["choices"][0]["message"]["content"] == "vote [3]"


TEXT = {"type": "text", "text": "[3]"}


@pytest.mark.parametrize(
    "message",
    [
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, TEXT]},
        {"content": [{"type": "thinking", "thinking": "hm", "signature": "x"}, TEXT]},
        {"content": [{"type": "reasoning", "text": "hm"}, TEXT]},
        {"content": [{"type": "reasoning", "summary": [{"text": "hm"}]}, TEXT]},
        {"content": [{"text": "hm", "thought": True}, TEXT]},
        {"content": [TEXT], "reasoning_content": "hm"},
        {"thinking": "hm"},
        {"thinking_blocks": [{"type": "thinking", "thinking": "hm"}, {"data": "sealed"}]},
        {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"reasoning_content": "hm", "reasoning_details": [{"text": "hm"}]},
        {"reasoning_content": "hm", "thinking_blocks": [{"thinking": "hm"}]},
    ],
)
def test_what_was_thought_is_put_in_one_place_in_one_piece_and_in_a_stream(
    message: dict[str, Any],
) -> None:
    whole = completion(message=message)
    event = b"data: " + whole.replace(b'"message"', b'"delta"') + b"\r\n\r\n"
    said = lawful_events(b": waiting\n\n" + event).splitlines()
    [streamed] = [line for line in said if line.startswith(b"data: ")]

    for body, name in ((lawful(whole), "message"), (streamed.removeprefix(b"data: "), "delta")):
        found = json.loads(body)["choices"][0][name]
        assert (found["content"], found["reasoning_content"]) == ("[3]", "hm")


def test_a_refusal_may_be_a_part() -> None:
    parts = [{"type": "refusal", "refusal": "I will not."}]
    found = json.loads(lawful(completion(message={"content": parts})))["choices"][0]["message"]
    assert (found["content"], found["refusal"]) == ("", "I will not.")


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_stream_is_put_in_form_however_it_is_cut(size: int, end: bytes) -> None:
    said = b'data: {"choices": [{"delta": {"content": [{"text": "[3]"}]}}]}'
    body = end.join([b": waiting", b"", said, b"", b"data: [DONE]", b"", b"data: cut"])

    found = receive(body, {"Content-Type": "text/event-stream"}, size=size).read()

    # Without the comment, which LiteLLM can take for the beginning of an answer.
    first, *lines = [line for line in found.splitlines() if line]
    assert json.loads(first.removeprefix(b"data: "))["choices"][0]["delta"]["content"] == "[3]"
    assert lines == [b"data: [DONE]", b"data: cut"]


@pytest.mark.parametrize(
    ("usage", "known"),
    [
        ({"prompt_tokens": "1", "completion_tokens": 2}, None),
        ({"prompt_tokens": 1, "completion_tokens": -2}, None),
        ({"prompt_tokens": 1, "completion_tokens": 1e300}, None),
        ("much", None),
        (
            {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": "x", "extra": 5},
            {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        ),
        (
            {
                "prompt_tokens": 1,
                "completion_tokens": 2,
                "total_tokens": 3,
                "prompt_tokens_details": {"cached_tokens": "x", "audio_tokens": 0},
            },
            {
                "prompt_tokens": 1,
                "completion_tokens": 2,
                "total_tokens": 3,
                "prompt_tokens_details": {"audio_tokens": 0},
            },
        ),
    ],
)
def test_a_usage_keeps_what_can_be_counted_with(usage: Any, known: Any) -> None:
    assert json.loads(lawful(completion(usage=usage)))["usage"] == known


def test_what_is_no_chat_completion_is_left_as_it_is() -> None:
    other = json.dumps({"content": [{"type": "text", "text": "Anthropic's own"}]}).encode()
    assert lawful(other) == other


def test_what_others_send_passes_as_it_did() -> None:
    lost = httpx.ConnectError("lost")
    response = httpx.Response(302, headers={"Location": "/there"}, stream=Pieces(b"", 1))
    answers: list[Any] = [response, lost]

    async def send(self: Any, request: httpx.Request) -> httpx.Response:
        assert "accept-encoding" not in request.headers
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def main() -> None:
        guard = guarded(send)
        assert await guard(None, httpx.Request("POST", URL)) is response
        assert response.headers["location"] == "/there"
        with pytest.raises(httpx.ConnectError) as caught:
            await guard(None, httpx.Request("POST", URL))
        assert caught.value is lost

    asyncio.run(main())


def test_an_error_in_the_place_of_a_stream_is_an_event_of_it() -> None:
    error = b'{"error": {"code": 400, "message": "no"}}'
    assert as_stream(error) == b"data: " + error + b"\n\ndata: [DONE]\n\n"
    for other in (b'{"choices": []}', b"[]", b"no JSON", b'{"error": "no"}'):
        assert as_stream(other) == other
    assert lawful_events(b'error: {"code": 400}\n\n') == b'data: {"error": {"code": 400}}\n\n'
    said = b'data: {"choices": [{"delta": {"content": "an error: no"}}]}\nerror: none\n'
    assert lawful_events(said) == said


def told_beside(lines: bytes) -> dict[str, str]:
    heard = Heard()
    lawful_events(lines, heard)
    return heard.told


def test_who_answers_is_told_by_the_first_event_that_says_it() -> None:
    told = '"provider": "Together", "system_fingerprint": "fp", "service_tier": null'
    events = (
        f': waiting\ndata: {{"choices": [], {told}}}\ndata: {{"choices": [], "provider": "x"}}\n'
    )
    assert told_beside(events.encode()) == {"provider": "Together", "system_fingerprint": "fp"}
    odd = '{"choices": [], "provider": 7}'
    for line in ("data: [DONE]\n", "data: {\n", f"data: {odd}\n", "data: []\n", "\n"):
        assert told_beside(line.encode()) == {}
    long = f'data: {{"choices": [], "provider": "{"x" * 9999}"}}\n'
    assert len(told_beside(long.encode())["provider"]) == 256


def test_why_an_answer_ended_is_heard_in_any_protocol_and_no_text_is_taken_for_it() -> None:
    said = 'my "finish_reason": "error", my \\"stop_reason\\": \\"error\\"'
    for body in (
        {"candidates": [{"content": {"parts": [{"text": said}]}, "finishReason": "OTHER"}]},
        {"content": [{"type": "text", "text": said}], "stop_reason": "OTHER"},
        {"message": {"content": said}, "done_reason": "OTHER"},
    ):
        heard = Heard()
        for form in (json.dumps(body), json.dumps(body, indent=1)):
            assert json.dumps(said)[1:-1] in lawful(form.encode(), heard).decode()
        assert heard.reasons == ["OTHER", "OTHER"]
    heard = Heard()
    lawful(completion(message={"content": said}), heard)
    assert (heard.reasons, heard.choices) == ([], True)


ODD_MESSAGES = [
    {"reasoning_content": {"text": "hm"}},
    {"reasoning": {"summary": [{"text": "hm"}]}},
    {"annotations": "odd", "provider_specific_fields": 7},
    {"annotations": [{"type": 7}]},
    {"audio": {}, "images": "no", "logprobs": [1]},
    {"refusal": {"said": "no"}},
    {"tool_calls": "odd"},
    {"tool_calls": [None, 7, {"function": "odd"}]},
    {"function_call": [], "role": 7},
    {"content": {"type": "text", "text": "[3]"}},
    {"content": [[], {"type": "text", "text": {"value": "[3]"}}]},
]
ODD_CHOICES: list[dict[str, Any]] = [
    {"finish_reason": ["stop"]},
    {"finish_reason": {"type": "stop"}},
    {"finish_reason": 7},
    {"index": "0", "logprobs": "odd"},
    {"index": None},
]
ODD_ANSWERS: list[dict[str, Any]] = [
    {"created": 1700000000.5},
    {"created": "now"},
    {"id": 17, "model": {"name": "m"}, "object": 3},
    {"error": {"message": "beside it", "code": 500}},
    {"error": "beside it"},
    {"system_fingerprint": [], "service_tier": {}, "provider": 7},
    {"citations": "odd", "search_results": 7, "usage": "odd"},
]


@pytest.mark.parametrize(
    ("message", "choice", "answer"),
    [
        *((one, {}, {}) for one in ODD_MESSAGES),
        *(({}, one, {}) for one in ODD_CHOICES),
        *(({}, {}, one) for one in ODD_ANSWERS),
    ],
)
@pytest.mark.parametrize("name", ["message", "delta"])
def test_an_odd_answer_is_put_in_a_form_that_can_be_read(
    message: dict[str, Any], choice: dict[str, Any], answer: dict[str, Any], name: str
) -> None:
    said = {"role": "assistant", "content": "[3]", **message}
    body = {"choices": [{"index": 0, "finish_reason": "stop", name: said, **choice}], **answer}
    found = json.loads(lawful(json.dumps(body).encode()))
    (read,) = found["choices"]
    assert read[name]["content"] == "[3]"
    assert read.get("finish_reason") in ("stop", None)
    assert type(found.get("created", 0)) is type(read.get("index", 0)) is int
    assert "error" not in found
    for texts in (read[name], {key: found.get(key) for key in ("id", "model", "provider")}):
        for key, value in texts.items():
            assert value is None or isinstance(value, str) or key == "tool_calls"


@pytest.mark.parametrize(
    "choice", [{"text": "[3]"}, {"message": "[3]"}, {"message": ["[3]"]}, {"delta": "[3]"}]
)
def test_an_answer_may_stand_where_other_servers_put_it(choice: dict[str, Any]) -> None:
    (read,) = json.loads(lawful(json.dumps({"choices": [None, choice]}).encode()))["choices"]
    assert (read.get("message") or read.get("delta"))["content"] == "[3]"


def test_a_whole_answer_to_a_request_for_a_stream_is_one_event_of_it() -> None:
    first, *rest = as_stream(completion()).splitlines()
    assert json.loads(first[6:])["choices"][0]["delta"]["content"] == "[3]"
    assert rest == [b"", b"data: [DONE]", b""]


ANSWER = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "[3]"}, "finish_reason": "stop"}
    ],
}  # fmt: skip
WHOLE = json.dumps(ANSWER)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps([ANSWER]),
        json.dumps({"data": ANSWER, "success": True}),
        json.dumps({"output": {"choices": ANSWER["choices"]}, "usage": {}}),
        json.dumps({**ANSWER, "choices": ANSWER["choices"][0]}),
        json.dumps({**ANSWER, "choices": {"0": ANSWER["choices"][0]}}),
        f"{WHOLE}\n\nOK",
        f": OPENROUTER PROCESSING\n\n: again\n\n{WHOLE}",
        f"\ufeff{WHOLE}",
    ],
)
def test_an_answer_may_stand_in_something_else(body: str) -> None:
    heard = Heard()
    put = json.loads(lawful(body.encode(), heard))
    assert put["choices"][0]["message"]["content"] == "[3]"
    assert (heard.choices, heard.fault) == (True, None)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}, "credit"),
        ({"base_resp": {"status_code": 1002, "status_msg": "rate limit (RPM)"}}, "rate_limit"),
        ({"error": {"message": "slow", "code": "rate_limit_exceeded"}}, "rate_limit"),
        ({"error": {"message": "Too many requests", "type": "x"}}, "rate_limit"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, "overloaded"),
        ({"error": {"message": "no", "code": "insufficient_quota"}}, "credit"),
        ({"error": {"message": "no", "code": "invalid_api_key"}}, "key"),
        ({"error": {"message": "no", "code": "context_length_exceeded"}}, "context"),
        ({"error": "it broke"}, "server"),
        ({"code": "InternalError", "message": "it broke", "request_id": "r"}, "server"),
        ({"errors": [{"message": "it broke"}], "success": False}, "server"),
        ({"detail": "Internal Server Error"}, "server"),
    ],
)
def test_an_error_in_the_place_of_an_answer_has_its_kind(body: dict[str, Any], kind: str) -> None:
    whole, streamed = Heard(), Heard()
    lawful(json.dumps(body).encode(), whole)
    lawful_events(b"data: " + json.dumps(body).encode() + b"\n\n", streamed)
    for heard in (whole, streamed):
        failure = heard.failure(silent=False)
        assert failure is not None
        assert fault_of(failure).kind == kind


def piece(**choice: Any) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": 0, "finish_reason": None, **choice}]}


@pytest.mark.parametrize(
    "lines",
    [
        [f"data: {json.dumps(piece(message={'content': '[3]'}, finish_reason='stop'))}\n"],
        [f"data: {json.dumps(piece(delta={'content': '[3]'}))}\n", "data: [DONE]\n"],
        [
            f"data: {json.dumps(piece(delta={'content': '[3]'}))}\n",
            f"data: {json.dumps(piece(delta={'content': 'another choice'}, index=1))}\n",
            f"data: {json.dumps(piece(delta=None, finish_reason='stop'))}\n",
        ],
        [f"{json.dumps(piece(delta={'content': '[3]'}, finish_reason='stop'))}\n"],
        ['data: {"id": "c",\n', 'data: "choices": [{"delta": {"content": "[3]"},\n',
         'data: "index": 1, "finish_reason": "stop"}]}\n'],
        [f"\ufeffdata: {json.dumps(piece(delta={'content': '[3]'}, finish_reason='stop'))}\n"],
    ],
)  # fmt: skip
def test_a_stream_may_be_worded_in_other_ways(lines: list[str]) -> None:
    heard = Heard()
    put = lawful_events("".join(lines).encode(), heard).decode()
    said = [json.loads(line[5:]) for line in put.splitlines() if line.startswith("data: {")]
    texts = [choice["delta"].get("content") for chunk in said for choice in chunk["choices"]]
    assert [text for text in texts if text] == ["[3]"]
    assert heard.ended
    assert heard.failure(silent=False) is None


def test_a_stream_that_says_nothing_is_a_failure() -> None:
    heard = Heard()
    lawful_events(b"data: [DONE]\n\n", heard)
    assert heard.failure(silent=True) is not None
