"""The hash of a request is a contract: records of today are looked up by it tomorrow."""

from __future__ import annotations

import pytest

from arena.core import Message, ModelSpec, UsageError
from arena.llm.request import call_seed, check_params, request_hash, sendable, stored_request

HELLO: list[Message] = [
    {"role": "system", "content": "be short"},
    {"role": "user", "content": "hello \u00e9\U0001f600"},
]


def test_the_hash_of_a_request_never_changes() -> None:
    digest = request_hash("openai/gpt-4o-mini", HELLO, {"temperature": 0.5, "stop": ["a"]})
    assert digest == "cb1febe75558c651a0221fb15a3eabd4"
    assert digest == request_hash(
        "openai/gpt-4o-mini", list(HELLO), {"stop": ["a"], "temperature": 0.5}
    )


def test_whatever_changes_the_request_changes_the_hash() -> None:
    def said(*contents: str) -> list[Message]:
        return [{"role": "user", "content": content} for content in contents]

    hashes = [
        request_hash("a", HELLO, {}),
        request_hash("b", HELLO, {}),
        request_hash("a", HELLO, {"seed": 1}),
        request_hash("a", HELLO[::-1], {}),
        request_hash("a", said("ab", "c"), {}),
        request_hash("a", said("a", "bc"), {}),
        request_hash("a", said("abc"), {}),
        request_hash("a", [{"role": "assistant", "content": "abc"}], {}),
    ]
    assert len(set(hashes)) == len(hashes)


def test_seeds_of_calls_never_change() -> None:
    assert [call_seed(2026, n) for n in range(3)] == [1168246080, 1238234347, 140815350]
    assert all(0 <= call_seed(seed, 0) < 2**31 for seed in range(1000))


def test_what_cannot_be_sent_is_replaced() -> None:
    sent = sendable([{"role": "user", "content": "a \ud83d\ude00 pair, half \ud83d one, NUL \0"}])
    assert sent == [{"role": "user", "content": "a \U0001f600 pair, half \ufffd one, NUL \0"}]


def test_sent_messages_are_fresh() -> None:
    sent = sendable(HELLO)
    assert sent == HELLO
    assert all(new is not old for new, old in zip(sent, HELLO, strict=True))


def test_secrets_in_params_are_not_stored() -> None:
    model = ModelSpec(
        "m",
        "openai/x",
        params={
            "aws_secret_access_key": "hush",
            "max_tokens": 5,
            "extra_body": {"auth": {"api_key": "hush"}, "max_tokens": 7, "list": [{"token": "h"}]},
        },
        stream=True,
    )
    stored = stored_request(model, 11)
    assert "hush" not in repr(stored)
    assert stored["also_sent"] == ["aws_secret_access_key"]
    assert stored["extra_body"]["max_tokens"] == 7
    assert (stored["max_tokens"], stored["seed"], stored["stream"]) == (5, 11, True)


def test_a_refused_param_says_where_it_belongs() -> None:
    with pytest.raises(UsageError, match=r"'api_key'.*`api_key_env` of the model"):
        check_params(ModelSpec("m", "openai/x", params={"api_key": "sk-1"}))
