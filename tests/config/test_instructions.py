"""A prompt in parts becomes one text, by a template that can do nothing else."""

from __future__ import annotations

import time

import pytest
from pydantic import ValidationError

from arena.config import loads
from arena.config.instructions import InstructionsConfig
from arena.core import ConfigError, prompts

FILE = """
name: parts
environment: {name: TicTacToe-v0, players: 2}
games: 1
models: [{name: random, litellm_model: scripted/random}]
prompts:
  - name: auditor
    instructions:
      purpose: "You are {{vars.name}}, player {{player_index}}."
      tone: Calm.
      capabilities: [You may call notes., You may ask.]
      knowledge:
        - {title: Aside, text: "It is {{role}}."}
        - {title: Rules, text: "One.\\n# Two.", priority: 2}
  - {name: plain, text: "Play."}
agents:
  - {name: Ann, model: random, prompt: auditor, vars: {name: Ann}}
  - {name: Bob, model: random, prompt: plain}
"""

TEXT = """\
You are {{vars.name}}, player {{player_index}}.

# Tone

Calm.

# What you can do

- You may call notes.
- You may ask.

# Rules

> One.
> # Two.

# Aside

> It is { {role}}."""


def instructions(template: str, **parts: object) -> str:
    given = {"purpose": "Win.", "template": template, **parts}
    return InstructionsConfig.model_validate(given).text()


def test_parts_become_the_text_of_the_prompt_and_games_fill_in_its_variables() -> None:
    config = loads(FILE, source="parts.yaml")
    said = prompts.render(config.prompts[0].content, {"player_index": 1}, {"name": "Ann"})

    assert config.prompts[0].content == TEXT
    assert said.startswith("You are Ann, player 1.\n")
    assert config.canonical()["prompts"][0] == {
        "name": "auditor",
        "text": TEXT,
        "forked_from": None,
    }
    with pytest.raises(ConfigError, match=r"unknown key 'purpos'|purpos"):
        loads(FILE.replace("purpose:", "purpos:"), source="parts.yaml")


def test_a_template_of_ones_own_puts_parts_and_names_of_variables() -> None:
    template = (
        "{% if tone %}{{ tone | upper }} {% endif %}{{ purpose }} {{ role }} {{ vars.mood }}"
        "{% for each in knowledge %} {{ each.title }}{% endfor %}"
    )
    known = [{"title": "A", "text": "a"}, {"title": "B", "text": "b", "priority": 1}]

    assert instructions(template, tone="calm", knowledge=known) == (
        "CALM Win. {{role}} {{vars.mood}} B A"
    )


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ purpose.__class__.__mro__ }}", "asks for '__mro__' in line 1"),
        ("{{ purpose.upper }}", "expected a text or a number, found"),
        ("{{ ''.join(['a']) }}", "holds (List|Call) in line 1"),
        ("{{ purpose['__class__'] }}", "holds Getitem in line 1"),
        ("{% for a in range(9) %}{% endfor %}", "holds Call in line 1"),
        ("{{ 'a' * 999999999 }}", "holds Mul in line 1"),
        ("{% set x = purpose %}", "holds Assign in line 1"),
        ("{% include 'x' %}", "holds Include in line 1"),
        ("{% macro m() %}{% endmacro %}", "holds Macro in line 1"),
        ("{{ purpose | attr('upper') }}", "the filter 'attr' in line 1; known: first"),
        ("{{ purpose | replace('W', 'L') }}", "the filter 'replace'"),
        ("{{ cycler }}", "expected a text or a number, found"),
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{% for a in capabilities %}", "cannot be filled in in line 1"),
        (
            "{% for a in purpose %}{% for b in purpose %}{% for c in purpose %}x"
            "{% endfor %}{% endfor %}{% endfor %}",
            "more than 2 loops in each other",
        ),
        (
            "{% for a in tone %}{% for b in tone %}" + "x" * 1000 + "{% endfor %}{% endfor %}",
            "a prompt of more than 1,048,576 characters",
        ),
    ],
)
def test_what_else_a_template_would_do_is_refused_at_once(template: str, said: str) -> None:
    began = time.monotonic()
    with pytest.raises(ValidationError, match=said):
        instructions(template, tone="a" * 10_000)
    assert time.monotonic() - began < 30
