"""Variables of prompts in a file: known when it is read, and each of an agent's `vars` is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.config import TournamentConfig, loads
from arena.config.restored import restored
from arena.core import ConfigError

FILE = """\
name: variables
environment: {{name: SecretMafia-v0-mended, players: 6}}
games: 6
models:
  - {{name: gpt, litellm_model: scripted/random}}
prompts:
  - name: toned
    text: |
      You are {prompt}.
      Be {{{{vars.tone}}}}, {{{{role}}}}.
  - {{name: plain, text: Play.}}
agents:
  - {{name: Ann, model: gpt, prompt: toned, vars: {{tone: calm}}}}
  - {{name: Bob, model: gpt, prompt: toned, vars: {bob}}}
  - {{name: Cid, model: gpt, prompt: plain{cid}}}
"""


def read(prompt: str = "{{role}}", bob: str = "{tone: wild}", cid: str = "") -> TournamentConfig:
    return loads(FILE.format(prompt=prompt, bob=bob, cid=cid), source="t.yaml")


def test_vars_make_another_agent_and_are_part_of_the_tournament() -> None:
    config = read()
    assert [agent.vars for agent in config.agents] == [{"tone": "calm"}, {"tone": "wild"}, {}]
    assert config.agents[0].stored_options == {"vars": {"tone": "calm"}}
    assert "vars" not in config.canonical()["agents"][2], "as before there were any"
    assert read(bob="{tone: mild}").config_hash != config.config_hash
    again = restored(config.canonical(), config.settings())
    assert (again.config_hash, again.agents) == (config.config_hash, config.agents)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prompt": "{{rolle}}"}, "t.yaml:7: the prompt uses {{rolle}} in line 1, which is not a"),
        ({"prompt": "{{rolle}}"}, "did you mean {{role}}?"),
        ({"prompt": "{{teammate_roles}}"}, "is not a variable"),
        (
            {"bob": "{tune: wild}"},
            "t.yaml:14: agents[1].vars: the prompt 'toned' uses {{vars.tone}}",
        ),
        (
            {"bob": "{tune: wild}"},
            "in line 2, and the agent 'Bob' has no 'tone'; did you mean 'tune'",
        ),
        ({"bob": "{tone: a, loud: b}"}, "does not use 'loud', as {{vars.loud}}"),
        (
            {"bob": "{tone: [a]}"},
            "t.yaml:14: agents[1].vars.tone: expected text, a whole number or a number, found a",
        ),
        ({"bob": "{tone: true}"}, "t.yaml:14: agents[1].vars.tone: expected text, a whole number"),
        ({"bob": "{tone: calm}"}, "agents[1] is the same agent as 'Ann'"),
        ({"cid": ", vars: {tone: calm}"}, "t.yaml:15: agents[2].vars: the prompt 'plain' does not"),
        (
            {"cid": ", options: {vars: {a: b}}"},
            "expected 'vars' beside 'options', found it in them",
        ),
        ({"cid": ', vars: {"a b": c}'}, "expected a name of letters, digits and _"),
    ],
)
def test_a_wrong_variable_is_refused_when_the_file_is_read(
    changes: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(**changes)
    assert said in str(caught.value)


def test_a_variable_of_a_prompts_file_is_named_too(tmp_path: Path) -> None:
    (tmp_path / "toned.md").write_text("Play.\n\nBe {{vars.tune}}.\n")
    text = FILE.format(prompt="x", bob="{tone: wild}", cid="")
    start, end = text.index("    text: |"), text.index("  - {name: plain")
    written = f"{text[:start]}    file: toned.md\n{text[end:]}"
    with pytest.raises(ConfigError) as caught:
        loads(written, source="t.yaml", folder=tmp_path)
    assert "t.yaml:11: agents[0].vars: the prompt 'toned' uses {{vars.tune}} in line 3" in str(
        caught.value
    )
