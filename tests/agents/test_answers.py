"""What of an answer is the action, in each of the six modes; what a wrong option is told."""

from __future__ import annotations

from typing import Any

import pytest

from arena.agents.answers import answer_mode
from arena.core import Action, CallOptions, Completion, ToolCall, UsageError

CHOICE = {
    "type": "object",
    "properties": {"why": {"type": "string"}, "target": {"type": "integer"}},
}


def action(answer: Any, text: str, **completion: Any) -> Action:
    mode = answer_mode("thinking", {"answer": answer})
    return mode.action(Completion(text, **completion))


@pytest.mark.parametrize(
    ("text", "answer", "wanted"),
    [
        ("  [3]\n", "whole", "  [3]\n"),
        ("<think>me? no</think>\n[3]", "whole", "[3]"),
        ("[THINK]maybe [2][/THINK]\n[3]", "whole", "[3]"),
        ("I vote [3]<|im_end|>\n", "whole", "I vote [3]"),
        ("So:\n[3]</s></s>", "last_line", "[3]"),
        ("[3]<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n", "whole", "[3]"),
        ("<end_of_turn> is no end [3]<end_of_turn>", "whole", "<end_of_turn> is no end [3]"),
        ("analysisWe choose 2assistantfinal[3]", "whole", "[3]"),
        ("<think>cut off in the middle", "whole", ""),
        ("3 < 4 and </b> is not a thought", "whole", "3 < 4 and </b> is not a thought"),
        ("Let me see.\n\nSo:\n[3]\n", "last_line", "[3]"),
        ("<think>[1]</think>\nwell\n[2]", "last_line", "[2]"),
        ("\n \n", "last_line", ""),
        ("So:\n```\n[3]\n```\n\n---", "last_line", "[3]"),
        ('<answer id="1">[3]</ answer >', "tag", "[3]"),
        ("<answer>[3]</answer> <answer></answer>", "tag", "[3]"),
        ("<answer> </answer>", "tag", ""),
        ("Hm. <answer>[1]</answer>", "tag", "[1]"),
        ("<answer>[1]</answer> no: <answer> [2] </answer>", "tag", "[2]"),
        ("<answer>[2]", "tag", "[2]"),
        ("<think>or <answer>[1]</answer>?</think><answer>[2]</answer>", "tag", "[2]"),
        ("<vote>[3]</vote> <answer>[1]</answer>", {"tag": "vote"}, "[3]"),
        ("Vote: [1]\nVote: [3]", {"regex": r"Vote: (\[\d\])"}, "[3]"),
        ("I say [3] today", {"regex": r"\[\d\]"}, "[3]"),
        ('{"action": "I vote [3]"}', "json", "I vote [3]"),
        ('Sure:\n```json\n{"Action": "[3]"}\n```', "json", "[3]"),
        ('{"action": "I vote [3', "json", "I vote [3"),
        ('{"why": "quiet", "target": 3}', {"json": CHOICE, "field": "target"}, "3"),
        ('{"action": "[3]"}', "tool", "[3]"),
    ],
)
def test_the_action_is_found(text: str, answer: Any, wanted: str) -> None:
    found = action(answer, text)

    assert (found.text, found.reading) == (wanted, None)


@pytest.mark.parametrize(
    ("text", "answer", "said"),
    [
        ("no tag [4]", "tag", "no tag"),
        ("[4]", {"regex": "Vote: (.*)"}, "no regex"),
        ("I vote [4].", "json", "no json"),
        ('{"other": 4}', "json", "no json"),
        ('{"action": null}', "json", "no json"),
        ("I call nothing [4]", "tool", "no tool"),
    ],
)
def test_where_the_form_is_missing_all_of_it_is_the_action(
    text: str, answer: Any, said: str
) -> None:
    found = action(answer, text)

    assert (found.text, found.reading) == (text, {"answer": said})


def test_a_tool_is_called_with_the_action() -> None:
    calls = (ToolCall("act", '{"action": "I vote [3].", "mood": "calm"}'),)

    found = action("tool", "", tool_calls=calls)

    assert (found.text, found.thoughts) == ("I vote [3].", "mood: calm")


def test_thoughts_are_those_of_the_provider_and_those_in_the_text() -> None:
    assert action("whole", "[3]").thoughts == ""
    assert action("whole", "<think>b</think>[3]", thoughts="a").thoughts == "a\n\nb"
    assert action("json", '{"why": "quiet", "action": "[3]"}').thoughts == "why: quiet"


def test_what_a_call_asks_of_the_provider() -> None:
    assert answer_mode("thinking", {}).options is None
    asked = answer_mode("thinking", {"answer": "json"}).options
    assert asked is not None
    assert asked.response_format is not None
    assert asked.response_format["json_schema"]["schema"]["required"] == ["action"]
    called = answer_mode("thinking", {"answer": "tool"}).options
    assert isinstance(called, CallOptions)
    assert called.tool_choice == {"type": "function", "function": {"name": "act"}}
    assert [tool["function"]["name"] for tool in called.tools] == ["act"]


def test_a_model_is_told_of_the_schema_that_not_every_provider_holds_it_to() -> None:
    assert "one JSON object" in answer_mode("thinking", {"answer": "json"}).instruction
    own = answer_mode("thinking", {"answer": {"json": CHOICE, "field": "target"}})
    assert '"target"' in own.instruction
    assert answer_mode("thinking", {"answer": "tag"}).instruction == ""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            "last_lne",
            r"is 'last_lne'; did you mean 'last_line'\? expected one of: whole, last_line",
        ),
        (7, "is 7; expected one of"),
        ({}, "is {}; expected one of"),
        ({"whole": "x"}, "expected one of"),
        ({"tag": "a", "regex": "b"}, "expected one of"),
        ({"tag": "<answer>"}, r"names the tag '<answer>'; expected a word, as in \{tag: answer\}"),
        ({"regex": "("}, r"regular expression '\(', which cannot be used: missing \)"),
        ("regex", "regular expression None, which cannot be used: a pattern is missing"),
        ({"json": {"type": "object"}}, "a schema without the property 'action'"),
        ({"json": CHOICE, "field": "vote"}, "a schema without the property 'vote'"),
        ({"tag": "a", "field": "b"}, "expected one of"),
    ],
)
def test_a_wrong_option_is_told(answer: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        answer_mode("thinking", {"answer": answer})
