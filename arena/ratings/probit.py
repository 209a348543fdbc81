"""The official number: an additive probit of sides, agents and agents in roles, fitted at once.

A place's strength is ("agent", id) + ("agent:role", id, role) + ("side", role), each effect normal
around 0; the families' standard deviations are averaged over, weighted by evidence. All games
count alike and their order does not count: the same games in any order give the same bits. Two
teams: ordered probit with an estimated draw margin, a game's noise being seats * BETA² as in
TrueSkill. More teams: the whole order of finish, in the same model
(`arena.ratings.fit.order_of_finish`). Two-team games on one seed share its luck, a normal effect of
the seed on the first team, whose share of the noise is averaged over by evidence like the widths.

Of several environments an agent's strength has a deviation in each, and the roles deviate from
that; both are reported together as ("agent:role", id, "environment/role").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from arena.core import Games, Ratings
from arena.core.arrays import Booleans, Floats, Integers
from arena.core.ratings import BETA
from arena.ratings.fit.control import controlled, variance_saved
from arena.ratings.fit.counted import CountedGames, Places, counted, games_each, places_of
from arena.ratings.fit.design import Seats, Term
from arena.ratings.fit.laplace import (
    NEGLIGIBLE,
    Family,
    Fitter,
    Lattice,
    Posterior,
    average,
    log_normal,
    mixed,
)
from arena.ratings.fit.levels import TOLD
from arena.ratings.fit.likelihood import Matches, matches, plain
from arena.ratings.fit.pools import pools_of

LATTICES: Mapping[str, Lattice] = {
    "agent": log_normal(0.7 * BETA, 1.5, 5, 5, 2.0),
    "agent:environment": log_normal(0.3 * BETA, 2.0, 2, 3, 1.5),
    # Either roles ask for the same skill or they do not: deviations that might be small would cost
    # in every prediction.
    "agent:role": {
        sd * BETA: weight
        for sd, weight in (
            (0.01, 0.4),
            (0.1, 0.2),
            (0.2, 0.15),
            (0.4, 0.15),
            (0.8, 0.07),
            (1.6, 0.03),
        )
    },
    "side": {BETA: 1.0},
}
"""What the families' standard deviations may be, in units of mu, with their prior weights."""

LUCK: Mapping[float, float] = {0.0: 0.35, 0.1: 0.2, 0.25: 0.2, 0.45: 0.15, 0.7: 0.1}
"""The share of a game's noise that its seed may deal, ascending, with prior weights: only games
that share a seed tell, and only in their fit is it looked for."""

MOST_SPOKEN_FOR = 0.95
"""Of a game's noise, by its seed's luck and by a covariate together."""

ROUNDS_OF_MARGINS = 4


@dataclass(frozen=True, slots=True)
class Effects:
    """Which effects make which strengths: `spread` (places, effects) is made of 0 and 1; the terms
    of a family stand together."""

    terms: Mapping[Term, int]
    spread: sparse.csr_array

    def families(self, lattices: Mapping[str, Lattice]) -> list[Family]:
        """The families that occur, in order of their first term."""
        columns: dict[str, list[int]] = {}
        for term, at in self.terms.items():
            columns.setdefault(term[1] if term[0] == "unknown" else term[0], []).append(at)
        return [Family(np.array(at, np.int64), lattices[name]) for name, at in columns.items()]


@dataclass(frozen=True, slots=True)
class Probit:
    """The rating system `probit`."""

    name: str = "probit"

    def fit(self, games: Games) -> Ratings:
        """Raises ValueError for columns that make no games."""
        return self.fit_more(games, None)[0]

    def fit_more(self, games: Games, before: CountedGames | None) -> tuple[Ratings, CountedGames]:
        """The same, and the games counted: given `before` the next time, of which they are the
        first games, they save most of the work and change nothing, to the last bit."""
        known = counted(games, before)
        return fitted(self.name, known.played, known=known), known


def fitted(
    system: str,
    played: Seats,
    level: Integers | None = None,
    known: CountedGames | None = None,
) -> Ratings:
    """The fit of these games, which may be `known` in counts; `level` is by how much each was won
    (see `fit.likelihood.Pairs`), where wins have any: how much that tells is averaged over by
    evidence."""
    if not len(played.agents):
        return Ratings(system, {}, np.zeros(0), np.zeros((0, 0)))
    places = places_of(played) if known is None else known.places
    effects = effects_of(played, places)
    families = effects.families(LATTICES)
    found = []
    for tell in (0.0,) if level is None else TOLD:
        if known is None:
            said = matches(played, places.seat, len(places.agent), level, tell)
        else:
            said = known.said
        said, posterior = posterior_of(said, effects, families)
        found.append(posterior)
    alone = posterior = mixed(found)
    if level is None and np.isfinite(said.pairs.known).any():
        spread = plain(effects.spread)
        posterior = controlled(
            said, spread, families, alone, lambda at: _over_luck(at, spread, families)
        )
    every = with_unseen(effects.terms, posterior, families, played)
    terms, out = reported(every.terms, played)
    ratings = Ratings(
        system=system,
        terms=terms,
        mean=out @ every.mean,
        covariance=symmetric(out @ (out @ every.covariance).T),
        noise=BETA,
        margin=margin(said),
        shares=played.shares if len(played.roles) > 1 else {},
        prior=every.prior,
        games=(games := games_of(played, None if known is None else known.each)),
        notes=notes(played, games),
    )
    if posterior is alone:
        return ratings
    without = with_unseen(effects.terms, alone, families, played).covariance
    before = replace(ratings, covariance=symmetric(out @ (out @ without).T))
    agents = played.agents.tolist()
    saved = variance_saved(ratings.contrasts(agents)[1], before.contrasts(agents)[1])
    return replace(ratings, saved=saved)


