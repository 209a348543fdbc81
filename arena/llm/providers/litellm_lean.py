"""The lean path of the provider `litellm`: asks LiteLLM once what it would send, then sends that.

At a model's first use a few conversations and plain answers go through LiteLLM with nothing sent.
Where it leaves messages as they are and everything else is the same in every request, and where it
reads a plain answer as it stands, a call needs LiteLLM no more. Whatever else comes in is handed to
LiteLLM as it was received, so that faults and rare forms are read by it alone.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import Any

import httpx
from multidict import CIMultiDict
from yarl import URL

from arena.core import Message
from arena.llm.providers.lean.conversations import UNUSUAL, USUAL, answers, events
from arena.llm.providers.lean.plain import plain_answer, read_plain
from arena.llm.providers.lean.stream import PlainStream
from arena.llm.providers.lean.template import (
    SentRequest,
    Template,
    Trait,
    template_of,
    traits,
)
from arena.llm.providers.lean.wire import Received, Wire
from arena.llm.providers.litellm_transport import (
    AT_ONCE,
    MOST,
    Decoder,
    answered,
    decoder,
    raise_lost,
)
from arena.llm.providers.protocol import Answer
from arena.llm.providers.stopwatch import stopwatch

_KEY = "arena-probe-key-0123456789"
_SEED = 271_828_182
_SECRET = re.compile(r"key|token|secret", re.IGNORECASE)
_SHORTEST_KEY = 8  # characters
# What LiteLLM sends where it has no key.
_NO_KEYS = ("Bearer none", "Bearer fake-api-key", "none", "")

Ask = Callable[[Mapping[str, Any], Sequence[Message]], Awaitable[Answer]]
"""Asks LiteLLM, with these arguments of its own, and reads what it makes of the answer."""


@dataclass(frozen=True, slots=True)
class LeanPath:
    """What was learned of a model. `allowed` are the traits with which a conversation is left as it
    is; `variables` are environment variables whose values LiteLLM puts into headers by itself, by
    the marks that stand there."""

    template: Template
    url: URL
    how: Mapping[str, Any]
    prefix: str
    allowed: frozenset[Trait]
    variables: Mapping[str, str]
    _filled: list[tuple[Mapping[str, str], CIMultiDict[str]]] = field(
        default_factory=list, repr=False, compare=False
    )

    def headers(self, secrets: Mapping[str, str]) -> CIMultiDict[str]:
        """The headers of a request with these secrets, as aiohttp takes them the quickest."""
        if not self._filled or self._filled[0][0] != secrets:
            filled = {**self.template.filled(secrets), "accept-encoding": "gzip, deflate"}
            self._filled[:] = [(secrets, CIMultiDict(filled))]
        return self._filled[0][1]

    def fits(self, messages: Sequence[Message]) -> bool:
        """Whether such a conversation is sent as it is."""
        found = traits(messages)
        return found is not None and found <= self.allowed

    def secrets(self, key: str | None, headers: Mapping[str, str]) -> dict[str, str] | None:
        """What goes into the places of marks now; None where a variable is gone."""
        found = {_mark(name): value for name, value in headers.items()}
        if key is not None:
            found[_KEY] = key
        for mark, variable in self.variables.items():
            value = os.environ.get(variable)
            if not value:
                return None
            found[mark] = value
        return found


@dataclass(slots=True)
class _Probe:
    """Answers what LiteLLM sends, and keeps it."""

    answer: Received
    requests: list[SentRequest] = field(default_factory=list)
    transports: list[Any] = field(default_factory=list)

    def __call__(self, transport: Any, request: httpx.Request) -> httpx.Response:
        self.transports.append(transport)
        self.requests.append(
            SentRequest(
                request.method,
                str(request.url),
                {name.lower(): value for name, value in request.headers.items()},
                request.content,
            )
        )
        return _replayed(request, self.answer)


class LeanRequests:
    """What one provider sends without LiteLLM; `send` asks LiteLLM itself."""

    def __init__(self, send: Ask) -> None:
        self._send = send
        self._wire: Wire | None = None

    async def aclose(self) -> None:
        """Close the connections; they are made again when they are needed."""
        if self._wire is not None:
            await self._wire.aclose()

    async def learn(
        self, kwargs: Mapping[str, Any], *, key: bool, headers: Sequence[str], seeded: bool
    ) -> LeanPath | str:
        """The lean path of a model that is asked with these arguments, or why it has none. `key`
        says that the model names its key, `headers` which headers have values of their own."""
        asked = dict(kwargs)
        if key:
            asked["api_key"] = _KEY
        if headers:
            asked["extra_headers"] = {name: _mark(name) for name in headers}
        if seeded:
            asked["seed"] = _SEED
        plain = answers("probe-model")
        try:
            return await self._learn(asked, plain, _SEED if seeded else None)
        except _NotLearned as why:
            return str(why)

    async def _learn(
        self, asked: Mapping[str, Any], plain: Sequence[Mapping[str, Any]], seed: int | None
    ) -> LeanPath:
        sent = [(said, *await self._probed(asked, said, plain[0])) for said in USUAL]
        variables: dict[str, str] = {}
        named = [(said, _marked(request, variables)) for said, request, *_ in sent]
        template = template_of(named, seed)
        if isinstance(template, str):
            raise _NotLearned(template)
        _check_keys(template)
        prefix = "" if asked.get("stream") else _prefix(sent[0][3].model_answered)
        for answer in plain:
            _, _, read = await self._probed(asked, USUAL[0], answer)
            if not _read_alike(asked, answer, read, prefix):
                raise _NotLearned("LiteLLM reads its answers otherwise than they stand there")
        allowed = set()
        for trait, said in UNUSUAL.items():
            try:
                request, _, _ = await self._probed(asked, said, plain[0])
            except _NotLearned:
                continue
            if template_of([(said, _marked(request, {}))], seed) == template:
                allowed.add(trait)
        transport = sent[0][2]
        url = URL(template.url, encoded=True)
        how = await _how(transport, sent[0][1])
        self._wire = self._wire or Wire(_sessions_of(transport))
        return LeanPath(template, url, how, prefix, frozenset(allowed), variables)

    async def _probed(
        self, asked: Mapping[str, Any], said: Sequence[Message], answer: Mapping[str, Any]
    ) -> tuple[SentRequest, Any, Answer]:
        """What LiteLLM would send, by which transport, and what it makes of the answer."""
        kind, body = _body(asked, answer)
        probe = _Probe(Received(200, {"content-type": kind}, bytearray(body)))
        try:
            with answered(probe):
                read = await self._send(asked, said)
        except Exception as error:
            raise _NotLearned(f"LiteLLM refuses to be asked: {type(error).__name__}") from error
        if len(probe.requests) != 1:
            raise _NotLearned(f"LiteLLM sends {len(probe.requests)} requests for a call")
        return probe.requests[0], probe.transports[0], read

    async def ask(
        self,
        path: LeanPath,
        kwargs: Mapping[str, Any],
        messages: Sequence[Message],
        secrets: Mapping[str, str],
        seed: int | None,
    ) -> Answer:
        """One request by a lean path; `kwargs` are those with which LiteLLM reads what is not
        plain. Whatever goes wrong is raised."""
        assert self._wire is not None
        try:
            body = path.template.body(messages, seed)
        except TypeError:
            return await self._send(kwargs, messages)
        stream = _stream() if kwargs.get("stream") else None
        came = await self._wire.send(
            path.url,
            path.headers(secrets),
            body,
            path.how,
            MOST,
            None if stream is None else partial(_hear, stream),
        )
        answer = _plain(came, stream, path.prefix)
        if answer is not None:
            return answer
        first = None if stream is None else stream.first_token_ms or stream.now()
        with answered(lambda _, request: _replayed(request, came)):
            read = await self._send(kwargs, messages)
        return read if read.first_token_ms is None else replace(read, first_token_ms=first)


class _NotLearned(Exception):
    """A model has no lean path: why."""


def _body(asked: Mapping[str, Any], answer: Mapping[str, Any]) -> tuple[str, bytes]:
    """The content type and the bytes of an answer to what is asked."""
    if asked.get("stream"):
        return "text/event-stream", events(answer)
    return "application/json", json.dumps(answer).encode()


def _read_alike(
    asked: Mapping[str, Any], answer: Mapping[str, Any], read: Answer, prefix: str
) -> bool:
    """Whether an answer is read here as LiteLLM reads it. A stream has of LiteLLM the name and the
    time of the request; here it has those of the answer."""
    kind, body = _body(asked, answer)
    stream = _stream() if asked.get("stream") else None
    if stream is not None:
        stream.hear(body)
    came = Received(200, {"content-type": kind}, bytearray(body))
    ours = _plain(came, stream, prefix)
    if ours is None or stream is None:
        return ours == read
    theirs = {**(read.response or {}), "model": prefix + answer["model"]}
    theirs["created"] = answer["created"]
    return ours.completion == read.completion and ours.response == theirs


def _stream() -> PlainStream:
    timed = stopwatch()
    return PlainStream(lambda: timed.answering() * 1e3)


def _hear(stream: PlainStream, came: Received, chunk: bytes) -> None:
    encoding = came.headers.get("content-encoding", "").strip().lower()
    if encoding and stream.decoder is None:
        stream.decoder = decoder(encoding)
        stream.odd = stream.decoder is None
    stream.hear(chunk)


def _plain(came: Received, stream: PlainStream | None, prefix: str) -> Answer | None:
    """The answer that came, if it is plain."""
    if came.error is not None or came.status != 200:
        return None
    kind = came.headers.get("content-type", "").lower()
    if stream is not None:
        return stream.answer(came.headers, prefix) if "event-stream" in kind else None
    if "json" not in kind:
        return None
    encoding = came.headers.get("content-encoding", "").strip().lower()
    body = bytes(came.body)
    if encoding:
        decoding = decoder(encoding)
        body = b"" if decoding is None else _decoded(decoding, body)
    answer = plain_answer(body)
    return None if answer is None else read_plain(answer, came.headers, prefix)


def _decoded(decoding: Decoder, body: bytes) -> bytes:
    """A body, decoded; empty for one that is broken or too large."""
    whole = bytearray()
    try:
        for piece in decoding.pieces(body):
            whole += piece
            if len(whole) > MOST:
                return b""
        decoding.finish()
    except httpx.DecodingError:
        return b""
    return bytes(whole)


def _replayed(request: httpx.Request, came: Received) -> httpx.Response:
    """What LiteLLM's transport would have given, or raised, for what came."""
    theirs = import_module("litellm.llms.custom_httpx.aiohttp_transport")
    if came.status is None:
        assert came.error is not None
        try:
            with theirs.map_aiohttp_exceptions():
                raise came.error
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            raise_lost(error, request, at_once=came.reused and came.answering < AT_ONCE)
    return httpx.Response(
        came.status,
        headers=[*came.headers.items()],
        stream=theirs.AiohttpResponseStream(_Came(came)),
        request=request,
    )


