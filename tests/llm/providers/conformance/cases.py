"""What the conformance suite asks each provider, and what it is answered."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arena.llm.request import PER_CALL
from tests.servers.canned_server import Canned

EVENTS = "text/event-stream"
FEW: Mapping[str, Any] = {"max_tokens": 50, "temperature": 0.5}
MANY: Mapping[str, Any] = {
    "max_tokens": 400,
    "top_p": 0.9,
    "seed": PER_CALL,
    "extra_headers": {"X-Title": "$LEAN_TITLE"},
}


@dataclass(frozen=True)
class ProviderCases:
    """One model of a provider; those of one `family` answer alike, but for what is their own.

    `answers` are for requests that do not stream, `streams` for those that do; of these, those
    named in `plain` must be read without LiteLLM, and those in `own` are of no other model. What
    is stored by the names in `made_up` LiteLLM makes up, whatever the provider says. `base`
    is what follows the server's address in `api_base`, `environment` holds variables that the
    provider needs. `why` gives the reason for which a model has no lean path, where it has none,
    for requests that do not stream (False) and that do (True).
    """

    model: str
    family: str
    answers: Mapping[str, Canned]
    streams: Mapping[str, Canned]
    plain: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    made_up: frozenset[str] = frozenset()
    params: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: {"few": FEW, "many": MANY}
    )
    base: str = "/v1"
    environment: Mapping[str, str] = field(default_factory=dict)
    why: Mapping[bool, str] = field(default_factory=dict)

    def named(self, stream: bool) -> Mapping[str, Canned]:
        """What it may answer."""
        return self.streams if stream else self.answers


def as_json(said: Any, **more: Any) -> Canned:
    """An answer in JSON."""
    return Canned(as_bytes(said), **more)


def event(said: Any) -> bytes:
    """One event of a stream, as most servers send it."""
    return b"data: %s\n\n" % (said if isinstance(said, bytes) else as_bytes(said))


def as_bytes(said: Any) -> bytes:
    """JSON in UTF-8; a lone surrogate is escaped."""
    return json.dumps(said, ensure_ascii=False).encode(errors="backslashreplace")


def streamed(*events: Any, **more: Any) -> Canned:
    """A stream of events, each in a chunk of its own."""
    return Canned([event(one) for one in events], kind=EVENTS, **more)


def on_the_wire(plain: Canned) -> dict[str, Canned]:
    """The ways in which a connection may bring an answer, or fail to. `plain` has its body in one
    piece."""
    assert isinstance(plain.body, bytes)
    body, kind = plain.body, plain.kind
    half = len(body) // 2
    html = "text/html; charset=utf-8"
    gzip = zlib.compress(body, wbits=31)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n" % kind.encode()
    return {
        "in gzip": Canned(gzip, kind=kind, headers={"Content-Encoding": "gzip"}),
        "in gzip, chunked": Canned(
            [gzip[:7], gzip[7:40], gzip[40:]], kind=kind, headers={"Content-Encoding": "gzip"}
        ),
        "in x-gzip": Canned(gzip, kind=kind, headers={"Content-Encoding": "X-GZIP"}),
        "in deflate": Canned(
            zlib.compress(body), kind=kind, headers={"Content-Encoding": "deflate"}
        ),
        "in deflate without a head": Canned(
            zlib.compress(body, wbits=-15), kind=kind, headers={"Content-Encoding": "deflate"}
        ),
        "in gzip that is none": Canned(body, kind=kind, headers={"Content-Encoding": "gzip"}),
        "in half a gzip": Canned(
            gzip[: len(gzip) // 2], kind=kind, headers={"Content-Encoding": "gzip"}
        ),
        "in br, which was not asked for": Canned(
            b"\x8b\x03\x80", kind=kind, headers={"Content-Encoding": "br"}
        ),
        "named br and not so": Canned(body, kind=kind, headers={"Content-Encoding": "br"}),
        "in one byte a chunk": Canned([bytes([one]) for one in body[:60]] + [body[60:]], kind=kind),
        "until the connection ends": Canned(raw=head + b"\r\n" + body),
        "with a word of the limits": Canned(
            body,
            kind=kind,
            headers={
                "x-ratelimit-remaining-requests": "9",
                "x-request-id": "r",
                "Set-Cookie": "a=b",
            },
        ),
        "of a region": Canned(body, kind=kind, headers={"x-ms-region": "Sweden Central"}),
        "with a charset": Canned(body, kind=f"{kind}; charset=utf-8"),
        "with another charset": Canned(body, kind=f"{kind}; charset=latin-1"),
        "as text": Canned(body, kind="text/plain"),
        "without a kind": Canned(
            raw=b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        ),
        "with a status of 201": Canned(body, kind=kind, status=201),
        "empty": Canned(b"", kind=kind),
        "a page": Canned(b"<html><body>Sign in</body></html>", kind=html),
        "half of it": Canned(body[:half], kind=kind),
        "cut in the body": Canned(body[:half], kind=kind, cut=True),
        "reset in the body": Canned(body[:half], kind=kind, reset=True),
        "cut in a chunk": Canned([body[:9], body[9:half]], kind=kind, cut=True),
        "cut in the head": Canned(raw=head[:30]),
        "cut behind the head": Canned(raw=head + b"Content-Length: 100\r\n\r\n"),
        "cut before the head": Canned(raw=b""),
        "reset before the head": Canned(raw=b"", reset=True),
        "no HTTP": Canned(raw=b"SSH-2.0-OpenSSH_9.6\r\n"),
        "moved for good": Canned(b"", 301, headers={"Location": "/v1/elsewhere"}),
        "moved with the method": Canned(b"", 307, headers={"Location": "/v1/elsewhere"}),
        "moved to another host": Canned(b"", 308, headers={"Location": "http://127.0.0.1:9/"}),
        "a page of a gateway": Canned(b"<html><h1>502 Bad Gateway</h1></html>", 502, html),
        "a page of a firewall": Canned(b"<html>Attention Required!</html>", 403, html),
        "a wait until a date": Canned(
            b"{}", 429, headers={"Retry-After": "Wed, 21 Oct 2065 07:28:00 GMT"}
        ),
        "a wait in milliseconds": Canned(b"{}", 429, headers={"retry-after-ms": "2500"}),
        "a wait of part of a second": Canned(b"{}", 503, headers={"Retry-After": "1.5"}),
        "a wait that is none": Canned(b"{}", 429, headers={"Retry-After": "soon"}),
        "a wait in a header of the limit": Canned(
            b"{}", 429, headers={"x-ratelimit-reset-requests": "6m0s"}
        ),
        "429 without a word": Canned(b"", 429),
        "500 in text": Canned(b"Internal Server Error", 500, "text/plain"),
        "a failure in gzip": Canned(
            zlib.compress(b'{"error": {"message": "busy"}}', wbits=31),
            503,
            headers={"Content-Encoding": "gzip"},
        ),
    }


def on_the_line(events: Sequence[bytes]) -> dict[str, Canned]:
    """The ways in which a stream of these events may come, each of which ends with a blank line."""
    whole = b"".join(events)
    text = "é\N{WOLF FACE}".encode()
    assert text in whole, "a text is needed that can be cut within a character"
    cut = whole.index(text) + 1
    return {
        "in one piece": Canned(whole, kind=EVENTS),
        "in one chunk": Canned([whole], kind=EVENTS),
        "in pieces of seven bytes": Canned(
            [whole[at : at + 7] for at in range(0, len(whole), 7)], kind=EVENTS
        ),
        "cut within a character": Canned([whole[:cut], whole[cut:]], kind=EVENTS),
        "cut within an emoji": Canned([whole[: cut + 3], whole[cut + 3 :]], kind=EVENTS),
        "with CRLF": Canned([one.replace(b"\n", b"\r\n") for one in events], kind=EVENTS),
        "with CRLF cut in two": Canned(
            [part for one in events for part in (one[:-2] + b"\r", b"\n\r", b"\n")],
            kind=EVENTS,
        ),
        "with CR": Canned([one.replace(b"\n", b"\r") for one in events], kind=EVENTS),
        "without a space": Canned(
            [one.replace(b"data: ", b"data:") for one in events], kind=EVENTS
        ),
        "with comments": Canned([b": keep-alive\n\n" + one for one in events], kind=EVENTS),
        "with comments of one line": Canned([b":\n" + one for one in events], kind=EVENTS),
        "with ids and a wait": Canned(
            [b"id: 7\nretry: 3000\n" + one for one in events], kind=EVENTS
        ),
        "with a mark of the order of bytes": Canned([b"\xef\xbb\xbf" + whole], kind=EVENTS),
        "with more blank lines": Canned([b"\n\n" + one + b"\n" for one in events], kind=EVENTS),
        "without the last blank line": Canned([*events[:-1], events[-1][:-2]], kind=EVENTS),
        "without the last event": Canned(events[:-1], kind=EVENTS),
        "without all of its end": Canned(events[:-3], kind=EVENTS),
        "cut without an end": Canned(events[:2], kind=EVENTS, cut=True),
        "reset within": Canned(events[:2], kind=EVENTS, reset=True),
        "garbage within": Canned([*events[:2], b"data: {garbage\n\n"], kind=EVENTS),
        "blank data within": Canned([*events[:2], b"data:\n\n", *events[2:]], kind=EVENTS),
        "of another kind": Canned(whole, kind="text/plain"),
        "of no kind": Canned(whole, kind="application/octet-stream"),
    }
