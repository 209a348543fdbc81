"""Says what kind of failure a failed call is, and so whether trying again can help.

Failures are told apart by what came over the wire: the status and the code of the response, or the
exception under LiteLLM's. LiteLLM's own classes and statuses would mislead: a dropped connection is
its 500, 402 and 529 share a class, and an empty purse has the class of an ordinary rate limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from arena.core import ModelSpec
from arena.llm.failures.account import account_fault, is_of_a_rate
from arena.llm.failures.exchange import (
    TIMED_OUT,
    Exchange,
    chain_of,
    exchange_of,
    names_of,
    parsed,
)
from arena.llm.failures.kinds import BILLED, NEVER_OPENED, RULES, FaultKind, Remedy, advice
from arena.llm.failures.retry_after import (
    LONGEST,
    fields_of,
    requested_wait,
    wait_in_body,
    wait_in_words,
)
from arena.llm.failures.return_time import in_words, return_time
from arena.llm.failures.too_long import length_fault
from arena.llm.secrets import scrub


class Fault(Exception):
    """A failed attempt, scrubbed: what is recorded of it, and what it asks for.

    `billed` says whether the provider might have answered and charged although there is no answer.
    `retry_after` is the wait that the provider asks for, in seconds; `returns` is when it says that
    there is a new quota, if that is later. `probe` marks an attempt that was only sent to find out
    whether a failing model is back: it uses up none of the call's. `held` says that the gate waits
    what the provider asks for.
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
        returns: datetime | None = None,
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
        self.returns = returns
        self.billed = kind in BILLED if billed is None else billed
        self.probe = probe
        self.held = False

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
        return self.remedy is Remedy.WAIT and self.kind not in NEVER_OPENED

    @property
    def model_at_fault(self) -> bool:
        """Whether this says anything about the provider's health: a refused request does not."""
        return self.remedy is not Remedy.GIVE_UP


_LONGEST_MESSAGE = 2_000
# An error may repeat what was sent, and what was sent holds what players said: only its beginning
# is searched for words, so that no player can talk a tournament into stopping.
_SEARCHED = 300

_MOST_LIMITS = 2_000
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
# A server that is up before its model is.
_LOADING = re.compile(
    r"\bload(?:ing|s)?\b(?! (?:balanc|shed))"
    r"|(?:not|n't|never) (?:yet |been )*(?:ready|loaded|available yet|initiali[sz]ed)"
    r"|\b(?:warming|starting|booting|spinning|scaling) ?[- ]?up\b|\bwarm-?up\b"
    r"|\b(?:is|still|currently|being) (?:starting|pulled|downloaded|initiali[sz]ed|deployed)\b"
    r"|\b(?:initiali[sz]|download|pull|warm|boot)ing\b|cold[ -]?start|estimated_time",
    re.I,
)

# "litellm.RateLimitError: RateLimitError: OpenAIException - slow down" says "slow down".
_PREFIX = re.compile(r"^litellm\.\w+: (?:(?:litellm\.)?\w*Error: )*(?:\w*(?:Exception|Error) - )?")

# What some say in the place of 429.
_SLOWER = frozenset({420, 429, 430})
_TELL_WAITS = frozenset({400, 403, 429, 498, 503, 529})
_TELL_RETURNS = frozenset({400, 401, 402, 403, 412, 429})

# What of a connection never opened, the most particular first.
_NEVER_SENT = (
    (
        FaultKind.PROXY,
        frozenset({"ClientProxyConnectionError", "ClientHttpProxyError", "ProxyError"}),
    ),
    (
        FaultKind.CERTIFICATE,
        frozenset(
            {
                "CertificateError",
                "ClientConnectorCertificateError",
                "ClientConnectorSSLError",
                "SSLCertVerificationError",
            }
        ),
    ),
    (FaultKind.HOST, frozenset({"ClientConnectorDNSError", "InvalidURL", "gaierror"})),
    (
        FaultKind.UNREACHABLE,
        frozenset(
            {
                "ClientConnectorError",
                "ConnectTimeout",
                "ConnectionRefusedError",
                "ConnectionTimeoutError",
                "NotTaken",
                "PoolTimeout",
                "UnsupportedProtocol",
            }
        ),
    ),
)
_CONNECTION = frozenset({"TransportError", "ClientError", "ConnectionError"})


