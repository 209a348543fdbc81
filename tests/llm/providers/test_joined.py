"""Events of a stream that bring pieces of one text are read as one; nothing else is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.llm.providers.joined import joined


def openai(**delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}


def anthropic(index: int = 0, **delta: Any) -> dict[str, Any]:
    kinds = {"text": "text_delta", "thinking": "thinking_delta", "signature": "signature_delta"}
    [name] = delta
    delta["type"] = kinds[name]
    return {"type": "content_block_delta", "index": index, "delta": delta}


def google(tokens: int = 1, **part: Any) -> dict[str, Any]:
    content = {"role": "model", "parts": [part]}
    usage = {"promptTokenCount": 10, "candidatesTokenCount": tokens}
    return {"candidates": [{"content": content, "index": 0}], "usageMetadata": usage}


def read(*events: dict[str, Any] | str) -> list[Any]:
    """What is left of these events after they went over the wire."""
    lines = []
    for event in events:
        if isinstance(event, dict) and "type" in event:
            lines.append(f"event: {event['type']}\n".encode())
        said = event if isinstance(event, str) else json.dumps(event)
        lines += [b"data: " + said.encode() + b"\n", b"\n"]
    left = [line[6:] for line in joined(lines) if line.startswith(b"data: ")]
    return [json.loads(line) if line.startswith(b"{") else line.decode().strip() for line in left]


def test_pieces_of_a_text_are_one_event() -> None:
    assert read(*(openai(content=f"{n} ") for n in range(3))) == [openai(content="0 1 2 ")]
    assert read(anthropic(text="I "), anthropic(text="vote")) == [anthropic(text="I vote")]
    assert read(google(3, text="I "), google(7, text="vote")) == [google(7, text="I vote")]


def test_half_a_character_finds_its_other_half() -> None:
    assert read(openai(content="\ud83d"), openai(content="\ude00")) == [openai(content="😀")]


def test_thoughts_and_speech_stay_apart_and_in_order() -> None:
    events = [
        openai(role="assistant", content=""),
        openai(reasoning_content="Hm"), openai(reasoning_content="m."),
        openai(content="[3"), openai(content="]"),
    ]  # fmt: skip
    assert read(*events) == [events[0], openai(reasoning_content="Hmm."), openai(content="[3]")]
    both = openai(reasoning="a", reasoning_content="a")
    assert read(both, both) == [openai(reasoning="aa", reasoning_content="aa")]
    assert read(google(thought=True, text="Hm"), google(text="[3]"), google(text="!")) == [
        google(thought=True, text="Hm"), google(text="[3]!"),
    ]  # fmt: skip
    assert read(anthropic(0, thinking="a"), anthropic(1, text="b"), anthropic(1, text="c")) == [
        anthropic(0, thinking="a"), anthropic(1, text="bc"),
    ]  # fmt: skip


ENDED = openai(content="!")
ENDED["choices"][0]["finish_reason"] = "stop"
TOOL = openai(tool_calls=[{"index": 0, "function": {"name": "vote", "arguments": "{"}}])
TWO = {**openai(content="x"), "choices": [*openai(content="x")["choices"]] * 2}
SAID = google(text="x")
BLOCKED = {**SAID, "candidates": [{**SAID["candidates"][0], "finishReason": "SAFETY"}]}


@pytest.mark.parametrize(
    "event",
    [
        ENDED, TOOL, TWO, BLOCKED, "[DONE]", "{}", "{garbage", "[]", '{"choices": 3}',
        {"error": {"message": "down"}}, {**openai(content="x"), "error": {"message": "down"}},
        {"choices": [], "usage": {"prompt_tokens": 1}}, anthropic(signature="s"),
        {"type": "content_block_stop", "index": 0}, {"type": "message_stop"},
        {"candidates": [{"content": {"parts": []}}]}, google(functionCall={"name": "f"}),
        openai(refusal="no"), {"choices": [{"delta": None}]}, {"candidates": [{"content": "x"}]},
    ],
)  # fmt: skip
def test_what_brings_anything_else_stays_as_it_is_and_where_it_is(event: Any) -> None:
    lines = [
        line
        for one in (openai(content="a"), event, event, openai(content="b"))
        for line in (f"data: {one if isinstance(one, str) else json.dumps(one)}\n".encode(), b"\n")
    ]

    assert [*joined(lines)] == lines


def test_counts_are_the_most_that_was_said_of_each() -> None:
    events = [{**openai(content="a"), "usage": {"prompt_tokens": 9, "completion_tokens": n,
               "details": {"reasoning": 3 - n}}} for n in (0, 1, 2)]  # fmt: skip
    [event] = read(*events)
    assert event["usage"] == {
        "prompt_tokens": 9, "completion_tokens": 2, "details": {"reasoning": 3},
    }  # fmt: skip


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from(["content", "reasoning_content", "end"]), st.text())))
def test_nothing_is_lost_doubled_or_moved(pieces: list[tuple[str, str]]) -> None:
    def said(events: list[Any]) -> list[tuple[str, str]]:
        """Runs of one kind of text, joined."""
        runs: list[tuple[str, str]] = []
        for event in events:
            delta = event["choices"][0]["delta"] if isinstance(event, dict) else {"end": event}
            for name, text in delta.items():
                if runs and runs[-1][0] == name != "end":
                    runs[-1] = (name, runs[-1][1] + text)
                elif text:
                    runs.append((name, text))
        return runs

    events = ["[DONE]" if name == "end" else openai(**{name: text}) for name, text in pieces]

    assert said(read(*events)) == said(events)
