"""Enters a configuration's models, prompts and agents under their names.

One rule for all of them. What is on record already is found, whichever version it is. What has
never played may be changed, so the latest version is. What has played is never changed: there is
another version of it then, `name@2`, with its own ratings. Prices, the variable of a key and where
a local server listens make no other model, and are set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from arena.config import EnvironmentConfig, ModelConfig, PromptConfig, TournamentConfig
from arena.config.tools import ToolLimitsConfig
from arena.core import AgentKind, ModelSpec, prompts
from arena.orchestrator.specs import key_of, model_columns, model_spec
from db import Agent, Kind, Model, Prompt, Repository
from db.queries.begun import begun_agents
from db.queries.uses import UsedNoun, catalogue_uses, has_played, running_with
from db.versions import versioned

LONGEST_NAME = 100


def same_model(one: ModelSpec, other: ModelSpec) -> bool:
    """Whether two definitions are of one model, whatever they call it and what it costs."""
    return _identity(one) == _identity(other)


def _identity(spec: ModelSpec) -> ModelSpec:
    base = "a local server" if is_local(spec.api_base) else spec.api_base
    return replace(
        spec,
        name="",
        api_base=base,
        api_key_env=None,
        api_key_file=None,
        input_price=None,
        output_price=None,
    )


def is_local(address: str | None) -> bool:
    """Whether an address is one of this machine."""
    try:
        host = urlsplit(address or "").hostname or ""
    except ValueError:
        return False
    return host in ("localhost", "::1") or host.startswith("127.")


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """Finds, changes or makes the rows of a configuration; `tournament_id` is that of it on record,
    whose own run holds nothing up. `kinds` are the installed kinds of its agents."""

    repo: Repository
    config: TournamentConfig
    kinds: Mapping[str, AgentKind]
    tournament_id: int | None = None

    def model(self, index: int) -> Model:
        """The row of a model of the file. Raises ConfigError."""
        wanted = self.config.models[index]
        spec, repo = wanted.spec(), self.repo
        known = self._versions(wanted.name, repo.get_model_by_name, repo.get_model_versions)
        row: Model
        for row in reversed(known):
            stored = model_spec(row)
            if same_model(stored, spec):
                if stored != replace(spec, name=row.name):
                    repo.edit_model(key_of(row), **model_columns(spec))
                return row
        if known and self._free("model", key_of(known[-1])):
            return repo.edit_model(key_of(known[-1]), **model_columns(spec))
        label = self._label("models", index, wanted.name, repo.next_model_version)
        columns: dict[str, Any] = model_columns(spec)
        return repo.create_model(label, **columns)

    def prompt(self, index: int, entered: Mapping[str, Prompt]) -> Prompt:
        """The row of a prompt of the file; `entered` are those before it. Raises ConfigError."""
        wanted, repo = self.config.prompts[index], self.repo
        known = self._versions(wanted.name, repo.get_prompt_by_name, repo.get_prompt_versions)
        row: Prompt
        for row in reversed(known):
            if row.content == wanted.content:
                return row
        parent = self._parent(index, entered)
        if known and self._free("prompt", key_of(known[-1])):
            key = key_of(known[-1])
            return repo.replace_prompt(key, known[-1].name, wanted.content, parent)
        label = self._label("prompts", index, wanted.name, repo.next_prompt_version)
        if parent is None and known:
            parent = key_of(known[-1])
        return repo.create_prompt(label, wanted.content, forked_from=parent)

    def agent(self, index: int, model: Model, prompt: Prompt) -> Agent:
        """The row of one of everybody in the file, made of these parts. Raises ConfigError."""
        config, repo, wanted = self.config, self.repo, self.config.everybody[index]
        options = wanted.stored_options
        for kind in self._kinds(wanted.kind):
            parts = (key_of(kind), key_of(model), key_of(prompt))
            found = repo.get_agent_by_config(*parts, options=options)
            if found is not None and _is_called(found, wanted.name):
                return found
        kind = repo.get_or_create_kind(wanted.kind, version=self.kinds[wanted.kind].version)
        parts = (key_of(kind), key_of(model), key_of(prompt))
        known = self._versions(wanted.name, repo.get_agent_by_alias, repo.get_agent_versions)
        found = repo.get_agent_by_config(*parts, options=options)
        if found is not None:
            if not self._renamable(found):
                raise config.error(
                    f"agent {wanted.name!r} is in the catalogue as {found.label!r}: the same kind, "
                    "model, prompt, options and vars; use that name",
                    *config.place_of(index),
                )
            return self._renamed(index, found)
        if known and self._free("agent", key_of(known[-1])):
            latest = known[-1]
            return repo.edit_agent(key_of(latest), *parts, latest.alias, options=options)
        label = self._label("agents", index, wanted.name, repo.next_agent_version)
        return repo.create_agent(*parts, alias=label, options=options)

    def begun(self) -> list[Agent | None]:
        """The agents that the tournament on record was begun with, in the order of the file; None
        for one of which nothing tells which version it was."""
        assert self.tournament_id is not None
        names = (agent.name for agent in self.config.agents)
        found = begun_agents(self.repo.session, self.tournament_id, names)
        return [one and self.repo.get_agent_by_id(one[0], with_relations=True) for one in found]

    def _kinds(self, name: str) -> list[Kind]:
        """The versions of a kind by which agents of it play, the installed one first."""
        kind = self.kinds[name]
        # A tournament is played to its end by the agents that it was begun with.
        earlier = getattr(kind, "earlier", ()) if self.tournament_id is not None else ()
        found = [self.repo.get_kind_by_name(name, version=v) for v in (kind.version, *earlier)]
        return [row for row in found if row is not None]

    def _versions(self, name: str, find: Any, versions: Any) -> list[Any]:
        """The rows that a name of the file may stand for: a version's label for that one."""
        exact = find(name)
        if versioned(name).version > 1:
            return [] if exact is None else [exact]
        found: list[Any] = versions(name)
        return found

    def _label(self, part: str, index: int, name: str, following: Any) -> str:
        """What a new row of this name is called. Raises ConfigError for the name of a version, and
        one that is too long for another version."""
        base, number = versioned(name)
        if number > 1:
            raise self.config.error(
                f"{name!r} is the name of a version, and versions are numbered by the arena: "
                f"name it {base!r}",
                part,
                index,
            )
        label: str = following(name)
        if len(label) > LONGEST_NAME:
            raise self.config.error(
                f"the next version of {name!r} would have a name of {len(label)} characters, at "
                f"most {LONGEST_NAME} fit: use a shorter name",
                part,
                index,
            )
        return label

    def _parent(self, index: int, entered: Mapping[str, Prompt]) -> int | None:
        wanted = self.config.prompts[index]
        if wanted.forked_from is None:
            return None
        parent = entered.get(wanted.forked_from)
        parent = parent or self.repo.get_prompt_by_name(wanted.forked_from)
        if parent is None:
            raise self.config.error(
                f"prompts[{index}].forked_from: no prompt {wanted.forked_from!r} before this "
                "one or in the catalogue",
                "prompts",
                index,
                "forked_from",
            )
        return parent.id

    def _free(self, noun: UsedNoun, key: int) -> bool:
        """Whether a row may be changed: it has never played, and nobody is playing it."""
        session = self.repo.session
        return not (
            has_played(session, noun, key)
            or running_with(session, noun, key, apart_from=self.tournament_id)
        )

    def _renamed(self, index: int, row: Agent) -> Agent:
        """A row under the name that the file has for it; names that were swapped are swapped."""
        name, old = self.config.everybody[index].name, row.alias
        taken = self.repo.get_agent_by_alias(name)
        if taken is None:
            return self._called(row, self._label("agents", index, name, lambda name: name))
        if not self._renamable(taken):
            label = self._label("agents", index, name, self.repo.next_agent_version)
            return self._called(row, label)
        self._called(taken, None)
        self._called(row, name)
        self._called(taken, old)
        return row

    def _called(self, row: Agent, alias: str | None) -> Agent:
        parts = (key_of(row.kind), key_of(row.model), key_of(row.prompt))
        return self.repo.edit_agent(key_of(row), *parts, alias, options=row.options)

    def _renamable(self, row: Agent) -> bool:
        uses = catalogue_uses(self.repo.session, "agent", key_of(row))
        return not uses.fixed and {*uses.tournaments} <= {self.config.name}


