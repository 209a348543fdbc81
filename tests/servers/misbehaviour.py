"""Every way in which a chat-completions server is known to misbehave, as the bytes it sends.

`ANSWERS` are odd and yet lawful: the text comes through. After any of `FAULTS` there is no answer;
`BILLED` of those had been computed, and are charged for. `STREAMED` need a streaming request, the
others of `FAULTS` and `ANSWERS` one that is not, but for `ANYWAY`.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from tests.servers.wire import Wire, as_text

MIB = 2**20


# Faults in place of a response, or in its head.


async def rate_limit(wire: Wire) -> None:
    await wire.error(429, "Rate limit reached")


async def rate_limit_seconds(wire: Wire) -> None:
    await wire.error(429, "Rate limit reached", Retry_After="0.05")


async def rate_limit_date(wire: Wire) -> None:
    now = format_datetime(datetime.now(UTC), usegmt=True)
    await wire.error(429, "Rate limit reached", Retry_After=now)


async def rate_limit_nonsense(wire: Wire) -> None:
    await wire.error(429, "Rate limit reached", Retry_After="-1e999 soon")


async def server_error(wire: Wire) -> None:
    await wire.error(500, "The server had an error")


async def bad_gateway(wire: Wire) -> None:
    await wire.send("<html>502 Bad Gateway</html>", status=502, kind="text/html")


async def unavailable(wire: Wire) -> None:
    await wire.error(503, "Unavailable")


async def unavailable_wait(wire: Wire) -> None:
    await wire.error(503, "Unavailable", Retry_After="0.05")


async def loading(wire: Wire) -> None:
    await wire.error(503, "Loading model")


async def overloaded(wire: Wire) -> None:
    await wire.error(529, "Overloaded")


async def hang(wire: Wire) -> None:
    await wire.until_left()


async def endless_headers(wire: Wire) -> None:
    wire.writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    await wire.until_left(every=0.1)


async def reset(wire: Wire) -> None:
    wire.reset()


async def hung_up(wire: Wire) -> None:
    wire.writer.close()


async def not_http(wire: Wire) -> None:
    wire.writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")


async def enormous_header(wire: Wire) -> None:
    await wire.send(wire.completion(), X_Enormous="a" * 200_000)


async def no_content(wire: Wire) -> None:
    wire.writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


async def redirect_loop(wire: Wire) -> None:
    await wire.send("", status=307, Location="/v1/chat/completions")


async def redirect_elsewhere(wire: Wire) -> None:
    await wire.send("", status=308, Location=f"{wire.url}/elsewhere")


# Faults in the body.


async def reset_in_body(wire: Wire) -> None:
    await wire.send(as_text(wire.completion())[:60], length=5000)
    await asyncio.sleep(0.01)
    wire.reset()


async def hung_up_in_body(wire: Wire) -> None:
    await wire.send(as_text(wire.completion())[:60], length=5000)


async def truncated_json(wire: Wire) -> None:
    await wire.send(as_text(wire.completion())[:-20])


async def malformed_json(wire: Wire) -> None:
    await wire.send(as_text(wire.completion()).replace(":", "=", 3))


async def deep_json(wire: Wire) -> None:
    await wire.send('{"choices": ' + "[" * 200_000 + "]" * 200_000 + "}")


async def not_unicode(wire: Wire) -> None:
    await wire.send(as_text(wire.completion()).encode().replace(b"stop", b"\xff\xfe\xfd"))


async def html(wire: Wire) -> None:
    await wire.send("<html>Please log in to the Wi-Fi</html>", kind="text/html")


async def empty_body(wire: Wire) -> None:
    await wire.send("")


async def empty_choices(wire: Wire) -> None:
    await wire.send(wire.completion(answer={"choices": []}))


async def null_message(wire: Wire) -> None:
    await wire.send(wire.completion(choice={"message": None}))


async def error_object(wire: Wire) -> None:
    await wire.send({"error": {"message": "upstream is overloaded", "code": 500}})


async def error_text(wire: Wire) -> None:
    await wire.send({"error": "upstream is overloaded"})


async def failed_choice(wire: Wire) -> None:
    error = {"message": "Upstream error from Provider: terminated", "code": 502}
    choice = {"error": error, "finish_reason": "error", "native_finish_reason": None}
    await wire.send(wire.completion(choice=choice))


async def half_an_answer(wire: Wire) -> None:
    await wire.send(wire.completion(choice={"finish_reason": "insufficient_system_resource"}))


async def native_failure(wire: Wire) -> None:
    choice = {"native_finish_reason": "network_error"}
    await wire.send(wire.completion(choice=choice, message={"content": ""}))


async def nothing_computed(wire: Wire) -> None:
    usage = {**wire.usage, "completion_tokens": 0}
    await wire.send(wire.completion(message={"content": None}, answer={"usage": usage}))


async def false_gzip(wire: Wire) -> None:
    await wire.send(wire.completion(), Content_Encoding="gzip")


async def cut_gzip(wire: Wire) -> None:
    squeezed = zlib.compress(as_text(wire.completion()).encode(), wbits=31)
    await wire.send(squeezed[:-12], Content_Encoding="gzip")


async def bomb(wire: Wire) -> None:
    await wire.send(_bomb(100), Content_Encoding="gzip")


async def large_bomb(wire: Wire) -> None:
    await wire.send(_bomb(1024), Content_Encoding="gzip")


async def deflate_bomb(wire: Wire) -> None:
    await wire.send(_bomb(100, wbits=15), Content_Encoding="deflate")


async def claimed_oversized(wire: Wire) -> None:
    await wire.send("[", length=10**12)


async def oversized(wire: Wire) -> None:
    wire.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    for _ in range(20 * 16):
        wire.writer.write(b" " * 65_536)
        await wire.writer.drain()


@lru_cache
def _bomb(mib: int, wbits: int = 31) -> bytes:
    """So many MiB of blanks, compressed a thousandfold. A full flush forgets what came before, so
    the same block can be there again and again."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, wbits)
    squeeze.compress(b"[")
    head = squeeze.flush(zlib.Z_FULL_FLUSH)
    block = squeeze.compress(b" " * MIB) + squeeze.flush(zlib.Z_FULL_FLUSH)
    return head + block * mib


