"""Enters a tournament's models, prompts, agents and schedule into the catalogue.

A tournament of the same name is continued, unless what has changed makes it another one
(`arena.orchestrator.continuation`); agents are found, changed or made by one rule
(`arena.orchestrator.versions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from arena.config import TournamentConfig
from arena.core import AgentSpec
from arena.orchestrator.clients import client_for
from arena.orchestrator.continuation import (
    Continuation,
    by_newest,
    changed,
    continuation,
    grown,
)
from arena.orchestrator.preflight import Prepared, check_stored_model, check_stored_prompt
from arena.orchestrator.specs import agent_spec, key_of, model_spec
from arena.orchestrator.versions import CatalogueEntry, played_as
from db import Agent, Environment, Model, Prompt, Repository, Session, Tournament, get_session
from db.database import Source
from db.errors import MissingDatabase
from db.live import run_now
from db.models.tournaments import REFEREE
from db.queries.uses import has_answers


@dataclass(frozen=True, slots=True)
class EnteredTournament:
    """A tournament in the database, ready to play: agents by id, in the config's order. `prepared`
    is what it was entered from, with the version of its matchmaker's rule and its models as the
    catalogue names them. `config_hash` is that of its row."""

    tournament_id: int
    environment_id: int
    agents: Mapping[int, AgentSpec]
    prepared: Prepared
    config_hash: str
    referee: AgentSpec | None = None

    @property
    def everybody(self) -> tuple[AgentSpec, ...]:
        """The agents, and behind them the referee, if there is one."""
        agents = tuple(self.agents.values())
        return agents if self.referee is None else (*agents, self.referee)


def enter(session: Session, prepared: Prepared) -> EnteredTournament:
    """Find, change or make every row that the tournament needs, its scheduled games included.

    Call it inside one transaction, so that nothing is left half entered. Raises ConfigError where
    the configuration continues no tournament of its name, or the catalogue holds something else
    under one of its names.
    """
    repo = Repository(session)
    # Two runs that start together may share models, prompts and agents.
    repo.lock_catalogue()
    templates = prepared.config.templates
    known = continuation(repo, prepared)
    prepared = replace(prepared, config=by_newest(prepared) if known is None else known.config)
    config = prepared.config
    if known is None and config.pool is not None:
        _check_pool(repo, config, config.pool.name)
    tournament_id = None if known is None else known.tournament.id
    entry = CatalogueEntry(repo, config, prepared.kinds, tournament_id)
    begun = [] if known is None else entry.begun()
    everybody = _entered(entry, prepared)
    rows = everybody[: len(config.agents)]
    agents = _agents(config, rows)
    referee = None if len(everybody) == len(rows) else agent_spec(everybody[-1])
    environment = _environment(repo, prepared, referee)
    if known is not None:
        known = _same_agents(repo, known, begun, rows)
        known = _same_referee(repo, known, environment)
        if known.anew:
            _schedule_anew(repo, prepared, known, environment, list(agents))
        else:
            _check_rules(prepared, known.tournament, environment)
            _change(repo, prepared, known, list(agents))
    tournament = (
        _schedule(repo, prepared, environment, list(agents))
        if known is None
        else (known.tournament)
    )
    for agent, row in zip(config.agents, rows, strict=True):
        if agent.name in templates.agents:
            repo.use_agent_template(templates.agents[agent.name], key_of(row))
    if templates.tournament is not None:
        repo.use_tournament_template(templates.tournament, key_of(tournament))
    return EnteredTournament(
        key_of(tournament),
        key_of(environment),
        agents,
        replace(prepared, config=played_as(config, everybody)),
        tournament.config_hash,
        referee,
    )


def as_begun(url: Source, prepared: Prepared) -> Prepared:
    """What `enter` would play: with the version of the matchmaker's rule by which the tournament
    was begun, of one that is not on record with the newest. Writes nothing. Raises ConfigError
    where the tournament is on record with another configuration, which does not continue it."""
    try:
        with get_session(url, create=False) as session:
            known = continuation(Repository(session), prepared)
    except MissingDatabase:
        known = None
    return replace(prepared, config=by_newest(prepared) if known is None else known.config)


def _entered(entry: CatalogueEntry, prepared: Prepared) -> list[Agent]:
    """Everybody in the file, with all that they are made of."""
    repo, config = entry.repo, entry.config
    models = {model.name: entry.model(index) for index, model in enumerate(config.models)}
    prompts: dict[str, Prompt] = {}
    for index, prompt in enumerate(config.prompts):
        prompts[prompt.name] = entry.prompt(index, prompts)
    _resolve(repo, config, models, prompts)
    for index, agent in enumerate(config.everybody):
        if agent.prompt in config.external_prompts:
            check_stored_prompt(prepared, index, prompts[agent.prompt].content)
    return [
        entry.agent(index, models[agent.model], prompts[agent.prompt])
        for index, agent in enumerate(config.everybody)
    ]


def _agents(config: TournamentConfig, rows: Sequence[Agent]) -> dict[int, AgentSpec]:
    agents: dict[int, AgentSpec] = {}
    names: dict[int, str] = {}
    for index, (agent, row) in enumerate(zip(config.agents, rows, strict=True)):
        spec = agent_spec(row)
        if spec.agent_id in agents:
            raise config.error(
                f"agents {names[spec.agent_id]!r} and {agent.name!r} are the same kind, model, "
                "prompt, options and vars: change one of them, or seat one agent more often",
                "agents",
                index,
            )
        agents[spec.agent_id] = spec
        names[spec.agent_id] = agent.name
    return agents


def _same_agents(
    repo: Repository, known: Continuation, begun: Sequence[Agent | None], rows: Sequence[Agent]
) -> Continuation:
    """The continuation, by the agents that play now. Raises ConfigError where they are others than
    those that have answered."""
    others = [
        (was, now)
        for was, now in zip(begun, rows, strict=True)
        if was is not None and was.id != now.id
    ]
    if known.anew or not others:
        return known
    if known.answered and has_answers(repo.session, key_of(known.tournament)):
        was, now = others[0]
        raise known.config.error(
            f"the tournament {known.config.name!r} was begun with the agent {was.label!r}, and "
            f"what has changed ({changed(known)}) makes another one of it, {now.label!r}: give the "
            "tournament another name to play that one, with ratings of its own, or undo the change "
            "to resume it",
            "name",
        )
    if key_of(known.tournament) in run_now(repo.session):
        raise known.config.error(
            f"the tournament {known.config.name!r} is being run with other agents of these names: "
            "stop that run first",
            "name",
        )
    return replace(known, change="all")


def _same_referee(repo: Repository, known: Continuation, environment: Environment) -> Continuation:
    """The continuation, by the referee that judges now. Raises ConfigError where it is another one
    than has judged."""
    was, now = known.tournament.environment.referee_id, environment.referee_id
    if known.anew or was == now:
        return known
    if has_answers(repo.session, key_of(known.tournament)):
        raise known.config.error(
            f"the tournament {known.config.name!r} was begun with another referee, and games that "
            "are judged by another are rated in another pool: give the tournament another name, or "
            "undo the change to resume it",
            "environment",
            "referee",
        )
    return replace(known, change="all")


def _check_rules(prepared: Prepared, known: Tournament, environment: Environment) -> None:
    if known.environment_id != environment.id:
        was, now = known.environment, prepared.spec
        raise prepared.config.error(
            f"the tournament {prepared.config.name!r} was begun with {was.package} {was.version}, "
            f"installed is {now.package} {now.version}: a change of rules is another tournament; "
            "install the version it was begun with, or give this one another name",
            "environment",
        )


def _change(
    repo: Repository, prepared: Prepared, known: Continuation, agents: Sequence[int]
) -> None:
    """Write down what has changed, and the games that have been added."""
    if known.change == "none":
        return
    key, config = key_of(known.tournament), prepared.config
    if known.change == "games":
        repo.schedule_games(key, grown(repo, prepared, known, agents))
        repo.set_tournament_status(key, "paused", reason="games were added")
    repo.set_tournament_config(
        key, config.canonical(), config_hash=config.config_hash, games=config.games
    )


def _schedule_anew(
    repo: Repository,
    prepared: Prepared,
    known: Continuation,
    environment: Environment,
    agents: Sequence[int],
) -> None:
    """Schedule a tournament again in which nobody has answered."""
    key, config = key_of(known.tournament), prepared.config
    repo.lock_ratings()
    repo.clear_schedule(key)
    repo.recount(key)
    repo.set_tournament_config(
        key,
        config.canonical(),
        config_hash=config.config_hash,
        games=config.games,
        seed=config.seed,
        environment_id=key_of(environment),
    )
    repo.set_tournament_status(key, "created", reason="it was scheduled anew")
    if prepared.matchmaker(agents).lag is None:
        repo.schedule_games(key, prepared.begin(agents))


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


def _resolve(
    repo: Repository,
    config: TournamentConfig,
    models: dict[str, Model],
    prompts: dict[str, Prompt],
) -> None:
    """Look up in the catalogue what the agents name and the file does not define."""
    client = client_for(config)
    tooled = {agent.model for agent in config.everybody if agent.tools}
    for model in repo.get_models():
        if model.name in config.external_models:
            check_stored_model(client, model_spec(model), tooled=model.name in tooled)
            if any(agent.tools and agent.model == model.name for agent in config.everybody):
                client.check_tools(model_spec(model))
            models[model.name] = model
    for prompt in repo.get_prompts():
        if prompt.name in config.external_prompts:
            prompts[prompt.name] = prompt
    if error := config.unresolved(models=models, prompts=prompts):
        raise error


def environment_options(
    config: TournamentConfig, referee: AgentSpec | None = None
) -> dict[str, object]:
    """The options of the environment's rules, as they are in the catalogue. By another referee the
    same rules are another environment."""
    rules = config.environment
    limits: dict[str, object] = {"turn_limit": rules.turn_limit}
    if rules.time_limit is not None:
        limits["time_limit"] = rules.time_limit
    if rules.overflow != "void":
        limits["overflow"] = rules.overflow
    if referee is not None:
        limits[REFEREE] = referee.agent_id
    return {**rules.options, **limits}


def _environment(repo: Repository, prepared: Prepared, referee: AgentSpec | None) -> Environment:
    config = prepared.config.environment
    return repo.get_or_create_environment(
        name=config.name,
        num_players=config.players,
        options=environment_options(prepared.config, referee),
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
        environment_id=key_of(environment),
        counted=True,
    )
    if prepared.matchmaker(agents).lag is None:
        # What does not wait for results is on record from the start.
        repo.schedule_games(key_of(tournament), prepared.begin(agents))
    return tournament