def _is_called(row: Agent, name: str) -> bool:
    return row.label == name or (row.alias is not None and versioned(row.alias).name == name)


def played_as(config: TournamentConfig, agents: Sequence[Agent]) -> TournamentConfig:
    """The configuration with its models by the names that they have in the catalogue: what is said
    of them there (limits, a budget) is looked up by those. `agents` are everybody's rows."""
    names = {
        entered.model: row.model.name for entered, row in zip(config.everybody, agents, strict=True)
    }
    if all(name == label for name, label in names.items()):
        return config
    return config.model_copy(
        update={
            "models": tuple(
                model.model_copy(update={"name": names.get(model.name, model.name)})
                for model in config.models
            ),
            "agents": tuple(
                agent.model_copy(update={"model": names[agent.model]}) for agent in config.agents
            ),
            "environment": with_referee(config.environment, names=names),
        }
    )


def with_referee(
    rules: EnvironmentConfig, row: Agent | None = None, names: Mapping[str, str] | None = None
) -> EnvironmentConfig:
    """The rules with their referee's model by another of its `names`, or with a referee that is
    made as this `row` of the catalogue is."""
    referee = rules.referee
    if referee is None:
        return rules
    made: dict[str, Any] = {"model": (names or {}).get(referee.model, referee.model)}
    if row is not None:
        options, beside = prompts.parted(row.options)
        made = {
            "kind": row.kind.name,
            "model": _name_of(referee.model, row.model.name),
            "prompt": _name_of(referee.prompt, row.prompt.name),
            "options": options,
            **beside_config(beside),
        }
    return rules.model_copy(update={"referee": referee.model_copy(update=made)})


