"""Copies templates into a tournament file: `template: NAME` of the file, and of its agents.

What is copied is plain data like the rest of the file, and checked with it. What the file says
itself goes before what a template says. Whoever reads the file says where its templates are; the
names that were used stay with the configuration, and no template is looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import ValidationError

from arena.config.errors import KeyPath, Problem, WrittenAt, explain, found, line_of
from arena.config.parts import TemplatedAgent
from arena.config.tools import ToolLimitsConfig
from arena.config.variants import variants_of
from arena.core import UsageError

_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class AgentParts:
    """What a template says of an agent. `key` is its number; `prompt` names one, `text` is one of
    its own; `model` is the name of one, or its definition without a name or with one; `params` are
    laid over those of the model, whichever it is."""

    key: int
    name: str
    kind: str = "thinking"
    options: Mapping[str, Any] = field(default_factory=dict)
    prompt: str | None = None
    text: str | None = None
    vars: Mapping[str, Any] = field(default_factory=dict)
    tools: Sequence[Any] = ()
    model: str | Mapping[str, Any] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TournamentParts:
    """What a template says of a tournament, with its number."""

    key: int
    config: Mapping[str, Any]


class Templates(Protocol):
    """Where templates are looked up by name; UsageError is raised for one that is not there.
    `model` is the definition of a model of the catalogue, None for one that it does not have."""

    def agent(self, name: str) -> AgentParts: ...

    def tournament(self, name: str) -> TournamentParts: ...

    def model(self, name: str) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class TemplatesUsed:
    """The templates that a configuration was made from, by their numbers: its own, and those of
    agents by the agents' names."""

    tournament: int | None = None
    agents: Mapping[str, int] = field(default_factory=dict)


Lines = Mapping[KeyPath, WrittenAt]


def from_template(
    data: Any, lines: Lines, templates: Templates | None
) -> tuple[Any, Lines, int | None, list[Problem]]:
    """The data of a file with what its own template says, where it has one: with the lines, the
    number of the template, and what is wrong with it."""
    if not isinstance(data, Mapping) or "template" not in data:
        return data, lines, None, []
    own = {key: value for key, value in data.items() if key != "template"}
    at = line_of(lines, ("template",))
    try:
        parts = _source(templates).tournament(_named(data["template"]))
    except UsageError as error:
        return own, lines, None, [Problem(("template",), f"template: {error}")]
    placed = dict(lines)
    if at is not None:
        placed |= {(key,): at for key in parts.config if key not in own}
    return {**parts.config, **own}, placed, parts.key, []


def with_agents(
    data: Any, lines: Lines, templates: Templates | None
) -> tuple[Any, Lines, dict[str, int], list[Problem]]:
    """The data of a file with what the templates of its agents say, where they have one: with the
    lines, the numbers of the templates by the agents' names, and what is wrong with them, which is
    to be told before the rest is looked at."""
    agents = data.get("agents") if isinstance(data, Mapping) else None
    if not isinstance(agents, list | tuple) or not any(map(_is_templated, agents)):
        return data, lines, {}, []
    copy = _Copy(data, dict(lines), templates)
    entries = [
        copy.entry(index, agent) if _is_templated(agent) else agent
        for index, agent in enumerate(agents)
    ]
    written = {**data, "agents": entries, "models": copy.models, "prompts": copy.prompts}
    return written, copy.lines, copy.used, copy.problems


def _is_templated(agent: Any) -> bool:
    return isinstance(agent, Mapping) and "template" in agent


