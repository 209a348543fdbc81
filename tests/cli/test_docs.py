"""What is published about the commands and the files is what the commands and the code say."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from arena.cli.app import app
from arena.cli.docs import commands
from arena.config import json_schema, load

ROOT = Path(__file__).parents[2]
COMMANDS = (
    "agents", "branch", "compare", "db", "diff", "environments", "games", "head-to-head", "kinds",
    "leaderboard", "models", "plan", "prompts", "ratings", "replay", "resume", "run", "schema",
    "show",
)  # fmt: skip
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))


def test_the_page_of_commands_is_generated() -> None:
    assert (ROOT / "docs" / "commands.md").read_text() == commands(), (
        "type: python -m arena.cli.docs > docs/commands.md"
    )


def test_the_published_schema_is_generated() -> None:
    published = json.loads((ROOT / "docs" / "tournament.schema.json").read_text())

    assert published == json_schema(), "type: arena schema > docs/tournament.schema.json"
    jsonschema.Draft202012Validator.check_schema(published)


def test_every_command_says_in_a_line_what_it_does() -> None:
    page = commands()

    listed = [line for line in page.splitlines() if line.startswith("* `") and "--" not in line]
    assert not [line for line in listed if line.endswith("...")]
    for name in COMMANDS:
        assert f"\n## `arena {name}`\n" in page


def test_help_breaks_its_lines_where_the_terminal_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")

    said = CliRunner().invoke(app, ["compare", "--help"]).stdout

    lines = [line.strip() for line in said.partition("╭")[0].splitlines()]
    broken = [line for line, below in pairwise(lines) if below and 0 < len(line) <= 40]
    assert not broken, said


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_every_config_is_a_tournament_also_to_an_editor(file: Path) -> None:
    config = load(file)

    assert config.name == file.stem
    assert config.external_models == config.external_prompts == ()
    jsonschema.validate(yaml.safe_load(file.read_text()), json_schema())


@pytest.mark.parametrize(
    "wrong",
    [
        {"sed": 1},
        {"games": 0},
        {"prompts": [{"name": "p"}]},
        {"prompts": [{"name": "p", "file": "x", "text": "y"}]},
        {"environment": {"name": "E", "playrs": 2}},
        {"llm": {"timeout": 0}},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_config_refuses(wrong: dict[str, object]) -> None:
    right = {
        "name": "t",
        "games": 1,
        "environment": {"name": "E", "players": 2},
        "agents": [{"name": "A", "model": "m", "prompt": "p"}],
    }
    jsonschema.validate(right, json_schema())

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(right | wrong, json_schema())


def test_help_imports_nothing_heavy() -> None:
    heavy = "litellm pandas sqlmodel sqlalchemy textarena pydantic yaml asyncio numpy db"
    code = (
        "import sys\n"
        "sys.argv = ['arena', '--help']\n"
        "from arena.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy.split()} if name in sys.modules], file=sys.stderr)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "Usage: arena" in done.stdout
    assert done.stderr.strip() == "[]"


def test_all_configs_can_be_played_in_one_database() -> None:
    """The catalogue refuses another model, prompt or agent under a name that it knows."""
    known: dict[tuple[str, str], object] = {}
    agents: dict[str, str] = {}
    for file in CONFIGS:
        config = load(file)
        for model in config.models:
            assert known.setdefault(("model", model.name), model) == model
        for prompt in config.prompts:
            assert known.setdefault(("prompt", prompt.name), prompt.content) == prompt.content
        for agent in config.agents:
            assert known.setdefault(("agent", agent.name), agent) == agent
            parts = agent.model_dump_json(exclude={"name"})
            assert agents.setdefault(parts, agent.name) == agent.name
