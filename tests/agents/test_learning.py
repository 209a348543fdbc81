"""The kind `learning`, with a plain function for a model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from arena.agents.learning import KNOWN, Learner, key_points
from arena.core import CallOptions, Completion, Message, Observation, UsageError
from arena.core.memory import KeyPoint, LastGame, Memory, memory_given, memory_kept

LAST = LastGame(3, "[GAME] Player 1 took the middle.", "The game has ended. You lost.")


class Model:
    """Says what it is told to, and keeps what it was asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = [*answers]
        self.asked: list[Sequence[Message]] = []

    async def complete(
        self, messages: Sequence[Message], options: CallOptions | None = None
    ) -> Completion:
        self.asked.append(messages)
        return Completion(self.answers.pop(0))


def seen(turn: int) -> Observation:
    return Observation(turn, 0, f"turn {turn}", f"turn {turn}")


def first_turn(memory: Memory, *answers: str, **options: Any) -> tuple[Memory, Model]:
    """What is kept after a first turn, and the model that was asked in it."""
    agent, model = Learner(prompt="Play.", options=options), Model(*answers)
    agent.remember(memory)
    action = asyncio.run(agent.act(seen(0), model))
    assert memory_given(action.reading) == memory
    kept = memory_kept(action.reading)
    assert kept is not None
    return kept, model


def point(text: str, importance: int, written: int = 0) -> KeyPoint:
    return KeyPoint(text, importance, written, written)


def test_it_is_asked_about_the_game_before_and_plays_with_what_it_wrote() -> None:
    written = '{"key_points": [{"text": "Take the middle.", "importance": 9}]}'
    agent, model = Learner(prompt="Play.", options={}), Model(written, "[4]", "[5]")
    agent.remember(Memory(1, (), LAST))

    first = asyncio.run(agent.act(seen(0), model))
    second = asyncio.run(agent.act(seen(2), model))

    learn, act, later = model.asked
    assert LAST.seen in learn[1]["content"]
    assert LAST.result in learn[1]["content"]
    assert act[0]["content"] == f"Play.\n\n{KNOWN}\n> Take the middle." == later[0]["content"]
    assert (first.text, second.text) == ("[4]", "[5]")
    kept = memory_kept(first.reading)
    assert kept is not None
    assert kept.points == (
        KeyPoint("Take the middle.", 9, 3, 1, shown=1, last_shown=1, expires=101),
    )
    assert second.reading is None


def test_without_a_game_before_it_asks_nothing_and_plays_as_thinking_does() -> None:
    kept, model = first_turn(Memory(), "[4]")

    assert [message["content"] for message in model.asked[0]] == ["Play.", "turn 0"]
    assert kept == Memory()


def test_the_heaviest_points_are_shown_and_the_rest_kept_up_to_the_limit() -> None:
    known = Memory(9, (point("old", 8), point("new", 7, 9), point("low", 2, 9), point("gone", 1)))

    kept, model = first_turn(known, "[4]", shown=1, items=3)

    assert model.asked[0][0]["content"].endswith("> new")
    assert [(p.text, p.shown, p.last_shown) for p in kept.points] == [
        ("new", 1, 9),
        ("old", 0, None),
        ("low", 0, None),
    ]


def test_a_point_is_forgotten_after_its_games_unless_it_is_written_again() -> None:
    known = Memory(5, (point("again", 5, 1), point("stale", 9, 1)), LAST)
    again = '{"key_points": [{"text": "again", "importance": 6}]}'

    kept, _ = first_turn(known, again, "[4]", ttl_games=4)

    assert [(p.text, p.importance, p.written) for p in kept.points] == [("again", 6, 5)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("I would rather not.", []),
        ('{"key_points": "Talk less."}', [("Talk less.", 5)]),
        ('```json\n{"Key_Points": ["a", {"text": "b", "importance": 99}]}', [("a", 5), ("b", 10)]),
        ('{"key_points": [{"text": "a\\n> \\u001b[2J", "importance": -3}]}', [("a > \\x1b[2J", 1)]),
        ('{"key_points": [1, {"importance": 3}, {"text": "a", "importance": NaN}]}', [("a", 5)]),
        ('{"key_points": ["1", "2", "3", "4", "5", "6", "1"]}', [(str(i), 5) for i in range(1, 6)]),
    ],
)  # fmt: skip
def test_what_was_learned_is_read_from_whatever_a_model_writes(
    answer: str, expected: list[tuple[str, int]]
) -> None:
    assert [(p.text, p.importance) for p in key_points(answer, 0, 0)] == expected


def test_a_misspelt_option_and_a_number_that_is_none_are_named() -> None:
    with pytest.raises(UsageError, match="'ttl_games'"):
        Learner(prompt="", options={"ttl_game": 3})
    with pytest.raises(UsageError, match="at least 1"):
        Learner(prompt="", options={"shown": 0})