# Faults of a stream.


async def cut_stream(wire: Wire) -> None:
    async for word in wire.stream():
        wire.event(wire.chunk({"content": word}))
        return


async def reset_stream(wire: Wire) -> None:
    async for word in wire.stream():
        wire.event(wire.chunk({"content": word}))
        await wire.writer.drain()
        await asyncio.sleep(0.01)
        wire.reset()
        return


async def garbage_in_stream(wire: Wire) -> None:
    async for _ in wire.stream():
        wire.writer.write(b"data: {garbage\n\n")
        return


async def failed_stream(wire: Wire) -> None:
    async for word in wire.stream():
        error = {"code": 502, "message": "Provider disconnected"}
        wire.event({**wire.chunk({"content": word}, "error"), "error": error})
        wire.event("[DONE]")
        return


async def native_failure_in_stream(wire: Wire) -> None:
    async for _ in wire.stream():
        chunk = wire.chunk({"content": ""}, "stop")
        chunk["choices"][0]["native_finish_reason"] = "network_error"
        wire.event(chunk)
        wire.event("[DONE]")
        return


async def nothing_in_stream(wire: Wire) -> None:
    async for _ in wire.stream():
        wire.event(wire.chunk({}, "stop"))
        usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        wire.event({**wire.chunk({}), "choices": [], "usage": usage})
        wire.event("[DONE]")
        return


async def error_in_stream(wire: Wire) -> None:
    async for _ in wire.stream():
        wire.event({"error": {"message": "upstream is overloaded", "code": 500}})
        return


# Odd, and answers all the same.


async def slow_headers(wire: Wire) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    for at in range(0, len(head), 8):
        wire.writer.write(head[at : at + 8])
        await asyncio.sleep(0.005)
    wire.writer.write(as_text(wire.completion()).encode())


async def null_content(wire: Wire) -> None:
    await wire.send(wire.completion(message={"content": None}), keep=True)


async def content_parts(wire: Wire) -> None:
    half = len(wire.text) // 2
    parts = [{"type": "text", "text": text} for text in (wire.text[:half], wire.text[half:])]
    await wire.send(wire.completion(message={"content": parts}), keep=True)


async def missing_usage(wire: Wire) -> None:
    answer = wire.completion()
    del answer["usage"]
    await wire.send(answer, keep=True)


async def null_usage(wire: Wire) -> None:
    await wire.send(wire.completion(answer={"usage": None}), keep=True)


async def negative_usage(wire: Wire) -> None:
    usage = {"prompt_tokens": -5, "completion_tokens": -1, "total_tokens": -6}
    await wire.send(wire.completion(answer={"usage": usage}), keep=True)


async def huge_usage(wire: Wire) -> None:
    usage = {"prompt_tokens": 10**15, "completion_tokens": 10**30, "total_tokens": 10**31}
    await wire.send(wire.completion(answer={"usage": usage}), keep=True)


async def text_usage(wire: Wire) -> None:
    usage = {"prompt_tokens": "twelve", "completion_tokens": "3", "total_tokens": None}
    await wire.send(wire.completion(answer={"usage": usage}), keep=True)


async def unknown_finish(wire: Wire) -> None:
    await wire.send(wire.completion(choice={"finish_reason": "banana"}), keep=True)


async def no_finish(wire: Wire) -> None:
    await wire.send(wire.completion(choice={"finish_reason": None}), keep=True)


