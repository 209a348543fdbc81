"""Enters a tournament's models, prompts, agents and schedule into the catalogue.

What is there already must be the same: a model, a prompt or an agent is never changed under its
name, and neither is a tournament.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from arena.config import ModelConfig, PromptConfig, TournamentConfig
from arena.core import AgentSpec, ConfigError, ModelSpec
from arena.orchestrator.clients import client_for
from arena.orchestrator.preflight import Prepared, check_stored_model
from db import Agent, Environment, Model, Prompt, Repository, Session, Tournament, get_session
from db.database import Source
from db.errors import MissingDatabase

_SETTINGS = (
    "litellm_model",
    "params",
    "api_base",
    "api_key_env",
    "stream",
    "input_price",
    "output_price",
    "provider",
    "system",
)


@dataclass(frozen=True, slots=True)
class EnteredTournament:
    """A tournament in the database, ready to play: agents by id, in the config's order. `prepared`
    is what it was entered from, with the version of its matchmaker's rule."""

    tournament_id: int
    environment_id: int
    agents: Mapping[int, AgentSpec]
    prepared: Prepared


def enter(session: Session, prepared: Prepared) -> EnteredTournament:
    """Find or make every row that the tournament needs, its scheduled games included.

    Call it inside one transaction, so that nothing is left half entered. Raises ConfigError where
    the catalogue holds something else under one of the config's names.
    """
    config, repo = prepared.config, Repository(session)
    # Two runs that start together may share models, prompts and agents.
    repo.lock_catalogue()
    known, config = _same_tournament(repo, prepared)
    prepared = replace(prepared, config=config)
    if known is None and config.pool is not None:
        _check_pool(repo, config, config.pool.name)
    models = {model.name: _model(repo, config, i, model) for i, model in enumerate(config.models)}
    prompts: dict[str, Prompt] = {}
    for index, prompt in enumerate(config.prompts):
        prompts[prompt.name] = _prompt(repo, config, index, prompt, prompts)
    _resolve(repo, config, models, prompts)
    agents: dict[int, AgentSpec] = {}
    for index, agent in enumerate(config.agents):
        parts = models[agent.model], prompts[agent.prompt]
        # A tournament is played to its end by the agents that it was begun with.
        begun = _begun(repo, prepared, index, *parts) if known is not None else None
        row = begun or _agent(repo, prepared, index, *parts)
        spec = agent_spec(row)
        if spec.agent_id in agents:
            twin = agents[spec.agent_id].name
            raise config.error(
                f"agents {twin!r} and {agent.name!r} are the same kind, model, prompt and options: "
                "change one of them, or seat one agent more often",
                "agents",
                index,
            )
        agents[spec.agent_id] = spec
    environment = _environment(repo, prepared)
    if known is not None and known.environment_id != environment.id:
        was, now = known.environment, prepared.spec
        raise config.error(
            f"the tournament {config.name!r} was begun with {was.package} {was.version}, installed "
            f"is {now.package} {now.version}: a change of rules is another tournament; install the "
            "version it was begun with, or give this one another name",
            "environment",
        )
    tournament = known or _schedule(repo, prepared, environment, list(agents))
    return EnteredTournament(_id(tournament), _id(environment), agents, prepared)


def as_begun(url: Source, prepared: Prepared) -> Prepared:
    """What `enter` would play: with the version of the matchmaker's rule by which the tournament
    was begun, of one that is not on record with the newest. Writes nothing. Raises ConfigError
    where the tournament is on record with another configuration."""
    try:
        with get_session(url, create=False) as session:
            _, config = _same_tournament(Repository(session), prepared)
    except MissingDatabase:
        config = _by_newest(prepared)
    return replace(prepared, config=config)


def _by_newest(prepared: Prepared) -> TournamentConfig:
    """The configuration with the version of its matchmaker's rule: unless it is said, the newest,
    where there is more than one."""
    config = prepared.config
    newest = prepared.matchmaker(range(1, len(config.agents) + 1)).version
    unsaid = newest > 1 and "version" not in config.matchmaker.options
    return config.by_version(newest) if unsaid else config


