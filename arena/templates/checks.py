"""Checks a template for what its shape cannot say: names that are not installed, secrets, options
and variables that nobody takes, roles that are not dealt."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from arena import registry
from arena.config import AgentConfig, ModelConfig, TournamentConfig, parse
from arena.config.document import MAX_BYTES
from arena.config.errors import Problem, nearest
from arena.config.prompt_variables import wrong_vars
from arena.config.secrets import secrets
from arena.config.templated import Templates
from arena.core import ArenaError, Environment, Part, prompts
from arena.core.rules_options import held
from arena.events.gathering import own_kinds
from arena.orchestrator.casting import casting
from arena.orchestrator.clients import client_for
from arena.orchestrator.preflight import prepare
from arena.templates.schemas import AgentTemplateCreate, TournamentTemplateCreate, Written

# What a template leaves to the file that uses it.
_ELSEWHERE = "said where it is used"


def check_agent(template: AgentTemplateCreate, text_of: Callable[[str], str | None]) -> None:
    """Raises ConfigError for a template that no agent can be made from; `text_of` gives the text
    of a prompt of the catalogue, None for a name that it does not have."""
    _check_size(template)
    data = template.model_dump(mode="json")
    del data["personality"]["text"]  # the words that a model is told
    if found := [*secrets(data)]:
        raise template.error(*found)
    mind = template.personality
    with _at(template, "personality", "options"):
        held("the agent", mind.options, None)
        registry.check_kind(mind.kind, mind.options)
    if mind.text is not None:
        with _at(template, "personality", "text"):
            prompts.check(mind.text)
    text = mind.text
    if mind.prompt is not None:
        text = text_of(mind.prompt)
    agent = AgentConfig(
        name=template.name, model=_ELSEWHERE, prompt=mind.prompt or template.name, vars=mind.vars
    )
    if wrong := [*wrong_vars(agent, text)]:
        path = ("personality", "vars")
        raise template.error(*(Problem(path, f"personality.vars: {each}") for each in wrong))
    with _at(template, "model"):
        model, written = template.model, template.model.written()
        if isinstance(written, dict):
            registry.check_model(str(model.litellm_model), model.provider or "litellm")
            spec = ModelConfig(**{"name": template.name, **written}, params=model.params).spec()
            client_for(None).check_spec(spec)
    for tool in template.tools:
        with _at(template, "tools", tool):
            registry.check("tools", tool)
            registry.pinned_tools(({tool: template.tools[tool]},))


def check_tournament(template: TournamentTemplateCreate, templates: Templates) -> None:
    """Raises ConfigError for a template that no tournament can be made from. What it leaves out is
    said where it is used, and checked there; a whole one is checked like a tournament's file."""
    _check_size(template)
    config = template.config
    left_out = {
        "games": 1,
        "environment": {"name": _ELSEWHERE, "players": 1},
        "agents": [{"name": _ELSEWHERE, "model": _ELSEWHERE, "prompt": _ELSEWHERE}],
    }
    if found := [*secrets(template.model_dump(mode="json", exclude={"config"}))]:
        raise template.error(*found)
    parsed = parse(
        {"name": template.name, **left_out, **config},
        source=template.source,
        lines=template.lines_below("config"),
        templates=templates,
    )
    # The folder of a template is nowhere: it names no files.
    if any(prompt.file is not None for prompt in parsed.prompts):
        raise template.error(
            Problem(("config", "prompts"), "config.prompts: expected 'text', found 'file', which a "
                    "template in a database does not have")
        )  # fmt: skip
    for index, agent in enumerate(parsed.agents):
        with parsed.at("agents", index):
            held(f"agent {agent.name!r}", agent.options, None)
    make = None
    if "environment" in config:
        make = _environment(parsed)
        if left_out.keys() <= config.keys():
            prepare(parsed)
    _check_roles(template, parsed, make)
    _check_flow(template, make)


def _environment(config: TournamentConfig) -> Callable[[], Environment]:
    rules = config.environment
    with config.at("environment"):
        options = held(rules.name, rules.options, None)
        make = registry.environment(rules.name, options)
        registry.check_environment_options(rules.name, rules.options)
        casting(make, rules.players)(0)
    return make


def _check_roles(
    template: TournamentTemplateCreate,
    config: TournamentConfig,
    make: Callable[[], Environment] | None,
) -> None:
    if not template.roles:
        return
    if make is None:
        raise template.error(
            Problem(("roles",), "roles: expected 'environment' in config, which deals them")
        )
    with _at(template, "roles"):
        parts: Sequence[Part] = casting(make, config.environment.players)(0)
    dealt = Counter(part.role or part.team or "player" for part in parts)
    if dealt == Counter(template.roles):
        return
    said = ", ".join(f"{role}: {number}" for role, number in sorted(dealt.items()))
    wrong = [
        Problem(
            ("roles", role),
            f"roles.{role}: {config.environment.name} of {config.environment.players} players "
            f"deals {{{said}}}, found {template.roles.get(role, 0)}{_near(role, dealt)}",
        )
        for role in sorted({*dealt, *template.roles})
        if dealt[role] != template.roles.get(role, 0)
    ]
    raise template.error(*wrong)


def _check_flow(template: TournamentTemplateCreate, make: Callable[[], Environment] | None) -> None:
    known = {*own_kinds()}
    if make is not None and hasattr(made := make(), "event_kinds"):
        known |= {kind.name for kind in made.event_kinds()}
    wrong = [
        Problem(
            ("event_flow", index, "event"),
            f"event_flow[{index}].event: unknown kind of event {step.event!r}"
            f"{nearest(step.event, known)}",
        )
        for index, step in enumerate(template.event_flow)
        if step.event not in known
    ]
    if wrong:
        raise template.error(*wrong)


def _near(name: str, known: Any) -> str:
    hint = "" if name in known else nearest(name, known)
    return hint if "did you mean" in hint else ""


def _check_size(template: Written) -> None:
    try:
        size = len(json.dumps(template.model_dump(mode="json"), allow_nan=False))
    except ValueError as error:
        raise template.error(
            Problem((), f"expected finite numbers, found one that is none: {error}")
        ) from error
    if size > MAX_BYTES:
        raise template.error(
            Problem((), f"{size:,} characters long; expected at most {MAX_BYTES:,}")
        )


@contextmanager
def _at(template: Written, *path: str) -> Iterator[None]:
    """Inside, what is wrong becomes a ConfigError that says under which key."""
    try:
        yield
    except ArenaError as error:
        said = str(error)
        raise template.error(Problem(path, f"{'.'.join(path)}: {said}")) from error
