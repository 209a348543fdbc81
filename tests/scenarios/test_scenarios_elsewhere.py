"""Scenarios of a stranger's package, and of a template."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arena import registry
from arena.core import UsageError
from arena.scenarios.environment import ScenarioGame
from arena.testing import check_environment
from tests.cli.commands import run_arena
from tests.scenarios.files import HAGGLE, NOTE
from tests.strangers import Install, install

__all__ = ["install"]

PACKAGE = """
from pathlib import Path
from arena.scenarios.environment import ScenarioGame

class Bazaar(ScenarioGame):
    folder = Path(__file__).parent
"""


def bazaar(install: Install) -> Path:
    """The folder of a package that brings one scenario."""
    module = install(PACKAGE, {"environments": {"scenario-haggle": "Bazaar"}})
    game = registry.load("environments", "scenario-haggle")
    assert game.__module__ == module
    folder: Path = game.folder
    (folder / "haggle.yaml").write_text(HAGGLE)
    (folder / "note.txt").write_text(NOTE)
    return folder


def test_a_package_brings_a_scenario_by_a_class_of_two_lines(
    install: Install, tmp_path: Path
) -> None:
    folder = bazaar(install)
    check_environment(registry.environment("scenario-haggle", {}))

    shown = json.loads(run_arena("environments", "show", "scenario-haggle", "--json").stdout)
    assert shown["scenario"]["name"] == "A bicycle"
    assert registry.has("pages", "scenario-haggle")
    copied = registry.copied_options("scenario-haggle", {})
    (folder / "haggle.yaml").unlink()
    game = registry.environment("scenario-haggle", copied)()
    assert game.player_names(4) == ["Ada", "Ben", "Cleo", "Dan"]
    with pytest.raises(UsageError, match="no scenario 'haggle' comes with the arena"):
        registry.environment("scenario-haggle", {})


def test_a_misspelt_option_is_named() -> None:
    with pytest.raises(UsageError, match="scenario-x has the option 'fil'; expected 'file'"):
        ScenarioGame.copied("scenario-x", {"fil": "x.yaml"})


TEMPLATE = """\
template: tournament
name: trial
roles: {Prosecution: 1, Defence: 1}
event_flow: [{event: scene_start}, {event: verdict, note: Who is right.}, {event: score}]
config:
  environment:
    name: scenario-courtroom
    players: 2
    referee: {model: judge, prompt: plain}
  games: 2
  matchmaker: {name: round-robin, blocks: true}
  models:
    - {name: fair, litellm_model: scripted/scenario-fair}
    - {name: judge, litellm_model: scripted/scenario-referee}
  prompts: [{name: plain, text: Play.}]
  agents: {grid: {models: [fair], prompts: [plain], kinds: [thinking, remembering]}}
"""


@pytest.mark.slow
def test_a_template_plays_a_scenario_with_a_referee(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(TEMPLATE)
    db = tmp_path / "arena.db"
    added = run_arena("templates", "add", file, "--db", db)
    assert added.exit_code == 0, added.stderr
    played = run_arena("run", "--template", "trial", "--db", db)
    assert played.exit_code == 0, played.stderr
    shown = run_arena("show", "1", "--db", db).stdout
    assert "Player 2 Referee · referee" in shown
    assert "Points: " in shown

    board = run_arena("leaderboard", "--role", "Defence", "--db", db)
    assert "as Defence" in board.stdout
    assert "Referee" not in board.stdout
    found = run_arena("search", "Who spoke of what", "--db", db)
    assert "2 hits in 2 games" in found.stderr, "the reasons of both verdicts"
    other = json.loads(run_arena("show", "1", "--json", "--db", db).stdout)["players"][1]["agent"]
    words = ("branch", "1", "--turn", "10", "--set", f"0={other}", "--no-control", "--db", db)
    branched = run_arena(*words)
    assert branched.exit_code == 0, branched.stderr
    assert "Player 2 Referee · referee" in run_arena("show", "3", "--db", db).stdout
