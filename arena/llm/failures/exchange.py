"""Reads what is known of a failed exchange: the response under LiteLLM's exception, or the one that
stands for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from arena.llm.failures.inside import ProviderFailure

TIMED_OUT = frozenset({"APITimeoutError", "TimeoutException", "TimeoutError", "Timeout"})


_SEARCHED = 300
# What an error is called that has no status, because the response had that of an answer.
_MEANT = (
    (402, re.compile(r"insufficient[ _](?:\w+[ _])?(?:quota|balance|funds|credit)|credit balance")),
    (429, re.compile(r"rate[ _-]?limit|too[ _]many[ _]requests|throttl|resource_exhausted|rpm\b")),
    (529, re.compile(r"^overloaded(?:_error)?$")),
    (401, re.compile(r"^(?:invalid_api_key|authentication_error)$")),
)


@dataclass(slots=True)
class Exchange:
    """What is known of a failed exchange. `status` is None where no response came in."""

    names: frozenset[str]
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    body: str = ""
    in_body: bool = False

    @property
    def billed(self) -> bool | None:
        """A response that is an error is not charged, an error in a 200 may be; None where there
        was no response."""
        if self.status is None:
            return None
        return self.in_body or self.status < 300


def exchange_of(error: BaseException) -> Exchange:
    if isinstance(error, ProviderFailure):
        return _failed_inside(error)
    chain = list(chain_of(error))
    names = names_of(*chain)
    if "OpenAIError" in names_of(error) and len(chain) > 1:
        # LiteLLM's own class at the top says nothing: it calls much a timeout or a lost connection.
        names = names_of(*chain[1:]) | {"OpenAIError"}
    for link in chain:
        response = getattr(link, "response", None)
        if type(link).__name__.endswith("HTTPStatusError") and response is not None:
            body = _text(response)
            return Exchange(
                names, response.status_code, _lower(response.headers), _codes(chain, body), body
            )
    said = _said_in_body(chain)
    if said is not None:
        status = _number(said)
        found = status if status is not None and 400 <= status < 600 and status != 422 else 500
        return Exchange(names, found, codes=(said,), in_body=True)
    headers = _lower(getattr(error, "litellm_response_headers", None))
    status = _number(getattr(error, "status_code", None))
    if headers or (status is not None and 400 <= status < 500 and not names & TIMED_OUT):
        return Exchange(names, status, headers, _codes(chain, ""))
    return Exchange(names)


def _failed_inside(error: ProviderFailure) -> Exchange:
    """A request that was taken, and then not answered, was no bad one, whatever it is called."""
    status = _number(error.code)
    passed_on = status is not None and (status in (402, 408, 429) or 500 <= status < 600)
    if not passed_on:
        called = ((error.code or "").lower(), str(error)[:_SEARCHED].lower())
        meant = (status for status, words in _MEANT if any(map(words.search, called)))
        status = next(meant, 500)
    codes = () if error.code is None else (error.code,)
    return Exchange(names_of(error), status, codes=codes, in_body=True)


def _said_in_body(chain: list[BaseException]) -> str | None:
    """The code of an error that came inside a response whose status was 200."""
    for link in chain:
        # So LiteLLM raises what it finds in a whole body, and its SDK what it finds in a stream.
        if type(link) is Exception and hasattr(link, "status_code"):
            return str(link.status_code)[:100]
        body = getattr(link, "body", None)
        if type(link).__name__ == "APIError" and isinstance(body, Mapping):
            return str(body.get("code"))[:100]
    return None


def chain_of(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and len(seen) < 20:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def names_of(*errors: BaseException) -> frozenset[str]:
    """The names of the classes of these errors, and of their bases: no library need be imported
    to ask what an error is."""
    return frozenset(base.__name__ for error in errors for base in type(error).__mro__)


def _text(response: Any) -> str:
    try:
        return str(response.text)[:65_536]
    except Exception:
        # A stream that was not read has no text.
        return ""


def _codes(chain: list[BaseException], body: str) -> tuple[str, ...]:
    """The machine-readable words of an error, the most particular first."""
    found: list[Any] = []
    for link in chain:
        inner = getattr(link, "body", None)
        if isinstance(inner, Mapping):
            found += [inner.get("code"), inner.get("type")]
    whole = parsed(body)
    holder = whole.get("error", whole) if isinstance(whole, Mapping) else None
    if isinstance(holder, Mapping):
        found += [holder.get("code"), holder.get("type"), holder.get("status")]
    words = [str(word)[:100] for word in found if isinstance(word, str | int) and str(word)]
    return tuple(dict.fromkeys(words))


def parsed(body: str) -> Any:
    """A body of JSON, None for any other; Google puts an error into a list."""
    try:
        found = json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None
    return found[0] if isinstance(found, list) and len(found) == 1 else found


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _lower(headers: Any) -> Mapping[str, str]:
    return {str(name).lower(): str(value) for name, value in dict(headers or {}).items()}
