"""Who must say what, where and when: the rules that a scenario's lines and scores are bound to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arena.core import Termination
from arena.scenarios import telling
from arena.scenarios.environment import ScenarioGame
from arena.testing import check_environment, check_events

RULES = """\
name: Rules
description: Three take part, and one of them never speaks.
personas: [{name: Ada}, {name: Ben}, {name: Cleo}]
values: [{name: x, number: [1, 9]}, {name: y, options: [yes, no]}]
scenes:
  - {title: First, speaks: [Ada, Ben], timeout_turns: 4, success: {said: deal, by: Ben}}
  - {title: Second, speaks: [Ben, Ada], observes: [], timeout_turns: 6, success: {settled: [x]}}
narrator:
  - {at: start, say: It begins.}
  - {scene: Second, after: 1, say: One turn of the second.}
  - {scene: First, at: end, say: The first is over.}
  - {at: settled, value: x, say: So x is known.}
scoring:
  - {persona: Ada, said: deal, points: 1}
  - {persona: Ben, said: deal, by: Ada, points: 2}
  - {persona: Cleo, scene: Second, points: 3}
  - {persona: Cleo, scene: First, points: -1}
"""


def begun(folder: Path) -> ScenarioGame:
    (folder / "rules.yaml").write_text(RULES)
    game = ScenarioGame(name="scenario-rules", file=str(folder / "rules.yaml"))
    game.reset(seed=0, num_players=3)
    return game


def say(game: ScenarioGame, *lines: str) -> None:
    for line in lines:
        game.step(line)


def sees(game: ScenarioGame, player: int) -> str:
    return game._stage.heard(player)


def test_who_never_speaks_has_a_seat_and_a_result(tmp_path: Path) -> None:
    game = begun(tmp_path)
    check_environment(
        lambda: ScenarioGame(name="scenario-rules", file=str(tmp_path / "rules.yaml"))
    )
    say(game, "no", "no", "no", "no", "[x: 2]", "[x: 2]")
    outcome = game.outcome()
    assert [(each.role, each.rank) for each in outcome.players] == [
        ("Ada", 1), ("Ben", 1), ("Cleo", 0),
    ]  # fmt: skip
    assert outcome.reason == "Points: Cleo 3, Ada 0, Ben 0."


def test_words_count_for_whom_they_are_asked_of(tmp_path: Path) -> None:
    game = begun(tmp_path)
    say(game, "deal")
    assert "Scene 2" not in sees(game, 0), "Ben has not said it"
    say(game, "A deal!")
    assert "Scene 2" in sees(game, 0)
    say(game, "[x: 2]", "[x: 2]")
    assert game.outcome().reason == "Points: Ben 2, Cleo 2, Ada 1."

    game = begun(tmp_path)
    say(game, "no", "deal", "[x: 2]", "[x: 2]")
    assert game.outcome().reason == "Points: Cleo 2, Ada 0, Ben 0."


def test_the_narrator_keeps_to_scenes_values_and_those_who_are_there(tmp_path: Path) -> None:
    game = begun(tmp_path)
    say(game, "no")
    assert "One turn of the second" not in sees(game, 0)
    say(game, "deal")
    assert sees(game, 0).count("The first is over.") == 1
    assert sees(game, 0).count("It begins.") == 2
    assert sees(game, 2).count("It begins.") == 1, "Cleo is not in the second scene"
    say(game, "[y: yes]", "[y: yes]")
    assert sees(game, 0).count("One turn of the second") == 1
    assert "So x is known." not in sees(game, 0), "y is settled"
    say(game, "[x: 4]", "[x: 4]")
    assert sees(game, 0).count("So x is known.") == 1
    assert sees(game, 0).count("The first is over.") == 1


@pytest.mark.parametrize(("said", "reason"), [
    ("no", "Points: Prosecution 12, Defence 3."), ("yes", "Points: Prosecution 13, Defence 4."),
])  # fmt: skip
def test_a_referee_says_whether_a_scene_reached_its_goal(said: str, reason: str) -> None:
    game = ScenarioGame(name="scenario-courtroom")
    game.reset(seed=1, num_players=2)
    while game.observe().player_index < 2:
        game.step("So it was.")
    game.step(
        '{"verdict": "guilty", "prosecution": 7, "defence": 3, "reasons": "so", '
        f'"scene_2": "{said}"}}'
    )
    assert game.outcome().reason == reason


def test_a_game_that_meets_its_turn_limit_is_a_draw(tmp_path: Path) -> None:
    game = begun(tmp_path)
    say(game, "deal", "deal")
    outcome = game.outcome(turn_limit=True)
    assert outcome.termination is Termination.TURN_LIMIT
    assert {each.rank for each in outcome.players} == {0}


def test_events_hold_however_long_texts_are(tmp_path: Path) -> None:
    long = "\U0001f600" * 1_900
    persona = f"{{name: Ada, private: {{goals: [{long}]}}}}"
    text = RULES.replace("It begins.", long).replace("{name: Ada}", persona)
    (tmp_path / "long.yaml").write_text(text)
    check_events(
        lambda: ScenarioGame(name="scenario-long", file=str(tmp_path / "long.yaml")), result=True
    )
    told = telling.verdict({f"reasons_{number}": long for number in range(30)})
    assert len(json.dumps(told)) < 16_000
    assert telling.verdict({"reasons": "so"}) == {"fields": {"reasons": "so"}}
