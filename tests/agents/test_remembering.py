"""The kind `remembering`: two calls where something is new, notes that survive bad answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from arena import registry
from arena.agents.notes import SCHEMA
from arena.agents.remembering import Remembering, recent_of, without_notes
from arena.core import Action, CallOptions, Completion, Message, Observation, UsageError
from arena.core.openings import opening_of

OPENING = "\n[GAME] You are Player 0.\nYour role: Villager"
FIRST = f"{OPENING}\n[GAME] Day breaks."
SAID = "\n[Player 0] hello\n[Player 1] I am the Detective."


class Model:
    """Answers in order, and keeps what it was asked."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked: list[list[Message]] = []
        self.options: list[CallOptions | None] = []

    async def complete(
        self, messages: Sequence[Message], options: CallOptions | None = None
    ) -> Completion:
        self.asked.append(list(messages))
        self.options.append(options)
        return Completion(self._answers.pop(0))

    @property
    def users(self) -> list[str]:
        """The user message of each call."""
        return [messages[-1]["content"] for messages in self.asked]


def see(turn: int, text: str, new: str) -> Observation:
    return Observation(player_index=0, turn_number=turn, text=text, new=new)


def play(model: Model, *seen: Observation, version: int = 2, **options: Any) -> list[Action]:
    agent = registry.kind("remembering", version)(prompt="Win.", options=options)

    async def main() -> list[Action]:
        return [await agent.act(observation, model) for observation in seen]

    return asyncio.run(main())


def test_a_game_in_two_turns() -> None:
    notes = json.dumps(
        {"suspicions": {"1": 0.2}, "claims": {"1": "Detective"}, "facts": ["day 1"], "plan": "wait"}
    )
    model = Model("hello", f"Here:\n```json\n{notes}\n```", "I trust Player 1.")

    actions = play(model, see(0, FIRST, FIRST), see(3, FIRST + SAID, SAID))

    assert actions == [
        Action("hello", thoughts=""),
        Action("I trust Player 1.", thoughts="", reading={"notes": "read", "suspects": {"1": 0.2}}),
    ]
    assert [messages[0] for messages in model.asked] == [{"role": "system", "content": "Win."}] * 3
    first, rewriting, acting = model.users
    assert first.startswith(f"{FIRST}\n\n# Your task: act\n")
    assert rewriting.startswith(f"{FIRST}{SAID}\n\n# Your task: rewrite your notes\n")
    assert acting.startswith(f'{FIRST}{SAID}\n\n# Your notes\n{{\n  "suspicions": {{"1": 0.2}}')
    assert "\n\n# Your task: act\n" in acting


def test_a_turn_without_news_takes_one_call() -> None:
    model = Model("a", "b")
    assert [a.text for a in play(model, see(0, FIRST, FIRST), see(1, FIRST, ""))] == ["a", "b"]


def test_notes_have_a_limit_of_tokens_of_their_own() -> None:
    model = Model("a", "{}", "b", "a", "{}", "b")
    play(model, see(0, FIRST, FIRST), see(1, FIRST + SAID, SAID))
    assert model.options == [None, CallOptions(max_tokens=700, at_least=True), None]
    play(model, see(0, FIRST, FIRST), see(1, FIRST + SAID, SAID), notes_tokens=200)
    assert model.options[4] == CallOptions(max_tokens=200, at_least=False)


def test_a_provider_is_asked_for_the_shape_of_notes_where_that_is_wanted() -> None:
    """The form of a schema, lists in the place of objects, is read like any other, also when it is
    cut."""
    answer = (
        '{"suspicions": [{"player": 1, "suspicion": 0.9}, '
        '{"player": "Player 4", "suspicion": 0}], '
        '"claims": [{"player": "2", "claim": "Doctor"}], "facts": ["3 died"], "plan": "acc'
    )
    model = Model("a", answer, "b")
    play(model, see(0, FIRST, FIRST), see(1, FIRST + SAID, SAID), notes_form="schema")

    assert model.options[1] == CallOptions(700, at_least=True, response_format=SCHEMA)
    assert "<" not in model.users[1].partition("# Your task")[2], "no form to repeat"
    assert '"suspicions": {"1": 0.9, "4": 0.0}' in model.users[-1]
    assert '"claims": {"2": "Doctor"}' in model.users[-1]
    with pytest.raises(UsageError, match="'json'; expected one of: text, schema"):
        play(Model(), notes_form="json")


