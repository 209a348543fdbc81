"""Makes an agent of the catalogue from a template: its prompt and model come along, where the
catalogue does not have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arena.config.errors import located
from arena.config.parts import ModelConfig
from arena.config.templated import with_agents
from arena.core import ConfigError, UsageError, prompts
from arena.templates.stored import StoredTemplates
from db import Repository, Session


@dataclass(frozen=True, slots=True)
class CopiedAgent:
    """What an agent of the catalogue is made of: the names of its `parts` (kind, model, prompt),
    which are there now, its options and what it has beside them, and the number of the template."""

    template_id: int
    parts: Mapping[str, str]
    options: Mapping[str, Any]
    beside: Mapping[str, Any]


def copied(session: Session, name: str, template: str, said: Mapping[str, Any]) -> CopiedAgent:
    """What a template makes of an agent, where `said` goes before it; None says nothing. Raises
    ConfigError for what the template does not say, UsageError for a name of its prompt or model
    that the catalogue has for another one."""
    entry = {"name": name, "template": template}
    entry |= {key: value for key, value in said.items() if value is not None}
    data: dict[str, Any] = {"agents": [entry]}
    data, _, used, wrong = with_agents(data, {}, StoredTemplates(session))
    if wrong:
        raise ConfigError(located(f"the agent {name!r}", wrong))
    repo = Repository(session)
    for prompt in data["prompts"]:
        known = repo.get_prompt_by_name(prompt["name"])
        if known is not None and known.content != prompt["text"]:
            raise _taken("prompt", prompt["name"], template)
        if known is None:
            repo.create_prompt(prompt["name"], prompt["text"])
    for model in data["models"]:
        _enter_model(repo, model, template)
    (agent,) = data["agents"]
    parts = {key: agent[key] for key in ("kind", "model", "prompt")}
    beside = {key: agent[key] for key in prompts.BESIDE if key in agent}
    return CopiedAgent(used[name], parts, agent["options"], beside)


def _enter_model(repo: Repository, data: Mapping[str, Any], template: str) -> None:
    from arena.orchestrator.specs import model_columns, model_spec

    spec = ModelConfig.model_validate(data).spec()
    known = repo.get_model_by_name(spec.name)
    if known is not None and model_spec(known) != spec:
        raise _taken("model", spec.name, template)
    if known is None:
        columns: dict[str, Any] = model_columns(spec)
        repo.create_model(spec.name, **columns)


def _taken(noun: str, name: str, template: str) -> UsageError:
    return UsageError(
        f"the {noun} of the template {template!r} would be called {name!r}, and the catalogue has "
        f"another one of that name: say --{noun} NAME"
    )
