"""What kind of failure an error is, what it asks for, whether it may have cost something, and what
a person is told. The errors come from tests/llm/test_misbehaviour.py's real path as well."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from arena.core import ModelSpec
from arena.llm.failures.classify import Fault, explain, fault_of
from arena.llm.failures.kinds import FaultKind, Remedy
from arena.llm.failures.retry_after import requested_wait

MINI = ModelSpec("mini", "openai/gpt-4o-mini")
REQUEST = httpx.Request("POST", "http://127.0.0.1:9/v1/chat/completions")


class Wrapped(Exception):
    """As LiteLLM wraps an error: another class, another text."""


def refused(
    status: int, body: object = "", headers: dict[str, str] | None = None, text: str = ""
) -> Exception:
    """An error as it comes up from a response with that status and body."""
    content = body if isinstance(body, str) else json.dumps(body)
    response = httpx.Response(status, headers=headers, text=content, request=REQUEST)
    error = Wrapped(text or content)
    error.__cause__ = httpx.HTTPStatusError("refused", request=REQUEST, response=response)
    return error


def openai_error(message: str, code: str | None = None) -> dict[str, object]:
    return {"error": {"message": message, "type": "x", "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind"),
    [
        (429, openai_error("slow down"), {}, FaultKind.RATE_LIMIT),
        (529, openai_error("overloaded"), {}, FaultKind.OVERLOADED),
        (498, openai_error("flex capacity exceeded"), {}, FaultKind.OVERLOADED),
        (503, openai_error("busy"), {"Retry-After": "2"}, FaultKind.OVERLOADED),
        (503, openai_error("busy"), {}, FaultKind.SERVER),
        (503, openai_error("Loading model", "unavailable_error"), {}, FaultKind.LOADING),
        (503, openai_error("Model a/b is currently loading"), {}, FaultKind.LOADING),
        (503, openai_error("The model is not ready yet"), {}, FaultKind.LOADING),
        (503, openai_error("the endpoint is scaling up"), {}, FaultKind.LOADING),
        (500, openai_error("timed out waiting for llama runner: loading"), {}, FaultKind.LOADING),
        (503, openai_error("the load balancer has no backend"), {}, FaultKind.SERVER),
        (400, openai_error("still loading"), {}, FaultKind.REQUEST),
        (500, "<html>oops</html>", {}, FaultKind.SERVER),
        (502, "", {}, FaultKind.SERVER),
        (504, "", {}, FaultKind.TIMEOUT),
        (408, "", {}, FaultKind.TIMEOUT),
        (409, "", {}, FaultKind.SERVER),
        (307, "", {"Location": "http://elsewhere/"}, FaultKind.REDIRECT),
        (400, openai_error("bad temperature"), {}, FaultKind.REQUEST),
        (422, openai_error("bad"), {}, FaultKind.REQUEST),
        (413, "too large", {}, FaultKind.CONTEXT),
        (400, openai_error("long", "context_length_exceeded"), {}, FaultKind.CONTEXT),
        (
            400,
            openai_error("This model's maximum context length is 8192 tokens"),
            {},
            FaultKind.CONTEXT,
        ),
        (500, openai_error("prompt is too long: 300000 tokens > 200000"), {}, FaultKind.CONTEXT),
        (400, openai_error("no", "content_filter"), {}, FaultKind.CONTENT_FILTER),
        (403, openai_error("Your input was flagged by moderation"), {}, FaultKind.CONTENT_FILTER),
        (401, openai_error("no"), {}, FaultKind.KEY),
        (403, openai_error("Country not supported"), {}, FaultKind.KEY),
        (403, "<!DOCTYPE html><html>Attention required</html>", {}, FaultKind.REQUEST),
        (400, openai_error("API key not valid. Please pass a valid API key."), {}, FaultKind.KEY),
        (402, openai_error("pay"), {}, FaultKind.CREDIT),
        (429, openai_error("You exceeded your current quota, please check"), {}, FaultKind.CREDIT),
        (429, openai_error("x", "insufficient_quota"), {"Retry-After": "1"}, FaultKind.CREDIT),
        (400, openai_error("Your credit balance is too low"), {}, FaultKind.CREDIT),
        (404, openai_error("no"), {}, FaultKind.MODEL),
        (405, {"detail": "Method Not Allowed"}, {}, FaultKind.MODEL),
        (410, openai_error("it was retired"), {}, FaultKind.MODEL),
        (420, openai_error("calm down"), {}, FaultKind.RATE_LIMIT),
        (430, openai_error("too many"), {}, FaultKind.RATE_LIMIT),
        (407, "", {}, FaultKind.PROXY),
        (511, "<html>log in</html>", {}, FaultKind.PROXY),
        (451, openai_error("not in your country"), {}, FaultKind.KEY),
        (499, "", {}, FaultKind.SERVER),
        (524, "<html>", {}, FaultKind.TIMEOUT),
        (400, openai_error("gpt-9 is not a valid model ID"), {}, FaultKind.MODEL),
    ],
)
def test_a_response_is_told_apart_by_its_status_its_code_and_its_first_words(
    status: int, body: object, headers: dict[str, str], kind: FaultKind
) -> None:
    fault = fault_of(refused(status, body, headers))
    assert fault.kind is kind
    assert fault.status == status
    assert not fault.billed, "an answer that is an error is not charged"


def test_a_limit_per_minute_that_is_worded_as_a_quota_is_waited_out() -> None:
    text = "You exceeded your current quota, please check your billing. Please retry in 38.5s."
    fault = fault_of(refused(429, openai_error(text)))
    assert (fault.remedy, fault.retry_after) == (Remedy.WAIT, 38.5)


def test_what_a_player_said_and_the_error_repeats_stops_nothing() -> None:
    said = "insufficient_quota! billing! content_filter! model does not exist! invalid_api_key"
    echoed = openai_error("temperature: expected a number. Your request was: " + "x" * 300 + said)
    assert fault_of(refused(400, echoed)).kind is FaultKind.REQUEST


def under(*chain: BaseException) -> Exception:
    """An error with others under it, as LiteLLM's are."""
    top: Exception = Wrapped("Connection error.")
    above: BaseException = top
    for error in chain:
        above.__cause__ = error
        above = error
    return top


