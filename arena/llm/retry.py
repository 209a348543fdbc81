"""Says which failures of a call are worth another attempt, how long to wait, and what to do.

Errors are told apart by status and code: LiteLLM gives 402, 403 and 529 one class, and an empty
purse the class of an ordinary rate limit.
"""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from arena.llm.secrets import scrub

T = TypeVar("T")

_RETRIED = frozenset({408, 409, 425, 429, 529})

_PURSE = re.compile(r"insufficient_quota|exceeded your current quota|billing|credit balance", re.I)
_CONTEXT = re.compile(
    r"context_length_exceeded|ContextWindowExceeded|maximum context length|context window|"
    r"prompt is too long",
    re.I,
)
_FILTER = re.compile(
    r"content_filter|content_policy|ContentPolicyViolation|content management", re.I
)

# "litellm.RateLimitError: RateLimitError: OpenAIException - slow down" says "slow down".
_PREFIX = re.compile(r"^litellm\.\w+: (?:(?:litellm\.)?\w*Error: )*(?:\w*(?:Exception|Error) - )?")

_LONGEST_MESSAGE = 2_000


class Fault(Exception):
    """A failed attempt, scrubbed: what is recorded of it, and whether another may help."""

    def __init__(
        self,
        error_class: str,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        retryable: bool,
    ) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.message = message
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.retryable = retryable


def fault_of(error: Exception, *secrets: str | None) -> Fault:
    """The fault behind an exception of LiteLLM's; `secrets` are scrubbed from its text."""
    text = str(error) or type(error).__name__
    headers = _headers(error)
    status = _status(error)
    code = _code(error)
    searched = f"{code} {text}"
    retryable = (status is None or status in _RETRIED or status >= 500) and not _hopeless(searched)
    message = scrub(text, secrets)
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[:_LONGEST_MESSAGE]}... ({len(message)} characters)"
    return Fault(
        type(error).__name__,
        message,
        status=None if status is None or _never_answered(text, headers) else status,
        code=code,
        retry_after=_retry_after(headers),
        retryable=retryable,
    )


def _hopeless(text: str) -> bool:
    return bool(_PURSE.search(text) or _CONTEXT.search(text) or _FILTER.search(text))


def _never_answered(text: str, headers: Mapping[str, str]) -> bool:
    # LiteLLM gives a refused connection the status 500 and its own timeout 408.
    return not headers and bool(re.search(r"Connection error|timed out|Timeout", text))


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None)
    try:
        return int(status) if status is not None else None
    except (TypeError, ValueError):
        return None


def _code(error: Exception) -> str | None:
    body = getattr(error, "body", None)
    code = body.get("code") if isinstance(body, Mapping) else None
    if code is None:
        code = getattr(error, "code", None)
    return str(code) if code is not None else None


def _headers(error: Exception) -> Mapping[str, str]:
    headers = getattr(error, "litellm_response_headers", None)
    if not headers:
        headers = getattr(getattr(error, "response", None), "headers", None)
    return {str(name).lower(): str(value) for name, value in dict(headers or {}).items()}


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000.0)
        value = headers.get("retry-after")
        if value is None:
            return None
        if re.fullmatch(r"\s*\d+(\.\d*)?\s*", value):
            return float(value)
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait: what the provider asks for, else growing and jittered; seconds.

    `base` doubles with every attempt up to `longest`, which also caps what a provider may ask.
    """

    base: float = 0.5
    longest: float = 60.0

    def seconds(self, fault: Fault, attempts: int, rng: random.Random) -> float:
        """The wait after the given number of failed attempts."""
        jitter = rng.random()
        if fault.retry_after is not None:
            return min(fault.retry_after, self.longest) + self.base * jitter
        return min(self.longest, self.base * 2.0 ** (attempts - 1)) * (0.5 + 0.5 * jitter)


async def again(
    first: Fault,
    attempt: Callable[[], Awaitable[T]],
    *,
    retries: int,
    backoff: Backoff,
    rng: random.Random,
    sleep: Callable[[float], Awaitable[Any]],
) -> T:
    """Goes on after a first failed attempt: up to `retries` more. Raises the last Fault.

    Entered only after a failure, because tenacity's own work is not free on a call that succeeds.
    """
    pending: list[Fault] = [first]

    async def one() -> T:
        if pending:
            raise pending.pop()
        return await attempt()

    def wait(state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome is not None else None
        assert isinstance(fault, Fault)
        return backoff.seconds(fault, state.attempt_number, rng)

    retrying = AsyncRetrying(
        retry=retry_if_exception(lambda error: isinstance(error, Fault) and error.retryable),
        stop=stop_after_attempt(retries + 1),
        wait=wait,
        sleep=sleep,
        reraise=True,
    )
    return await retrying(one)


def explain(name: str, litellm_model: str, fault: Fault, attempts: int) -> str:
    """The sentence for a person: which model, what it said, what to do."""
    said = _PREFIX.sub("", fault.message.partition("\nTraceback")[0], count=1).strip()
    said = said or fault.error_class
    status = f"HTTP {fault.status}" if fault.status is not None else fault.error_class
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    return (
        f"model {name!r} ({litellm_model}) did not answer in {tries}: {status}: {said}\n"
        f"{_advice(fault)}"
    )


def _advice(fault: Fault) -> str:
    searched = f"{fault.code} {fault.message}"
    if _PURSE.search(searched) or fault.status == 402:
        return "The account is out of credit: top it up, or use another model."
    if _CONTEXT.search(searched):
        return "The conversation is longer than the model's context: use a model with a longer one."
    if _FILTER.search(searched):
        return "The provider's content filter refused: soften the prompt, or use another model."
    if fault.status in (401, 403):
        return "Check the key in the variable that the model's `api_key_env` names."
    if fault.status == 404:
        return "Check the model's name, and `api_base` if it has one."
    if fault.status in (408, 504) or "imeout" in fault.error_class:
        return "Give it more time (`timeout`), ask for shorter answers, or lower the concurrency."
    if fault.status == 429:
        return "Lower the concurrency, or raise the account's limit, and run the command again."
    if fault.status is not None and 400 <= fault.status < 500:
        return "The provider refuses the request as it is: check the model's `params`."
    return "Check that the server is up (`api_base`), and run the command again: it resumes."
