"""Says what kind of failure a failed call is, and so whether trying again can help.

Failures are told apart by what came over the wire: the status and the code of the response, or the
exception under LiteLLM's. LiteLLM's own classes and statuses would mislead: a dropped connection is
its 500, 402 and 529 share a class, and an empty purse has the class of an ordinary rate limit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from arena.core import ModelSpec
from arena.llm.failures.inside import ProviderFailure
from arena.llm.failures.kinds import BILLED, RULES, FaultKind, Remedy, advice
from arena.llm.failures.retry_after import requested_wait
from arena.llm.failures.too_long import length_fault
from arena.llm.secrets import scrub


class Fault(Exception):
    """A failed attempt, scrubbed: what is recorded of it, and what it asks for.

    `billed` says whether the provider might have answered and charged although there is no answer.
    `retry_after` is the wait that the provider asks for, in seconds. `probe` marks an attempt that
    was only sent to find out whether a failing model is back: it uses up none of the call's.
    """

    def __init__(
        self,
        error_class: str,
        message: str,
        *,
        kind: FaultKind = FaultKind.SERVER,
        status: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        billed: bool | None = None,
        probe: bool = False,
    ) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.message = message
        self.kind = kind
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.billed = kind in BILLED if billed is None else billed
        self.probe = probe

    @property
    def remedy(self) -> Remedy:
        """What this failure asks for."""
        return RULES[self.kind].remedy

    @property
    def retryable(self) -> bool:
        """Whether another attempt may help."""
        return self.remedy in (Remedy.RETRY, Remedy.WAIT)

    @property
    def rate_limited(self) -> bool:
        """Whether the provider asked for fewer requests."""
        return self.remedy is Remedy.WAIT

    @property
    def model_at_fault(self) -> bool:
        """Whether this says anything about the provider's health: a refused request does not."""
        return self.remedy is not Remedy.GIVE_UP


_LONGEST_MESSAGE = 2_000
# An error may repeat what was sent, and what was sent holds what players said: only its beginning
# is searched for words, so that no player can talk a tournament into stopping.
_SEARCHED = 300

_CREDIT = re.compile(
    r"insufficient_quota|exceeded your current quota|billing|credit balance|insufficient (?:funds"
    r"|credits?|balance)|out of credits",
    re.I,
)
_KEY = re.compile(
    r"invalid_api_key|API_KEY_INVALID|api key not valid|incorrect api key|invalid api key"
    r"|authentication_error|permission_error",
    re.I,
)
_MODEL = re.compile(
    r"model_not_found|not a valid model|unknown model|no such model|model .{0,80}(?:does not exist"
    r"|not found)",
    re.I,
)
_FILTER = re.compile(
    r"content_filter|content_policy|ContentPolicyViolation|content management|moderation"
    r"|safety system|flagged",
    re.I,
)
_RETRY_HINT = re.compile(r"(?:retry|try again) in ([\d.]+) ?(ms|s)\b", re.I)

# "litellm.RateLimitError: RateLimitError: OpenAIException - slow down" says "slow down".
_PREFIX = re.compile(r"^litellm\.\w+: (?:(?:litellm\.)?\w*Error: )*(?:\w*(?:Exception|Error) - )?")

_NEVER_SENT = frozenset(
    {
        "ClientConnectorError",
        "ConnectTimeout",
        "ConnectionRefusedError",
        "ConnectionTimeoutError",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "gaierror",
    }
)
_TIMED_OUT = frozenset({"APITimeoutError", "TimeoutException", "TimeoutError", "Timeout"})
_CONNECTION = frozenset({"TransportError", "ClientError", "ConnectionError"})


@dataclass(slots=True)
class _Seen:
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


def fault_of(error: BaseException, *secrets: str | None) -> Fault:
    """The fault behind an exception of LiteLLM's; `secrets` are scrubbed from its text."""
    text = str(error) or type(error).__name__
    seen = _seen(error)
    head = f"{_PREFIX.sub('', text, count=1)[:_SEARCHED]} {_upstream(seen.body)}".rstrip()
    retry_after = requested_wait(seen.headers)
    if retry_after is None and seen.status == 429:
        hint = _RETRY_HINT.search(text)
        if hint is not None:
            retry_after = requested_wait({"retry-after" + _UNITS[hint[2].lower()]: hint[1]})
    kind = _kind(seen, head, retry_after)
    cause = _cause(error) if seen.status is None else ""
    if cause not in text:
        text = f"{text} ({cause})"
    return Fault(
        type(error).__name__,
        _shown(text, secrets),
        kind=kind,
        status=200 if seen.in_body else seen.status,
        code=scrub(seen.codes[0], secrets) if seen.codes else None,
        retry_after=retry_after,
        billed=seen.billed,
    )


_UNITS = {"ms": "-ms", "s": ""}


def _cause(error: BaseException) -> str:
    """What the network said, which LiteLLM leaves out."""
    for link in _chain(error):
        if "RequestError" in _names(link) and str(link):
            return str(link)[:_SEARCHED]
    return ""


def _shown(text: str, secrets: Iterable[str | None]) -> str:
    # What is searched is longer than what is shown: no key is cut in two before it is found.
    message = scrub(text[: 4 * _LONGEST_MESSAGE], secrets)
    if len(message) <= _LONGEST_MESSAGE and len(text) <= 4 * _LONGEST_MESSAGE:
        return message
    return f"{message[:_LONGEST_MESSAGE]}... ({len(text)} characters)"