def fault_of(error: BaseException, *secrets: str | None) -> Fault:
    """The fault behind an exception of LiteLLM's; `secrets` are scrubbed from its text."""
    text = str(error) or type(error).__name__
    seen = exchange_of(error)
    own = parsed(seen.body)
    head = f"{_PREFIX.sub('', text, count=1)[:_SEARCHED]} {_said(own)}".rstrip()
    body = own or parsed(text[text.find("{") :])
    limits = _limits(body)
    retry_after = requested_wait(seen.headers)
    if retry_after is None and seen.status in _TELL_WAITS:
        retry_after = wait_in_body(body)
        if retry_after is None:
            retry_after = wait_in_words(text[:_LONGEST_MESSAGE])
    returns = None
    if seen.status in _TELL_RETURNS:
        returns = return_time(seen.headers, body, text[:_LONGEST_MESSAGE], datetime.now(UTC))
    kind = kind_of(seen, head, limits, retry_after, ends=returns is not None)
    if kind is FaultKind.QUOTA:
        # What is asked to wait then is often the minute's.
        away = LONGEST if returns is None else (returns - datetime.now(UTC)).total_seconds()
        retry_after = min(max(away, 0.0), LONGEST)
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
        returns=returns,
        billed=seen.billed,
    )


def raise_local(error: BaseException) -> None:
    """Raises the Fault of a request that LiteLLM refused before it was sent: no status came in,
    and nobody charges for it. Returns for any other error."""
    chain = list(chain_of(error))
    status = getattr(error, "status_code", None)
    names, text = names_of(*chain), str(error)
    if not isinstance(status, int) or "RequestError" in names or "HTTPStatusError" in names:
        return
    key = status in (401, 403) or re.search(r"api[_ ]?key", text[:_SEARCHED], re.I) is not None
    if not key and not (400 <= status < 500 and status not in (408, 429)):
        return
    kind = FaultKind.KEY if key else FaultKind.REQUEST
    raise Fault("not sent", _shown(text, ()), kind=kind, billed=False) from None


def _cause(error: BaseException) -> str:
    """What the network said, which LiteLLM leaves out."""
    for link in chain_of(error):
        if "RequestError" in names_of(link) and str(link):
            return str(link)[:_SEARCHED]
    return ""


# How a connection was secured, as aiohttp puts it, and where an object lay in memory: of no use to
# anybody, and another one in every run.
_OF_THE_PROCESS = re.compile(r" ssl:(?:<[^<>]*>|default|True|False|None)(?= )| at 0x[0-9a-fA-F]+")


def _shown(text: str, secrets: Iterable[str | None]) -> str:
    text = _OF_THE_PROCESS.sub("", text)
    # What is searched is longer than what is shown: no key is cut in two before it is found.
    message = scrub(text[: 4 * _LONGEST_MESSAGE], secrets)
    if len(message) <= _LONGEST_MESSAGE and len(text) <= 4 * _LONGEST_MESSAGE:
        return message
    return f"{message[:_LONGEST_MESSAGE]}... ({len(text)} characters)"