def _named(name: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise UsageError(f"expected the name of a template, found {found(name)}")
    return name


def _source(templates: Templates | None) -> Templates:
    if templates is None:
        raise UsageError(
            "templates are rows of a database, and this file is read without one: "
            "`arena run` reads it with one, and so does load(..., templates=...)"
        )
    return templates


class _Copy:
    """The agents of a file as they are made from templates, with the models and prompts that come
    along."""

    def __init__(
        self,
        data: Mapping[str, Any],
        lines: dict[KeyPath, WrittenAt],
        templates: Templates | None,
    ) -> None:
        self.lines = lines
        self.templates = templates
        self.models = self._entries(data, "models")
        self.prompts = self._entries(data, "prompts")
        self.used: dict[str, int] = {}
        self.problems: list[Problem] = []

    def _entries(self, data: Mapping[str, Any], key: str) -> Any:
        entries = data.get(key)
        # Whatever else it is, is told with the shape.
        return [*entries] if isinstance(entries, list | tuple) else entries or []

    def entry(self, index: int, agent: Mapping[str, Any]) -> dict[str, Any] | None:
        """The agent with all that its template says; None where something is wrong."""
        here: KeyPath = ("agents", index)
        try:
            said = TemplatedAgent.model_validate(agent)
        except ValidationError as error:
            self.problems += [
                Problem((*here, *wrong.path), f"agents[{index}]: {wrong.message}")
                for wrong in explain(error, TemplatedAgent)
            ]
            return None
        try:
            parts = _source(self.templates).agent(said.template)
            name = said.name or parts.name
            made = self._made(here, said, parts)
        except UsageError as error:
            message = f"agents[{index}].template: {error}"
            self.problems.append(Problem((*here, "template"), message))
            return None
        self.used |= dict.fromkeys([name, *variants_of(name, said.null_variants)], parts.key)
        return {"name": name, **made}

    def _made(self, here: KeyPath, said: TemplatedAgent, parts: AgentParts) -> dict[str, Any]:
        kind = said.kind or parts.kind
        # Another kind has other options.
        options = parts.options if kind == parts.kind else {}
        made: dict[str, Any] = {
            "kind": kind,
            "model": self._model(here, said.model, parts),
            "prompt": self._prompt(here, said.prompt, parts),
            "options": {**options, **said.options},
            "vars": {**parts.vars, **said.vars},
        }
        if tools := said.tools or parts.tools:
            made["tools"] = [*tools]
        if said.tool_limits != ToolLimitsConfig():
            made["tool_limits"] = said.tool_limits.model_dump()
        if said.null_variants:
            made["null_variants"] = said.null_variants
        return made

    def _prompt(self, here: KeyPath, said: str | None, parts: AgentParts) -> str:
        if said is not None:
            return said
        if parts.prompt is not None:
            return parts.prompt
        if parts.text is None:
            raise UsageError(f"the template {parts.name!r} has no prompt: add `prompt: NAME` here")
        return self._added("prompts", here, parts.name, {"text": parts.text})

    def _model(self, here: KeyPath, said: str | None, parts: AgentParts) -> str:
        base = said
        if base is None and isinstance(parts.model, str):
            base = parts.model
        if base is None:
            if parts.model is None or isinstance(parts.model, str):
                raise UsageError(
                    f"the template {parts.name!r} has no model: add `model: NAME` here"
                )
            own = {"name": parts.name, **parts.model}
            if parts.params:
                own["params"] = dict(parts.params)
            return self._added("models", here, own.pop("name"), own)
        if not parts.params:
            return base
        known = _by_name(self.models, base) or _source(self.templates).model(base)
        if known is None:
            raise UsageError(
                f"the template {parts.name!r} has params, which are laid over those of the model "
                f"{base!r}, and there is no model of that name in this file or in the catalogue"
            )
        params = known.get("params") or {}
        if not isinstance(params, Mapping) or {**params, **parts.params} == params:
            return base
        own = {**known, "params": {**params, **parts.params}}
        own.pop("name", None)
        return self._added("models", here, f"{base}+{parts.name}", own)

    def _added(self, key: str, here: KeyPath, name: str, own: Mapping[str, Any]) -> str:
        """The name of an entry that is added to a list of the file, unless it is there."""
        entries = self.models if key == "models" else self.prompts
        noun = key.removesuffix("s")
        if len(name) > _LONGEST_NAME:
            raise UsageError(
                f"its {noun} would be called {name!r}, which is longer than {_LONGEST_NAME} "
                f"characters: add `{noun}: NAME` here"
            )
        known = _by_name(entries, name)
        if known is None and isinstance(entries, list):
            self.lines[key, len(entries)] = line_of(self.lines, here) or 1
            entries.append({"name": name, **own})
        elif known is not None and known != {"name": name, **own}:
            raise UsageError(
                f"its {noun} is called {name!r}, and this file has another one of that name: "
                f"rename that, or add `{noun}: NAME` here"
            )
        return name


def _by_name(entries: Any, name: str) -> Mapping[str, Any] | None:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping) and entry.get("name") == name:
            return entry
    return None
