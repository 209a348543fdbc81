"""The kind `thinking`, with a plain function for a model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from arena.agents.answers import action_of
from arena.agents.thinking import Thinking
from arena.core import Completion, Message, Observation, UsageError

SEEN = Observation(player_index=2, turn_number=7, text="\n[GAME] Vote: [1], [3]", new="all")


class Model:
    """A language model that is a function of the last message."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        self._answer = answer
        self.asked: list[list[Message]] = []

    async def complete(self, messages: Sequence[Message]) -> Completion:
        self.asked.append(list(messages))
        return Completion(self._answer(messages[-1]["content"]))


def act(model: Model, prompt: str = "You are a villager.", **options: Any) -> str:
    return asyncio.run(Thinking(prompt=prompt, options=options).act(SEEN, model)).text


def test_one_call_with_the_prompt_and_exactly_what_was_seen() -> None:
    model = Model(lambda seen: "I vote [3].")
    assert act(model) == "I vote [3]."
    assert model.asked == [
        [
            {"role": "system", "content": "You are a villager."},
            {"role": "user", "content": SEEN.text},
        ]
    ]


def test_without_a_prompt_there_is_no_system_message() -> None:
    model = Model(lambda seen: "[1]")
    act(model, prompt="")
    assert [message["role"] for message in model.asked[0]] == ["user"]


def test_silence_is_an_action() -> None:
    assert act(Model(lambda seen: "")) == ""


def test_the_answer_may_be_the_last_line_or_in_a_tag() -> None:
    assert act(Model(lambda seen: "Let me see.\n\nSo:\n[3]\n"), answer="last_line") == "[3]"
    assert act(Model(lambda seen: "Hm. <answer>[1]</answer>"), answer="tag") == "[1]"


@pytest.mark.parametrize(
    ("text", "form", "action"),
    [
        ("  [3]\n", "whole", "  [3]\n"),
        ("<think>me? no</think>\n[3]", "whole", "[3]"),
        ("<thinking>a\nb</thinking>I accuse <b>you</b>", "whole", "I accuse <b>you</b>"),
        ("a template opened it</think>[3]", "whole", "[3]"),
        ("<think>cut off in the middle", "whole", ""),
        ("<think>a</think><think>b</think>c", "whole", "c"),
        ("3 < 4 and </b> is not a thought", "whole", "3 < 4 and </b> is not a thought"),
        ("<think>[1]</think>\nwell\n[2]", "last_line", "[2]"),
        ("\n \n", "last_line", ""),
        ("<answer>[1]</answer> no: <answer> [2] </answer>", "tag", "[2]"),
        ("<answer>[2]", "tag", "[2]"),
        ("no tag [4]", "tag", "no tag [4]"),
    ],
)
def test_what_of_the_text_is_the_action(text: str, form: str, action: str) -> None:
    assert action_of(text, form) == action


def test_unknown_options_are_refused() -> None:
    with pytest.raises(UsageError, match=r"no option 'answr'; did you mean 'answer'\?"):
        Thinking(prompt="", options={"answr": "tag"})
    with pytest.raises(UsageError, match=r"'first_line'; expected one of: whole, last_line, tag"):
        Thinking(prompt="", options={"answer": "first_line"})
