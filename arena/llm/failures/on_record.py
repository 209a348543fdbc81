"""Tells from the record of a failed call what went wrong, for people: what was raised is gone by
then, and only its class, its status and the beginning of its words are known."""

from __future__ import annotations

import re

from arena.llm.failures.classify import kind_of, said_in
from arena.llm.failures.exchange import TIMED_OUT, Exchange, parsed
from arena.llm.failures.kinds import FaultKind
from arena.llm.recorded import OVERFLOW, TIME_LIMIT

_SEARCHED = 600

# What the network and the arena's own client say of a call without a response.
_WITHOUT_RESPONSE = (
    (FaultKind.PROXY, re.compile(r"proxy", re.I)),
    (FaultKind.CERTIFICATE, re.compile(r"certificate|\[ssl:", re.I)),
    (
        FaultKind.HOST,
        re.compile(r"name or service not known|getaddrinfo|nodename nor|name resolution", re.I),
    ),
    (
        FaultKind.UNREACHABLE,
        re.compile(r"cannot connect|connection refused|no connection within|connect call f", re.I),
    ),
    (FaultKind.OVERSIZED, re.compile(r"OversizedBody|larger than", re.I)),
    (FaultKind.TIMEOUT, re.compile(r"timed? ?out|no answer within", re.I)),
    (FaultKind.LOST, re.compile(r"disconnected|reset by peer|connection (?:lost|closed)", re.I)),
)


def kind_on_record(error_class: str, status: int | None, message: str | None) -> FaultKind | None:
    """The kind of a recorded failure, told again by the rules that told it while it was played;
    None where the record says too little, and for calls that were lost with their run."""
    if error_class == TIME_LIMIT:
        return FaultKind.TIMEOUT
    if error_class == OVERFLOW:
        return FaultKind.CONTEXT
    if error_class == "CutStream":
        return FaultKind.CUT
    text = (message or "")[:_SEARCHED]
    if status is None:
        found = (kind for kind, words in _WITHOUT_RESPONSE if words.search(text))
        timed_out = FaultKind.TIMEOUT if error_class in TIMED_OUT else None
        return next(found, timed_out)
    body = parsed(text[text.find("{") :]) if "{" in text else None
    codes: tuple[str, ...] = ()
    if isinstance(body, dict):
        error = body.get("error", body)
        code = error.get("code") or error.get("type") if isinstance(error, dict) else None
        codes = (str(code),) if code else ()
    seen = Exchange(frozenset({error_class}), status, codes=codes)
    return kind_of(seen, said_in(text), "", None, ends=False)