def _same_tournament(
    repo: Repository, prepared: Prepared
) -> tuple[Tournament | None, TournamentConfig]:
    """The tournament on record, and the configuration with the version of its matchmaker's rule.

    A tournament is played to its end by the rule that it was begun with: the version is part of
    what is on record, and where none is, it is the first.
    """
    config, wanted = prepared.config, _by_newest(prepared)
    found = repo.get_tournament_by_name(config.name)
    if found is None or found.config_hash == wanted.config_hash:
        return found, wanted
    if wanted is not config and found.config_hash == config.config_hash:
        return found, config.by_version(1)
    raise config.error(
        f"the tournament {config.name!r} is in the database with another configuration "
        f"({_difference(found.config, wanted.canonical())}): give this one another name, "
        "or undo the change to resume it",
        "name",
    )


def _check_pool(repo: Repository, config: TournamentConfig, name: str) -> None:
    """Raises ConfigError where another tournament is the pool of this name."""
    for other in repo.get_tournaments():
        if (other.config.get("pool") or {}).get("name") == name:
            raise config.error(
                f"the pool {name!r} is the tournament {other.name!r} already, and a pool is "
                "frozen: give this one another name",
                "pool",
                "name",
            )


def _difference(stored: object, wanted: object, place: str = "") -> str:
    """The first place where two plain values differ, for people."""
    if isinstance(stored, dict) and isinstance(wanted, dict):
        for key in sorted({*stored, *wanted}):
            if stored.get(key) != wanted.get(key):
                return _difference(stored.get(key), wanted.get(key), f"{place}.{key}".lstrip("."))
    if isinstance(stored, list) and isinstance(wanted, list) and len(stored) == len(wanted):
        for index, (before, after) in enumerate(zip(stored, wanted, strict=True)):
            if before != after:
                return _difference(before, after, f"{place}[{index}]")
    if isinstance(stored, list) and isinstance(wanted, list):
        return f"{place} has {len(wanted)} entries, was {len(stored)}"
    return f"{place} is {_short(wanted)}, was {_short(stored)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _model(repo: Repository, config: TournamentConfig, index: int, wanted: ModelConfig) -> Model:
    spec = wanted.spec()
    found = repo.get_model_by_name(wanted.name)
    if found is None:
        return repo.create_model(
            name=spec.name,
            litellm_model_name=spec.litellm_model,
            params=dict(spec.params),
            api_base=spec.api_base,
            api_key_env=spec.api_key_env,
            stream=spec.stream,
            input_price=spec.input_price,
            output_price=spec.output_price,
            provider=spec.provider,
            system=None if spec.system == "system" else spec.system,
        )
    if (stored := model_spec(found)) != spec:
        parts = [
            f"{name} is {_short(getattr(spec, name))}, was {_short(getattr(stored, name))}"
            for name in _SETTINGS
            if getattr(spec, name) != getattr(stored, name)
        ]
        raise config.error(
            f"the catalogue has another model {wanted.name!r} ({'; '.join(parts)}): "
            "give this one another name",
            "models",
            index,
        )
    return found


def model_spec(row: Model) -> ModelSpec:
    """A model of the catalogue as the LLM client takes it."""
    return ModelSpec(
        name=row.name,
        litellm_model=row.litellm_model_name,
        params=row.params,
        api_base=row.api_base,
        api_key_env=row.api_key_env,
        stream=row.stream,
        input_price=row.input_price,
        output_price=row.output_price,
        provider=row.provider,
        system=row.system or "system",
    )


def _prompt(
    repo: Repository,
    config: TournamentConfig,
    index: int,
    wanted: PromptConfig,
    entered: Mapping[str, Prompt],
) -> Prompt:
    found = repo.get_prompt_by_name(wanted.name)
    if found is None:
        parent = None
        if wanted.forked_from is not None:
            parent = entered.get(wanted.forked_from) or repo.get_prompt_by_name(wanted.forked_from)
            if parent is None:
                raise config.error(
                    f"prompts[{index}].forked_from: no prompt {wanted.forked_from!r} before this "
                    "one or in the catalogue",
                    "prompts",
                    index,
                    "forked_from",
                )
        return repo.create_prompt(
            name=wanted.name,
            content=wanted.content,
            forked_from=None if parent is None else parent.id,
        )
    if found.content != wanted.content:
        raise config.error(
            f"the catalogue has the prompt {wanted.name!r} with another text, and a prompt is "
            f"never edited: give this text a new name, with forked_from: {wanted.name}",
            "prompts",
            index,
        )
    return found