def kind_of(
    seen: Exchange, head: str, limits: str, retry_after: float | None, *, ends: bool
) -> FaultKind:
    """What kind of failure an exchange is: `head` is the beginning of what was said, `limits` which
    ones were met as far as it told, `ends` whether it says when there is a new quota."""
    if "OversizedBody" in seen.names:
        return FaultKind.OVERSIZED
    if seen.status is None:
        return _unanswered(seen.names)
    if seen.status < 300:
        return FaultKind.MALFORMED
    if seen.status < 400:
        return FaultKind.REDIRECT
    words = f"{' '.join(seen.codes)} {head}"
    too_long = length_fault(seen.status, seen.codes, head)
    if too_long is FaultKind.ALLOWANCE:
        return too_long
    of_account = account_fault(seen.status, seen.codes, words, limits, retry_after, ends=ends)
    if of_account is not None:
        return of_account
    if _FILTER.search(" ".join(seen.codes)):
        return FaultKind.CONTENT_FILTER
    if too_long is not None:
        return too_long
    if _FILTER.search(words):
        return FaultKind.CONTENT_FILTER
    if seen.status in (400, 403) and retry_after is not None and is_of_a_rate(words, limits):
        return FaultKind.RATE_LIMIT
    return _by_status(seen, words, retry_after)


def _by_status(seen: Exchange, words: str, retry_after: float | None) -> FaultKind:
    status = seen.status or 0
    if (status >= 500 or status in (409, 425)) and _LOADING.search(words):
        return FaultKind.LOADING
    if status in _SLOWER:
        return FaultKind.RATE_LIMIT
    if status in (407, 511):
        return FaultKind.PROXY
    if status in (498, 529) or (status == 503 and retry_after is not None):
        return FaultKind.OVERLOADED
    if status in (408, 504, 522, 524):
        return FaultKind.TIMEOUT
    if status in (409, 425, 499) or status >= 500:
        return FaultKind.SERVER
    if status in (401, 451) or _KEY.search(words):
        return FaultKind.KEY
    if status == 403:
        # A page instead of JSON is a firewall's, which minds the text and not the key.
        return FaultKind.REQUEST if "<html" in seen.body[:_SEARCHED].lower() else FaultKind.KEY
    if status in (404, 405, 410) or _MODEL.search(words):
        return FaultKind.MODEL
    return FaultKind.REQUEST


def _limits(body: Any) -> str:
    """Which limits were met, as far as the fields of an error say."""
    found = (
        str(value)
        for name, value in fields_of(body)
        if isinstance(value, str)
        and (name in ("status", "type", "code") or "quota" in name or "limit" in name)
    )
    return " ".join(found)[:_MOST_LIMITS]


def _unanswered(names: frozenset[str]) -> FaultKind:
    for kind, classes in _NEVER_SENT:
        if names & classes:
            return kind
    if "DecodingError" in names:
        return FaultKind.MALFORMED
    if names & TIMED_OUT:
        return FaultKind.TIMEOUT
    if names & _CONNECTION:
        return FaultKind.LOST
    # LiteLLM wraps whatever it cannot read of a response into an error of its SDK's.
    return FaultKind.MALFORMED if "OpenAIError" in names else FaultKind.BUG


def _said(body: Any) -> str:
    """What an error says, and what the provider behind OpenRouter said, which says only that it
    said something."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return ""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
    return " ".join(str(part)[:_SEARCHED] for part in (error.get("message"), raw) if part)


_TRACEBACK = re.compile(r"[\s:.]*Traceback \(most recent call last\).*", re.DOTALL)


def said_in(message: str) -> str:
    """What of a fault's message is for a person: LiteLLM puts its classes before it and tracebacks
    behind."""
    return _PREFIX.sub("", _TRACEBACK.sub("", message), count=1).strip()


def remedied(model: ModelSpec, fault: Fault) -> str:
    """For a person: what to do about a fault, and when a quota is there again."""
    said = advice(fault.kind, model)
    if fault.returns is None or fault.remedy is not Remedy.WAIT:
        return said
    return f"{said} There is a new one at {in_words(fault.returns, datetime.now(UTC))}."


def explain(model: ModelSpec, fault: Fault, attempts: int) -> str:
    """For a person: which model, what it said, and on the next line what to do."""
    said = said_in(fault.message) or fault.error_class
    status = f"HTTP {fault.status}" if fault.status is not None else fault.error_class
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    return (
        f"model {model.name!r} ({model.litellm_model}) did not answer in {tries}: "
        f"{status}: {said}\n{remedied(model, fault)}"
    )
