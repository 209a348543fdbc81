"""The kind `thinking`, with a plain function for a model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from arena import registry
from arena.agents.thinking import Thinking
from arena.core import Action, CallOptions, Completion, Message, Observation, UsageError

SEEN = Observation(player_index=2, turn_number=7, text="\n[GAME] Vote: [1], [3]", new="all")


class Model:
    """A language model that is a function of the last message."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        self._answer = answer
        self.asked: list[list[Message]] = []
        self.options: list[CallOptions | None] = []

    async def complete(
        self, messages: Sequence[Message], options: CallOptions | None = None
    ) -> Completion:
        self.asked.append(list(messages))
        self.options.append(options)
        return Completion(self._answer(messages[-1]["content"]))


def act(
    model: Model, prompt: str = "You are a villager.", version: int = 2, **options: Any
) -> Action:
    kind = registry.kind("thinking", version)
    return asyncio.run(kind(prompt=prompt, options=options).act(SEEN, model))


def test_one_call_with_the_prompt_and_exactly_what_was_seen() -> None:
    model = Model(lambda seen: "I vote [3].")
    assert act(model) == Action("I vote [3].", thoughts="")
    assert model.asked == [
        [
            {"role": "system", "content": "You are a villager."},
            {"role": "user", "content": SEEN.text},
        ]
    ]
    assert model.options == [None]


def test_without_a_prompt_there_is_no_system_message() -> None:
    model = Model(lambda seen: "[1]")
    act(model, prompt="")
    assert [message["role"] for message in model.asked[0]] == ["user"]


def test_silence_is_an_action() -> None:
    assert act(Model(lambda seen: "")).text == ""


def test_thoughts_are_not_told_and_stay_with_the_action() -> None:
    model = Model(lambda seen: "[THINK]maybe [2][/THINK]\n[3]")
    assert act(model) == Action("[3]", thoughts="maybe [2]")


def test_a_form_that_the_provider_is_asked_for_is_said_to_the_model_too() -> None:
    model = Model(lambda seen: '{"action": "[3]"}')
    assert act(model, answer="json").text == "[3]"
    assert model.asked[0][0]["content"].startswith("You are a villager.\n\nAnswer with one JSON")
    assert model.options[0] is not None
    assert model.options[0].response_format is not None


def test_version_1_knows_fewer_thoughts_and_plays_on_as_it_did() -> None:
    model = Model(lambda seen: "[THINK]maybe [2][/THINK]\n<think>x</think>[3]")
    assert act(model, version=1) == Action("[THINK]maybe [2][/THINK]\n[3]")


def test_unknown_options_are_refused() -> None:
    with pytest.raises(UsageError, match=r"no option 'answr'; did you mean 'answer'\?"):
        Thinking(prompt="", options={"answr": "tag"})
    with pytest.raises(
        UsageError, match="thinking version 3, installed is version 2, which can play as 1"
    ):
        registry.kind("thinking", 3)