def effects_of(
    played: Seats,
    places: Places,
    own: Mapping[int, Sequence[Term]] | None = None,
    unknown: bool = False,
) -> Effects:
    """The effects of every place.

    `own` gives, per agent_id, further terms that bear on all its strengths; `unknown` adds for each
    family a term ("unknown", family) that bears on none. An agent has no deviation where its
    environment or role is the only one; a side that is in every team of a game alike is left out.
    """
    several, homes = played.several, played.role_environment
    alone = _alone(played)
    felt = _felt_sides(played)
    bear: list[list[Term]] = []
    for agent, role in zip(places.agent.tolist(), places.role.tolist(), strict=True):
        number = int(played.agents[agent])
        key, name = str(number), played.roles[role]
        terms: list[Term] = [*(own or {}).get(number, ()), ("agent", key)]
        if several:
            terms.append(("agent:environment", key, played.environments[homes[role]]))
        if not alone[role]:
            terms.append(("agent:role", key, name))
        if felt[role]:
            terms.append(("side", name))
        bear.append(terms)
    return _spread(bear, unknown)


def _spread(bear: Sequence[Sequence[Term]], unknown: bool) -> Effects:
    order: dict[str, None] = {}
    for terms in bear:
        order.update(dict.fromkeys(term[0] for term in terms))
    columns: dict[Term, int] = {}
    for family in order:
        for terms in bear:
            for term in terms:
                if term[0] == family:
                    columns.setdefault(term, len(columns))
    if unknown:
        for family in order:
            columns["unknown", family] = len(columns)
    at = np.repeat(np.arange(len(bear)), [len(terms) for terms in bear])
    to = [columns[term] for terms in bear for term in terms]
    spread = sparse.csr_array((np.ones(len(to)), (at, to)), shape=(len(bear), len(columns)))
    return Effects(columns, spread)


def _alone(played: Seats) -> Booleans:
    """Per role: whether it is the only one of its environment."""
    homes = played.role_environment
    found: Booleans = np.bincount(homes, minlength=len(played.environments))[homes] == 1
    return found


def _felt_sides(played: Seats) -> list[bool]:
    """Per role: whether any game has more of its seats in one team than in another."""
    roles = len(played.roles)
    size = len(played.team_game) * roles
    counts = np.bincount(played.team * roles + played.role, minlength=size).reshape(-1, roles)
    if (
        len(played.team_game) == 2 * len(played.sizes)
        and (played.team_game[::2] == played.team_game[1::2]).all()
    ):
        return [bool(felt) for felt in (counts[::2] != counts[1::2]).any(axis=0)]
    starts = np.searchsorted(played.team_game, np.arange(len(played.sizes)))
    most = np.maximum.reduceat(counts, starts, axis=0)
    least = np.minimum.reduceat(counts, starts, axis=0)
    return [bool(felt) for felt in np.atleast_1d((most > least).any(axis=0))]


def posterior_of(
    said: Matches, effects: Effects, families: Sequence[Family]
) -> tuple[Matches, Posterior]:
    """The posterior of the effects, and the games with the draw margins that go with it."""
    # Matrices this small are slower on several threads, and not the same to the last bit.
    with threadpool_limits(limits=1, user_api="blas"):
        return _posterior_of(said, effects, families)


def _posterior_of(
    said: Matches, effects: Effects, families: Sequence[Family]
) -> tuple[Matches, Posterior]:
    count = len(effects.terms)
    spread = plain(effects.spread)
    if said.adjustable:
        variances = np.ones(count)
        for family in families:
            variances[family.columns] = family.sds[family.typical] ** 2
        for _ in range(ROUNDS_OF_MARGINS):
            effect = Fitter(said, spread).mode(variances).effects
            said = said.with_margins(spread @ effect)
    return said, _over_luck(said, spread, families)


def _over_luck(
    said: Matches, spread: sparse.csr_array | Floats, families: Sequence[Family]
) -> Posterior:
    count = spread.shape[1]
    alone = average(Fitter(said, spread), families, count)
    if (said.pairs.block < 0).all():
        return alone
    found = []
    for luck, weight in LUCK.items():
        if luck + said.explained**2 > MOST_SPOKEN_FOR:
            break
        dealt = replace(said, luck=luck)
        one = average(Fitter(dealt, spread), families, count) if luck else alone
        evidence = one.evidence + dealt.evidence_of_luck(spread @ one.mean) + log(weight)
        found.append(replace(one, evidence=evidence))
        if evidence < max(each.evidence for each in found) - NEGLIGIBLE:
            break  # More luck is less likely still.
    return mixed(found)