def _resolve(
    repo: Repository,
    config: TournamentConfig,
    models: dict[str, Model],
    prompts: dict[str, Prompt],
) -> None:
    """Look up in the catalogue what the agents name and the file does not define."""
    client = client_for(config)
    for model in repo.get_models():
        if model.name in config.external_models:
            check_stored_model(client, model_spec(model))
            models[model.name] = model
    for prompt in repo.get_prompts():
        if prompt.name in config.external_prompts:
            prompts[prompt.name] = prompt
    if error := config.unresolved(models=models, prompts=prompts):
        raise error


def _begun(
    repo: Repository, prepared: Prepared, index: int, model: Model, prompt: Prompt
) -> Agent | None:
    """The agent of this name, where its kind has gone on to another version since."""
    wanted = prepared.config.agents[index]
    for version in getattr(prepared.kinds[wanted.kind], "earlier", ()):
        kind = repo.get_kind_by_name(wanted.kind, version=version)
        if kind is None:
            continue
        parts = (_id(kind), _id(model), _id(prompt))
        found = repo.get_agent_by_config(*parts, options=wanted.options)
        if found is not None and found.label == wanted.name:
            return found
    return None


def _agent(repo: Repository, prepared: Prepared, index: int, model: Model, prompt: Prompt) -> Agent:
    config = prepared.config
    wanted = config.agents[index]
    version = prepared.kinds[wanted.kind].version
    kind = repo.get_kind_by_name(wanted.kind, version=version)
    if kind is None:
        kind = repo.create_kind(name=wanted.kind, version=version)
    parts = (_id(kind), _id(model), _id(prompt))
    found = repo.get_agent_by_config(*parts, options=wanted.options)
    if found is None:
        taken = repo.get_agent_by_alias(wanted.name)
        if taken is not None:
            raise config.error(
                f"the catalogue has another agent {wanted.name!r} "
                f"({taken.kind.name} v{taken.kind.version} + {taken.model.name} + "
                f"{taken.prompt.name}): give this one another name",
                "agents",
                index,
            )
        return repo.create_agent(*parts, alias=wanted.name, options=wanted.options)
    if found.label != wanted.name:
        raise config.error(
            f"agent {wanted.name!r} is in the catalogue as {found.label!r}: the same kind, model, "
            "prompt and options; use that name",
            "agents",
            index,
        )
    return found


def agent_spec(row: Agent) -> AgentSpec:
    """An agent of the catalogue as a game seats it."""
    return AgentSpec(
        agent_id=_id(row),
        name=row.label,
        kind=row.kind.name,
        kind_version=row.kind.version,
        model=model_spec(row.model),
        prompt=row.prompt.content,
        options=row.options,
    )


def environment_options(config: TournamentConfig) -> dict[str, object]:
    """The options of the environment's rules, as they are in the catalogue."""
    rules = config.environment
    limits: dict[str, object] = {"turn_limit": rules.turn_limit}
    if rules.time_limit is not None:
        limits["time_limit"] = rules.time_limit
    if rules.overflow != "void":
        limits["overflow"] = rules.overflow
    return {**rules.options, **limits}


def _environment(repo: Repository, prepared: Prepared) -> Environment:
    config = prepared.config.environment
    return repo.get_or_create_environment(
        name=config.name,
        num_players=config.players,
        options=environment_options(prepared.config),
        package=prepared.spec.package,
        version=prepared.spec.version,
    )


def _schedule(
    repo: Repository, prepared: Prepared, environment: Environment, agents: list[int]
) -> Tournament:
    config = prepared.config
    tournament = repo.create_tournament(
        name=config.name,
        config=config.canonical(),
        config_hash=config.config_hash,
        seed=config.seed,
        games=config.games,
        environment_id=_id(environment),
    )
    if prepared.matchmaker(agents).lag is None:
        # What does not wait for results is on record from the start.
        repo.schedule_games(_id(tournament), prepared.begin(agents))
    return tournament


def _id(row: object) -> int:
    """The key of a row that has been flushed."""
    key = getattr(row, "id", None)
    if not isinstance(key, int):
        raise ConfigError(f"{row!r} has no key")
    return key
