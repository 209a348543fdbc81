"""Says before a tournament is played what it will take: calls, tokens, dollars and time.

Nothing that costs is asked. How the interval comes about: games of the schedule are rehearsed
(`arena.forecast.rehearsal`), and 2,000 simulated tournaments are put together from

- games drawn from the rehearsed ones with the weights of a Bayesian bootstrap (Rubin 1981), for
  how games differ and how few were rehearsed;
- for every model that is not scripted: the mean length of an answer, the tokens for a character of
  a request and the mean time of a call, each lognormal: around the model's own calls on record,
  or, without any, with a stated range as its 90 % interval;
- how much longer or shorter games are than those of players that move at random: as those on
  record, else in a stated range, lognormal too.

Talk is sent again with every later request, so each game is rehearsed with short, middling and
long answers, and a simulated tournament lies between them. Low and high are the quantiles at 5 %
and 95 % of the simulated tournaments. Scripted models play their real games: what is left uncertain
of them is only the games that were not rehearsed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from arena.config import TournamentConfig
from arena.core import AgentSpec, ModelSpec, Pairing, UsageError
from arena.core.arrays import Floats
from arena.forecast.model_history import Habits, habits
from arena.forecast.rehearsal import Rehearsal, rehearse
from arena.forecast.simulation import (
    ANSWER,
    FEW_GAMES,
    LENGTHS,
    LONGER,
    Belief,
    Simulated,
    SimulatedPace,
    Used,
    believe,
    simulate,
)
from arena.llm.costs.prices import PriceTable, own_prices
from arena.llm.scripted.policies import is_scripted
from arena.orchestrator.catalogue import model_spec
from arena.orchestrator.preflight import Prepared
from db import Repository, get_session
from db.database import Source
from db.errors import MissingDatabase
from db.queries.model_calls import calls_of_games

_PAST = 200


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
    completion_tokens: ForecastInterval
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
    completion_tokens: ForecastInterval
    dollars: ForecastInterval | None
    seconds: ForecastInterval
    models: Mapping[str, ModelEstimate]
    notes: tuple[str, ...]


def estimate(
    config: TournamentConfig,
    prepared: Prepared,
    *,
    url: Source,
    games_left: int,
    rng_seed: int = 0,
    rehearsals: int = 20,
    price_of: Callable[[ModelSpec], PriceTable | None] = own_prices,
) -> Estimate:
    """Estimate the last `games_left` games of the schedule, by rehearsing at most `rehearsals`,
    three times each; three times as many games, once each, where every model is scripted.

    `price_of` gives the prices of a model that is not scripted, None where they are unknown. May
    be called whether or not an event loop runs. Raises ConfigError for a model or a prompt that is
    neither in the file nor in the catalogue, UsageError when no game could be rehearsed.
    """
    agents, known = _resolved(config, prepared, url)
    past = _past(config, url)
    schedule = prepared.schedule([*agents])
    pairings = schedule[max(len(schedule) - games_left, 0) :] if games_left > 0 else []
    played = {agent for pairing in pairings for agent in pairing.agents}
    rng = np.random.default_rng(rng_seed)
    beliefs: dict[str, Belief] = {}
    for number, agent in agents.items():
        if number in played and agent.model.name not in beliefs:
            model = agent.model
            prices = None if is_scripted(model) else price_of(model)
            beliefs[model.name] = believe(rng, model, known[model.litellm_model], prices)
    if not pairings:
        none = ForecastInterval(0.0, 0.0, 0.0)
        return Estimate(0, 0, none, none, none, none, none, {}, ())
    lengths = _lengths(beliefs)
    chosen = _sample(pairings, rehearsals * LENGTHS // len(lengths), rng_seed)
    with ThreadPoolExecutor(1) as thread:
        rehearsal = thread.submit(asyncio.run, rehearse(prepared, agents, chosen, lengths)).result()
    if not rehearsal.games:
        said = (rehearsal.error or "no game ended").strip().splitlines()[-1]
        raise UsageError(f"no game of {config.environment.name} could be rehearsed: {said}")
    simulated = simulate(
        rng,
        beliefs,
        rehearsal.games,
        total=len(pairings),
        concurrency=config.concurrency,
        past=past,
        paces={model.name: SimulatedPace(**model.limits.model_dump()) for model in config.models},
    )
    return _summed(
        simulated, len(pairings), rehearsal, _notes(beliefs, rehearsal, len(pairings), past)
    )


def _resolved(
    config: TournamentConfig, prepared: Prepared, url: Source
) -> tuple[dict[int, AgentSpec], dict[str, Habits]]:
    """The agents by their numbers, from 1 in the file's order, and the habits of their models by
    LiteLLM name; what the file does not define is in the catalogue."""
    models = {model.name: model.spec() for model in config.models}
    prompts = {prompt.name: prompt.content for prompt in config.prompts}
    known: dict[str, Habits] = {}
    try:
        with get_session(url, create=False) as session:
            repo = Repository(session)
            for model in repo.get_models():
                if model.name in config.external_models:
                    models[model.name] = model_spec(model)
            for prompt in repo.get_prompts():
                if prompt.name in config.external_prompts:
                    prompts[prompt.name] = prompt.content
            asked = {model.litellm_model for model in models.values() if not is_scripted(model)}
            known = {name: habits(session, name, config.environment.name) for name in asked}
    except MissingDatabase:
        pass
    if error := config.unresolved(models=models, prompts=prompts):
        raise error
    agents = {
        number: AgentSpec(
            agent_id=number,
            name=agent.name,
            kind=agent.kind,
            kind_version=prepared.kinds[agent.kind].version,
            model=models[agent.model],
            prompt=prompts[agent.prompt],
            options=agent.options,
        )
        for number, agent in enumerate(config.agents, start=1)
    }
    return agents, {m.litellm_model: known.get(m.litellm_model, Habits()) for m in models.values()}


def _past(config: TournamentConfig, url: Source) -> list[int]:
    """How many calls the latest games of the environment took, with as many players."""
    environment = config.environment
    try:
        with get_session(url, create=False) as session:
            return calls_of_games(session, environment.name, environment.players, limit=_PAST)
    except MissingDatabase:
        return []


def _sample(pairings: Sequence[Pairing], most: int, seed: int) -> Sequence[Pairing]:
    if len(pairings) <= most:
        return pairings
    chosen = sorted(random.Random(seed).sample(range(len(pairings)), most))
    return [pairings[index] for index in chosen]


def _lengths(beliefs: Mapping[str, Belief]) -> list[dict[str, int]]:
    """Characters of an answer by model, for each rehearsal of a game; one where nothing is open."""
    believed = {name: belief.lengths() for name, belief in beliefs.items() if not belief.scripted}
    if not believed:
        return [{}]
    return [{name: length[level] for name, length in believed.items()} for level in range(LENGTHS)]


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
        completion_tokens=_interval(_sum([used.completion_tokens for used in models.values()])),
        dollars=_interval(_sum(dollars)) if len(dollars) == len(models) else None,
        seconds=_interval(simulated.seconds),
        models={name: _of_model(used) for name, used in models.items()},
        notes=notes,
    )


def _of_model(used: Used) -> ModelEstimate:
    return ModelEstimate(
        calls=_interval(used.calls),
        prompt_tokens=_interval(used.prompt_tokens),
        completion_tokens=_interval(used.completion_tokens),
        dollars=None if used.dollars is None else _interval(used.dollars),
        seconds=_interval(used.seconds),
    )


def _sum(parts: Sequence[Floats]) -> Floats:
    summed: Floats = np.stack(parts).sum(axis=0)
    return summed


def _interval(values: Floats) -> ForecastInterval:
    low, high = np.quantile(values, (0.05, 0.95))
    return ForecastInterval(float(low), float(values.mean()), float(high))


def _notes(
    beliefs: Mapping[str, Belief], rehearsal: Rehearsal, games: int, past: Sequence[int]
) -> tuple[str, ...]:
    believed = {name: belief for name, belief in beliefs.items() if not belief.scripted}
    count = len(rehearsal.games)
    some = f"All {count}" if count == games else f"{count} of {games}"
    notes = [f"{some} games were rehearsed, and no provider was asked."]
    if rehearsal.void:
        notes.append(f"{rehearsal.void} more games went void in the rehearsal and are left out.")
    if count == 1 and games > 1:
        notes.append(
            "One rehearsed game does not say how games differ: the intervals are too small."
        )
    if believed:
        notes.append(_length(past))
        notes += [_known(name, belief) for name, belief in believed.items()]
        notes += [
            f"{name}: no price is known; give it input_price and output_price to see dollars."
            for name, belief in believed.items()
            if belief.prices is None
        ]
        notes.append(
            "Failed attempts, games that are played again and discounts for cached prompts are not "
            "counted."
        )
    return tuple(notes)


def _length(past: Sequence[int]) -> str:
    if len(past) >= FEW_GAMES:
        return (
            f"Games are as long as the {len(past):,} on record: {sum(past) / len(past):,.1f} calls "
            "each."
        )
    less, more = LONGER
    return (
        f"Moves at random stand in for answers; real games may have {less:g} to {more:g} times as "
        "many calls."
    )


def _known(name: str, belief: Belief) -> str:
    found = belief.habits.answer_tokens
    if found is not None:
        where = "in this environment" if belief.habits.here else "in other environments"
        return (
            f"{name}: {found.mean:,.0f} tokens an answer, as in {found.count:,} calls on record "
            f"{where}."
        )
    low, high = ANSWER if belief.most is None else (min(ANSWER[0], belief.most / 2), belief.most)
    return f"{name}: no call is on record; {low:g} to {high:g} tokens an answer are assumed."
