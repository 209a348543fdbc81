"""Whether a limit passes, is the day's, or is an empty purse: in the words, the fields and the
headers of providers."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from arena.llm.failures.classify import Fault, fault_of
from arena.llm.failures.kinds import FaultKind
from arena.llm.failures.retry_after import wait_in_body, wait_in_words

GEMINI = (
    "You exceeded your current quota, please check your plan and billing details. For more "
    "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
)
OPENAI = (
    "You exceeded your current quota, please check your plan and billing details. For more "
    "information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes."
)
GOOGLE = "type.googleapis.com/google.rpc."


def google(message: str = GEMINI, quota: str | None = None, delay: Any = None) -> dict[str, Any]:
    details: list[Any] = [{"@type": f"{GOOGLE}Help", "links": [{"url": "https://ai.google.dev"}]}]
    if quota is not None:
        details.append({"@type": f"{GOOGLE}QuotaFailure", "violations": [{"quotaId": quota}]})
    if delay is not None:
        details.append({"@type": f"{GOOGLE}RetryInfo", "retryDelay": delay})
    error = {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}
    return {"error": error}


def said(message: str, code: Any = None, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, **more}}


def refused(status: int, body: Any, headers: dict[str, str] | None = None) -> Fault:
    request = httpx.Request("POST", "http://127.0.0.1:9/v1/chat/completions")
    content = json.dumps(body)
    error = Exception(f"litellm.RateLimitError: {content}")
    response = httpx.Response(status, headers=headers, text=content, request=request)
    error.__cause__ = httpx.HTTPStatusError("refused", request=request, response=response)
    return fault_of(error)


MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"


@pytest.mark.parametrize(
    ("status", "body", "kind", "wait"),
    [
        (429, google(quota=MINUTE, delay="37s"), FaultKind.RATE_LIMIT, 37.0),
        (429, google(delay="37.482s"), FaultKind.RATE_LIMIT, 37.482),
        (429, google(delay={"seconds": 37, "nanos": 1}), FaultKind.RATE_LIMIT, 37.0),
        (429, google(), FaultKind.RATE_LIMIT, None),
        (429, said(GEMINI), FaultKind.RATE_LIMIT, None),
        (429, google(quota=MINUTE), FaultKind.RATE_LIMIT, None),
        (429, google(quota=DAY, delay="37s"), FaultKind.QUOTA, 3600.0),
        (429, [google(delay="12s")], FaultKind.RATE_LIMIT, 12.0),
        (429, said(json.dumps(google(delay="26s")), 429), FaultKind.RATE_LIMIT, 26.0),
        (
            429,
            said("Provider returned error", 429, metadata={"raw": json.dumps(google(delay="9s"))}),
            FaultKind.RATE_LIMIT,
            9.0,
        ),
        (
            429,
            said(
                "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free "
                "model requests per day",
                429,
                metadata={"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}},
            ),
            FaultKind.QUOTA,
            3600.0,
        ),
        (
            429,
            said(
                "Rate limit exceeded: free-models-per-min.",
                429,
                metadata={"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "5s"}},
            ),
            FaultKind.RATE_LIMIT,
            5.0,
        ),
        (
            429,
            said(
                "Rate limit reached for model `llama` on tokens per day (TPD): Limit 100000, Used "
                "97050, Requested 3619. Please try again in 9m38.016s. Need more tokens? Upgrade "
                "to Dev Tier today at https://console.groq.com/settings/billing"
            ),
            FaultKind.QUOTA,
            3600.0,
        ),
        (
            429,
            said(
                "Rate limit reached for model `llama` on tokens per minute (TPM): Limit 12000, "
                "Used 4437, Requested 9854. Please try again in 11.455s. Need more tokens? Upgrade "
                "today at https://console.groq.com/settings/billing"
            ),
            FaultKind.RATE_LIMIT,
            11.455,
        ),
        (429, said("Rate limit reached. Add a method of billing."), FaultKind.RATE_LIMIT, None),
        (
            429,
            said("exceeded token rate limit of your S0 tier. Please retry after 86400 seconds."),
            FaultKind.QUOTA,
            3600.0,
        ),
        (400, said("Too many requests, please wait 20 seconds"), FaultKind.RATE_LIMIT, 20.0),
        (403, said("Rate limit exceeded", retry_after=3), FaultKind.RATE_LIMIT, 3.0),
        (503, said("busy", retry_after_ms=500), FaultKind.OVERLOADED, 0.5),
        # An empty purse.
        (429, said(OPENAI), FaultKind.CREDIT, None),
        (429, said("x", "insufficient_quota"), FaultKind.CREDIT, None),
        (429, said("Your account is suspended, please recharge"), FaultKind.CREDIT, None),
        (429, said("余额不足或无可用资源包,请充值。", "1113"), FaultKind.CREDIT, None),
        (400, said("Access denied: your account is not in good standing", "Arrearage"),
         FaultKind.CREDIT, None),
        (403, said("Your newly created team doesn't have any credits or licenses yet."),
         FaultKind.CREDIT, None),
        (403, said("Key limit exceeded (total limit)"), FaultKind.CREDIT, None),
        (402, said("Insufficient USD or Diem balance to complete."), FaultKind.CREDIT, None),
        # One request that no minute has the room for.
        (
            429,
            said(
                "Request too large for gpt-4o in organization org-78asdf87asdf9aaa8976 on tokens "
                "per min (TPM): Limit 30000, Requested 31538. The input or output tokens must be "
                "reduced in order to run successfully.",
                "rate_limit_exceeded",
            ),
            FaultKind.ALLOWANCE,
            None,
        ),
        (
            429,
            said(
                "Rate limit reached for model `llama` on tokens per minute (TPM): Limit 7000, Used "
                "0, Requested ~12903. Please try again in 50.597142857s."
            ),
            FaultKind.ALLOWANCE,
            50.597142857,
        ),
        (429, said("Token rate exceeded: requested 40,000, limit of 30,000 per minute"),
         FaultKind.ALLOWANCE, None),
    ],
)  # fmt: skip
def test_what_a_limit_is(status: int, body: Any, kind: FaultKind, wait: float | None) -> None:
    fault = refused(status, body)
    assert (fault.kind, fault.retry_after) == (kind, wait)


@pytest.mark.parametrize(
    ("words", "wait"),
    [
        ("Please retry in 38.5s.", 38.5),
        ("Please try again in 6m0s.", 360.0),
        ("try again in 1m47.5854s", 107.5854),
        ("try again in 250ms", 0.25),
        ("Please wait 20 seconds before your next request", 20.0),
        ("please wait for 2 minutes and 5 seconds", 125.0),
        ("Retry after 1 hour", 3600.0),
        ("The limit resets in 12 sec", 12.0),
        ("Will be available again in about 30 s", 30.0),
        ("请 30 秒后重试", 30.0),
        ("Try again later", None),
        ("Try again. Limit 30000", None),
        ("You have 5 seconds", None),
        ("retry 3 times", None),
        ("", None),
    ],
)
def test_a_wait_is_read_from_words(words: str, wait: float | None) -> None:
    found = wait_in_words(words)
    assert found == (None if wait is None else pytest.approx(wait))


@pytest.mark.parametrize(
    ("body", "wait"),
    [
        ({"retryAfter": 7}, 7.0),
        ({"error": {"retry_after_seconds": "7"}}, 7.0),
        ({"error": {"details": [{"retryAfterMs": 500}]}}, 0.5),
        ({"wait_seconds": 7.5}, 7.5),
        ({"retry_after": True}, None),
        ({"retry_after": -1}, None),
        ({"retry": 3, "retries": 4, "waited": 9}, None),
        ({"message": 'my words: "retry_after": 900'}, None),
        ("text", None),
        (None, None),
    ],
)
def test_a_wait_is_read_from_a_field(body: Any, wait: float | None) -> None:
    assert wait_in_body(body) == wait
