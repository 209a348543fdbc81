"""Puts simulated tournaments together from rehearsed games and from beliefs about models.

Every array has one row for each simulated tournament.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from arena.core import ModelSpec, Usage
from arena.core.arrays import Floats
from arena.forecast.model_history import Habits, Spread
from arena.forecast.rehearsal import Asked, Rehearsed
from arena.llm.costs.prices import PriceTable
from arena.llm.scripted.policies import is_scripted

Range = tuple[float, float]

SIMULATIONS = 2_000

# Stated ranges: 90 % intervals, for what no call on record tells.
ANSWER: Range = (20.0, 400.0)  # tokens of an answer
PER_CHARACTER: Range = (1 / 5, 1 / 3)  # tokens for a character of a request
SECONDS: Range = (1.0, 20.0)  # of a call
LONGER: Range = (0.4, 1.6)  # a real game to one at random, in calls
BUSY: Range = (0.003, 0.015)  # seconds of this machine for a call, whichever provider answers it

# What a mean on record leaves open about other games: a standard deviation of its logarithm.
_HERE, _ELSEWHERE = 0.05, 0.35
_NORMAL_95 = 1.6449

# Games on record that say how long games are.
FEW_GAMES = 3

# Where, between a short and a long answer, games are rehearsed.
_LEVELS = (0.05, 0.5, 0.95)
LENGTHS = len(_LEVELS)


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of a model: the mean tokens of an answer, the tokens for a character of a
    request and the mean seconds of a call, a draw of each for every simulation. `most` is the
    longest answer that its params allow."""

    model: ModelSpec
    habits: Habits
    prices: PriceTable | None
    most: int | None
    answer: Floats
    per_character: Floats
    seconds: Floats

    @property
    def scripted(self) -> bool:
        """Whether its tokens are counted and not believed."""
        return is_scripted(self.model)

    def lengths(self) -> list[int]:
        """Characters of a short, a middling and a long answer."""
        characters = np.quantile(self.answer, _LEVELS) / np.median(self.per_character)
        return [round(float(length)) for length in characters]

    def between(self) -> Floats:
        """Weights of the three lengths: (simulations, 3)."""
        short, middling, long = np.quantile(self.answer, _LEVELS)
        at = np.interp(self.answer, [short, middling, long], [0.0, 1.0, 2.0])
        return np.stack(
            [np.maximum(0.0, 1.0 - np.abs(at - level)) for level in range(LENGTHS)], axis=1
        )


def believe(
    rng: np.random.Generator, model: ModelSpec, known: Habits, prices: PriceTable | None
) -> Belief:
    """Draw the beliefs about a model from its calls on record, or from the stated ranges."""
    most = longest_answer(model)
    low, high = ANSWER
    if most is not None:
        low, high = min(low, most / 2), float(most)
    answer = _drawn(rng, known.answer_tokens, known.here, (low, high))
    at_once = is_scripted(model)
    return Belief(
        model=model,
        habits=known,
        prices=prices,
        most=most,
        answer=answer if most is None else np.minimum(answer, most),
        per_character=_drawn(rng, known.tokens_per_character, known.here, PER_CHARACTER),
        seconds=np.zeros(SIMULATIONS)
        if at_once
        else _drawn(rng, known.seconds, known.here, SECONDS),
    )


def longest_answer(model: ModelSpec) -> int | None:
    """The most tokens that its params allow an answer, None where they do not say."""
    for name in ("max_tokens", "max_completion_tokens", "num_predict"):
        value = model.params.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _drawn(rng: np.random.Generator, found: Spread | None, here: bool, stated: Range) -> Floats:
    if found is None:
        return _lognormal(rng, stated)
    open_ = _HERE if here else _ELSEWHERE
    spread = np.hypot(found.deviation / found.mean / np.sqrt(found.count), open_)
    drawn: Floats = found.mean * np.exp(spread * rng.standard_normal(SIMULATIONS))
    return drawn


def _lognormal(rng: np.random.Generator, stated: Range) -> Floats:
    low, high = np.log(stated)
    middle, spread = (low + high) / 2, (high - low) / (2 * _NORMAL_95)
    drawn: Floats = np.exp(middle + spread * rng.standard_normal(SIMULATIONS))
    return drawn


@dataclass(frozen=True, slots=True)
class Used:
    """What one model is asked and what that takes, for every simulation; `dollars` is None where
    no price is known, `seconds` is what its own limits and answers take at least."""

    calls: Floats
    prompt_tokens: Floats
    completion_tokens: Floats
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


def simulate(
    rng: np.random.Generator,
    beliefs: Mapping[str, Belief],
    games: Sequence[Rehearsed],
    *,
    total: int,
    concurrency: int,
    paces: Mapping[str, SimulatedPace],
    past: Sequence[int] = (),
) -> Simulated:
    """Simulate tournaments of `total` games, `concurrency` at once; `past` is how many calls games
    on record took."""
    exact = all(belief.scripted for belief in beliefs.values())
    drawn = _games(rng, len(games), total, exact)
    weights = _weights(beliefs, games)
    longer = np.ones(SIMULATIONS) if exact else _longer(rng, games, weights, [*beliefs], past)
    used, game_seconds = {}, np.zeros((SIMULATIONS, len(games)))
    for name, belief in beliefs.items():
        calls, characters, prompts, answers = (
            np.einsum("sl,lg->sg", weights, counted) for counted in _counted(games, name)
        )
        game_seconds += calls * (belief.seconds * longer)[:, None]
        sums = [
            (drawn * part).sum(axis=1) * longer for part in (calls, characters, prompts, answers)
        ]
        used[name] = _used(belief, sums, paces.get(name, SimulatedPace()), min(concurrency, total))
    calls_in_all = sum((model.calls for model in used.values()), np.zeros(SIMULATIONS))
    # The last games run with places beside them empty: half a game's time on the average.
    playing = (drawn * game_seconds).sum(axis=1) / min(concurrency, total)
    if concurrency > 1:
        playing += (drawn * game_seconds).sum(axis=1) / total / 2
    longest = np.where(drawn > 0, game_seconds, 0.0).max(axis=1)
    busy = calls_in_all * _lognormal(rng, BUSY)
    seconds = np.maximum.reduce(
        [playing, longest, busy, *(model.seconds for model in used.values())]
    )
    return Simulated(used, seconds)


