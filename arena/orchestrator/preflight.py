"""Checks a tournament before anything is played or written: every name, every number, every key.

What it finds wrong is a UsageError that says where in the file; what it returns is ready to play.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena import registry
from arena.config import AgentConfig, TournamentConfig
from arena.config.prompt_variables import wrong_vars
from arena.core import (
    AgentKind,
    ArenaError,
    Casting,
    Environment,
    EnvironmentSpec,
    ModelSpec,
    Pairing,
    TellsActOptions,
    UsageError,
    prompts,
)
from arena.core.execution import ChecksDatabase, Executor
from arena.core.rules_options import held
from arena.core.tools import ToolEntry, entries
from arena.llm.client import Client
from arena.orchestrator.casting import begin, casting, play_at_random
from arena.orchestrator.clients import client_for
from arena.orchestrator.matchmaking import CheckedMatchmaker
from arena.orchestrator.standings import nothing_known
from arena.ratings.online.live import LiveFold, check
from db import Database

# Games that are played at random before the first one is paid, where the rules have options.
_PLAYED = 3
_LONGEST = 150


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a tournament needs that is not in the database. `options` are those of the
    environment, with the paths of their files."""

    config: TournamentConfig
    environment: Callable[[], Environment]
    spec: EnvironmentSpec
    kinds: dict[str, AgentKind]
    fold: LiveFold
    options: Mapping[str, Any]

    @property
    def casting(self) -> Casting:
        """Who is what in a game from a seed."""
        return casting(self.environment, self.config.environment.players)

    def matchmaker(self, agents: Sequence[int]) -> CheckedMatchmaker:
        """The tournament's matchmaker, for agents by their ids in the config's order. Raises
        UsageError for agents, games or options that it refuses."""
        config = self.config
        return CheckedMatchmaker(
            config.matchmaker.name,
            agents=agents,
            num_players=config.environment.players,
            games=config.games,
            seed=config.seed,
            options=config.matchmaker.options,
            casting=self.casting,
        )

    def executor(self, concurrency: int) -> Executor:
        """What runs its games, `concurrency` at once."""
        return executor_of(self.config, concurrency)

    def begin(self, agents: Sequence[int]) -> Sequence[Pairing]:
        """The pairings that can be chosen before any game is played."""
        return self.matchmaker(agents).next(nothing_known(agents), self.config.games)

    def schedule(self, agents: Sequence[int]) -> Sequence[Pairing]:
        """All pairings of the tournament, if no game told anything about the agents: what is
        played for certain where the matchmaker does not look at results."""
        matchmaker, pairings = self.matchmaker(agents), list[Pairing]()
        while left := self.config.games - len(pairings):
            unknown = nothing_known(agents, pairings)
            following = matchmaker.next(unknown, left if matchmaker.lag is None else 1)
            if not following:
                break
            pairings += following
        return pairings


def executor_of(config: TournamentConfig, concurrency: int) -> Executor:
    """The executor of a tournament. Raises UsageError."""
    return registry.executor(config.executor, concurrency, config.executor_options)


def check_database(config: TournamentConfig, database: Database) -> None:
    """Raises ConfigError for a database into which the executor's workers cannot write."""
    with config.at("executor"):
        executor = executor_of(config, config.concurrency)
        if isinstance(executor, ChecksDatabase):
            executor.check_database(database.url.get_backend_name())


def prepare(config: TournamentConfig) -> Prepared:
    """Check the whole configuration: first what needs no rules and no provider, which take seconds
    to import. Raises ConfigError with the place in the file."""
    registry.check_names(config)
    rules = config.environment
    with config.at("environment"):
        options = held(rules.name, rules.options, config.folder)
        copied = registry.copied_options(rules.name, options)
        if copied != options:
            options = copied
            rules = rules.model_copy(update={"options": copied})
            config = config.model_copy(update={"environment": rules})
        if not options:
            # Those that have some are imported for them.
            _check_players(registry.environment(rules.name, {})().spec, rules.players)
    kinds: dict[str, AgentKind] = {}
    client = client_for(config)
    tools: list[Sequence[ToolEntry]] = []
    for index, agent in enumerate(config.everybody):
        with config.at(*config.place_of(index)):
            held(f"agent {agent.name!r}", agent.options, config.folder)
            kinds[agent.kind] = registry.check_kind(agent.kind, agent.options)
            tools.append(registry.pinned_tools(entries(agent.tools)))
    config = with_tools(config, tools)
    for index, model in enumerate(config.models):
        with config.at("models", index):
            client.check_spec(model.spec())
    with config.at("executor"):
        executor_of(config, config.concurrency)
    with config.at("rating"):
        fold = LiveFold(*registry.online_rating(config.rating))
        with registry.guarded("ratings", config.rating, "rating an agent that has not played"):
            check({0: fold.initial()})
    with config.at("environment"):
        make = registry.environment(rules.name, options)
        registry.check_environment_options(rules.name, options)
        environment = make()
        _check_players(environment.spec, rules.players)
        _check_referee(environment.spec, config)
    _check_turn_limit(environment.spec, config)
    texts = {prompt.name: prompt.content for prompt in config.prompts}
    for index, prompt in enumerate(config.prompts):
        with config.at("prompts", index):
            prompts.check_told(prompt.content, rules.name, environment.spec.tells)
    for index, agent in enumerate(config.everybody):
        with config.at(*config.place_of(index)):
            check_retold(agent, texts.get(agent.prompt, ""))
            check_tools_offered(agent)
    prepared = Prepared(config, make, environment.spec, kinds, fold, options)
    agents = range(1, len(config.agents) + 1)
    with config.at("matchmaker"):
        prepared.matchmaker(agents)
    with config.at("environment"):
        # Some rules say only here that they cannot start: an option, an even number of players.
        begin(environment, 0, rules.players)
        if options:
            _check_played(rules.name, make, rules.players, options)
    with config.at("matchmaker"):
        prepared.matchmaker(agents).next(nothing_known(agents), 1)
    tooled = {agent.model for agent in config.everybody if agent.tools}
    for index, model in enumerate(config.models):
        with config.at("models", index):
            client.check(model.spec())
            if model.name in tooled:
                client.check_tools(model.spec())
    return prepared


