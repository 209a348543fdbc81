"""Learns of LiteLLM how a model is asked without it, by conversations that are not sent.

Where it leaves messages as they are, or rewrites them by a function of its own that can be called
again, and everything else is the same in every request, and where it reads plain answers as they
stand, a call needs LiteLLM no more.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from multidict import CIMultiDict

from arena.core import Message
from arena.llm.providers.lean.anthropic import ANTHROPIC
from arena.llm.providers.lean.chat import CHAT
from arena.llm.providers.lean.cohere import COHERE
from arena.llm.providers.lean.conversations import UNUSUAL, USUAL
from arena.llm.providers.lean.converse import CONVERSE
from arena.llm.providers.lean.dialect import Dialect
from arena.llm.providers.lean.google import GOOGLE
from arena.llm.providers.lean.groq import GROQ
from arena.llm.providers.lean.path import KEY, LeanPath, header_mark, variable_mark
from arena.llm.providers.lean.reading import begun, read
from arena.llm.providers.lean.rewriting import NotRewritten, Rewriting, rewriting_of
from arena.llm.providers.lean.signing import SIGNED, Signing, signing_of
from arena.llm.providers.lean.template import (
    SentRequest,
    Template,
    frame_of,
    template_of,
)
from arena.llm.providers.lean.wire import Received
from arena.llm.providers.litellm_calls import Calls, watched
from arena.llm.providers.litellm_replayed import replayed
from arena.llm.providers.litellm_transport import answered
from arena.llm.providers.prompt_cache import marked
from arena.llm.providers.protocol import Answer

DIALECTS = (CHAT, ANTHROPIC, GOOGLE, CONVERSE, COHERE, GROQ)

SEED = 271_828_182
_MODEL = "probe-model"
_SECRET = re.compile(r"key|token|secret", re.IGNORECASE)
_SHORTEST_KEY = 8  # characters
# What LiteLLM sends where it has no key.
_NO_KEYS = ("Bearer none", "Bearer fake-api-key", "none", "")

Ask = Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], Awaitable[Answer]]
"""Asks LiteLLM, with these arguments of its own, and reads what it makes of the answer."""


class NotLearned(Exception):
    """A model has no lean path: why."""


@dataclass(slots=True)
class _Probe:
    """What LiteLLM would have sent of some messages, by which transport and which of its calls,
    and what it made of the answer."""

    messages: Sequence[Mapping[str, Any]]
    answer: Received
    calls: Calls = field(default_factory=Calls)
    requests: list[SentRequest] = field(default_factory=list)
    transports: list[Any] = field(default_factory=list)
    read: Answer | Exception | None = None

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
        return replayed(request, self.answer)

    @property
    def request(self) -> SentRequest:
        """The only request. Raises NotLearned."""
        if len(self.requests) != 1:
            if isinstance(self.read, Exception):
                raise NotLearned(f"LiteLLM refuses to be asked: {type(self.read).__name__}")
            raise NotLearned(f"LiteLLM sends {len(self.requests)} requests for a call")
        if b"arena-probe-" in self.requests[0].body:
            raise NotLearned("a secret stands in the body of its requests")
        return self.requests[0]


@dataclass(frozen=True, slots=True)
class Learning:
    """One model that is learned: `asked` are the arguments of LiteLLM's with which it is asked,
    `seed` the one among them that each call has of its own, `marks` says that its prompts are
    marked for a cache."""

    send: Ask
    asked: Mapping[str, Any]
    seed: int | None = None
    marks: bool = False

    async def path(self) -> tuple[LeanPath, Any]:
        """The lean path, and a transport of LiteLLM's for its address. Raises NotLearned."""
        dialect, prefix = await self._dialect()
        answer = dialect.answers(_MODEL)[0]
        usual = [await self._probe(said, dialect, answer) for said in USUAL]
        variables: dict[str, str] = {}
        named = [_marked(probe, variables) for probe in usual]
        template, rewriting, signing = await self._made(named)
        _check_keys(template)
        allowed = set()
        for trait, said in UNUSUAL.items():
            probe = await self._probe(said, dialect, answer)
            if await self._fits(_marked(probe, {}), template, rewriting):
                allowed.add(trait)
        path = LeanPath(
            template,
            dialect,
            await _how(usual[0].transports[0], usual[0].request),
            prefix,
            frozenset(allowed),
            variables,
            rewriting,
            signing,
        )
        return path, usual[0].transports[0]

    async def _dialect(self) -> tuple[Dialect, str]:
        """The dialect whose plain answers LiteLLM reads as they are read here, and what it puts in
        front of the name of the model that answers."""
        unread = False
        for dialect in DIALECTS:
            if self.asked.get("stream") and dialect.stream is None:
                continue
            prefixes: set[str | None] = set()
            for answer in dialect.answers(_MODEL):
                if None in prefixes:
                    break
                probe = await self._probe(USUAL[0], dialect, answer)
                # Where it sends none, or several, it is the same in any dialect.
                assert probe.request
                prefixes.add(self._prefix(dialect, answer, probe))
                unread = unread or isinstance(probe.read, Exception)
            if len(prefixes) == 1 and (prefix := prefixes.pop()) is not None:
                return dialect, prefix
        if unread:
            raise NotLearned("its answers have a form that only LiteLLM reads")
        raise NotLearned("LiteLLM reads its answers otherwise than they stand there")

    async def _probe(
        self, said: Sequence[Message], dialect: Dialect, answer: Mapping[str, Any]
    ) -> _Probe:
        messages = marked(said) if self.marks else said
        kind, body = self._body(dialect, answer)
        headers = CIMultiDict({"content-type": kind})
        probe = _Probe(messages, Received(200, headers, bytearray(body)))
        with watched() as probe.calls, answered(probe):
            try:
                probe.read = await self.send(self.asked, messages)
            except Exception as error:
                probe.read = error
        return probe

    def _body(self, dialect: Dialect, answer: Mapping[str, Any]) -> tuple[str, bytes]:
        """The content type and the bytes of an answer to what is asked."""
        if self.asked.get("stream"):
            assert dialect.events is not None
            return dialect.streamed, dialect.events(answer)
        return "application/json", dialect.body(answer)

    def _prefix(self, dialect: Dialect, answer: Mapping[str, Any], probe: _Probe) -> str | None:
        """What LiteLLM puts in front of the name of the model that answers; None where it reads
        the answer otherwise than it is read here."""
        theirs = probe.read
        if not isinstance(theirs, Answer) or theirs.model_answered is None:
            return None
        streamed = bool(self.asked.get("stream"))
        prefix = theirs.model_answered
        if dialect.names:
            # Of a stream it has the name that was asked for.
            if not streamed and not prefix.endswith(_MODEL):
                return None
            prefix = "" if streamed else prefix.removesuffix(_MODEL)
        stream = begun(dialect) if streamed else None
        if stream is not None:
            stream.hear(bytes(probe.answer.body))
        ours = read(dialect, probe.answer, stream, prefix)
        return prefix if ours is not None and _alike(ours, theirs) else None

    async def _made(
        self, probes: Sequence[_Probe]
    ) -> tuple[Template, Rewriting | None, Signing | None]:
        """How these requests are made."""
        if not probes[0].calls.rewriting:
            template = template_of([(one.messages, one.request) for one in probes], self.seed)
            if isinstance(template, str):
                raise NotLearned(template)
            return template, None, None
        try:
            sent = [(one.messages, one.calls.rewriting, one.request) for one in probes]
            rewriting = await rewriting_of(sent, self.seed)
        except NotRewritten as why:
            raise NotLearned(str(why)) from None
        except Exception as error:
            raise NotLearned(f"LiteLLM's rewriting fails: {type(error).__name__}") from error
        signing = _signing(probes)
        frame = frame_of([_unsigned(one.request, signing) for one in probes])
        if isinstance(frame, str):
            raise NotLearned(frame)
        return frame, rewriting, signing

    async def _fits(self, probe: _Probe, template: Template, rewriting: Rewriting | None) -> bool:
        """Whether a request is made in the same way."""
        try:
            made, again, _ = await self._made([probe])
        except NotLearned:
            return False
        if rewriting is None or again is None:
            return made == template and rewriting is again
        same = (again.call.function, again.added, again.encode) == (
            rewriting.call.function,
            rewriting.added,
            rewriting.encode,
        )
        return same and made == template