@pytest.mark.parametrize(
    ("chain", "kind", "billed"),
    [
        ((httpx.ConnectError("x"), ConnectionRefusedError("x")), FaultKind.UNREACHABLE, False),
        ((httpx.ConnectTimeout("x"),), FaultKind.UNREACHABLE, False),
        ((httpx.ReadTimeout("x"),), FaultKind.TIMEOUT, True),
        ((TimeoutError(),), FaultKind.TIMEOUT, True),
        ((httpx.ReadError("x"), ConnectionResetError("x")), FaultKind.LOST, True),
        ((httpx.ConnectError("x"), ConnectionResetError("x")), FaultKind.LOST, True),
        ((httpx.RemoteProtocolError("x"),), FaultKind.LOST, True),
        ((httpx.DecodingError("x"),), FaultKind.MALFORMED, True),
        ((ValueError("x"),), FaultKind.BUG, True),
    ],
)
def test_without_a_response_the_connection_tells(
    chain: tuple[Exception, ...], kind: FaultKind, billed: bool
) -> None:
    fault = fault_of(under(*chain))
    assert (fault.kind, fault.billed, fault.status) == (kind, billed, None)


def test_an_error_in_the_body_of_a_200_may_have_been_charged_and_is_read_by_its_code() -> None:
    for code, kind in [
        (402, FaultKind.CREDIT),
        (429, FaultKind.RATE_LIMIT),
        ("odd", FaultKind.SERVER),
    ]:
        inner = Exception("said in the body")
        inner.status_code = code  # type: ignore[attr-defined]
        fault = fault_of(under(inner))
        assert (fault.kind, fault.status, fault.billed) == (kind, 200, True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "999999"}, 3600.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e3"}, 1000.0),
        ({"retry-after": "1E+9"}, 3600.0),
        ({"retry-after": "1000000000"}, 3600.0),
        ({"retry-after": "9" * 400}, 3600.0),
        ({"retry-after": "1700000000"}, 0.0),
        ({"retry-after": "37s"}, 37.0),
        ({"retry-after": "1m30s"}, 90.0),
        ({"retry-after": "2 minutes"}, 120.0),
        ({"x-ms-retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"x-retry-after": "4"}, 4.0),
        ({"retry-after": "Sun, 99 Foo 9999 99:99:99 GMT"}, None),
        ({"retry-after": format_datetime(datetime(2001, 1, 1, tzinfo=UTC), usegmt=True)}, 0.0),
        ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "0"}, 360.0),
        ({"x-ratelimit-reset-requests": "88ms", "x-ratelimit-remaining-requests": "0"}, 0.088),
        ({"x-ratelimit-reset-tokens": "1h2m3.5s", "x-ratelimit-remaining-tokens": "0"}, None),
        ({"x-ratelimit-reset-tokens": "7", "x-ratelimit-remaining-tokens": "3"}, None),
        ({"x-ratelimit-reset-tokens": "7"}, None),
        ({"x-ratelimit-reset": "", "x-ratelimit-remaining": "0"}, None),
        ({"x-ratelimit-reset": "1000000001", "x-ratelimit-remaining": "0"}, 0.0),
        ({"retry-after": "no", "x-ratelimit-reset": "4", "x-ratelimit-remaining": "0"}, 4.0),
        ({}, None),
    ],
)
def test_what_a_provider_asks_to_wait_is_read_and_nonsense_is_not(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert requested_wait(headers) == seconds


def test_a_wait_may_be_a_date() -> None:
    later = datetime.now(UTC) + timedelta(minutes=10)
    for headers in [
        {"retry-after": format_datetime(later, usegmt=True)},
        {
            "anthropic-ratelimit-requests-reset": later.isoformat(),
            "anthropic-ratelimit-requests-remaining": "0",
        },
        {"x-ratelimit-reset": f"{later.timestamp() * 1000:.0f}", "x-ratelimit-remaining": "0"},
    ]:
        wait = requested_wait(headers)
        assert wait is not None
        assert 500 < wait <= 601


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_has_a_remedy_and_tells_a_person_what_to_do(kind: FaultKind) -> None:
    fault = Fault("SomeError", "it said so", kind=kind)
    assert fault.retryable is (fault.remedy in (Remedy.RETRY, Remedy.WAIT))
    happened, advice = explain(MINI, fault, 2).split("\n")
    assert happened == (
        "model 'mini' (openai/gpt-4o-mini) did not answer in 2 attempts: SomeError: it said so"
    )
    assert advice.endswith(".")


def test_a_person_is_told_which_model_what_it_said_and_what_to_do() -> None:
    text = "litellm.RateLimitError: RateLimitError: OpenAIException - slow down please"
    fault = fault_of(refused(429, openai_error("slow down please"), text=text))
    assert explain(MINI, fault, 5) == (
        "model 'mini' (openai/gpt-4o-mini) did not answer in 5 attempts: "
        "HTTP 429: slow down please\n"
        "Lower the concurrency, or raise the account's limit, and run the command again."
    )


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (ModelSpec("m", "openai/x", api_base="http://127.0.0.1:8080/v1"), "`-c` (`--ctx-size`)"),
        (ModelSpec("m", "ollama_chat/x", api_base="http://127.0.0.1:11434"), "`num_ctx`"),
        (MINI, "`overflow` in the tournament's `environment`."),
    ],
)
def test_a_context_that_is_too_short_says_how_to_lengthen_it(model: ModelSpec, words: str) -> None:
    fault = fault_of(refused(400, openai_error("x", "exceed_context_size_error")))
    said = explain(model, fault, 1)
    assert "1 attempt: HTTP 400: " in said
    assert words in said
    assert ("num_ctx" in said, "--ctx-size" in said) == ("num_ctx" in words, "ctx-size" in words)


