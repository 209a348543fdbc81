"""Who judges is said in the tournament's file, and is no player of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from arena.config import TournamentConfig, loads
from arena.core import ConfigError
from arena.orchestrator import run
from arena.orchestrator.preflight import prepare
from arena.scenarios.environment import ScenarioGame
from db import Repository, get_session
from db.queries.uses import catalogue_uses
from tests.scenarios.files import haggle

JUDGED = """
name: judged
seed: 1
environment:
  name: scenario-courtroom
  players: 2
  referee: {model: judge, prompt: judge}
games: 2
models:
  - {name: firm, litellm_model: scripted/scenario-firm}
  - {name: judge, litellm_model: scripted/scenario-referee}
prompts:
  - {name: plain, text: Play.}
  - {name: judge, text: Judge.}
agents:
  - {name: Ann, model: firm, prompt: plain}
  - {name: Bob, kind: remembering, model: firm, prompt: plain}
"""


def judged(*changes: tuple[str, str]) -> TournamentConfig:
    text = JUDGED
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return loads(text, source="judged.yaml")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("  referee: {model: judge, prompt: judge}\n", "", "asks a referee, found none"),
        ("scenario-courtroom", "scenario-negotiation", "asks no referee: remove 'referee'"),
        ("model: judge, prompt: judge", "model: firm, prompt: plain", "the same agent as 'Ann'"),
        ("{model: judge,", "{name: Ann, model: judge,", "'Ann' is already the name of agents[0]"),
        ("{model: judge,", "{kind: thinkin, model: judge,", "unknown kind 'thinkin'; did you mean"),
        ("  players: 2\n", "  players: 2\n  turn_limit: 10\n",
         "scenario-courtroom needs 11 turns at least to come to its end, found turn_limit: 10"),
        ("text: Judge.", "text: 'Judge {{vars.tone}}.'", "has no 'tone'"),
    ],
)  # fmt: skip
def test_a_referee_that_cannot_judge_is_refused(before: str, after: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        prepare(judged((before, after)))
    assert said in str(raised.value)
    assert "judged.yaml:" in str(raised.value)


def test_as_many_turns_as_a_scenario_needs_are_enough() -> None:
    prepare(judged(("  players: 2\n", "  players: 2\n  turn_limit: 11\n")))
    game = ScenarioGame(name="scenario-courtroom")
    game.reset(seed=1, num_players=2)
    for _ in range(10):
        assert not game.step("I rest.").done
    assert game.observe().player_index == 2, "the last turn is the referee's"


def test_tournaments_without_a_referee_keep_their_hash() -> None:
    plain = judged(
        ("  referee: {model: judge, prompt: judge}\n", ""),
        ("scenario-courtroom", "scenario-negotiation"),
    )
    assert "referee" not in plain.canonical()["environment"]


def test_a_scenario_stands_in_the_tournament_that_plays_it(tmp_path: Path) -> None:
    haggle(tmp_path)
    text = JUDGED.replace("scenario-courtroom", "scenario-haggle").replace(
        "players: 2", "players: 4"
    )
    text = text.replace("referee: {model: judge, prompt: judge}", "options: {file: haggle.yaml}")
    text = text.replace("games: 2", "games: 2\nmatchmaker: {name: round-robin, repeat: true}")

    prepared = prepare(loads(text, source="haggle.yaml", folder=tmp_path))

    options = prepared.config.canonical()["environment"]["options"]
    assert [*options] == ["scenario"]
    assert "It has one wheel." in options["scenario"]
    assert str(tmp_path) not in options["scenario"]


@pytest.mark.slow
def test_who_has_judged_is_never_changed(database_url: str) -> None:
    asyncio.run(run(judged(), url=database_url))
    with get_session(database_url) as session:
        repo = Repository(session)
        referee = repo.get_agent_by_alias("Referee")
        assert referee is not None
        (environment,) = repo.get_environments()
        assert environment.referee_id == referee.id
        for noun, key in (("agent", referee.id), ("prompt", referee.prompt_id)):
            assert catalogue_uses(session, noun, key).played  # type: ignore[arg-type]

    with pytest.raises(ConfigError, match="was begun with another referee"):
        asyncio.run(run(judged(("text: Judge.", "text: Judge well.")), url=database_url))
    asyncio.run(
        run(judged(("name: judged", "name: again"), ("text: Judge.", "text: Judge well.")),
            url=database_url)
    )  # fmt: skip
    with get_session(database_url) as session:
        repo = Repository(session)
        assert repo.get_agent_by_alias("Referee@2") is not None
        assert len(repo.get_environments()) == 2