def with_tools(config: TournamentConfig, tools: Sequence[Sequence[ToolEntry]]) -> TournamentConfig:
    """The configuration with the tools of everybody in it as they go on record."""
    if not any(tools):
        return config
    agents = tuple(
        agent.model_copy(update={"tools": tuple(found)})
        for agent, found in zip(config.agents, tools, strict=False)
    )
    rules = config.environment
    if rules.referee is not None:
        referee = rules.referee.model_copy(update={"tools": tuple(tools[-1])})
        rules = rules.model_copy(update={"referee": referee})
    return config.model_copy(update={"agents": agents, "environment": rules})


def check_retold(agent: AgentConfig, prompt: str) -> None:
    """Raises UsageError for a prompt that tells the phase to an agent whose kind takes its prompt
    once in a game."""
    if "phase" not in prompts.used(prompt):
        return
    with registry.guarded("agents", agent.kind):
        made = registry.kind(agent.kind)(prompt="", options=agent.options)
    if not hasattr(made, "reprompt"):
        raise UsageError(
            f"the prompt {agent.prompt!r} uses {{{{phase}}}}, which changes, and the kind "
            f"{agent.kind!r} takes its prompt once in a game: it has no `reprompt` (arena.core."
            "TakesPrompts)"
        )


def check_tools_offered(agent: AgentConfig) -> None:
    """Raises UsageError for an agent with tools whose answers the provider is to hold to a form:
    providers take one or the other, so that its model would never be offered them."""
    if not agent.tools:
        return
    with registry.guarded("agents", agent.kind):
        made = registry.kind(agent.kind)(prompt="", options=agent.options)
    asked = made.act_options if isinstance(made, TellsActOptions) else None
    if asked is not None and asked.response_format is not None:
        raise UsageError(
            f"the agent {agent.name!r} has tools and answers in a form that its provider is to "
            "hold it to (`answer: json`), and providers take one or the other: write "
            "`answer: tool`, or remove its `tools`"
        )


def check_stored_prompt(prepared: Prepared, index: int, text: str) -> None:
    """The checks of an agent's prompt for one that comes from the catalogue."""
    config, agent = prepared.config, prepared.config.everybody[index]
    place = config.place_of(index)
    with config.at(*place, "prompt"):
        prompts.check_told(text, prepared.spec.name, prepared.spec.tells)
        check_retold(agent, text)
    for message in wrong_vars(agent, text):
        raise config.error(message, *place, "vars")


def _check_played(
    name: str, make: Callable[[], Environment], players: int, options: Mapping[str, Any]
) -> None:
    """Raises UsageError for options with which the rules break in every game that they play
    without.

    Some rules take every option, and raise when a game comes to what it says: after it was paid.
    Those that break in one game only make that game void.
    """
    first: ArenaError | None = None
    for seed in range(_PLAYED):
        try:
            play_at_random(make, seed, players, turns=_LONGEST)
        except ArenaError as broken:
            first = first or broken
        else:
            return
        try:
            play_at_random(registry.environment(name, {}), seed, players, turns=_LONGEST)
        except ArenaError:
            return
    raise UsageError(
        f"{name} with the options {dict(options)} breaks in the middle of a game that is played at "
        f"random: {first}"
    ) from first


def _check_players(spec: EnvironmentSpec, players: int) -> None:
    if not spec.min_players <= players <= spec.max_players:
        wanted = (
            f"{spec.min_players}"
            if spec.min_players == spec.max_players
            else f"{spec.min_players} to {spec.max_players}"
        )
        raise UsageError(f"{spec.name} is played by {wanted} players, found players: {players}")


def _check_referee(spec: EnvironmentSpec, config: TournamentConfig) -> None:
    """Raises UsageError where a referee is asked for and there is none, or the other way round."""
    if spec.referee and config.environment.referee is None:
        raise UsageError(
            f"{spec.name} asks a referee, found none: write `referee: {{model: NAME, prompt: "
            "NAME}` under 'environment'"
        )
    if config.environment.referee is not None and not spec.referee:
        raise config.error(
            f"{spec.name} asks no referee: remove 'referee'", "environment", "referee"
        )


def _check_turn_limit(spec: EnvironmentSpec, config: TournamentConfig) -> None:
    """Raises ConfigError where every game would be stopped before its end."""
    limit = config.environment.turn_limit
    if limit < spec.least_turns:
        raise config.error(
            f"{spec.name} needs {spec.least_turns} turns at least to come to its end, found "
            f"turn_limit: {limit}; every game would be a draw",
            "environment",
            "turn_limit",
        )


def check_keys(config: TournamentConfig, client: Client) -> None:
    """Raises ConfigError for a model that an agent plays with and whose key is not set, or cannot
    be sent."""
    played = {agent.model for agent in config.everybody}
    for index, model in enumerate(config.models):
        if model.name in played:
            with config.at("models", index):
                client.check_keys(model.spec())


def check_stored_model(client: Client, model: ModelSpec, *, tooled: bool) -> None:
    """The same checks for a model that comes from the catalogue; `tooled` says that an agent with
    tools plays with it."""
    client.check(model)
    if tooled:
        client.check_tools(model)
    client.check_keys(model)
