"""Games of scenarios for pages to draw, one of them of hostile texts."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import run_arena

HOSTILE = """\
name: <script>alert(1)</script>
description: '=HYPERLINK("http://elsewhere") {{texts.note}}'
texts: [{name: note, text: "<img src=x onerror=alert(1)>"}]
personas:
  - {name: <b>Ada</b>, private: {goals: ["<i>win</i>"]}}
  - {name: Ben, role: "<u>seller</u>"}
values: [{name: <s>price</s>, number: [1, 9]}]
scenes:
  - title: "<em>Words</em>"
    goal: "<q>Talk</q>"
    timeout_turns: 2
    success: {referee: Was it well}
referee:
  instructions: Judge.
  fields: [{name: better, options: [<b>Ada</b>, Ben]}, {name: reasons, text: 300}]
scoring:
  - {persona: <b>Ada</b>, verdict: better, worth: {<b>Ada</b>: 1}}
  - {persona: Ben, said: "<h1>*", points: 1, hidden: true}
"""

TOURNAMENT = """\
name: {name}
seed: 2
environment:
  name: scenario-{name}
  players: 2
{rest}
games: 1
models:
  - {{name: fair, litellm_model: scripted/scenario-fair}}
  - {{name: firm, litellm_model: scripted/scenario-firm}}
  - {{name: judge, litellm_model: scripted/scenario-referee}}
prompts: [{{name: any, text: Play.}}]
agents:
  - {{name: One, model: fair, prompt: any}}
  - {{name: Two, model: firm, prompt: any}}
"""
REFEREE = "  referee: {model: judge, prompt: any}"


def play_three(folder: Path) -> Path:
    """A database: game 1 is a negotiation, game 2 a trial, game 3 one of hostile texts."""
    (folder / "hostile.yaml").write_text(HOSTILE)
    file = folder / "games.db"
    for name, rest in (
        ("negotiation", ""),
        ("courtroom", REFEREE),
        ("hostile", f"{REFEREE}\n  options: {{file: hostile.yaml}}"),
    ):
        tournament = folder / f"of-{name}.yaml"
        tournament.write_text(TOURNAMENT.format(name=name, rest=rest))
        result = run_arena("run", tournament, "--db", file)
        assert result.exit_code == 0, result.stderr
    return file
