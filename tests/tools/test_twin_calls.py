"""Calls that are the same twice in one answer reach Google once, with all that was said of them."""

from __future__ import annotations

from typing import Any

from arena.llm.providers.twin_calls import without_twins


def call(call_id: str, arguments: str) -> dict[str, Any]:
    function = {"name": "throw_dice", "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def asking(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": "", "tool_calls": [*calls]}


def said(call_id: str, content: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def test_the_second_of_two_is_left_out_and_what_it_said_is_kept() -> None:
    sent = [
        {"role": "user", "content": "Throw."},
        asking(call("a", "{}"), call("b", '{"number": 2}'), call("c", "{}")),
        said("a", "4"), said("b", "1 6"), said("c", "2"),
    ]  # fmt: skip

    assert without_twins(sent) == [
        sent[0], asking(call("a", "{}"), call("b", '{"number": 2}')), said("a", "4\n2"), sent[3],
    ]  # fmt: skip


def test_the_same_call_in_another_answer_is_no_twin() -> None:
    sent = [asking(call("a", "{}")), said("a", "4"), asking(call("b", "{}")), said("b", "2")]

    assert without_twins(sent) is sent
