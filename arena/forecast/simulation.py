"""Puts simulated tournaments together: from what is believed of games and agents, or, where every
model is scripted, from the rehearsed games themselves.

Every array has one row for each simulated tournament.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from arena.core import Pairing
from arena.core.arrays import Floats
from arena.forecast.agent_view import AgentView
from arena.forecast.learned import Learned
from arena.forecast.model_history import Habits
from arena.forecast.paid import ModelPrice
from arena.forecast.rehearsal import Asked, Rehearsed
from arena.forecast.stated import BUSY, SECONDS, SIMULATIONS, Residuals, lognormal

# What a mean on record leaves open about other games: a standard deviation of its logarithm.
_HERE, _ELSEWHERE = 0.05, 0.35

# Different line-ups that are told apart; of more, so many are drawn.
_LINEUPS = 200


@dataclass(frozen=True, slots=True)
class Amounts:
    """What one agent is asked in all its games."""

    calls: Floats
    prompts: Floats
    answers: Floats


@dataclass(frozen=True, slots=True)
class Used:
    """What one model is asked and what that takes, for every simulation; `dollars` is None where
    no price is known, `seconds` is what its own limits and answers take at least."""

    calls: Floats
    prompt_tokens: Floats
    response_tokens: Floats
    dollars: Floats | None
    seconds: Floats


@dataclass(frozen=True, slots=True)
class Simulated:
    """The simulated tournaments: by model, and the seconds of all together."""

    models: Mapping[str, Used]
    seconds: Floats


@dataclass(frozen=True, slots=True)
class SimulatedPace:
    """Most calls at once, calls a minute and tokens a minute of a model; None where unlimited."""

    concurrency: int | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None


def rehearsed_amounts(
    rng: np.random.Generator, games: Sequence[Rehearsed], total: int
) -> dict[int, Amounts]:
    """What each agent is asked in `total` games, of which the rehearsed ones are the first: the
    others are drawn from them with the weights of a Bayesian bootstrap (Rubin 1981)."""
    drawn = _games(rng, len(games), total)
    none = Asked()
    found = {}
    for number in sorted({agent for game in games for agent in game.levels[0]}):
        asked = [game.levels[0].get(number, none) for game in games]
        found[number] = Amounts(
            calls=drawn @ np.array([float(one.calls) for one in asked]),
            prompts=drawn @ np.array([float(one.prompt_tokens) for one in asked]),
            answers=drawn @ np.array([float(one.response_tokens) for one in asked]),
        )
    return found


def _games(rng: np.random.Generator, rehearsed: int, total: int) -> Floats:
    """How often each rehearsed game stands in a simulated tournament: (simulations, games)."""
    themselves = rehearsed if rehearsed <= total else 0
    # With weights of 1 the mean of few games has less than the variance of Student's t.
    weight = max(rehearsed - 4.0, 1.0) / rehearsed
    shares = rng.dirichlet(np.full(rehearsed, weight), SIMULATIONS)
    others = rng.multinomial(total - themselves, shares)
    return others.astype(np.float64) + (1.0 if themselves else 0.0)


def learned_amounts(
    rng: np.random.Generator, learned: Learned, pairings: Sequence[Pairing]
) -> tuple[dict[int, Amounts], Floats]:
    """What each agent is asked in these games, and how long the longest is to their mean."""
    lineups, counts = _lineups(rng, pairings)
    numbers = sorted({agent for lineup in lineups for agent in lineup})
    seats = np.array([[lineup.count(number) for number in numbers] for lineup in lineups], float)
    size = seats.sum(axis=1)
    presence = np.stack([learned.presence[number] for number in numbers], axis=1)
    share = np.stack([learned.share[number] for number in numbers], axis=1)
    beyond = learned.turns[:, None] + presence @ (seats / size[:, None]).T
    # Turns of a seat with an equal share, in all games of a line-up; seats share a game's turns.
    turns = learned.usual * counts / (share @ (seats / size[:, None]).T)
    shares = learned.games.shares(rng, len(pairings))

    def asked(growth: Floats) -> Floats:
        """(simulations, agents): turns, each as much more as its game is longer."""
        power = 1.0 + growth[:, None]
        luck = (shares * np.exp(power * learned.games.values)).sum(axis=1, keepdims=True)
        of: Floats = ((turns * np.exp(power * beyond)) @ seats) * luck * share
        return of

    zero = np.zeros(SIMULATIONS)
    plain = asked(zero) * learned.waste[:, None]
    prompts = asked(learned.request_growth) * learned.waste[:, None]
    answers = asked(learned.answer_growth) * learned.waste[:, None]
    own = (counts @ seats).tolist()
    found = {}
    for at, (number, places) in enumerate(zip(numbers, own, strict=True)):
        calls = learned.calls[number] * _luck(rng, learned.attempts, places)
        said = learned.answer[number] * _luck(rng, learned.answers, places)
        # What is said in a game is in the requests of all its seats.
        sent = learned.request[number] * _luck(rng, learned.requests, places / float(size.mean()))
        found[number] = Amounts(
            calls=plain[:, at] * calls,
            prompts=prompts[:, at] * calls * sent,
            answers=np.minimum(
                answers[:, at] * calls * said, plain[:, at] * calls * learned.longest[number]
            ),
        )
    exponents = np.exp(learned.games.values)
    longest = np.where(shares > 0, exponents, 0.0).max(axis=1) / (shares @ exponents)
    return found, longest


def _lineups(
    rng: np.random.Generator, pairings: Sequence[Pairing]
) -> tuple[list[tuple[int, ...]], Floats]:
    """Who plays, and how often."""
    counted = Counter(tuple(sorted(pairing.agents)) for pairing in pairings)
    lineups, counts = [*counted], np.array([*counted.values()], dtype=np.float64)
    if len(lineups) > _LINEUPS:
        chosen = np.sort(rng.permutation(len(lineups))[:_LINEUPS])
        lineups, counts = [lineups[at] for at in chosen], counts[chosen]
        counts *= len(pairings) / counts.sum()
    return lineups, counts


def _luck(rng: np.random.Generator, pool: Residuals, seats: float) -> Floats:
    """The mean of what so many seats deviate by: lognormal about the pool's mean."""
    mean, deviation = pool.moments()
    spread = deviation / mean / math.sqrt(max(seats, 1.0))
    luck: Floats = mean * np.exp(spread * rng.standard_normal(SIMULATIONS) - spread**2 / 2)
    return luck


