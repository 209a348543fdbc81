"""A file to make a template from, and the commands as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import Arena, run_arena

AGENT = """\
template: agent
name: sceptic
description: Believes nothing.
personality:
  text: You are {{vars.name}}, Player {{player_index}}. You want {{vars.goal}}.
  vars: {name: Vera, goal: proof}
model: {params: {temperature: 0.5}}
"""
TOURNAMENT = """\
template: tournament
name: evening
roles: {player: 2}
event_flow:
  - {event: message, note: The board is shown.}
  - {event: result}
config:
  environment: {name: TicTacToe-v0, players: 2}
  games: 2
  concurrency: 1
  models:
    - {name: random, litellm_model: scripted/random}
  agents:
    - {template: sceptic, model: random}
    - {name: Otto, template: sceptic, model: random, vars: {name: Otto}}
"""


@pytest.fixture
def arena() -> Arena:
    return run_arena


@pytest.fixture
def agent_file(tmp_path: Path) -> Path:
    file = tmp_path / "sceptic.yaml"
    file.write_text(AGENT)
    return file


@pytest.fixture
def tournament_file(tmp_path: Path) -> Path:
    file = tmp_path / "evening.yaml"
    file.write_text(TOURNAMENT)
    return file
