"""A grid names its agents by itself, and is written out before anything else is looked at."""

from __future__ import annotations

import fastjsonschema
import pytest
import yaml

from arena.config import TournamentConfig, json_schema, loads
from arena.config.restored import restored
from arena.core import ConfigError

FILE = """\
name: grid
environment: {{name: TicTacToe-v0, players: 2}}
games: 6
models:
  - {{name: gpt, litellm_model: scripted/random}}
  - {{name: claude, litellm_model: scripted/random}}
prompts:
  - {{name: plain, text: Play.}}
  - {{name: bold, text: Be bold.}}
agents:
{agents}
"""
ALONE = """\
  grid:
    models: [gpt, claude]
    prompts: [plain, bold]
    kinds: [thinking, remembering]
"""
BESIDE = """\
  - {name: Ann, model: gpt, prompt: plain, options: {history: chat}}
  - grid: {models: [gpt, claude], prompts: [plain]}
  - {name: Bob, kind: remembering, model: nobody, prompt: bold}
"""


def read(agents: str, *settings: str) -> TournamentConfig:
    return loads(FILE.format(agents=agents), source="t.yaml", settings=settings)


def refused(agents: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(agents)
    return str(caught.value)


def test_a_grid_is_every_kind_with_every_model_and_every_prompt() -> None:
    config = read(ALONE)

    assert [agent.name for agent in config.agents] == [
        "thinking/gpt/plain",
        "thinking/gpt/bold",
        "thinking/claude/plain",
        "thinking/claude/bold",
        "remembering/gpt/plain",
        "remembering/gpt/bold",
        "remembering/claude/plain",
        "remembering/claude/bold",
    ]
    assert all(a.name == f"{a.kind}/{a.model}/{a.prompt}" for a in config.agents)
    assert restored(config.canonical(), config.settings()).config_hash == config.config_hash


def test_a_grid_stands_beside_agents_with_names_and_keeps_the_lines() -> None:
    config = read(BESIDE)

    names = [agent.name for agent in config.agents]
    assert names == ["Ann", "thinking/gpt/plain", "thinking/claude/plain", "Bob"]
    assert [config.where("agents", i, "model") for i in range(4)] == [
        f"t.yaml:{line}" for line in (11, 12, 12, 13)
    ]
    assert "t.yaml:13: agents[3].model: no model 'nobody'" in str(config.unresolved())
    assert len(read(ALONE, "agents.grid.kinds=[thinking]").agents) == 4


@pytest.mark.parametrize(
    ("agents", "message"),
    [
        ("  grid: {models: gpt, prompts: [plain]}", "t.yaml:11: grid.models: expected a list"),
        (
            "  grid: {models: [gpt], promts: [plain]}",
            "t.yaml:11: unknown key 'promts' in grid; did",
        ),
        ("  grid: {models: [gpt]}", "t.yaml:11: 'prompts' is missing in grid"),
        ("  grid: {models: [], prompts: [plain]}", "t.yaml:11: grid.models: expected at least 1"),
        ("  grid: {models: [gpt], prompts: [plain]}\n  name: Ann", "t.yaml:12: unknown key 'name'"),
        ("  - grid:\n      models: [gpt, gpt]\n      prompts: [plain]", "is already the name of"),
        (
            "  - {name: Ann, model: gpt, prompt: plain}\n"
            "  - grid: {models: [gpt], prompts: [plain]}",
            "t.yaml:12: agents[1] is the same agent as 'Ann'",
        ),
        (
            f"  grid: {{models: {list('abcdefghij') * 11}, prompts: {list('ab') * 5}}}",
            "1,100 agents",
        ),
    ],
)
def test_a_wrong_grid_is_one_message_with_its_line(agents: str, message: str) -> None:
    assert message in refused(agents)
    assert len(refused(agents).splitlines()) == 1


def test_what_is_wrong_beside_a_wrong_grid_is_said_with_it() -> None:
    said = refused("  - {name: Ann, modle: gpt, prompt: plain}\n  - grid: {models: [gpt]}")
    assert "t.yaml:12: 'prompts' is missing in grid" in said
    assert "unknown key 'modle'" in said


@pytest.mark.parametrize("agents", [ALONE, BESIDE])
def test_an_editor_knows_grids_by_the_schema(agents: str) -> None:
    valid = fastjsonschema.compile(json_schema())
    valid(yaml.safe_load(FILE.format(agents=agents)))
    with pytest.raises(fastjsonschema.JsonSchemaException):
        valid(yaml.safe_load(FILE.format(agents="  grid: {model: [gpt], prompts: [plain]}")))