def _kind(seen: _Seen, head: str, retry_after: float | None) -> FaultKind:
    if "OversizedBody" in seen.names:
        return FaultKind.OVERSIZED
    if seen.status is None:
        return _unanswered(seen.names)
    if seen.status < 300:
        return FaultKind.MALFORMED
    if seen.status < 400:
        return FaultKind.REDIRECT
    words = f"{' '.join(seen.codes)} {head}"
    if _purse_is_empty(seen, words, retry_after):
        return FaultKind.CREDIT
    if _FILTER.search(" ".join(seen.codes)):
        return FaultKind.CONTENT_FILTER
    too_long = length_fault(seen.status, seen.codes, head)
    if too_long is not None:
        return too_long
    if _FILTER.search(words):
        return FaultKind.CONTENT_FILTER
    return _by_status(seen, words, retry_after)


def _by_status(seen: _Seen, words: str, retry_after: float | None) -> FaultKind:
    status = seen.status or 0
    if status == 429:
        return FaultKind.RATE_LIMIT
    if status in (498, 529) or (status == 503 and retry_after is not None):
        return FaultKind.OVERLOADED
    if status in (408, 504):
        return FaultKind.TIMEOUT
    if status in (409, 425) or status >= 500:
        return FaultKind.SERVER
    if status == 401 or _KEY.search(words):
        return FaultKind.KEY
    if status == 403:
        # A page instead of JSON is a firewall's, which minds the text and not the key.
        return FaultKind.REQUEST if "<html" in seen.body[:_SEARCHED].lower() else FaultKind.KEY
    if status == 404 or _MODEL.search(words):
        return FaultKind.MODEL
    return FaultKind.REQUEST


def _purse_is_empty(seen: _Seen, words: str, retry_after: float | None) -> bool:
    if seen.status == 402 or "insufficient_quota" in seen.codes:
        return True
    # Some providers word a limit per minute as a quota, and say when it is over.
    return seen.status in (400, 403, 429) and retry_after is None and bool(_CREDIT.search(words))


def _unanswered(names: frozenset[str]) -> FaultKind:
    if names & _NEVER_SENT:
        return FaultKind.UNREACHABLE
    if "DecodingError" in names:
        return FaultKind.MALFORMED
    if names & _TIMED_OUT:
        return FaultKind.TIMEOUT
    if names & _CONNECTION:
        return FaultKind.LOST
    # LiteLLM wraps whatever it cannot read of a response into an error of its SDK's.
    return FaultKind.MALFORMED if "OpenAIError" in names else FaultKind.BUG


def _seen(error: BaseException) -> _Seen:
    if isinstance(error, ProviderFailure):
        return _failed_inside(error)
    chain = list(_chain(error))
    names = _names(*chain)
    if "OpenAIError" in _names(error) and len(chain) > 1:
        # LiteLLM's own class at the top says nothing: it calls much a timeout or a lost connection.
        names = _names(*chain[1:]) | {"OpenAIError"}
    for link in chain:
        response = getattr(link, "response", None)
        if type(link).__name__.endswith("HTTPStatusError") and response is not None:
            body = _text(response)
            return _Seen(
                names, response.status_code, _lower(response.headers), _codes(chain, body), body
            )
    said = _said_in_body(chain)
    if said is not None:
        status = _number(said)
        found = status if status is not None and 400 <= status < 600 and status != 422 else 500
        return _Seen(names, found, codes=(said,), in_body=True)
    headers = _lower(getattr(error, "litellm_response_headers", None))
    status = _number(getattr(error, "status_code", None))
    if headers or (status is not None and 400 <= status < 500 and not names & _TIMED_OUT):
        return _Seen(names, status, headers, _codes(chain, ""))
    return _Seen(names)


def _failed_inside(error: ProviderFailure) -> _Seen:
    """A request that was taken, and then not answered, was no bad one, whatever it is called."""
    status = _number(error.code)
    passed_on = status is not None and (status in (402, 408, 429) or 500 <= status < 600)
    codes = () if error.code is None else (error.code,)
    return _Seen(_names(error), status if passed_on else 500, codes=codes, in_body=True)


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


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and len(seen) < 20:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _names(*errors: BaseException) -> frozenset[str]:
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
    try:
        parsed = json.loads(body) if body else None
    except (ValueError, RecursionError):
        parsed = None
    holder = parsed.get("error", parsed) if isinstance(parsed, Mapping) else None
    if isinstance(holder, Mapping):
        found += [holder.get("code"), holder.get("type"), holder.get("status")]
    words = [str(word)[:100] for word in found if isinstance(word, str | int) and str(word)]
    return tuple(dict.fromkeys(words))


def _upstream(body: str) -> str:
    """What the provider behind OpenRouter said, which says only that it said something."""
    try:
        parsed = json.loads(body) if body else None
    except (ValueError, RecursionError):
        return ""
    error = parsed.get("error") if isinstance(parsed, Mapping) else None
    metadata = error.get("metadata") if isinstance(error, Mapping) else None
    raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
    return "" if raw is None else str(raw)[:_SEARCHED]


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _lower(headers: Any) -> Mapping[str, str]:
    return {str(name).lower(): str(value) for name, value in dict(headers or {}).items()}


_TRACEBACK = re.compile(r"[\s:.]*Traceback \(most recent call last\).*", re.DOTALL)


def without_traceback(message: str) -> str:
    """What of a message is for a person: LiteLLM puts tracebacks into its own."""
    return _TRACEBACK.sub("", message)


def explain(model: ModelSpec, fault: Fault, attempts: int) -> str:
    """For a person: which model, what it said, and on the next line what to do."""
    said = _PREFIX.sub("", without_traceback(fault.message), count=1).strip()
    said = said or fault.error_class
    status = f"HTTP {fault.status}" if fault.status is not None else fault.error_class
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    return (
        f"model {model.name!r} ({model.litellm_model}) did not answer in {tries}: "
        f"{status}: {said}\n{advice(fault.kind, model)}"
    )
