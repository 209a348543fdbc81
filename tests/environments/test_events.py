"""What the games of TextArena tell: messages with their audience, changes, and a family's facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from arena.core import Event, audience_players
from arena.environments.textarena import TextArena
from arena.game.rules import GuardedRules
from tests.environments.telling import played


def told(events: Sequence[Event], *kinds: str) -> list[tuple[Any, ...]]:
    """(turn, kind, source, target, data) of the events of these kinds."""
    return [
        (event.turn, event.kind, event.source, event.target, dict(event.data))
        for event in events
        if event.kind in kinds
    ]


# Seed 1, six players: 0 Doctor, 1 Detective, 2 Villager, 3 Mafia, 4 Villager, 5 Mafia.
NIGHT = ["[4]", "[4]", "[4]", "[3]"]
TALK = ["I am the Detective and [3] is Mafia."] * 6


def test_a_night_and_a_day_of_secret_mafia() -> None:
    events = played("SecretMafia-v0", [*NIGHT, *TALK, *["[3]"] * 6], players=6, discussion_rounds=1)

    facts = told(events, "kill_choice", "protect", "saved", "investigate", "eliminate", "phase")
    assert facts == [
        (None, "phase", None, None, {}),
        (0, "kill_choice", 3, 4, {}),
        (1, "kill_choice", 5, 4, {}),
        (1, "phase", None, None, {}),
        (2, "protect", 0, 4, {"saved": True}),
        (2, "saved", 0, 4, {}),
        (2, "phase", None, None, {}),
        (3, "investigate", 1, 3, {"found": "Mafia"}),
        (3, "phase", None, None, {}),
        (9, "phase", None, None, {}),
        (15, "eliminate", None, 3, {"cause": "vote", "role": "Mafia", "team": "Mafia"}),
        (15, "phase", None, None, {}),
    ]
    votes = [(event.turn, event.target) for event in events if event.kind == "vote"]
    assert votes == [(turn, 3) for turn in range(10, 16)], "the last one too"
    assert {event.source for event in events if event.kind == "vote"} == set(range(6))
    phases = [(event.day, event.phase) for event in events if event.kind == "phase"]
    assert phases == [
        (1, "Night-Mafia"),
        (1, "Night-Doctor"),
        (1, "Night-Detective"),
        (1, "Day-Discussion"),
        (1, "Day-Voting"),
        (2, "Night-Mafia"),
    ]
    seen = {event.kind: audience_players(event.audience or 0) for event in events}
    assert seen["kill_choice"] == (3, 5)
    assert seen["protect"] == (0,)
    assert seen["saved"] == ()
    assert seen["investigate"] == (1,)
    assert seen["vote"] == (0, 1, 2, 3, 4, 5)


def test_the_last_events_of_a_game_are_told() -> None:
    """The one who dies in the last night, and why the game ends, are in no observation."""
    actions = [*NIGHT, *["Hm."] * 6, *["[0]"] * 6, "[2]", "[2]", "[5]"]
    events = played("SecretMafia-v0", actions, players=6, discussion_rounds=1)

    assert told(events, "eliminate", "result")[-2:] == [
        (18, "eliminate", None, 2, {"cause": "night", "role": "Villager", "team": "Village"}),
        (
            18,
            "result",
            None,
            None,
            {
                "winners": [3, 5],
                "reason": "Mafia reached parity with villagers. Mafia wins!",
                "condition": "parity",
            },
        ),
    ]


def test_who_errs_twice_is_out_and_said_to_be() -> None:
    events = played("SecretMafia-v0", ["?", "?"], players=6)

    assert told(events, "refused", "eliminate") == [
        (0, "refused", 3, None, {}),
        (1, "eliminate", None, 3, {"cause": "error", "role": "Mafia", "team": "Mafia"}),
        (1, "refused", 3, None, {"eliminated": True}),
    ]


def test_every_message_has_its_type_and_its_audience() -> None:
    events = played("SecretMafia-v0", NIGHT[:1], players=6)

    messages = [
        (event.turn, event.source, audience_players(event.audience or 0), event.data["type"])
        for event in events
        if event.kind == "message"
    ]
    assert messages == [
        *((None, None, (player,), "PROMPT") for player in (0, 1, 2, 3)),
        (None, None, (3, 5), "GAME_MESSAGE"),
        *((None, None, (player,), "PROMPT") for player in (4, 5)),
        (0, 3, (3, 5), "PLAYER_ACTION"),
    ]


def test_a_change_of_the_state_is_told_by_its_path() -> None:
    events = played("Nim-v0", ["[0 2]"], players=2)

    assert told(events, "change") == [(0, "change", None, None, {"paths": {"piles.0": [3, 1]}})]


class Broken(TextArena):
    """Rules in which telling an event fails."""

    def reset(self, *, seed: int, num_players: int) -> None:
        super().reset(seed=seed, num_players=num_players)

        def fail(*arguments: object, **named: object) -> None:
            raise ZeroDivisionError

        self._telling._facts.tell = fail


def test_a_fault_in_telling_costs_the_events_and_not_the_game() -> None:
    rules = GuardedRules(lambda: Broken(name="SecretMafia-v0"), 6)
    rules.reset(1)
    for turn in range(2):
        player = rules.observe(turn).player_index
        step = rules.step("[4]")
        rules.events.stepped(turn, player, invalid=step.invalid, eliminated=step.eliminated)

    gathered = rules.events.ended(rules.outcome(turn_limit=True))

    assert gathered.events == ()
    assert "ZeroDivisionError" in (gathered.error or "")


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Event("dance"), "which is no kind"),
        (Event("vote", 0, 7), "the target 7 is no player_index"),
        (Event("vote", 0, 1, 1 << 9), "names no players"),
        (Event("vote", 0, 1, data={"why": "so"}), "do not fit its schema"),
        (Event("payoff", data={"amount": float("nan"), "total": 1}), "not JSON compliant"),
        (Event("speech", data={"text": object()}), "not JSON serializable"),
    ],
)
def test_what_is_no_event_is_said(event: Event, said: str) -> None:
    class Telling(TextArena):
        def events(self) -> list[Event]:
            return [event]

    rules = GuardedRules(lambda: Telling(name="TicTacToe-v0"), 2)
    rules.reset(1)

    assert said in (rules.events.ended(rules.outcome(turn_limit=True)).error or "")
