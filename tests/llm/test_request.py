"""The hash of a request is a contract: records of today are looked up by it tomorrow."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arena.llm.request_hash
from arena.core import Message, ModelSpec, UsageError
from arena.llm.request import (
    addressed,
    call_seed,
    check_params,
    sendable,
    sent_seed,
    stored_request,
)
from arena.llm.request_hash import HashChain, content_bytes, request_hash

HELLO: list[Message] = [
    {"role": "system", "content": "be short"},
    {"role": "user", "content": "hello \u00e9\U0001f600"},
]


def said(*contents: str) -> list[Message]:
    return [{"role": "user", "content": content} for content in contents]


def test_the_hash_of_a_request_never_changes() -> None:
    digest = request_hash("openai/gpt-4o-mini", HELLO, {"temperature": 0.5, "stop": ["a"]})
    assert digest == "cb1febe75558c651a0221fb15a3eabd4"
    assert digest == request_hash(
        "openai/gpt-4o-mini", list(HELLO), {"stop": ["a"], "temperature": 0.5}
    )


def test_whatever_changes_the_request_changes_the_hash() -> None:
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


@pytest.mark.parametrize(
    ("model", "messages", "request_", "digest"),
    [
        ("openai/gpt-4o-mini", said("hi"), {}, "b68f55c92b84c7c8b1f51c527b586f32"),
        (
            "openai/gpt-4o-mini",
            [{"role": "system", "content": "You play."}, *said("€\ud800 \U0001f600")],
            {"temperature": 0.5, "max_tokens": 9},
            "15ce652c9e3c8ab945fa1ba1e3878a89",
        ),
        ("scripted/random", said(""), {"seed": 7}, "ad0a09d6dd73e230787bd8a72ba9e569"),
        ("ollama_chat/x", [], {"also_sent": ["a"]}, "4325dd4db0920f4ce5f19474056a6723"),
        (
            "openai/x",
            said("x" * 5000),
            {"tools": [{"type": "function"}], "stream": True},
            "1be8a9610d26a7ccec45e0b4c30760d6",
        ),
    ],
)
def test_hashes_of_texts_are_those_of_the_release_before_parts(
    model: str, messages: list[Message], request_: dict[str, Any], digest: str
) -> None:
    assert request_hash(model, sendable(messages), request_) == digest


def before_parts(model: str, messages: list[Message], request: dict[str, Any]) -> str:
    """The hash as it was when a content was a text, written down again."""
    head = json.dumps([model, request], sort_keys=True, separators=(",", ":"), default=str)
    hashed = b"%d\n%s" % (len(head), head.encode())
    for message in messages:
        role, content = (
            message["role"].encode(),
            message["content"].encode("utf-8", "surrogatepass"),
        )
        hashed += b"\n%d %d\n%s\n%s" % (len(role), len(content), role, content)
    return blake2b(hashed, digest_size=16).hexdigest()


texts = st.text(st.characters(codec=None), max_size=60)


@given(
    st.text(max_size=20),
    st.lists(st.fixed_dictionaries({"role": st.text(max_size=9), "content": texts}), max_size=4),
    st.dictionaries(st.text(max_size=9), st.integers() | texts, max_size=3),
)
def test_a_text_is_hashed_as_it_was_before_there_were_parts(
    model: str, messages: list[Message], request: dict[str, Any]
) -> None:
    assert request_hash(model, messages, request) == before_parts(model, messages, request)


# A player's requests grow at the end, are shortened, or differ in the middle.
messages_said = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant"]), "content": texts}
)
odd_messages = st.sampled_from(
    [
        {"role": "user", "content": [{"type": "text", "text": "1"}]},
        {"role": "user", "content": [{"type": "n", "n": 1}]},
        {"role": "user", "content": [{"type": "n", "n": True}]},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]},
        {"role": "tool", "content": "", "tool_call_id": "1"},
    ]
)
steps = st.tuples(
    st.integers(0, 4),
    st.lists(messages_said | odd_messages, max_size=3),
    st.sampled_from([{}, {"seed": 1}, {"seed": True}, {"seed": 1.0}]),
    st.sampled_from(["m", "n"]),
)


@given(st.lists(steps, min_size=1, max_size=8))
def test_a_chain_gives_every_request_the_hash_that_it_has_alone(
    taken: list[tuple[int, list[Message], dict[str, Any], str]],
) -> None:
    chain, messages = HashChain(), []
    for kept, more, request, model in taken:
        messages = [*messages[: len(messages) - kept], *more]

        assert chain.of(model, sendable(messages), request) == request_hash(
            model, messages, request
        )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"content": [{"n": 1}]}, {"content": [{"n": True}]}),
        ({"content": [{"n": 1}]}, {"content": [{"n": 1.0}]}),
        ({"tool_calls": [{"id": "1"}]}, {"tool_calls": [{"id": "2"}]}),
        ({"tool_call_id": "1"}, {}),
        ({"role": "tool"}, {"role": "user"}),
    ],
)
def test_a_chain_tells_messages_apart_that_are_written_otherwise(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    chain = HashChain()
    first, then = ([{"role": "user", "content": "x", **said}, *HELLO] for said in (before, after))

    assert chain.of("m", first, {}) != chain.of("m", then, {}) == request_hash("m", then, {})


def test_a_chain_hashes_only_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[Message] = []
    add = arena.llm.request_hash._add
    monkeypatch.setattr(arena.llm.request_hash, "_add", lambda d, m: (hashed.append(m), add(d, m)))
    system, question, answer = said("rules", "what?", "this")
    chain = HashChain()

    chain.of("m", [system, question], {})
    chain.of("m", sendable([system, question, answer, question]), {})
    assert hashed == [system, question, answer, question]

    chain.of("m", sendable([system, question, answer, answer]), {})
    assert hashed[4:] == [answer]


PARTS = [
    {"type": "text", "text": "What is on this board?"},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
]


def test_parts_and_tools_are_in_the_hash() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "move", "arguments": "{}"}}
    asked: Message = {"role": "assistant", "content": "", "tool_calls": [call]}
    hashes = [
        request_hash("m", messages, {})
        for messages in (
            [{"role": "user", "content": PARTS}],
            [{"role": "user", "content": PARTS[::-1]}],
            [{"role": "user", "content": PARTS[:1]}],
            said("What is on this board?"),
            # The JSON of the parts as a text is another request.
            said(content_bytes(PARTS).decode()),
            [{"role": "assistant", "content": ""}],
            [asked],
            [{**asked, "tool_calls": [{**call, "id": "c2"}]}],
            [{"role": "tool", "content": "", "tool_call_id": "c1"}],
            [{"role": "tool", "content": ""}],
        )
    ]
    assert len(set(hashes)) == len(hashes)
    again = [{"image_url": {"url": "data:image/png;base64,AAAA"}, "type": "image_url"}]
    assert hashes[0] == request_hash("m", [{"role": "user", "content": [PARTS[0], *again]}], {})


def test_sent_parts_are_fresh_and_writable_to_the_last_text() -> None:
    part = {"type": "text", "text": "half \ud83d one", "more": [{"deep": "\udc00"}]}
    call = {"id": "c1", "function": {"arguments": "\ud800"}}
    message: Message = {"role": "assistant", "content": [part], "tool_calls": (call,)}

    [sent] = sendable([message])

    assert sent == {
        "role": "assistant",
        "content": [{"type": "text", "text": "half \ufffd one", "more": [{"deep": "\ufffd"}]}],
        "tool_calls": [{"id": "c1", "function": {"arguments": "\ufffd"}}],
    }
    part["more"][0]["deep"] = "changed"  # type: ignore[index]
    assert sent["content"][0]["more"] == [{"deep": "\ufffd"}]  # type: ignore[index]


def test_what_is_no_json_is_not_sent() -> None:
    message: Message = {"role": "user", "content": [{"type": "image", "data": b"\0"}]}
    with pytest.raises(TypeError, match="bytes is not JSON serializable"):
        request_hash("m", sendable([message]), {})


@pytest.mark.parametrize(
    ("messages", "sent"),
    [
        (HELLO, [{"role": "user", "content": f"be short\n\n{HELLO[1]['content']}"}]),
        (said("a", "b"), said("a", "b")),
        ([HELLO[0], HELLO[0], *said("a")], said("be short\n\nbe short\n\na")),
        ([HELLO[0]], said("be short")),
        (
            [HELLO[0], {"role": "assistant", "content": "a"}],
            [*said("be short"), {"role": "assistant", "content": "a"}],
        ),
        (
            [HELLO[0], {"role": "user", "content": PARTS}],
            [{"role": "user", "content": [{"type": "text", "text": "be short"}, *PARTS]}],
        ),
    ],
)
def test_a_model_without_a_system_role_is_told_as_a_user(
    messages: list[Message], sent: list[Message]
) -> None:
    model = ModelSpec("m", "openai/x", system="user")
    assert list(addressed(model, messages)) == sent
    assert addressed(ModelSpec("m", "openai/x"), messages) == messages


def test_a_seed_for_every_call_is_sent_stored_and_hashed_where_it_is_asked_for() -> None:
    fixed = ModelSpec("m", "openai/x", {"seed": 7})
    own = ModelSpec("m", "openai/x", {"seed": "per_call"})
    assert sent_seed(fixed, 5) is None
    assert sent_seed(own, 5) == 5
    assert stored_request(fixed, sent_seed(fixed, 5)) == {"seed": 7}
    assert stored_request(own, sent_seed(own, 5)) == {"seed": 5}
    assert stored_request(own, None) == {}
    with pytest.raises(UsageError, match="expected a whole number, or per_call"):
        check_params(ModelSpec("m", "openai/x", {"seed": "per-call"}))


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