def _longer(
    rng: np.random.Generator,
    games: Sequence[Rehearsed],
    weights: Floats,
    names: Sequence[str],
    past: Sequence[int],
) -> Floats:
    """How much longer or shorter real games are than those at random: the stated range, or around
    the games on record, whose mean is Student's t about the true one."""
    if len(past) < FEW_GAMES:
        return _lognormal(rng, LONGER)
    rehearsed = sum(
        (np.einsum("sl,lg->s", weights, _counted(games, name)[0]) for name in names),
        np.zeros(SIMULATIONS),
    ) / len(games)
    taken = np.array(past, dtype=np.float64)
    # Its tails would have no mean once they are exponents.
    t = np.clip(rng.standard_t(len(past) - 1, SIMULATIONS), -4.0, 4.0)
    drawn = np.exp(np.hypot(_error(taken), _HERE) * t)
    longer: Floats = taken.mean() / np.maximum(rehearsed, 1.0) * drawn
    return longer


def _error(values: Floats) -> float:
    """Of a mean, as a share of it."""
    if len(values) < 2 or values.mean() <= 0.0:
        return 0.0
    return float(values.std(ddof=1) / values.mean() / np.sqrt(len(values)))


def _games(rng: np.random.Generator, rehearsed: int, total: int, exact: bool) -> Floats:
    """How often each rehearsed game stands in a simulated tournament: (simulations, games).
    Where the rehearsed games are `exact`, they are themselves part of it."""
    themselves = rehearsed if exact and rehearsed <= total else 0
    # With weights of 1 the mean of few games has less than the variance of Student's t.
    weight = max(rehearsed - 4.0, 1.0) / rehearsed
    shares = rng.dirichlet(np.full(rehearsed, weight), SIMULATIONS)
    others = rng.multinomial(total - themselves, shares)
    return others.astype(np.float64) + (1.0 if themselves else 0.0)


def _weights(beliefs: Mapping[str, Belief], games: Sequence[Rehearsed]) -> Floats:
    """How much of each rehearsed length is in a simulation: (simulations, lengths); every model
    that is not scripted has a say by its calls, because all read what each one writes."""
    levels = len(games[0].levels)
    if levels == 1:
        return np.ones((SIMULATIONS, 1))
    weights, calls = np.zeros((SIMULATIONS, levels)), 0.0
    for name, belief in beliefs.items():
        if not belief.scripted:
            own = float(_counted(games, name)[0].sum())
            weights, calls = weights + own * belief.between(), calls + own
    return weights / calls if calls else np.full((SIMULATIONS, levels), 1.0 / levels)


def _counted(games: Sequence[Rehearsed], name: str) -> tuple[Floats, Floats, Floats, Floats]:
    """Calls, characters and a scripted model's prompt and answer tokens: (lengths, games)."""
    none = Asked()
    asked = [
        [game.levels[level].get(name, none) for game in games]
        for level in range(len(games[0].levels))
    ]
    return (
        np.array([[float(one.calls) for one in row] for row in asked]),
        np.array([[float(one.characters) for one in row] for row in asked]),
        np.array([[float(one.prompt_tokens) for one in row] for row in asked]),
        np.array([[float(one.completion_tokens) for one in row] for row in asked]),
    )


def _used(belief: Belief, sums: Sequence[Floats], pace: SimulatedPace, at_once: int) -> Used:
    calls, characters, prompts, answers = sums
    if not belief.scripted:
        prompts, answers = characters * belief.per_character, calls * belief.answer
    seconds = [calls * belief.seconds / min(at_once, pace.concurrency or at_once)]
    if pace.requests_per_minute:
        seconds.append(60.0 * calls / pace.requests_per_minute)
    if pace.tokens_per_minute:
        seconds.append(60.0 * (prompts + answers) / pace.tokens_per_minute)
    return Used(
        calls,
        prompts,
        answers,
        _dollars(belief, calls, prompts, answers),
        np.maximum.reduce(seconds),
    )


def _dollars(belief: Belief, calls: Floats, prompts: Floats, answers: Floats) -> Floats | None:
    if belief.scripted:
        return np.zeros(SIMULATIONS)
    if belief.prices is None:
        return None
    dollars = []
    for asked, prompt, answer in zip(calls, prompts, answers, strict=True):
        # Prices may depend on the length of one request: its mean has to do.
        one = Usage(round(prompt / asked), round(answer / asked)) if asked else Usage(0, 0)
        dollars.append(asked * (belief.prices.cost(one) or 0.0))
    return np.array(dollars)
