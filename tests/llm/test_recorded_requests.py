"""An answer comes back from its record as it was; a request that differs says where."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core import Completion, DivergenceError, Message, ToolCall, Usage
from arena.llm.recorded import RecordedCall, check_same, completion_of, response_of

USAGE = Usage(3, 2)
names = st.text(max_size=9)


@given(
    st.builds(
        Completion,
        st.text(min_size=1),
        st.sampled_from([None, "stop", "length", "tool_calls"]),
        st.just(USAGE),
        st.booleans(),
        st.none() | st.text(min_size=1),
        st.lists(st.builds(ToolCall, names, st.text()), max_size=3).map(tuple),
    )
)
def test_a_completion_comes_back_from_what_is_stored_of_it(completion: Completion) -> None:
    stored = json.loads(json.dumps(response_of(completion)))
    assert completion_of(completion.text, completion.finish_reason, USAGE, stored) == completion


def test_only_what_is_there_is_stored() -> None:
    assert response_of(Completion("[1]", "stop")) == {
        "choices": [{"text": "[1]", "finish_reason": "stop"}]
    }


@pytest.mark.parametrize("response", [None, {}, {"choices": []}, "text", {"choices": [{}]}])
def test_a_response_that_says_nothing_more_is_the_text_alone(response: object) -> None:
    assert completion_of("[1]", "stop", USAGE, response) == Completion("[1]", "stop", USAGE)


def test_an_answer_that_was_filtered_away_is_a_refusal_also_on_record() -> None:
    assert completion_of("", "content_filter", USAGE, {"choices": [{"text": ""}]}).refused


def asked(*messages: Message) -> RecordedCall:
    return RecordedCall(0, 0, "before", list(messages), answered=True)


def test_parts_that_differ_are_shown() -> None:
    def image(name: str) -> Message:
        part = {"type": "image_url", "image_url": {"url": f"data:{name}"}}
        return {"role": "user", "content": [{"type": "text", "text": "the board"}, part]}

    with pytest.raises(DivergenceError) as raised:
        check_same([asked(image("one"))], "now", [image("two")], "turn 3, player 0")
    said = str(raised.value)
    assert said.startswith("turn 3, player 0, call 0: message 0 differs at character ")
    assert "data:one" in said
    assert "data:two" in said


def test_a_tool_that_differs_is_shown_too() -> None:
    def tool(call: str) -> Message:
        return {"role": "tool", "content": "42", "tool_call_id": call}

    with pytest.raises(DivergenceError, match=r"message 0 differs at character .*c1.*c2"):
        check_same([asked(tool("c1"))], "now", [tool("c2")], "turn 3, player 0")
