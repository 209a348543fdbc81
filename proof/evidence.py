"""Whether ratings know what they were given: the coverage of their intervals and what they tell
apart, official and live alike, in worlds that break a plain fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.special import ndtr

from arena import registry
from arena.core import Ratings
from arena.core.ratings import BETA
from arena.leaderboard.additive import LEVEL
from arena.ratings.fit.design import seats
from arena.ratings.newest import drift
from arena.ratings.prediction import predict
from arena.stats.groups import different
from db import get_session
from proof import evidence_worlds
from proof.evidence_worlds import DEVIATION, FEW, GAMES, MANY, Pool
from proof.parallel import spread
from proof.report import Figure, Part, Table
from proof.worlds import SKILL_SD, regret

OFFICIAL, LIVE, NEWEST = "probit", "trueskill-sides", "probit-newest"
COVERAGE = (0.90, 0.97)
MOST_FALSE = 0.05
MOST_REGRET = 12.0
INTERVAL = 1.959963984540054
SLICE = 10

WIDER = "wider than promised"


@dataclass(frozen=True, slots=True)
class Score:
    """Of one system on one pool: the share of intervals with the truth in them, whether any two
    agents were told apart the wrong way round (or at all, where they are equal), and the regret in
    millinats where it is asked for, and whether a board says that skills changed."""

    covered: float
    wrong: float
    regret: float = np.nan
    drift: float = np.nan


@dataclass(frozen=True, slots=True)
class Job:
    """Repetitions of a world, of `equal` agents where nothing is to be found."""

    world: str
    equal: bool
    seeds: Sequence[np.random.SeedSequence]


def measure(*, seed: int = 1, scale: float = 1.0, processes: int = 2) -> Part:
    """Coverage and false findings in every world; `scale` shrinks the repetitions."""
    jobs: list[Job] = []
    worlds = evidence_worlds.WORLDS
    roots = iter(np.random.SeedSequence(seed).spawn(2 * len(worlds)))
    for name, (_, repetitions, _) in worlds.items():
        for equal in (False, True):
            seeds = next(roots).spawn(max(2, round(scale * repetitions)))
            jobs += [Job(name, equal, seeds[at : at + SLICE]) for at in range(0, len(seeds), SLICE)]
    found: dict[tuple[str, bool], list[dict[str, Score]]] = {}
    for job, scores in zip(jobs, spread(play, jobs, processes), strict=True):
        found.setdefault((job.world, job.equal), []).extend(scores)
    return _report(found, seed)


def play(job: Job) -> list[dict[str, Score]]:
    """Per repetition the scores of the official and the live system, and of the official one
    without the rule that the world shows, if there is one."""
    world, _, without = evidence_worlds.WORLDS[job.world]
    with (
        TemporaryDirectory() as folder,
        get_session(f"sqlite:///{Path(folder) / 'proof.db'}") as session,
    ):
        pools = (world(np.random.default_rng(seed), session, job.equal) for seed in job.seeds)
        return [_scores(pool, without) for pool in pools]


def _scores(pool: Pool, without: str) -> dict[str, Score]:
    official = registry.rating(OFFICIAL).fit(pool.games)
    found = {OFFICIAL: _scored(official, pool, _role_of(pool.games.role_names))}
    if pool.certain:
        found[without] = _scored(_taken_for_certain(official, pool), pool, _no_role)
    elif pool.without is not None:
        plain = registry.rating(OFFICIAL).fit(pool.without)
        found[without] = _scored(plain, pool, _role_of(pool.without.role_names))
    if pool.newest:
        newest = registry.rating(NEWEST).fit(pool.games)
        changed = drift(pool.games, official)
        called = 0.0 if changed is None else float(changed.p < LEVEL)
        found[OFFICIAL] = replace(found[OFFICIAL], drift=called)
        found[NEWEST] = _scored(newest, pool, _no_role)
    live = registry.rating(LIVE).fit(pool.games)
    found[LIVE] = _scored(live, pool, _role_of(pool.games.role_names))
    return found


def _taken_for_certain(ratings: Ratings, pool: Pool) -> Ratings:
    """The ratings as if what was never seen of an agent were 0."""
    played = seats(pool.games)
    seen = {
        (str(played.agents[agent]), played.roles[role])
        for agent, role in zip(played.agent.tolist(), played.role.tolist(), strict=True)
    }
    new = [at for term, at in ratings.terms.items() if len(term) == 3 and term[1:] not in seen]
    covariance = ratings.covariance.copy()
    covariance[new] = covariance[:, new] = 0.0
    return replace(ratings, covariance=covariance)


def _scored(ratings: Ratings, pool: Pool, role: Callable[[int], str | None]) -> Score:
    skill = pool.skill - pool.skill.mean()
    mean, covariance = ratings.contrasts(range(len(skill)))
    covered = np.abs(mean - skill) <= INTERVAL * np.sqrt(np.diag(covariance))
    # Of equal agents rounding may leave a difference, which is none.
    true = np.sign(np.round(np.subtract.outer(skill, skill), 9))
    wrong = different(mean, covariance) & (np.sign(np.subtract.outer(mean, mean)) != true)
    return Score(
        float(covered[list(pool.agents)].mean()), float(wrong.any()), _regret(ratings, pool, role)
    )


def _regret(ratings: Ratings, pool: Pool, role: Callable[[int], str | None]) -> float:
    """Of predicting which of the first and the last seat finishes before the other."""
    if pool.strengths is None:
        return np.nan
    lineups, strengths = pool.strengths
    true = ndtr((strengths[:, 0] - strengths[:, -1]) / (BETA * np.sqrt(2.0)))
    last = strengths.shape[1] - 1
    predicted = [
        predict(ratings, [[(lineup[0], role(0))], [(lineup[last], role(last))]])[0]
        for lineup in lineups.tolist()
    ]
    return regret(true, np.array(predicted))


def _role_of(names: Sequence[str]) -> Callable[[int], str | None]:
    """What a place is called in games that know no roles; nothing where it is none."""
    return (lambda place: f"player {place}") if len(names) else _no_role


def _no_role(place: int) -> str | None:
    return None


def _report(found: Mapping[tuple[str, bool], Sequence[Mapping[str, Score]]], seed: int) -> Part:
    figures: list[Figure] = []
    rows = []
    for name in evidence_worlds.WORLDS:
        skilled, equal = found[name, False], found[name, True]
        for system in skilled[0]:
            kept = _mean([scores[system].covered for scores in skilled])
            false = _mean([scores[system].wrong for scores in equal])
            turned = _mean([scores[system].wrong for scores in skilled])
            cost = _mean([scores[system].regret for scores in skilled])
            rows.append((f"{name}: {system}", *(_shown(of) for of in (kept, false, turned, cost))))
            if system not in (OFFICIAL, LIVE, NEWEST):
                continue
            said = evidence_worlds.SAID.get((name, system), "")
            wide = WIDER if kept[0] > COVERAGE[1] else said
            most = None if kept[0] > COVERAGE[1] else COVERAGE[1]
            figures += [
                Figure(f"coverage, {system}, {name}", kept[0], COVERAGE[0], most, kept[1], wide),
                Figure(f"equal agents told apart, {system}, {name}", false[0], None, MOST_FALSE,
                       false[1], said),
                Figure(f"told apart the wrong way round, {system}, {name}", turned[0], None,
                       MOST_FALSE, turned[1], said),
            ]  # fmt: skip
            if not np.isnan(skilled[0][system].drift):
                seen = _mean([scores[system].drift for scores in skilled])
                alarm = _mean([scores[system].drift for scores in equal])
                figures += [
                    Figure(f"said that skills changed, {name}", seen[0], error=seen[1]),
                    Figure(f"said that skills changed, equal agents, {name}", alarm[0], None,
                           MOST_FALSE, alarm[1]),
                ]  # fmt: skip
            if system == OFFICIAL and not np.isnan(cost[0]):
                figures.append(Figure(f"regret, millinats, {system}, {name}", cost[0], None,
                                      MOST_REGRET, cost[1]))  # fmt: skip
    pools = ", ".join(f"{name}: {len(found[name, False])}" for name in evidence_worlds.WORLDS)
    setting = (
        f"12 agents with skills of standard deviation {SKILL_SD / BETA:.2f} beta, rated by "
        f"{OFFICIAL} and live by {LIVE}, seed {seed}. Of repeats, seeds and places {GAMES} games, "
        f"of teams {MANY // 2}, else {MANY} (in each of three environments). Roles and "
        f"environments ask for skills that differ by {DEVIATION / BETA:.1f} beta; {FEW} agents "
        "were kept out of some, and coverage is theirs there; where one agent's games go void or "
        "end by errors it is that agent's. Repeats and places go through a database, as a board "
        f"reads them. Pools: {pools}; and as many of equal agents, of whom no two should be told "
        "apart. Coverage of 95 % intervals is that of the contrast to the pool's mean: of the "
        "skills; where one of a team decides, of what the fit of any number of games comes to; in "
        "a cycle, of the mean advantage over all opponents. Wrong way round: the share of pools "
        "with a pair told apart in the wrong order. Regret is that of predicting which of the "
        "first and the last seat finishes before the other."
    )
    columns = ("world", "coverage", "equals told apart", "wrong way round", "regret, millinats")
    return Part("Evidence", setting, figures, [Table("With the rule and without", columns, rows)])


def _mean(values: Sequence[float]) -> tuple[float, float]:
    """The mean and its standard error."""
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return float(np.mean(values)), float(error)


def _shown(value: tuple[float, float]) -> str:
    mean, _ = value
    return "" if np.isnan(mean) else f"{mean:.1f}" if mean >= 2.0 else f"{mean:.3f}"