@pytest.mark.parametrize("bad", ["", "no notes", "{", "[1, 2]", '{"other": 1}', "{" * 100_000])
def test_notes_that_cannot_be_read_leave_the_old_ones_and_are_told(bad: str) -> None:
    model = Model("a", '{"plan": "stay calm"}', "b", bad, "c")
    actions = play(
        model, see(0, FIRST, FIRST), see(1, FIRST + SAID, SAID), see(2, FIRST + SAID * 2, SAID)
    )
    assert "stay calm" in model.users[-1]
    assert [action.reading for action in actions] == [None, {"notes": "partly"}, {"notes": "lost"}]


def test_notes_that_were_cut_are_told() -> None:
    model = Model("a", '{"suspicions": {}, "claims": {}, "facts": ["x", "y', "b")
    actions = play(model, see(0, FIRST, FIRST), see(1, FIRST + SAID, SAID))
    assert actions[1].reading == {"notes": "cut"}
    assert '"facts": ["x", "y"]' in model.users[-1]


def test_the_same_replies_rebuild_the_same_memory() -> None:
    seen = [see(0, FIRST, FIRST), see(1, FIRST + SAID, SAID), see(2, FIRST + SAID * 2, SAID)]
    answers = ("a", '{"facts": ["x"]}', "b", '[THINK]{"facts": ["no"]}[/THINK]{"plan": "y"}', "c")
    once, again = Model(*answers), Model(*answers)
    assert play(once, *seen) == play(again, *seen)
    assert once.asked == again.asked
    assert '"facts": ["x"]' in once.users[-1]
    assert '"plan": "y"' in once.users[-1]


def test_both_calls_of_a_turn_begin_alike_and_so_do_those_of_turns() -> None:
    texts = [FIRST + SAID * n for n in range(40)]
    answers = [text for n in range(40) for text in (f'{{"plan": "{n}"}}', "hm")][1:]
    model = Model(*answers)
    play(model, *(see(n, text, SAID if n else FIRST) for n, text in enumerate(texts)))

    shared = [
        max(prefix(asked, before) for before in model.users[:index] or [""])
        for index, asked in enumerate(model.users)
    ]
    assert sum(shared) / sum(map(len, model.users)) > 0.65