def as_catalogued(
    repo: Repository, config: TournamentConfig, tournament_id: int
) -> TournamentConfig:
    """The configuration of a tournament on record, with its models, prompts and agents as they are
    in the catalogue now: what never played may have been changed there since, and so may
    settings."""
    models: dict[str, Model] = {}
    texts: dict[str, str] = {}
    agents = []
    begun = CatalogueEntry(repo, config, {}, tournament_id).begun()
    for agent, row in zip(config.agents, begun, strict=True):
        if row is None:
            agents.append(agent)
            continue
        options, beside = prompts.parted(row.options)
        model = _name_of(agent.model, row.model.name)
        prompt = _name_of(agent.prompt, row.prompt.name)
        models[model], texts[prompt] = row.model, row.prompt.content
        made: dict[str, Any] = {"kind": row.kind.name, "model": model, "prompt": prompt}
        made |= {"options": options, **beside_config(beside)}
        agents.append(agent.model_copy(update=made))
    rules = config.environment
    if (judge := _referee(repo, tournament_id)) is not None:
        rules = with_referee(rules, judge)
        assert rules.referee is not None
        models[rules.referee.model] = judge.model
        texts[rules.referee.prompt] = judge.prompt.content
    return config.model_copy(
        update={
            "environment": rules,
            "models": tuple(_model_as(model, models.get(model.name)) for model in config.models),
            "prompts": tuple(_prompt_as(prompt, texts) for prompt in config.prompts),
            "agents": tuple(agents),
        }
    )


def beside_config(beside: Mapping[str, Any]) -> dict[str, Any]:
    """What an agent on record has beside the options of its kind, as a configuration has it."""
    limits = ToolLimitsConfig(**beside["tool_limits"])
    return {"vars": beside["vars"], "tools": tuple(beside["tools"]), "tool_limits": limits}


def _referee(repo: Repository, tournament_id: int) -> Agent | None:
    """The referee that a tournament on record was begun with."""
    row = repo.get_tournament_by_id(tournament_id)
    key = None if row is None else row.environment.referee_id
    return None if key is None else repo.get_agent_by_id(key, with_relations=True)


def _name_of(written: str, label: str) -> str:
    """What a configuration calls a part: as it is written, if that is a version of it."""
    return written if versioned(written).name == versioned(label).name else label


def _model_as(written: ModelConfig, row: Model | None) -> ModelConfig:
    if row is None:
        return written
    spec = replace(model_spec(row), name=written.name)
    if spec == written.spec():
        return written
    return written.model_copy(update={**asdict(spec), "upstream": None})


def _prompt_as(written: PromptConfig, texts: Mapping[str, str]) -> PromptConfig:
    text = texts.get(written.name, written.content)
    if text == written.content:
        return written
    return PromptConfig(name=written.name, text=text, forked_from=written.forked_from)