class _Came:
    """Stands in the place of aiohttp's response, of which all has come that will."""

    def __init__(self, came: Received) -> None:
        self._came = came

    @property
    def content(self) -> _Came:
        return self

    async def iter_chunked(self, size: int) -> Any:
        for at in range(0, len(self._came.body), size):
            yield bytes(self._came.body[at : at + size])
        if self._came.error is not None:
            raise self._came.error

    def close(self) -> None:
        return

    async def __aexit__(self, *_: object) -> None:
        return


def _mark(name: str) -> str:
    return f"arena-probe-{name.lower()}-0123456789"


def _marked(request: SentRequest, variables: dict[str, str]) -> SentRequest:
    """The request with marks where the value of a variable stands in a header."""
    headers = dict(request.headers)
    for variable, value in os.environ.items():
        if len(value) < _SHORTEST_KEY or not _SECRET.search(variable):
            continue
        for name, said in headers.items():
            if value in said:
                mark = _mark(f"variable-{variable}")
                headers[name] = said.replace(value, mark)
                variables[mark] = variable
    return replace(request, headers=headers)


def _check_keys(template: Template) -> None:
    """A key that came from elsewhere than a variable may be another one for the next call."""
    for name, value in template.headers.items():
        secret = _SECRET.search(name.replace("authorization", "key"))
        if secret and "arena-probe-" not in value and value not in _NO_KEYS:
            raise _NotLearned("LiteLLM finds its key by itself")


def _prefix(said: str | None) -> str:
    if said is None or not said.endswith("probe-model"):
        raise _NotLearned("LiteLLM names the model that answers otherwise")
    return said.removesuffix("probe-model")


async def _how(transport: Any, request: SentRequest) -> dict[str, Any]:
    """The proxy and the certificates that LiteLLM's transport would use for an address."""
    found: dict[str, Any] = {}
    proxy = await transport._get_proxy_settings(httpx.Request("POST", request.url))
    if proxy is not None:
        found["proxy"] = proxy
    if transport._ssl_verify is not None:
        found["ssl"] = transport._ssl_verify
    return found


def _sessions_of(transport: Any) -> Callable[[], Any]:
    make: Callable[[], Any] = transport._client_factory
    return make
