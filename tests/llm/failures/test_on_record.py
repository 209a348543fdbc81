"""The kind of a failure, told from its record alone, is the one that was acted upon."""

from __future__ import annotations

import json

import httpx
import pytest

from arena.llm.failures.classify import fault_of
from arena.llm.failures.kinds import FaultKind
from arena.llm.failures.on_record import kind_on_record
from tests.llm.failures.test_classify import openai_error, refused


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, openai_error("slow down"), FaultKind.RATE_LIMIT),
        (529, openai_error("overloaded"), FaultKind.OVERLOADED),
        (500, openai_error("oops"), FaultKind.SERVER),
        (503, openai_error("Model a/b is currently loading"), FaultKind.LOADING),
        (504, "", FaultKind.TIMEOUT),
        (400, openai_error("no such field"), FaultKind.REQUEST),
        (401, openai_error("Incorrect API key provided"), FaultKind.KEY),
        (404, openai_error("The model x does not exist", "model_not_found"), FaultKind.MODEL),
        (400, openai_error("too long", "context_length_exceeded"), FaultKind.CONTEXT),
        (400, openai_error("blocked", "content_filter"), FaultKind.CONTENT_FILTER),
        (402, openai_error("Insufficient credits"), FaultKind.CREDIT),
        (302, "", FaultKind.REDIRECT),
    ],
    ids=str,
)
def test_a_response_that_refused(status: int, body: object, kind: FaultKind) -> None:
    text = f"litellm.APIError: OpenAIException - {json.dumps(body)}"
    fault = fault_of(refused(status, body, text=text))
    assert fault.kind is kind
    assert kind_on_record(fault.error_class, fault.status, fault.message) is kind


@pytest.mark.parametrize(
    ("error", "message", "kind"),
    [
        (httpx.ConnectError, "Cannot connect to host 127.0.0.1:1", FaultKind.UNREACHABLE),
        (httpx.ConnectError, "[Errno -2] Name or service not known", FaultKind.HOST),
        (
            httpx.ConnectError,
            "Cannot connect to host a.example:443 ssl:default [Name or service not known]",
            FaultKind.HOST,
        ),
        (
            httpx.ConnectError,
            "Cannot connect to host a.example:443 ssl:<ssl.SSLContext object at 0x7f> [Connect call"
            " failed ('10.0.0.1', 443)]",
            FaultKind.UNREACHABLE,
        ),
        (
            httpx.ConnectError,
            "Cannot connect to host a.example:443 ssl:default [[SSL: WRONG_VERSION_NUMBER] wrong]",
            FaultKind.CERTIFICATE,
        ),
        (httpx.ConnectError, "certificate verify failed", FaultKind.CERTIFICATE),
        (httpx.ReadTimeout, "timed out", FaultKind.TIMEOUT),
        (httpx.ReadError, "Connection reset by peer", FaultKind.LOST),
    ],
)
def test_a_call_without_a_response(error: type[Exception], message: str, kind: FaultKind) -> None:
    assert kind_on_record(error.__name__, None, message) is kind


def test_what_the_arena_itself_recorded() -> None:
    assert kind_on_record("TimeLimit", None, "no answer within the 1.0 s") is FaultKind.TIMEOUT
    assert kind_on_record("Timeout", None, "no answer within 60 s") is FaultKind.TIMEOUT
    assert kind_on_record("Timeout", None, "no connection within 60 s") is FaultKind.UNREACHABLE
    assert kind_on_record("ContextOverflow", 400, "too long") is FaultKind.CONTEXT
    assert kind_on_record("CutStream", None, "the stream ended") is FaultKind.CUT
    assert kind_on_record("EmptyResponse", 200, "without any choice") is FaultKind.MALFORMED
    assert kind_on_record("Orphaned", None, "in flight when the run ended") is None
    assert kind_on_record("Strange", None, None) is None


def test_what_players_wrote_decides_nothing() -> None:
    """An error may repeat the prompt: only its beginning is read."""
    text = "bad request " + "x" * 700 + " invalid_api_key"
    assert kind_on_record("BadRequestError", 400, text) is FaultKind.REQUEST
