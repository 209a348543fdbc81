"""What of an account is used up, in any provider's words, and when there is more of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from arena.core import ModelSpec
from arena.llm.failures.classify import explain, fault_of
from arena.llm.failures.kinds import FaultKind
from arena.llm.failures.return_time import in_words, return_time
from tests.llm.failures.test_whose_limit import refused

WORDS = Path(__file__).with_name("account_words.txt").read_text(encoding="utf-8")
CASES = [line.split(" | ", 4) for line in WORDS.splitlines() if line and line[0] != "#"]
LATER = datetime.now(UTC).date() + timedelta(days=10)
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "status", "code", "words"),
    [
        pytest.param(kind, int(status), code, words, id=f"{kind}: {who}")
        for kind, status, code, who, words in CASES
    ],
)
def test_what_is_used_up_is_told_by_the_words(
    kind: str, status: int, code: str, words: str
) -> None:
    said = {"message": words.format(later=LATER), "code": None if code == "-" else code}
    assert refused(status, {"error": said}).kind == kind


@pytest.mark.parametrize(
    ("headers", "body", "said", "at"),
    [
        ({}, None, "You will regain access on 2026-12-01 at 00:00 UTC.", "2026-12-01T00:00"),
        ({}, None, "Your limit will reset at 2026-11-29 18:02:11", "2026-11-29T18:02:11"),
        ({}, None, "quota renews at 2026-12-01T09:30:00Z", "2026-12-01T09:30"),
        ({}, None, "available again on 2026-12-01T09:30:00+02:00", "2026-12-01T07:30"),
        ({}, None, "Quota will be replenished in 2.16:00:00.", "2026-12-02T04:00"),
        ({}, None, "Please wait 60000 seconds before retrying.", "2026-11-30T04:40"),
        ({}, None, "Please try again in 19h38m2s", "2026-11-30T07:38:02"),
        ({}, {"error": {"resets_at": 1796040000}}, "used up", "2026-11-30T12:00"),
        ({}, {"error": {"resets_in_seconds": 14400}}, "used up", "2026-11-29T16:00"),
        ({}, {"quotaResetTimeStamp": "2026-11-30T00:00:00Z"}, "", "2026-11-30T00:00"),
        ({"retry-after": "7200"}, None, "used up", "2026-11-29T14:00"),
        ({}, None, "Please retry in 37s.", None),
        ({}, None, "You were created on 2026-12-01", None),
        ({}, None, "You will regain access on 2026-11-01 at 00:00 UTC.", None),
        ({}, None, "You will regain access on 9999-99-99 at 00:00 UTC.", None),
        ({}, None, "You will regain access on 9026-12-01 at 00:00 UTC.", None),
        ({}, {"resets_at": "soon", "reset_at": [1], "resets_in": True}, "", None),
        ({}, {"resets_at": 1e308, "resets_in_seconds": "9" * 400}, "", None),
    ],
)
def test_when_there_is_a_new_quota(
    headers: dict[str, str], body: Any, said: str, at: str | None
) -> None:
    found = return_time(headers, body, said, NOW)
    assert found == (None if at is None else datetime.fromisoformat(at).replace(tzinfo=UTC))


def test_a_person_is_told_when_and_what_to_type() -> None:
    said = f"You have reached your specified API usage limits. You will regain access on {LATER}"
    fault = refused(400, {"error": {"message": said}})
    assert fault.kind is FaultKind.QUOTA
    told = explain(ModelSpec("opus", "anthropic/opus"), fault, 1)
    assert f"There is a new one at {LATER} 00:00 UTC (in " in told
    assert "run the command again" in told
    assert in_words(NOW + timedelta(days=3), NOW) == "2026-12-02 12:00 UTC (in 3 days)"
    assert in_words(NOW + timedelta(hours=3), NOW) == "2026-11-29 15:00 UTC (in 3 h)"
    assert in_words(NOW + timedelta(minutes=12), NOW) == "2026-11-29 12:12 UTC (in 12 min)"


class ClientConnectorError(OSError):
    """As aiohttp's classes for what never opened."""


class ClientConnectorDNSError(ClientConnectorError): ...


class ClientConnectorCertificateError(Exception): ...


class ClientProxyConnectionError(ClientConnectorError): ...


@pytest.mark.parametrize(
    ("cause", "kind", "advice"),
    [
        (ClientConnectorDNSError("x"), FaultKind.HOST, "name of the host is not known"),
        (ClientConnectorCertificateError("x"), FaultKind.CERTIFICATE, "SSL_CERT_FILE"),
        (ClientProxyConnectionError("x"), FaultKind.PROXY, "HTTPS_PROXY"),
        (ClientConnectorError("x"), FaultKind.UNREACHABLE, "Nothing listens"),
    ],
)
def test_what_never_opened_has_a_kind_and_a_sentence_of_its_own(
    cause: Exception, kind: FaultKind, advice: str
) -> None:
    error = Exception("Connection error.")
    error.__cause__ = cause
    fault = fault_of(error)
    assert (fault.kind, fault.billed, fault.retryable) == (kind, False, True)
    assert not fault.rate_limited
    assert advice in explain(ModelSpec("m", "openai/m"), fault, 1)
