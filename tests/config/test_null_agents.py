"""`null_variants` of an agent are agents of their own, from the file on."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.config import TournamentConfig, load, loads
from arena.config.restored import restored
from arena.core import ConfigError
from arena.core.null_variants import meaning

FILE = """\
name: floor
environment: {{name: TicTacToe-v0, players: 2}}
games: 6
models:
  - {{name: small, litellm_model: scripted/random}}
prompts:
  - {{name: plain, text: "Do not lose. You must win."}}
  - {{name: bold, file: bold.md, forked_from: plain}}
agents:
  - {{name: Sharp, model: small, prompt: plain{more}}}
  - {{name: Bold, model: small, prompt: bold, options: {{history: chat}}, null_variants: 1}}
  - {{name: Last, model: smal, prompt: bold}}
"""


def read(tmp_path: Path, more: str, model: str = "small") -> TournamentConfig:
    (tmp_path / "bold.md").write_text("Be bold.\n\nBe quick.\n")
    file = tmp_path / "floor.yaml"
    file.write_text(FILE.format(more=more).replace("smal,", f"{model},"))
    return load(file)


def test_variants_stand_behind_their_agent_with_forks_of_its_prompt(tmp_path: Path) -> None:
    config = read(tmp_path, ", null_variants: 2")

    assert [(agent.name, agent.prompt) for agent in config.agents] == [
        ("Sharp", "plain"),
        ("Sharp~1", "plain~1"),
        ("Sharp~2", "plain~2"),
        ("Bold", "bold"),
        ("Bold~1", "bold~1"),
        ("Last", "bold"),
    ]
    assert config.agents[4].options == {"history": "chat"}
    texts = {prompt.name: prompt.content for prompt in config.prompts}
    assert texts["plain~1"] == "Don't lose. You have to win."
    assert texts["bold~1"] == "Be quick.\n\nBe bold."
    for prompt in config.prompts:
        if "~" in prompt.name:
            assert prompt.forked_from == prompt.name.partition("~")[0]
            assert meaning(prompt.content) == meaning(texts[prompt.forked_from])
    # A run by the database knows the same tournament.
    again = restored(config.canonical(), config.settings())
    assert again.config_hash == config.config_hash
    assert "null_variants" not in str(config.canonical())


def test_errors_name_the_line_that_an_agent_has_in_the_file(tmp_path: Path) -> None:
    config = read(tmp_path, ", null_variants: 2", model="smal")
    error = config.unresolved()
    assert "floor.yaml:12: agents[5].model: no model 'smal'" in str(error)
    assert config.where("agents", 2, "prompt").endswith("floor.yaml:10")


@pytest.mark.parametrize("number", ["9", "-1", "many", "1.5"])
def test_a_number_that_makes_none_is_refused(tmp_path: Path, number: str) -> None:
    with pytest.raises(ConfigError, match="null_variants"):
        read(tmp_path, f", null_variants: {number}")


@pytest.mark.parametrize(
    ("prompts", "agents", "said"),
    [
        (
            "",
            "{name: A, model: m, prompt: stored, null_variants: 1}",
            "`arena prompts show stored`",
        ),
        (
            "{name: p, text: Win.}",
            "{name: A, model: m, prompt: p, null_variants: 1}\n"
            "  - {name: A~1, model: m, prompt: q}",
            "'A~1' is a name in this file already",
        ),
        (
            "{name: p, text: Win.}\n  - {name: p~1, text: Lose.}",
            "{name: A, model: m, prompt: p, null_variants: 1}",
            "'p~1' is a name in this file already",
        ),
        (
            f"{{name: {'p' * 99}, text: Win.}}",
            f"{{name: A, model: m, prompt: {'p' * 99}, null_variants: 1}}",
            "longer than 100 characters",
        ),
    ],
)
def test_a_variant_that_cannot_be_made_is_told_with_its_line(
    prompts: str, agents: str, said: str
) -> None:
    listed = f"prompts:\n  - {prompts}\n" if prompts else ""
    text = (
        "name: n\nenvironment: {name: E, players: 2}\ngames: 2\n"
        f"models:\n  - {{name: m, litellm_model: scripted/random}}\n{listed}agents:\n  - {agents}\n"
    )
    with pytest.raises(ConfigError) as error:
        loads(text)
    assert said in str(error.value)
    assert "null_variants: " in str(error.value)
