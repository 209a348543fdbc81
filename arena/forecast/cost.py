"""Says before a tournament is played what it will take: calls, tokens, dollars and time.

Nothing that costs is asked. How the interval comes about: games of the schedule are rehearsed
(`arena.forecast.rehearsal`), what the record and the rehearsal say of games and agents is put
together and drawn (`arena.forecast.learned`), and 2,000 simulated tournaments are made from the
draws (`arena.forecast.simulation`). Low and high are their quantiles at 5 % and 95 %: a prediction
interval for the total, which holds how little is known of the means and the luck of the games
themselves.

Scripted models play their real games. Where every model is scripted, what is left uncertain is only
the games that were not rehearsed, and the record is not asked.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from arena.config import TournamentConfig
from arena.core import AgentSpec, ModelSpec, Pairing, UsageError
from arena.core.arrays import Floats
from arena.core.tools import entries
from arena.forecast.agent_view import AgentView, models_of
from arena.forecast.assumptions import notes_of
from arena.forecast.learned import learn
from arena.forecast.model_history import Habits, habits
from arena.forecast.paid import ModelPrice, free, model_price
from arena.forecast.past_usage import PastUsage, marks_of, past_usage
from arena.forecast.rehearsal import Rehearsal, rehearse
from arena.forecast.rehearsed import rehearsed_means
from arena.forecast.simulation import (
    Simulated,
    SimulatedPace,
    Used,
    learned_amounts,
    rehearsed_amounts,
    simulate,
)
from arena.forecast.stated import ANSWER, longest_answer
from arena.llm.costs.prices import PriceTable, own_prices
from arena.llm.scripted.policies import is_scripted
from arena.orchestrator.memories import learners
from arena.orchestrator.preflight import Prepared, check_stored_prompt
from arena.orchestrator.specs import model_spec
from db import Repository, get_session
from db.database import Source
from db.errors import MissingDatabase

# Games that are rehearsed of a schedule whose models are not all scripted.
REHEARSALS = 8

PriceOf = Callable[[ModelSpec], PriceTable | None]


@dataclass(frozen=True, slots=True)
class ForecastInterval:
    """A mean and a 90 % interval."""

    low: float
    mean: float
    high: float


@dataclass(frozen=True, slots=True)
class ModelEstimate:
    """What one model will be asked; `dollars` is None where no price is known, `seconds` is what
    its own limits and answers take at least."""

    calls: ForecastInterval
    prompt_tokens: ForecastInterval
    response_tokens: ForecastInterval
    dollars: ForecastInterval | None
    seconds: ForecastInterval


@dataclass(frozen=True, slots=True)
class Estimate:
    """What `games` games will take in all, and by the name of each model. `dollars` is None where
    the price of a model is unknown; `notes` are sentences that say what was assumed."""

    games: int
    rehearsed: int
    calls: ForecastInterval
    prompt_tokens: ForecastInterval
    response_tokens: ForecastInterval
    dollars: ForecastInterval | None
    seconds: ForecastInterval
    models: Mapping[str, ModelEstimate]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownBefore:
    """What an estimate starts from: the agents by their numbers, from 1 in the file's order, what
    is on record of them, and how their models have answered, by LiteLLM name. `referee` is the
    number of the one among them that has no place in a pairing."""

    agents: Mapping[int, AgentView]
    past: PastUsage
    habits: Mapping[str, Habits]
    referee: int | None = None

    def judged(self, pairing: Pairing) -> Pairing:
        """The pairing with the referee behind its players."""
        if self.referee is None or self.referee in pairing.agents:
            return pairing
        return replace(pairing, agents=(*pairing.agents, self.referee))


def estimate(
    config: TournamentConfig,
    prepared: Prepared,
    *,
    url: Source,
    games_left: int,
    games_now: int | None = None,
    rng_seed: int = 0,
    rehearsals: int = REHEARSALS,
    price_of: PriceOf = own_prices,
) -> Estimate:
    """Estimate the last `games_left` games of the schedule, or the next `games_now` of them, by
    rehearsing at most `rehearsals`, three times each; three times as many games, once each, where
    every model is scripted.

    `price_of` gives the prices of a model that is not scripted, None where they are unknown. May
    be called whether or not an event loop runs. Raises ConfigError for a model or a prompt that is
    neither in the file nor in the catalogue, UsageError when no game could be rehearsed.
    """
    known = look_up(config, prepared, url)
    schedule = prepared.schedule(range(1, len(config.agents) + 1))
    left = schedule[max(len(schedule) - games_left, 0) :] if games_left > 0 else []
    pairings = left[:games_now]
    return estimate_of(
        prepared, known, pairings, rng_seed=rng_seed, rehearsals=rehearsals, price_of=price_of
    )


def estimate_of(
    prepared: Prepared,
    known: KnownBefore,
    pairings: Sequence[Pairing],
    *,
    rng_seed: int = 0,
    rehearsals: int = REHEARSALS,
    price_of: PriceOf = own_prices,
    rehearsal: Rehearsal | None = None,
) -> Estimate:
    """As `estimate`, of these pairings of agents by number, to which the referee is added where
    there is one; a `rehearsal` that was made for them,
    at `lengths_of` their models, need not be made again."""
    if not pairings:
        none = ForecastInterval(0.0, 0.0, 0.0)
        return Estimate(0, 0, none, none, none, none, none, {}, ())
    pairings = [known.judged(pairing) for pairing in pairings]
    seats = Counter(agent for pairing in pairings for agent in pairing.agents)
    agents = {number: known.agents[number] for number in sorted(seats)}
    lengths = lengths_of([agent.model for agent in agents.values()])
    if rehearsal is None:
        chosen = _sample(pairings, rehearsals * 3 // len(lengths), rng_seed)
        rehearsal = rehearsed(prepared, agents, chosen, lengths)
    rng = np.random.default_rng(rng_seed)
    learned, longest = None, None
    if len(lengths) == 1:
        amounts = rehearsed_amounts(rng, rehearsal.games, len(pairings))
    else:
        specs = {number: agent.spec for number, agent in agents.items()}
        name = prepared.config.environment.name
        means = rehearsed_means(name, rehearsal, specs, lengths)
        learned = learn(rng, agents, known.past, means, known.habits, seats, len(pairings))
        amounts, longest = learned_amounts(rng, learned, pairings)
    prices = {model.name: _price(rng, model, known.past, price_of) for model in models_of(agents)}
    simulated = simulate(
        rng,
        agents,
        amounts,
        prices,
        known.habits,
        total=len(pairings),
        concurrency=1 if learners(prepared.config) else prepared.config.concurrency,
        paces={
            model.name: SimulatedPace(**model.limits.model_dump())
            for model in prepared.config.models
        },
        longest=longest,
    )
    notes = notes_of(agents, rehearsal, len(pairings), learned, simulated, prices)
    return _summed(simulated, len(pairings), rehearsal, notes)


def look_up(
    config: TournamentConfig, prepared: Prepared, url: Source, before: datetime | None = None
) -> KnownBefore:
    """The agents and what is on record of them, in games that ended `before` a time; what the file
    does not define is in the catalogue. Raises ConfigError where it is in neither."""
    models = {model.name: model.spec() for model in config.models}
    prompts = {prompt.name: prompt.content for prompt in config.prompts}
    try:
        with get_session(url, create=False) as session:
            repo = Repository(session)
            for model in repo.get_models():
                if model.name in config.external_models:
                    models[model.name] = model_spec(model)
            for prompt in repo.get_prompts():
                if prompt.name in config.external_prompts:
                    prompts[prompt.name] = prompt.content
            agents = _agents(config, prepared, models, prompts)
            marks = marks_of(agents, repo)
            asked = {a.model.litellm_model for a in agents.values() if not is_scripted(a.model)}
            past = past_usage(session, prepared, agents, marks, before)
            here = {k for k, n in past.environments.items() if n == config.environment.name}
            known = {name: habits(session, name, past.seats, here) for name in asked}
    except MissingDatabase:
        agents = _agents(config, prepared, models, prompts)
        marks, known, past = marks_of(agents, None), {}, PastUsage()
    views = {number: AgentView(agent, marks[number]) for number, agent in agents.items()}
    referee = None if config.environment.referee is None else len(config.everybody)
    return KnownBefore(views, past, known, referee)


def _agents(
    config: TournamentConfig,
    prepared: Prepared,
    models: Mapping[str, ModelSpec],
    prompts: Mapping[str, str],
) -> dict[int, AgentSpec]:
    if error := config.unresolved(models=models, prompts=prompts):
        raise error
    for index, agent in enumerate(config.everybody):
        if agent.prompt in config.external_prompts:
            check_stored_prompt(prepared, index, prompts[agent.prompt])
    return {
        number: AgentSpec(
            agent_id=number,
            name=agent.name,
            kind=agent.kind,
            kind_version=prepared.kinds[agent.kind].version,
            model=models[agent.model],
            prompt=prompts[agent.prompt],
            options=agent.options,
            vars=agent.vars,
            tools=entries(pinned.tools),
            tool_limits=agent.tool_limits.said(),
        )
        for number, (agent, pinned) in enumerate(
            zip(config.everybody, prepared.config.everybody, strict=True), start=1
        )
    }


def _price(
    rng: np.random.Generator, model: ModelSpec, past: PastUsage, price_of: PriceOf
) -> ModelPrice:
    if is_scripted(model):
        return free()
    own = [seat for seat in past.seats if seat.model_name == model.name]
    return model_price(rng, price_of(model), own)


def rehearsed(
    prepared: Prepared,
    agents: Mapping[int, AgentView],
    pairings: Sequence[Pairing],
    lengths: Sequence[int],
) -> Rehearsal:
    """Rehearse these pairings. Raises UsageError where none could be played to its end."""
    specs = {number: agent.spec for number, agent in agents.items()}
    with ThreadPoolExecutor(1) as thread:
        work = rehearse(prepared, specs, pairings, lengths)
        rehearsal = thread.submit(asyncio.run, work).result()
    if not rehearsal.games:
        said = (rehearsal.error or "no game ended").strip().splitlines()[-1]
        name = prepared.config.environment.name
        raise UsageError(f"no game of {name} could be rehearsed: {said}")
    return rehearsal


def lengths_of(models: Sequence[ModelSpec]) -> list[int]:
    """Characters of a short, a middling and a long answer; one where every model is scripted."""
    bounds = [longest_answer(model) for model in models if not is_scripted(model)]
    if not bounds:
        return [0]
    low, high = ANSWER
    stated = [float(bound) for bound in bounds if bound is not None]
    if len(stated) == len(bounds):
        high = min(high, max(*stated, 2.0))
        low = min(low, high / 2)
    return [round(4 * tokens) for tokens in (low, (low * high) ** 0.5, high)]


def _sample(pairings: Sequence[Pairing], most: int, seed: int) -> Sequence[Pairing]:
    if len(pairings) <= most:
        return pairings
    chosen = sorted(random.Random(seed).sample(range(len(pairings)), most))
    return [pairings[index] for index in chosen]


def _summed(
    simulated: Simulated, games: int, rehearsal: Rehearsal, notes: tuple[str, ...]
) -> Estimate:
    models = simulated.models
    dollars = [used.dollars for used in models.values() if used.dollars is not None]
    return Estimate(
        games=games,
        rehearsed=len(rehearsal.games),
        calls=_interval(_sum([used.calls for used in models.values()])),
        prompt_tokens=_interval(_sum([used.prompt_tokens for used in models.values()])),
        response_tokens=_interval(_sum([used.response_tokens for used in models.values()])),
        dollars=_interval(_sum(dollars)) if len(dollars) == len(models) else None,
        seconds=_interval(simulated.seconds),
        models={name: _of_model(used) for name, used in models.items()},
        notes=notes,
    )


def _of_model(used: Used) -> ModelEstimate:
    return ModelEstimate(
        calls=_interval(used.calls),
        prompt_tokens=_interval(used.prompt_tokens),
        response_tokens=_interval(used.response_tokens),
        dollars=None if used.dollars is None else _interval(used.dollars),
        seconds=_interval(used.seconds),
    )


def _sum(parts: Sequence[Floats]) -> Floats:
    summed: Floats = np.stack(parts).sum(axis=0)
    return summed


def _interval(values: Floats) -> ForecastInterval:
    low, high = np.quantile(values, (0.05, 0.95))
    return ForecastInterval(float(low), float(values.mean()), float(high))