def test_a_long_message_is_cut_and_says_so() -> None:
    message = fault_of(refused(500, "x" * 100_000)).message
    assert len(message) < 2_100
    assert message.endswith("(100000 characters)")


@pytest.mark.parametrize("before", ["Invalid response object ", "Invalid response object\n", ""])
def test_no_traceback_of_a_librarys_is_shown(before: str) -> None:
    fault = Fault(
        "APIError", f"{before}Traceback (most recent call last):\n  File x", kind=FaultKind.BUG
    )
    happened, _ = explain(MINI, fault, 1).split("\n")
    assert happened.endswith(f"1 attempt: APIError: {before.strip() or 'APIError'}")


def test_errors_that_go_in_circles_are_read() -> None:
    one, two = Wrapped("one"), Wrapped("two")
    one.__cause__, two.__cause__ = two, one
    assert fault_of(one).kind is FaultKind.BUG


def test_what_is_shown_is_the_same_in_every_run() -> None:
    said = (
        "Cannot connect to host a.example:443 ssl:<ssl.SSLContext object at 0x7fc2540e64e0> "
        "[Name or service not known], says <Connector object at 0xFF00>"
    )

    assert fault_of(httpx.ConnectError(said)).message == (
        "Cannot connect to host a.example:443 [Name or service not known], says <Connector object>"
    )
