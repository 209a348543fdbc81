"""Answers of every shape become plain data: bounded, typed, and unknown where they are nonsense."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core import ToolCall, Usage
from arena.llm.failures.classify import Fault
from arena.llm.failures.kinds import FaultKind
from arena.llm.providers.protocol import Answer
from arena.llm.providers.response import StreamedAnswer, read
from arena.llm.providers.usage import read_usage
from arena.llm.recorded import completion_of


def response(message: Any = None, finish: Any = "stop", **fields: Any) -> Any:
    """A response with attributes, as LiteLLM's are."""
    if isinstance(message, dict):
        message = SimpleNamespace(**message)
    plain = {"id": "x", "model": "m", "created": 1, "system_fingerprint": None, "usage": None}
    choices = [SimpleNamespace(message=message, finish_reason=finish)]
    return SimpleNamespace(**{**plain, "choices": choices, **fields})


def test_an_answer_becomes_plain_data() -> None:
    answer = read(response({"content": "[3]"}, usage={"prompt_tokens": 4, "completion_tokens": 2}))
    assert (answer.completion.text, answer.completion.finish_reason, answer.model_answered) == (
        "[3]",
        "stop",
        "m",
    )
    assert answer.completion.usage == Usage(4, 2)
    assert not answer.completion.refused
    assert answer.response == {
        "id": "x",
        "model": "m",
        "created": 1,
        "choices": [{"text": "[3]", "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 4, "completion_tokens": 2},
    }


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ("", ""),
        ([], ""),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
        (["a", {"text": "b"}, {"type": "image_url"}, 7, {"text": ["c"]}], "ab"),
        ({"text": "no list"}, ""),
        (7, ""),
    ],
)
def test_a_content_may_be_a_list_of_parts(content: Any, text: str) -> None:
    assert read(response({"content": content})).completion.text == text


@pytest.mark.parametrize(
    "message",
    [
        {"content": None, "refusal": "I will not"},
        {"content": None, "provider_specific_fields": {"refusal": "I will not"}},
    ],
)
def test_a_refusal_is_an_answer_and_says_so(message: dict[str, Any]) -> None:
    answer = read(response(message))
    assert answer.completion.refused
    assert (answer.completion.text, answer.completion.finish_reason) == ("I will not", "refusal")
    assert answer.response["choices"] == [
        {"text": "", "finish_reason": "refusal", "refusal": "I will not"}
    ]


def test_an_answer_that_was_filtered_away_is_a_refusal_and_one_that_was_cut_is_not() -> None:
    assert read(response({"content": None}, finish="content_filter")).completion.refused
    assert not read(response({"content": "I vote"}, finish="content_filter")).completion.refused


@pytest.mark.parametrize("choices", [None, [], (), "text", {"0": 1}])
def test_without_a_choice_there_is_no_answer(choices: Any) -> None:
    with pytest.raises(Fault) as caught:
        read(response(choices=choices))
    assert caught.value.kind is FaultKind.MALFORMED
    assert caught.value.billed


@pytest.mark.parametrize(
    ("usage", "known"),
    [
        ({"prompt_tokens": 4, "completion_tokens": 0}, Usage(4, 0)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, Usage()),
        ({"prompt_tokens": -4, "completion_tokens": 5}, Usage(None, 5)),
        ({"prompt_tokens": 4.0, "completion_tokens": "5"}, Usage()),
        ({"prompt_tokens": 10**15, "completion_tokens": True}, Usage()),
        ({"prompt_tokens": 4, "completion_tokens": 10**9 + 1}, Usage(4, None)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 8,
                "prompt_tokens_details": {"cached_tokens": -1},
                "completion_tokens_details": {"reasoning_tokens": 7},
            },
            Usage(9, 8, None, 7),
        ),
        ("all of them", Usage()),
        (None, Usage()),
    ],
)
def test_numbers_that_cannot_be_true_are_unknown(usage: Any, known: Usage) -> None:
    assert read_usage(usage)[0] == known


def sums(prompt: int | None, completion: int | None, total: int, **more: Any) -> dict[str, Any]:
    details = {"reasoning_tokens": more.pop("reasoning")} if "reasoning" in more else None
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": total,
        "completion_tokens_details": details,
        **more,
    }


@pytest.mark.parametrize(
    ("usage", "known"),
    [
        # What LiteLLM makes of a usage without a prompt, and without an answer.
        (sums(0, 2, 0), Usage(None, 2)),
        (sums(50, 0, 50), Usage(50, None)),
        # Thoughts inside the answer, beside it, beside all sums, and in none of them.
        (sums(50, 105, 155, reasoning=100), Usage(50, 105, None, 100)),
        (sums(50, 5, 155, reasoning=100), Usage(50, 105, None, 100)),
        (sums(50, 5, 55, reasoning=100), Usage(50, 105, None, 100)),
        (sums(50, 5, 155, reasoning_tokens=100), Usage(50, 105, None, 100)),
        (sums(50, 5, 155), Usage(50, 105)),
        # Cached and written tokens inside the prompt, and beside it.
        (
            sums(150, 5, 155, cache_creation_input_tokens=40, cache_read_input_tokens=100),
            Usage(150, 5, 100, None, written_tokens=40),
        ),
        (
            sums(10, 5, 15, cache_creation_input_tokens=40, cache_read_input_tokens=100),
            Usage(150, 5, 100, None, written_tokens=40),
        ),
        (
            sums(60, 5, 165, reasoning=60, prompt_tokens_details={"cache_write_tokens": 40}),
            Usage(100, 65, None, 60, written_tokens=40),
        ),
        (
            sums(60, 5, 65, cache_creation={"ephemeral_1h_input_tokens": 30}),
            Usage(60, 5, written_tokens=30, written_hour_tokens=30),
        ),
    ],
)
def test_what_is_counted_beside_the_sums_is_paid(usage: Any, known: Usage) -> None:
    assert read_usage(usage, said=True)[0] == known