@dataclass(frozen=True, slots=True)
class AllEffects:
    """What is known of all effects, those that no game has shown included: the `terms` with their
    positions in `mean` (k,) and `covariance` (k, k). `prior` is what an agent in none of the games
    may be worth, as in `Ratings`."""

    terms: Mapping[Term, int]
    mean: Floats
    covariance: Floats
    prior: Mapping[str, float]


def with_unseen(
    terms: Mapping[Term, int], posterior: Posterior, families: Sequence[Family], played: Seats
) -> AllEffects:
    """The effects of every agent in every role and environment of the games. Where an agent was
    not seen, no game bears on its effect: it has its family's prior, averaged over the widths, and
    depends on nothing else."""
    names = {at: term[1] if term[0] == "unknown" else term[0] for term, at in terms.items()}
    squares = posterior.weights @ posterior.sds**2
    prior = {
        names[int(family.columns[0])]: float(square)
        for family, square in zip(families, squares, strict=True)
    }
    found = dict(terms)
    for agent in played.agents.tolist():
        if "agent:environment" in prior:
            for environment in played.environments:
                found.setdefault(("agent:environment", str(agent), environment), len(found))
        for role, alone in zip(played.roles, _alone(played).tolist(), strict=True):
            if not alone:
                found.setdefault(("agent:role", str(agent), role), len(found))
    seen, size = len(terms), len(found)
    mean, covariance = np.zeros(size), np.zeros((size, size))
    mean[:seen], covariance[:seen, :seen] = posterior.mean, posterior.covariance
    new = np.arange(seen, size)
    covariance[new, new] = [prior[term[0]] for term in list(found)[seen:]]
    newcomer: dict[str, float] = {
        name: variance for name, variance in prior.items() if name in ("agent:role", "side")
    }
    # Its deviation in an environment is in all its roles there: counted as if in all roles.
    newcomer["agent"] = sum(prior[name] for name in prior if name not in newcomer)
    return AllEffects(found, mean, covariance, newcomer)


def margin(said: Matches) -> float:
    """For two single seats, in units of mu; of several environments their mean over the games."""
    weight = np.bincount(said.pairs.environment, said.pairs.weight, minlength=len(said.margins))
    if not weight.sum():
        return 0.0
    return float(said.margins @ weight / weight.sum() * BETA * np.sqrt(2.0))


def reported(terms: Mapping[Term, int], played: Seats) -> tuple[dict[Term, int], sparse.csr_array]:
    """The terms as `Ratings` has them, and how they come from the effects: an agent's deviation in
    an environment is part of those in its roles there."""
    if not any(term[0] == "agent:environment" for term in terms):
        return dict(terms), sparse.csr_array(sparse.eye_array(len(terms)))
    columns: dict[Term, int] = {}
    entries: list[tuple[int, int]] = []
    for term, at in terms.items():
        if term[0] == "agent:environment":
            environment = played.environments.index(term[2])
            roles = np.flatnonzero(played.role_environment == environment).tolist()
            for role in roles:
                key = ("agent:role", term[1], played.roles[role])
                entries.append((columns.setdefault(key, len(columns)), at))
        else:
            entries.append((columns.setdefault(term, len(columns)), at))
    rows, at_ = zip(*entries, strict=True)
    out = sparse.csr_array((np.ones(len(rows)), (rows, at_)), shape=(len(columns), len(terms)))
    return columns, out


def symmetric(
    matrix: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Exactly so: products leave differences in the last bit."""
    return (matrix + matrix.T) / 2.0


def games_of(played: Seats, each: Integers | None = None) -> dict[int, int]:
    """The games of each agent, `each` where they are counted already."""
    each = games_each(played) if each is None else each
    return dict(zip(played.agents.tolist(), each.tolist(), strict=True))


def notes(played: Seats, games: Mapping[int, int]) -> list[str]:
    """What these numbers do not say; `games` are those of each agent."""
    said: list[str] = []
    if not len(played.agents):
        return said
    pools = pools_of(played)
    if len(pools) > 1:
        sizes = _listed(str(len(pool)) for pool in pools)
        said.append(
            f"{len(pools)} pools of agents that never met ({sizes} agents): compare within a "
            "pool only; between them every interval is that of agents nothing is known of."
        )
    teams = np.bincount(played.team_game, minlength=len(played.sizes))
    if alone := int((teams == 1).sum()):
        said.append(
            f"{alone} of {len(played.sizes)} games have one team only: they say nothing of skill."
        )
    few = sum(count < 5 for count in games.values())
    if few:
        said.append(
            f"{few} of {len(played.agents)} agents have fewer than five games: their intervals "
            "come from the other agents' spread more than from their own games."
        )
    return said


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