async def text_type(wire: Wire) -> None:
    await wire.send(wire.completion(), kind="text/plain", keep=True)


async def wrong_charset(wire: Wire) -> None:
    await wire.send(wire.completion(), kind="application/json; charset=utf-16", keep=True)


async def hostile_text(wire: Wire) -> None:
    hostile = f"{wire.text}\x00\x1b]52;c;aGk=\x07\ud800 \u202e\U0010ffff"
    await wire.send(wire.completion(message={"content": hostile}), keep=True)


async def large_extras(wire: Wire) -> None:
    nested: Any = "deep"
    for _ in range(200):
        nested = {"more": [nested]}
    extras = {"x_nested": nested, "x_large": "x" * 500_000, "id": "i" * 5000}
    await wire.send(wire.completion(answer=extras, message={"x_more": nested}), keep=True)


async def odd_fields(wire: Wire) -> None:
    message = {"reasoning_content": {"steps": []}, "annotations": "none", "tool_calls": {}}
    choice = {"finish_reason": ["stop"], "logprobs": "none"}
    answer = {"created": 1700000000.25, "error": {"message": "beside it"}, "citations": 7}
    await wire.send(wire.completion(message=message, choice=choice, answer=answer), keep=True)


async def odd_stream(wire: Wire) -> None:
    odd = {"created": 1700000000.25, "citations": 7, "model": ["m"]}
    async for word in wire.stream():
        delta = {"content": word, "reasoning_content": {"steps": []}, "annotations": "none"}
        wire.event({**wire.chunk(delta), **odd})
    wire.event({**wire.chunk({"tool_calls": {}}, ["stop"]), "error": {"message": "beside it"}})  # type: ignore[arg-type]
    wire.event({**wire.chunk({}), "choices": [], "usage": dict(wire.usage)})
    wire.event("[DONE]")


async def cookies(wire: Wire) -> None:
    cookie = "session=of-another-request; Path=/; HttpOnly"
    await wire.send(wire.completion(), Set_Cookie=cookie, keep=True)


async def burst_stream(wire: Wire) -> None:
    wire.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    pieces = [{"reasoning_content": "."}] * 300 + [{"content": letter} for letter in wire.text]
    usage = {**wire.chunk({}), "choices": [], "usage": dict(wire.usage)}
    for event in (*map(wire.chunk, pieces), wire.chunk({}, "stop"), usage, "[DONE]"):
        wire.event(event)


async def gzipped(wire: Wire) -> None:
    squeezed = zlib.compress(as_text(wire.completion()).encode(), wbits=31)
    await wire.send(squeezed, Content_Encoding="gzip", keep=True)


Kind = Callable[[Wire], Any]


def _named(*kinds: Kind) -> dict[str, Kind]:
    return {kind.__name__: kind for kind in kinds}


# fmt: off
ANYWAY = _named(
    rate_limit, rate_limit_seconds, rate_limit_date, rate_limit_nonsense, server_error,
    bad_gateway, unavailable, unavailable_wait, loading, overloaded, hang, endless_headers, reset,
    hung_up, not_http, enormous_header, redirect_loop, redirect_elsewhere,
)
FAILED_STREAMS = _named(
    cut_stream, reset_stream, garbage_in_stream, error_in_stream, failed_stream,
    native_failure_in_stream, nothing_in_stream,
)
STREAMED = FAILED_STREAMS | _named(odd_stream, burst_stream)
FAULTS = ANYWAY | FAILED_STREAMS | _named(
    no_content, reset_in_body, hung_up_in_body, truncated_json, malformed_json, deep_json,
    not_unicode, html, empty_body, empty_choices, null_message, error_object, error_text,
    failed_choice, half_an_answer, native_failure, nothing_computed, false_gzip, cut_gzip, bomb,
    large_bomb, deflate_bomb, claimed_oversized, oversized,
)
ANSWERS = _named(
    slow_headers, null_content, content_parts, missing_usage, null_usage, negative_usage,
    huge_usage, text_usage, unknown_finish, no_finish, text_type, wrong_charset, hostile_text,
    large_extras, odd_fields, odd_stream, burst_stream, cookies, gzipped,
)
BILLED = frozenset(_named(
    hang, endless_headers, reset, hung_up, enormous_header, reset_in_body, hung_up_in_body,
    truncated_json, malformed_json, not_unicode, cut_gzip, cut_stream, reset_stream,
    garbage_in_stream, empty_choices, null_message, failed_choice, half_an_answer, native_failure,
    nothing_computed, failed_stream, native_failure_in_stream, nothing_in_stream,
)) | frozenset(ANSWERS)
# fmt: on
ALL: Mapping[str, Kind] = FAULTS | ANSWERS


def fits(kind: str, stream: bool) -> bool:
    """Whether a kind can be what a streaming, or another, request is answered with."""
    return kind in ANYWAY or (kind in STREAMED) is stream