def _alike(ours: Answer, theirs: Answer) -> bool:
    """Whether an answer is read alike. The number and the time of an answer, and the name of the
    model in a stream, are LiteLLM's own where its provider says none that it reads."""
    own = ("id", "model", "created")
    mine, other = (
        {name: value for name, value in (one.response or {}).items() if name not in own}
        for one in (ours, theirs)
    )
    return ours.completion == theirs.completion and mine == other


def _marked(probe: _Probe, variables: dict[str, str]) -> _Probe:
    """The probe with marks where the value of a variable stands in its address or a header."""
    request = probe.request
    url, headers = request.url, dict(request.headers)
    # One value may begin like another.
    for variable, value in sorted(os.environ.items(), key=lambda one: -len(one[1])):
        if len(value) < _SHORTEST_KEY or not _SECRET.search(variable):
            continue
        stands = variable_mark(variable)
        if value in url:
            url = url.replace(value, stands)
            variables[stands] = variable
        for name, said in headers.items():
            if value in said:
                headers[name] = said.replace(value, stands)
                variables[stands] = variable
    return replace(probe, requests=[replace(request, url=url, headers=headers)])


def _check_keys(template: Template) -> None:
    """A key that came from elsewhere than a variable may be another one for the next call."""
    for name, value in template.headers.items():
        secret = _SECRET.search(name.replace("authorization", "key"))
        if secret and "arena-probe-" not in value and value not in _NO_KEYS:
            raise NotLearned("LiteLLM finds its key by itself")


def _signing(probes: Sequence[_Probe]) -> Signing | None:
    """How these requests are signed, if they are."""
    calls = probes[0].calls.signing
    signing = signing_of(calls[0]) if calls else None
    if isinstance(signing, str):
        raise NotLearned(signing)
    return signing


def _unsigned(request: SentRequest, signing: Signing | None) -> SentRequest:
    if signing is None:
        return request
    kept = {name: value for name, value in request.headers.items() if name not in SIGNED}
    return replace(request, headers=kept)


async def _how(transport: Any, request: SentRequest) -> dict[str, Any]:
    """The proxy and the certificates that LiteLLM's transport would use for an address."""
    found: dict[str, Any] = {}
    proxy = await transport._get_proxy_settings(httpx.Request("POST", request.url))
    if proxy is not None:
        found["proxy"] = proxy
    if transport._ssl_verify is not None:
        found["ssl"] = transport._ssl_verify
    return found


def asked_of(
    kwargs: Mapping[str, Any], *, key: bool, headers: Sequence[str], seeded: bool
) -> dict[str, Any]:
    """The arguments of LiteLLM's with which a model is learned: marks stand in the places of its
    key and of the values of these headers."""
    asked = dict(kwargs)
    if key:
        asked["api_key"] = KEY
    if headers:
        asked["extra_headers"] = {name: header_mark(name) for name in headers}
    if seeded:
        asked["seed"] = SEED
    return asked
