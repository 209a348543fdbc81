"""What the page and the schema say of scenario files holds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import yaml

from arena.scenarios.environment import ScenarioGame
from arena.scenarios.reading import SHIPPED, json_schema
from arena.scenarios.shape import ScenarioShape
from arena.scenarios.summary import summary_of
from arena.testing import check_environment

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "scenarios.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_is_played(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "ticket.yaml"
    file.write_text(example)
    game = ScenarioGame(name="scenario-ticket", file=str(file))
    game.reset(seed=0, num_players=2)

    for line in (
        "[goes: Milo]",
        "[goes: Iris] [price: 30]",
        "[goes: Iris] [price: 20]",
        "[price: 20]",
    ):
        step = game.step(line)

    assert step.done
    assert game.outcome().reason == "Points: Iris 14, Milo 6."
    assert summary_of(game.scenario).turns == 8
    check_environment(lambda: ScenarioGame(name="scenario-ticket", file=str(file)))


def test_the_page_names_every_key() -> None:
    told = set(re.findall(r"`(\w+)`", PAGE))
    assert {*ScenarioShape.model_fields} - {"name", "description"} <= told


def test_the_schema_is_of_this_release_and_takes_what_is_shipped() -> None:
    published = json.loads((DOCS / "scenario.schema.json").read_text(encoding="utf-8"))
    assert published == json_schema(), "type: arena schema --scenario > docs/scenario.schema.json"
    for file in SHIPPED.glob("*.yaml"):
        jsonschema.validate(yaml.safe_load(file.read_text(encoding="utf-8")), published)
