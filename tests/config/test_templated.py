"""Templates are copied into a file: what the file says goes before what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from arena.config import loads
from arena.config.templated import AgentParts, TournamentParts
from arena.core import ConfigError, UsageError

FILE = """\
name: mine
environment: {name: Nim-v0, players: 2}
games: 2
models: [{name: sharp, litellm_model: scripted/random, params: {temperature: 0.1, top_p: 1}}]
prompts: [{name: plain, text: Play.}]
agents:
  - {name: Ann, model: sharp, prompt: plain}
"""
WRITTEN = AgentParts(
    7,
    "sceptic",
    kind="remembering",
    options={"answer": "whole"},
    text="You are {{vars.who}}.",
    vars={"who": "Vera"},
    model="sharp",
    params={"temperature": 0.9},
)


class Known:
    """Two templates and a model, as a database has them."""

    def agent(self, name: str) -> AgentParts:
        if name == "sceptic":
            return WRITTEN
        if name == "bare":
            return AgentParts(8, "bare")
        if name == "own":
            model = {"litellm_model": "scripted/random"}
            return AgentParts(9, "own", text="Play.", model=model, params={"seed": 3})
        raise UsageError(f"unknown agent template {name!r}")

    def tournament(self, name: str) -> TournamentParts:
        if name != "evening":
            raise UsageError(f"unknown tournament template {name!r}")
        return TournamentParts(5, {"environment": {"name": "Nim-v0", "players": 2}, "games": 4})

    def model(self, name: str) -> Mapping[str, Any] | None:
        return {"litellm_model": "scripted/mafia-naive"} if name == "naive" else None


def entered(*agents: str, extra: str = "") -> Any:
    text = FILE + "".join(f"  - {agent}\n" for agent in agents) + extra
    return loads(text, source="mine.yaml", templates=Known())


def test_an_agent_is_what_its_template_says() -> None:
    config = entered("{template: sceptic}")

    agent, written, stored = config.agents[1], config.prompts[1], config.models[1]
    assert (agent.name, agent.kind, agent.prompt) == ("sceptic", "remembering", "sceptic")
    assert (agent.options, agent.vars) == ({"answer": "whole"}, {"who": "Vera"})
    assert (written.name, written.content) == ("sceptic", "You are {{vars.who}}.")
    assert (agent.model, stored.name, stored.params) == (
        "sharp+sceptic",
        "sharp+sceptic",
        {"temperature": 0.9, "top_p": 1},
    )
    assert config.models[0].params == {"temperature": 0.1, "top_p": 1}
    assert (config.templates.tournament, config.templates.agents) == (None, {"sceptic": 7})


def test_what_the_file_says_goes_before_it() -> None:
    config = entered(
        "{name: A, template: sceptic, vars: {who: Otto}, model: naive}",
        "{name: B, template: sceptic, kind: thinking}",
        "{name: C, template: sceptic, options: {answer: last_line}}",
        "{name: D, template: own}",
        "{name: E, template: bare, prompt: plain, model: sharp, kind: remembering}",
    )

    _, a, b, c, d, e = config.agents
    assert (a.vars, a.model) == ({"who": "Otto"}, "naive+sceptic")
    assert (b.kind, b.options) == ("thinking", {}), "another kind has other options"
    assert c.options == {"answer": "last_line"}
    assert (d.model, d.prompt) == ("own", "own")
    assert (e.model, e.prompt) == ("sharp", "plain")
    models = {model.name: (model.litellm_model, model.params) for model in config.models}
    assert models["naive+sceptic"] == ("scripted/mafia-naive", {"temperature": 0.9})
    assert models["own"] == ("scripted/random", {"seed": 3})
    assert [prompt.name for prompt in config.prompts] == ["plain", "sceptic", "own"]
    assert config.templates.agents == {"A": 7, "B": 7, "C": 7, "D": 9, "E": 8}


def test_a_file_with_templates_is_one_that_has_it_all_written() -> None:
    config = entered("{name: B, template: bare, prompt: plain, model: sharp, kind: remembering}")
    whole = loads(FILE + "  - {name: B, kind: remembering, model: sharp, prompt: plain}\n")

    assert (config.config_hash, config.canonical()) == (whole.config_hash, whole.canonical())


def test_null_variants_are_made_from_the_template_of_their_agent() -> None:
    config = entered("{template: sceptic, null_variants: 1, vars: {who: Otto, }}")

    assert [agent.name for agent in config.agents] == ["Ann", "sceptic", "sceptic~1"]
    assert config.templates.agents == {"sceptic": 7, "sceptic~1": 7}


def test_a_tournament_is_made_from_a_template() -> None:
    text = "template: evening\n" + FILE.replace("games: 2\n", "")
    config = loads(text, templates=Known(), settings=["environment.players=3"])

    assert (config.games, config.environment.players) == (4, 2 + 1)
    assert config.templates.tournament == 5
    own = loads("template: evening\n" + FILE, templates=Known())
    assert own.games == 2


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("{template: cynic}", "mine.yaml:8: agents[1].template: unknown agent template 'cynic'"),
        ("{template: 7}", "mine.yaml:8: agents[1]: template: expected text, found 7"),
        ("{template: sceptic, mdel: x}", "agents[1]: unknown key 'mdel'; did you mean 'model'?"),
        ("{template: sceptic, vars: {whom: x}}", "does not use 'whom', as {{vars.whom}}; did you"),
        ("{template: bare}", "the template 'bare' has no model: add `model: NAME` here"),
        ("{template: bare, model: sharp}", "the template 'bare' has no prompt: add `prompt: NAME`"),
        ("{template: sceptic, model: dull}", "there is no model of that name in this file or in"),
        ("{template: sceptic, name: Ann}", "'Ann' is already the name of agents[0]"),
        ("{template: sceptic, grid: {}}", "agents[1]: unknown key 'grid'"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_line(agent: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        entered(agent)
    assert said in str(refused.value)


def test_what_comes_along_takes_nobodys_name() -> None:
    with pytest.raises(ConfigError, match="its prompt is called 'sceptic', and this file has"):
        loads(
            FILE.replace("[{name: plain", "[{name: sceptic, text: X.}, {name: plain")
            + "  - {template: sceptic}\n",
            templates=Known(),
        )


def test_every_wrong_entry_is_told() -> None:
    with pytest.raises(ConfigError) as refused:
        entered("{template: cynic}", "{template: sceptic, options: 3}")
    said = str(refused.value)
    assert "mine.yaml:8: agents[1].template: unknown agent template 'cynic'" in said
    assert "mine.yaml:9: agents[2]: options: expected keys and values" in said


def test_without_a_database_templates_are_refused() -> None:
    with pytest.raises(ConfigError, match="templates are rows of a database, and this file is"):
        loads(FILE + "  - {template: sceptic}\n")
    with pytest.raises(ConfigError, match=r"config:1: template: templates are rows of a database"):
        loads("template: evening\nname: x\n")
