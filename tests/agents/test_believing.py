"""The kinds `believing`, `reviewing` and `sampling`, with a plain function for a model."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena import registry
from arena.agents.beliefs import question, read_beliefs, score
from arena.agents.sampling import chosen
from arena.core import Action, CallOptions, Completion, Message, Observation, UsageError

SEEN = Observation(player_index=2, turn_number=7, text="\n[GAME] Vote: [1], [3]", new="all")
SURE = json.dumps({"beliefs": {"1": {"Mafia": 1.0}, "Player 3": {"mafia": "20%", "Doctor": 0.8}}})


class Model:
    """A language model that answers from the last message, or with one text after another."""

    def __init__(self, answer: Callable[[str], str] | Sequence[str]) -> None:
        self._answer = answer
        self.asked: list[str] = []

    async def complete(
        self, messages: Sequence[Message], options: CallOptions | None = None
    ) -> Completion:
        content = str(messages[-1]["content"])
        self.asked.append(content)
        if callable(self._answer):
            return Completion(self._answer(content))
        return Completion(self._answer[len(self.asked) - 1])


def act(kind: str, *turns: Model, **options: Any) -> list[Action]:
    agent = registry.kind(kind)(prompt="You are a villager.", options=options)
    return [asyncio.run(agent.act(SEEN, model)) for model in turns]


def test_beliefs_are_said_first_and_shown_to_the_call_that_acts() -> None:
    model = Model([SURE, "[1]"])

    [action] = act("believing", model)

    assert action.text == "[1]"
    believed = {"1": {"Mafia": 1.0}, "3": {"Doctor": 0.8, "mafia": 0.2}}
    assert action.reading == {"beliefs": believed}
    assert model.asked[0].startswith(f"{SEEN.text}\n\n# Your task: say what you believe")
    assert f"# Your beliefs\n{json.dumps(believed)}\n\n# Your task: act" in model.asked[1]


def test_beliefs_that_cannot_be_read_leave_the_old_ones() -> None:
    first, second = act("believing", Model([SURE, "[1]"]), Model(["I trust nobody.", "[3]"]))

    assert second.reading == {**(first.reading or {}), "beliefs_read": "lost"}


def test_roles_that_the_agent_names_are_asked_for_and_no_others_are_read() -> None:
    model = Model([SURE, "[1]"])

    [action] = act("believing", model, roles=["Mafia", "Villager"])

    assert "each of the roles: Mafia, Villager." in model.asked[0]
    assert action.reading == {"beliefs": {"1": {"Mafia": 1.0}, "3": {"Mafia": 1.0}}}


@pytest.mark.parametrize("roles", ["Mafia", [""], [1], 3])
def test_roles_that_are_no_names_are_refused(roles: Any) -> None:
    with pytest.raises(UsageError, match="option 'roles' of the kind 'believing'"):
        act("believing", roles=roles)


def test_a_draft_is_reviewed_and_what_was_found_is_kept_as_notes() -> None:
    first = Model(["I am the Doctor [3]", "It gives my role away.", "[1]"])
    second = Model(["[3]", "Fine.", "[3]"])

    changed, kept = act("reviewing", first, second)

    assert (changed.text, changed.reading) == ("[1]", {"draft": "changed"})
    assert "# Your draft\nI am the Doctor [3]\n\n# Your task: review" in first.asked[1]
    assert "- It gives my role away." in first.asked[2]
    assert (kept.text, kept.reading) == ("[3]", {"draft": "kept"})
    assert second.asked[0] == f"{SEEN.text}\n\n# Your notes\n- It gives my role away."


def test_notes_are_kept_within_their_limit() -> None:
    turns = [Model(["[1]", f"{number} " + "x" * 150, "[1]"]) for number in range(4)]

    act("reviewing", *turns, notes=200)

    assert "- 3 xxx" in turns[3].asked[2]
    assert "- 2 xxx" not in turns[3].asked[2]


def test_most_of_the_samples_decide() -> None:
    model = Model(["I vote [1].", "Let us take [3].", "It must be [3]!"])

    [action] = act("sampling", model, samples=3)

    assert action.text == "Let us take [3]."
    assert action.reading == {"samples": "2 of 3 agreed"}
    assert model.asked == [SEEN.text] * 3


def test_of_free_speech_the_one_that_is_most_like_the_others_is_taken() -> None:
    texts = ["Ann is lying.", "Ann is lying about Bob.", "Who wants tea?"]

    assert chosen(texts) == (0, 1)
    assert chosen([*texts, "who  WANTS tea?"]) == (2, 2)
    assert chosen(["", ""]) == (0, 2)


CHANCES = st.dictionaries(st.sampled_from(["Mafia", "Doctor", "Villager"]), st.floats(0.01, 1))


@given(st.dictionaries(st.integers(0, 5), CHANCES))
def test_what_was_said_comes_back_adding_up_to_one(said: dict[int, dict[str, float]]) -> None:
    text = f"Well.\n```json\n{json.dumps({'beliefs': said})}\n```"

    read = read_beliefs(text, 6, 2)

    assert read.keys() == {player for player, own in said.items() if own and player != 2}
    for player, own in read.items():
        total = sum(said[player].values())
        assert math.isclose(sum(own.values()), 1)
        assert own == pytest.approx({role: chance / total for role, chance in said[player].items()})


@pytest.mark.parametrize(
    "text",
    [
        "",
        question(["Mafia"]),
        '{"beliefs": [1, 2]}',
        '{"beliefs": {"9": {"Mafia": 1}, "-1": {"Mafia": 1}, "2": {"Mafia": 1}}}',
        '{"beliefs": {"1": {"Mafia": -1, "Doctor": NaN, "Villager": true, "": 1}}}',
        '{"beliefs": {"1": {"Mafia": 0}}}',
        '{"beliefs": {"1": "Mafia", "99999999999999999999": {"Mafia": 1}}}',
    ],
)
def test_what_says_nothing_is_no_belief(text: str) -> None:
    assert read_beliefs(text, 6, 2) == {}


def test_a_belief_is_scored_beside_the_truth_and_beside_the_cast() -> None:
    cast = ["Mafia", "Villager", "Villager", "Doctor"]

    found = score({"Mafia": 0.5, "Villager": 0.5}, "Mafia", cast)

    assert (found.true, found.identified, found.brier) == (0.5, 0.5, 0.5)
    assert (found.prior, found.prior_brier) == (0.25, 0.75**2 + 0.5**2 + 0.25**2)
    assert score({"Mafia": 1.0}, "Mafia", cast).brier == 0
    assert score({"Doctor": 1.0}, "Mafia", cast).brier == 2
