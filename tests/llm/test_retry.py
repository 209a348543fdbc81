"""What is worth another attempt, how long the wait is, and what a person is told."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from arena.llm.retry import Backoff, Fault, again, explain, fault_of


class Refusal(Exception):
    """An exception as LiteLLM's: a status, and the headers of the response."""

    def __init__(
        self, text: str, status: int | None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(text)
        self.status_code = status
        self.litellm_response_headers = headers or {"date": "now"}


def test_the_wait_doubles_with_jitter_and_has_a_limit() -> None:
    backoff, rng = Backoff(base=1.0, longest=10.0), random.Random(1)
    fault = Fault("X", "x", retryable=True)
    for attempts, full in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0), (40, 10.0)]:
        assert full / 2 <= backoff.seconds(fault, attempts, rng) <= full


def test_the_same_generator_gives_the_same_waits() -> None:
    fault = Fault("X", "x", retryable=True)
    waits = [Backoff().seconds(fault, 3, random.Random(5)) for _ in range(2)]
    assert waits[0] == waits[1]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "12"}, 12.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": format_datetime(datetime(2001, 1, 1, tzinfo=UTC), usegmt=True)}, 0.0),
        ({}, None),
    ],
)
def test_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert fault_of(Refusal("wait", 429, headers)).retry_after == seconds


def test_retry_after_may_be_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    wait = fault_of(Refusal("wait", 503, {"Retry-After": later})).retry_after
    assert wait is not None
    assert 500 < wait <= 600


@pytest.mark.parametrize(
    ("status", "text", "retryable"),
    [
        (429, "slow down", True),
        (429, "You exceeded your current quota, please check your plan", False),
        (529, "overloaded", True),
        (None, "socket closed", True),
        (400, "bad", False),
        (422, "bad", False),
        (500, "prompt is too long: 300000 tokens > 200000 maximum", False),
    ],
)
def test_errors_are_told_apart_by_status_and_words(
    status: int | None, text: str, retryable: bool
) -> None:
    assert fault_of(Refusal(text, status)).retryable is retryable


def test_after_a_first_failure_it_goes_on_until_an_answer() -> None:
    outcomes: list[str | Fault] = [Fault("B", "two", retryable=True), "answer", "never"]
    slept: list[float] = []

    async def attempt() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Fault):
            raise outcome
        return outcome

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def main() -> str:
        return await again(
            Fault("A", "one", retryable=True, retry_after=3.0),
            attempt,
            retries=5,
            backoff=Backoff(base=0.5),
            rng=random.Random(0),
            sleep=sleep,
        )

    assert asyncio.run(main()) == "answer"
    assert outcomes == ["never"]
    assert 3.0 <= slept[0] <= 3.5, "the first failure's Retry-After counts too"
    assert 0.5 <= slept[1] <= 1.0


def test_a_hopeless_first_failure_is_raised_as_it_is() -> None:
    first = Fault("A", "no", retryable=False)

    async def attempt() -> str:
        raise AssertionError("not tried")

    with pytest.raises(Fault) as caught:
        asyncio.run(
            again(
                first,
                attempt,
                retries=5,
                backoff=Backoff(),
                rng=random.Random(0),
                sleep=asyncio.sleep,
            )
        )
    assert caught.value is first


def test_a_person_is_told_which_model_what_it_said_and_what_to_do() -> None:
    text = "litellm.RateLimitError: RateLimitError: OpenAIException - slow down please"
    assert explain("mini", "openai/gpt-4o-mini", fault_of(Refusal(text, 429)), 5) == (
        "model 'mini' (openai/gpt-4o-mini) did not answer in 5 attempts: "
        "HTTP 429: slow down please\n"
        "Lower the concurrency, or raise the account's limit, and run the command again."
    )


def test_a_long_message_is_cut_and_says_so() -> None:
    message = fault_of(Refusal("x" * 100_000, 500)).message
    assert len(message) < 2_100
    assert message.endswith("(100000 characters)")
