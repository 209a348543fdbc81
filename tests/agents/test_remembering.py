"""The kind `remembering`: two calls where something is new, notes that survive bad answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from arena.agents.notes import Notes, parse
from arena.agents.remembering import Remembering, opening_of, recent_of
from arena.core import Completion, Message, Observation, UsageError

OPENING = "\n[GAME] You are Player 0.\nYour role: Villager"
FIRST = f"{OPENING}\n[GAME] Day breaks."
SAID = "\n[Player 0] hello\n[Player 1] I am the Detective."


class Model:
    """Answers in order, and keeps what it was asked."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked: list[list[Message]] = []

    async def complete(self, messages: Sequence[Message]) -> Completion:
        self.asked.append(list(messages))
        return Completion(self._answers.pop(0))


def see(turn: int, text: str, new: str) -> Observation:
    return Observation(player_index=0, turn_number=turn, text=text, new=new)


def play(model: Model, *seen: Observation, **options: Any) -> list[str]:
    agent = Remembering(prompt="Win.", options=options)

    async def main() -> list[str]:
        return [(await agent.act(observation, model)).text for observation in seen]

    return asyncio.run(main())


def test_a_game_in_two_turns() -> None:
    notes = json.dumps({"claims": {"1": "Detective"}, "facts": ["day 1"], "plan": "listen"})
    model = Model("hello", f"Here:\n```json\n{notes}\n```", "I trust Player 1.")

    actions = play(model, see(0, FIRST, FIRST), see(3, FIRST + SAID, SAID))

    assert actions == ["hello", "I trust Player 1."]
    first, rewriting, acting = model.asked
    assert first[0] == {"role": "system", "content": "Win."}
    assert "[GAME] Day breaks." in first[1]["content"]
    assert rewriting[0]["content"].startswith("Win.\n\nYou keep notes")
    assert SAID in rewriting[1]["content"]
    assert "Day breaks" not in rewriting[1]["content"], "only what is new, and the rules"
    assert "Your role: Villager" in rewriting[1]["content"]
    assert '"claims": {"1": "Detective"}' in acting[1]["content"]
    assert "Your role: Villager" in acting[1]["content"]
    assert acting[1]["content"].endswith(SAID)


def test_a_turn_without_news_takes_one_call() -> None:
    model = Model("a", "b")
    assert play(model, see(0, FIRST, FIRST), see(1, FIRST, "")) == ["a", "b"]


@pytest.mark.parametrize("bad", ["", "no notes", "{", "[1, 2]", '{"other": 1}', "{" * 100_000])
def test_notes_that_cannot_be_read_leave_the_old_ones(bad: str) -> None:
    model = Model("a", '{"plan": "stay calm"}', "b", bad, "c")
    play(model, see(0, FIRST, FIRST), see(1, FIRST + SAID, SAID), see(2, FIRST + SAID * 2, SAID))
    assert "stay calm" in model.asked[-1][1]["content"]


def test_the_same_replies_rebuild_the_same_memory() -> None:
    seen = [see(0, FIRST, FIRST), see(1, FIRST + SAID, SAID), see(2, FIRST + SAID * 2, SAID)]
    answers = ("a", '{"facts": ["x"]}', "b", '<think>{"facts": ["no"]}</think>{"plan": "y"}', "c")
    once, again = Model(*answers), Model(*answers)
    assert play(once, *seen) == play(again, *seen)
    assert once.asked == again.asked
    assert '"plan": "y"' in once.asked[-1][1]["content"]


def test_notes_and_recent_part_are_bounded() -> None:
    facts = json.dumps({"facts": [f"fact {n} " + "x" * 500 for n in range(500)]})
    long = FIRST + SAID * 3000
    model = Model("a", facts, "b")
    play(model, see(0, FIRST, FIRST), see(1, long, SAID), notes=1000, recent=500)
    acting = model.asked[-1][1]["content"]
    assert len(acting) < 1000 + 500 + len(OPENING) + 100
    assert "fact 499" in acting, "the latest facts stay"


def test_what_has_the_wrong_shape_is_left_out() -> None:
    notes = parse(
        '{"suspicions": {"1": 0.5, "2": "high", "3": true, "4": 7}, "claims": ["x"], '
        '"facts": ["a", 5, " "], "plan": {"x": 1}}'
    )
    assert notes == Notes(suspicions={"1": 0.5, "4": 1.0}, claims={}, facts=("a",), plan="")


def test_notes_render_as_the_json_they_are_read_from() -> None:
    notes = Notes({"3": 0.7}, {"1": "Doctor é"}, ("x", 'say "y"'), "wait")
    assert parse(notes.render()) == notes
    assert json.loads(notes.render())["claims"] == {"1": "Doctor é"}


def test_the_opening_and_the_recent_part_are_whole_messages() -> None:
    assert opening_of(FIRST) == OPENING
    assert opening_of("no messages") == "no messages"
    assert recent_of(SAID, 40) == "\n[Player 1] I am the Detective."
    assert recent_of(SAID, 10_000) == SAID


def test_unknown_options_are_refused() -> None:
    with pytest.raises(UsageError, match=r"no option 'memory'"):
        Remembering(prompt="", options={"memory": 5})
    with pytest.raises(UsageError, match=r"'notes' .* is 5; expected a whole number"):
        Remembering(prompt="", options={"notes": 5})
