"""What a run would play and what it would take, without playing any of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from arena.config import TournamentConfig
from arena.core import ConfigError, ModelSpec
from arena.forecast.cost import Estimate
from arena.forecast.cost import estimate as estimated
from arena.llm.providers.protocol import CallPath
from arena.matchmakers.balance import Balance, counts
from arena.matchmakers.shortfalls import Shortfall, shortfall
from arena.orchestrator import schedule
from arena.orchestrator.catalogue import as_begun
from arena.orchestrator.clients import client_for
from arena.orchestrator.memories import learners
from arena.orchestrator.preflight import Prepared, check_keys, prepare
from db.database import Database, Source, opened


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do, without doing any of it. Of the schedule's `games` it would play the
    next `games_now`, which the estimate is of. `balance` counts agents, numbered from 1 in the
    file's order, over these and the games before them; of a schedule that `follows_results` it is
    the one that would be played if no result told anything. `missing` says which key a run would
    ask for, `shortfall` what games that are paired like this were found to be worse for; `paths`
    how the calls to `models` are sent, as far as it was asked for; `learners` are the agents that
    remember earlier games, because of whom games are played one after the other."""

    tournament: str
    environment: str
    players: int
    games: int
    games_done: int
    games_now: int
    concurrency: int
    executor: str
    matchmaker: str
    agents: tuple[str, ...]
    models: tuple[ModelSpec, ...]
    balance: Balance
    follows_results: bool = False
    budget: float | None = None
    estimate: Estimate | None = None
    missing: str | None = None
    shortfall: Shortfall | None = None
    paths: Mapping[str, CallPath] = field(default_factory=dict)
    learners: tuple[str, ...] = ()


def plan(
    config: TournamentConfig,
    *,
    url: Source = None,
    games: int | None = None,
    estimate: bool = False,
) -> Plan:
    """What `run` would play of at most `games` games, and with `estimate` what it would take.
    Checks everything that `run` checks before it writes; writes nothing, makes no database and
    calls no model."""
    prepared = prepare(config)
    names = [agent.name for agent in config.agents]
    agents = range(1, len(names) + 1)
    with opened(url) as database:
        prepared = as_begun(database, prepared)
        config = prepared.config
        pairings = prepared.schedule(agents)
        done = schedule.games_done(database, config)
        left = config.games - done
        now = left if games is None else min(left, games)
        upto = len(pairings) - left + now
        cost = _estimate(prepared, database, left, now) if estimate else None
    learning = learners(config)
    return Plan(
        tournament=config.name,
        environment=config.environment.name,
        players=config.environment.players,
        games=config.games,
        games_done=done,
        games_now=now,
        concurrency=1 if learning else config.concurrency,
        learners=learning,
        executor=config.executor,
        matchmaker=config.matchmaker.name,
        agents=tuple(names),
        models=tuple(model.spec() for model in config.models),
        budget=config.budget,
        balance=counts(pairings[:upto], prepared.casting, agents),
        follows_results=prepared.matchmaker(agents).lag is not None,
        estimate=cost,
        missing=_missing(config),
        shortfall=shortfall(
            config.matchmaker.name, config.matchmaker.options, config.environment.players
        ),
    )


def _missing(config: TournamentConfig) -> str | None:
    """Which key is not set, or cannot be sent: a price can be asked for without it."""
    try:
        check_keys(config, client_for(config))
    except ConfigError as error:
        return str(error)
    return None


def _estimate(prepared: Prepared, database: Database, games_left: int, now: int) -> Estimate:
    return estimated(
        prepared.config,
        prepared,
        url=database,
        games_left=games_left,
        games_now=now,
        rng_seed=prepared.config.seed % 2**32,
        price_of=client_for(prepared.config).prices,
    )