def test_what_is_large_is_not_stored() -> None:
    call = {"id": "i" * 999, "function": {"name": "f" * 999, "arguments": "a" * 10**6}}
    answer = read(
        response(
            {"content": "short", "tool_calls": [call] * 100, "x_more": [["deep"] * 999]},
            id="x" * 10**6,
            model="m" * 10**6,
            created=10**40,
            system_fingerprint={"a": ["dict"]},
            x_large="x" * 10**6,
        )
    )
    calls = answer.response["choices"][0]["tool_calls"]
    assert len(calls) == 32
    assert len(calls[0]["arguments"]) == 65_536
    assert (
        len(calls[0]["name"])
        == len(answer.response["id"])
        == len(str(answer.model_answered))
        == 256
    )
    assert answer.response["created"] is None
    assert set(answer.response) == {"id", "model", "created", "choices"}


def test_a_stream_brings_a_refusal_too() -> None:
    streamed = StreamedAnswer()
    for part in ("I will", " not"):
        delta = SimpleNamespace(content=None, refusal=part)
        assert streamed.add(response(choices=[SimpleNamespace(delta=delta)]))
    answer = streamed.finish(SimpleNamespace(received_finish_reason="stop", chunks=[]))
    assert answer.completion.refused
    assert answer.completion.text == "I will not"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
FIELDS = ["content", "refusal", "tool_calls", "reasoning_content", "provider_specific_fields"]


@given(
    st.dictionaries(st.sampled_from(FIELDS), json_values),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "model", "created"), json_values)),
    json_values,
    json_values,
)
def test_no_answer_is_too_odd_to_be_read(
    message: dict[str, Any], fields: dict[str, Any], finish: Any, usage: Any
) -> None:
    answer = read(response({"content": "x", **message}, finish, usage=usage, **fields))
    assert isinstance(answer, Answer)
    assert isinstance(answer.completion.text, str)
    json.dumps(answer.response, allow_nan=False)


BLOCKS = [{"type": "thinking", "thinking": "first "}, {"type": "thinking", "thinking": "then"}]


@pytest.mark.parametrize(
    ("message", "thoughts"),
    [
        ({}, None),
        ({"reasoning_content": "hm"}, "hm"),
        ({"thinking_blocks": BLOCKS}, "first then"),
        ({"reasoning_content": "hm", "thinking_blocks": BLOCKS}, "hm"),
        ({"thinking_blocks": [{"thinking": 7}, "odd", None]}, None),
        ({"thinking_blocks": "odd"}, None),
    ],
)
def test_thoughts_come_in_either_form(message: dict[str, Any], thoughts: str | None) -> None:
    whole = read(response({"content": "[1]", **message}))
    streamed = StreamedAnswer()
    streamed.add(response(choices=[SimpleNamespace(delta=SimpleNamespace(**message))]))
    cut = streamed.finish(SimpleNamespace(received_finish_reason="stop", chunks=[]))
    assert whole.completion.thoughts == cut.completion.thoughts == thoughts


def test_a_stream_puts_the_calls_of_tools_together() -> None:
    streamed = StreamedAnswer()
    for calls in (
        [{"index": 1, "id": "b", "function": {"name": "vote", "arguments": '{"for'}}],
        [{"index": 0, "id": "a", "function": {"name": "look", "arguments": ""}}],
        [{"index": 1, "function": {"arguments": '": 3}'}}, {"index": "odd"}],
        [
            {"index": 2 + n, "id": "many", "function": {"arguments": "x" * 99_999}}
            for n in range(99)
        ],
    ):
        delta = SimpleNamespace(tool_calls=calls)
        assert streamed.add(response(choices=[SimpleNamespace(delta=delta)]))
    answer = streamed.finish(SimpleNamespace(received_finish_reason="tool_calls", chunks=[]))
    first, second, *more = answer.completion.tool_calls
    assert first == ToolCall("look", "")
    assert second == ToolCall("vote", '{"for": 3}')
    assert len(more) == 30
    assert {len(call.arguments) for call in more} == {65_536}


def test_an_answer_is_what_its_record_will_say() -> None:
    call = {"id": "c1", "function": {"name": "vote", "arguments": "{}"}}
    for message, finish in (
        ({"content": "x", "reasoning_content": "hm", "tool_calls": [call]}, "stop"),
        ({"content": None}, "content_filter"),
        ({"content": None, "refusal": "no"}, "stop"),
    ):
        answer = read(response(message, finish=finish))
        said = answer.completion
        stored = json.loads(json.dumps(answer.response))
        assert completion_of(said.text, said.finish_reason, said.usage, stored) == said