def simulate(
    rng: np.random.Generator,
    agents: Mapping[int, AgentView],
    amounts: Mapping[int, Amounts],
    prices: Mapping[str, ModelPrice],
    habits: Mapping[str, Habits],
    *,
    total: int,
    concurrency: int,
    paces: Mapping[str, SimulatedPace],
    longest: Floats | None = None,
) -> Simulated:
    """Tournaments of `total` games, `concurrency` at once; `prices` are by the model's name,
    `habits` by its LiteLLM name."""
    used: dict[str, Used] = {}
    of_games, calls_in_all = np.zeros(SIMULATIONS), np.zeros(SIMULATIONS)
    at_once = min(concurrency, total)
    for name in {agents[number].model.name: None for number in amounts}:
        own = [number for number in amounts if agents[number].model.name == name]
        view = agents[own[0]]
        calls = np.sum([amounts[number].calls for number in own], axis=0)
        prompts = np.sum([amounts[number].prompts for number in own], axis=0)
        answers = np.sum([amounts[number].answers for number in own], axis=0)
        each = np.zeros(SIMULATIONS)
        if not view.scripted:
            each = _seconds(rng, habits.get(view.model.litellm_model, Habits()))
        of_games = of_games + calls * each
        calls_in_all = calls_in_all + calls
        pace = paces.get(name, SimulatedPace())
        seconds = [calls * each / min(at_once, pace.concurrency or at_once)]
        if pace.requests_per_minute:
            seconds.append(60.0 * calls / pace.requests_per_minute)
        if pace.tokens_per_minute:
            seconds.append(60.0 * (prompts + answers) / pace.tokens_per_minute)
        dollars = prices[name].dollars(rng, calls, prompts, answers)
        used[name] = Used(calls, prompts, answers, dollars, np.maximum.reduce(seconds))
    playing = of_games / at_once
    if concurrency > 1:
        # The last games run with places beside them empty: half a game's time on the average.
        playing = playing + of_games / total / 2
    last = of_games / total * (1.0 if longest is None else longest)
    busy = calls_in_all * lognormal(rng, BUSY)
    in_all = np.maximum.reduce([playing, last, busy, *(model.seconds for model in used.values())])
    return Simulated(used, in_all)


def _seconds(rng: np.random.Generator, known: Habits) -> Floats:
    """The mean time of a call."""
    found = known.seconds
    if found is None:
        return lognormal(rng, SECONDS)
    left = _HERE if known.here else _ELSEWHERE
    spread = math.hypot(found.deviation / found.mean / math.sqrt(found.count), left)
    drawn: Floats = found.mean * np.exp(spread * rng.standard_normal(SIMULATIONS))
    return drawn