def prefix(one: str, other: str) -> int:
    """How many characters two texts begin alike with."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(other))


def test_the_latest_part_is_bounded_whole_and_begins_anew_in_its_middle() -> None:
    texts = [FIRST + SAID * n for n in range(60)]
    model = Model(*(["a"] + ['{"plan": "p"}', "b"] * 59))
    play(model, *(see(n, text, SAID if n else FIRST) for n, text in enumerate(texts)), recent=1000)

    late = model.users[-1].partition("\n\n# Your notes")[0]
    assert late.startswith(f"{OPENING}\n[…] What came before is in your notes.\n[Player ")
    assert late.endswith(SAID)
    starts = {user.partition("notes.\n")[2][:40] for user in model.users[60:]}
    assert len(starts) < 10, "the beginning stays where it is for many turns"
    assert max(map(len, model.users)) < 1000 + len(OPENING) + 900


def test_all_that_is_new_is_shown_however_long_it_is() -> None:
    new = SAID * 100
    model = Model("a", '{"plan": "p"}', "b")
    play(model, see(0, FIRST, FIRST), see(1, FIRST + new, new), recent=500)
    assert new in model.users[1]


def test_an_agent_that_comes_late_takes_notes_first() -> None:
    long = FIRST + SAID * 200
    model = Model('{"facts": ["much was said"]}', "hello")
    actions = play(model, see(9, long, long), recent=1000)
    assert actions[0].reading == {"notes": "partly"}
    assert "rewrite your notes" in model.users[0]
    assert "much was said" in model.users[1]


def test_an_environment_that_shows_the_present_only_is_shown_as_it_is() -> None:
    board = "\n[GAME] Board:\nX O X"
    model = Model("a", '{"plan": "p"}', "b")
    play(model, see(0, FIRST, FIRST), see(1, board, board))
    assert model.users[2].startswith(f"{board}\n\n# Your notes\n")


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("I vote [3].", "I vote [3]."),
        ('{"suspicions": {"3": 0.9}, "plan": "vote"}\n\nI vote [3].', "I vote [3]."),
        ('```json\n{"facts": ["x"], "plan": "vote"}\n```\nI vote [3].', "I vote [3]."),
        ('# Your notes\n{"plan": "vote 3"}\n# Your task: act\nI vote [3].', "I vote [3]."),
        ("Your task: Act\nI vote [3].", "I vote [3]."),
        ("**Notes:**\nI vote [3].", "I vote [3]."),
        ('{"plan": "vote 3"}', ""),
        ("Your notes are lies, Bob. [3]", "Your notes are lies, Bob. [3]"),
        ("Set {1, 2} is odd. [3]", "Set {1, 2} is odd. [3]"),
        ('{"action": "[3]"}', "[3]"),
        ('```json\n{"suspicions": {"1": 0.5}, "plan": "x", "action": "[3]"}\n```', "[3]"),
        ('{"action": {"vote": 3}}', '{"action": {"vote": 3}}'),
        ('I vote [3] {"action": "x"}', 'I vote [3] {"action": "x"}'),
        ('Here are my notes: {"plan": "x", "facts": []}\nI vote [3]', "I vote [3]"),
    ],
)
def test_notes_are_no_part_of_an_action(text: str, spoken: str) -> None:
    assert without_notes(text) == spoken


def test_an_action_that_held_notes_says_so() -> None:
    actions = play(Model('{"plan": "vote 3"} I vote [3].'), see(0, FIRST, FIRST))
    assert actions == [Action("I vote [3].", thoughts="", reading={"dropped": "notes"})]


def test_the_opening_and_the_recent_part_are_whole_messages() -> None:
    assert opening_of(FIRST) == OPENING
    assert opening_of("no messages") == "no messages"
    tak = "\n[GAME] You play Tak. Your format:\n[ACTION SOURCE ALLOCATION]\n- ACTION: place or move"
    assert opening_of(f"{tak}\n[GAME] Board:") == tak
    assert opening_of(f"{tak}\n[Deceiver] hello") == tak
    assert recent_of(SAID, 40) == "\n[Player 1] I am the Detective."
    assert recent_of(SAID, 10_000) == SAID


def test_version_1_plays_on_as_it_did() -> None:
    model = Model("hello", '{"plan": "x"}', "I trust Player 1.")
    actions = play(model, see(0, FIRST, FIRST), see(3, FIRST + SAID, SAID), version=1)
    assert actions == [Action("hello"), Action("I trust Player 1.")]
    assert model.users[1].endswith("\n\n# Your notes, rewritten (JSON)")
    assert f"# What is new\n{SAID}" in model.users[1]
    assert model.users[2].endswith(
        f"# What you have seen most recently\n\n[GAME] Day breaks.{SAID}"
    )


def test_unknown_options_are_refused() -> None:
    with pytest.raises(UsageError, match=r"no option 'memory'"):
        Remembering(prompt="", options={"memory": 5})
    with pytest.raises(UsageError, match=r"'notes' .* is 5; expected a whole number"):
        Remembering(prompt="", options={"notes": 5})
