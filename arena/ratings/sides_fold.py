"""TrueSkill with sides and roles under one prior width: every effect in one normal distribution.

A seat's strength is the sum of its agent's skill, what the agent adds in this role, and what the
role is worth to anybody (the terms of `arena.ratings.fit.design`). After each game the whole
distribution moves, not each agent on its own: for effects with mean m and covariance C, and a game
that compares a'm with a draw margin,

    h = C a,  c² = a'Ca + seats·beta²,  m += h·v/c,  C −= h h'·w/c²,

with v and w as in Herbrich, Minka and Graepel, "TrueSkill" (NIPS 2006). Agents are frozen, so that
nothing is forgotten (tau = 0).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import fsum, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from arena.core import RatedPlayer, Ratings
from arena.core.arrays import Floats
from arena.core.ratings import BETA, SIGMA
from arena.ratings.gaussian.joint import Joint
from arena.ratings.gaussian.observe_order import observe
from arena.ratings.gaussian.truncated import draw, log_drawn, log_won, win
from arena.ratings.trueskill import NOISE, draw_margin

if TYPE_CHECKING:
    from arena.ratings.fit.design import Term

NAME = "trueskill-sides"

AGENT = SIGMA
"""Prior standard deviation of an agent's skill unless another is given, in units of mu."""

AGENT_ROLE = SIGMA / 8.0
"""Of what an agent adds in one role: skill is mostly the same in all of them."""

SIDE = BETA
"""Of what a role is worth to the agent that plays it."""


class SidesState:
    """What the games so far say if skills have the prior standard deviation `agent`, moved game by
    game by `play`. `evidence` is the logarithm of how likely this made their results, each from
    what the games before it said; that of a free-for-all is expectation propagation's.

    The same games in the same order leave the same bits on one kind of processor; nothing that is
    asked changes anything. Memory is quadratic in agents times roles: some 40 MB for 300 agents in
    four roles.
    """

    __slots__ = ("_agent", "_games", "_joint", "_role_seats", "_seats", "_terms", "evidence")

    def __init__(self, agent: float = AGENT) -> None:
        self._agent = agent
        self.evidence = 0.0
        self._joint = Joint()
        self._terms: dict[Term, int] = {}
        self._seats: dict[tuple[int, str | None], tuple[int, ...]] = {}
        self._games: dict[int, int] = {}
        self._role_seats: dict[str, int] = {}

    @property
    def width(self) -> float:
        """The prior standard deviation of an agent's skill."""
        return self._agent

    def copy(self) -> SidesState:
        """The same state, to be moved on its own."""
        other = SidesState(self._agent)
        other.evidence = self.evidence
        other._joint = self._joint.copy()
        other._terms = dict(self._terms)
        other._seats = dict(self._seats)
        other._games = dict(self._games)
        other._role_seats = dict(self._role_seats)
        return other

    def stored(self) -> tuple[dict[str, Any], list[Floats]]:
        """What it holds, as plain data that JSON can say and as flat arrays. `restored` of them
        goes on with the same bits."""
        plain = {
            "agent": self._agent,
            "evidence": self.evidence,
            "terms": [[*term] for term in self._terms],
            "seats": [[agent, role, [*at]] for (agent, role), at in self._seats.items()],
            "games": [*map(list, self._games.items())],
            "roles": [*map(list, self._role_seats.items())],
        }
        return plain, self._joint.stored()

    @classmethod
    def restored(cls, plain: Mapping[str, Any], arrays: Sequence[Floats]) -> SidesState:
        """The inverse of `stored`. Raises KeyError, TypeError or ValueError for what is none."""
        state = cls(float(plain["agent"]))
        state.evidence = float(plain["evidence"])
        state._joint = Joint.restored(*arrays)
        terms: list[Term] = [tuple(term) for term in plain["terms"]]
        state._terms = {term: at for at, term in enumerate(terms)}
        state._seats = {(agent, role): tuple(at) for agent, role, at in plain["seats"]}
        state._games = dict(plain["games"])
        state._role_seats = dict(plain["roles"])
        return state

    def play(
        self,
        players: Sequence[RatedPlayer] | Sequence[tuple[int, int, int]],
        roles: Sequence[str | None],
        draw_probability: float,
    ) -> None:
        """Take in one finished game.

        `players` holds (agent_id, team, rank) of every seat, `roles` the role of each (None where
        the rules know none; "environment/role" in a pool of several environments),
        `draw_probability` the pool's, in (0, 1). More than two teams are compared each with the
        next, by expectation propagation. A game of one team says nothing, and neither does one in
        which every effect is on both sides alike.

        Raises ValueError for a draw probability outside (0, 1), a team with two ranks, or roles
        that are not one for each seat; the state is then as it was.
        """
        if not 0.0 < draw_probability < 1.0:
            raise ValueError(f"draw probability {draw_probability}: expected between 0 and 1")
        ranks: dict[int, int] = {}
        for _, team, rank in players:
            if ranks.setdefault(team, rank) != rank:
                raise ValueError(
                    f"team {team} has ranks {ranks[team]} and {rank}: expected one rank"
                )
        if len(roles) != len(players):
            raise ValueError(f"{len(roles)} roles for {len(players)} seats: expected one for each")
        order = sorted(ranks, key=ranks.__getitem__)
        seats = self.seat(players, roles)
        if len(order) > 2 and len({*ranks.values()}) < len(order):
            # Teams that share a place stand in order of strength, not of their seats.
            order.sort(key=lambda team: (ranks[team], -self._mean(seats, team)))
        self._count(players, roles)
        if len(order) == 2:
            upper, lower = order
            drawn = ranks[upper] == ranks[lower]
            self._two(_gap(seats, upper, lower), len(seats), drawn, draw_probability)
        elif len(order) > 2:
            pairs = [*pairwise(order)]
            sizes = Counter(team for _, team, _ in players)
            self._several(
                [_gap(seats, upper, lower) for upper, lower in pairs],
                [sizes[team] for team in order],
                [ranks[upper] == ranks[lower] for upper, lower in pairs],
                draw_probability,
            )

    def seat(
        self, players: Sequence[tuple[int, int, int]], roles: Sequence[str | None]
    ) -> list[tuple[int, tuple[int, ...]]]:
        """The team of every seat and where its effects are; those that nobody has had yet are
        added as they are before any game."""
        return [
            (team, self._seats.get((agent, role)) or self._new_seat(agent, role))
            for (agent, team, _), role in zip(players, roles, strict=True)
        ]

    def _mean(self, seats: Sequence[tuple[int, tuple[int, ...]]], team: int) -> float:
        """A team's strength as it is known."""
        means = self._joint.means()
        return fsum(means[at] for number, effects in seats if number == team for at in effects)

    def _new_seat(self, agent: int, role: str | None) -> tuple[int, ...]:
        """Where the effects on a seat are that nobody has had like this before."""
        name = role or ""
        terms: list[tuple[Term, float]] = [(("agent", str(agent)), self._agent)]
        if name:
            terms.append((("agent:role", str(agent), name), AGENT_ROLE))
        terms.append((("side", name), SIDE))
        for term, deviation in terms:
            if term not in self._terms:
                self._terms[term] = self._joint.add(deviation)
        found = self._seats[agent, role] = tuple(self._terms[term] for term, _ in terms)
        return found

    def _count(self, players: Sequence[tuple[int, int, int]], roles: Sequence[str | None]) -> None:
        games, counts = self._games, self._role_seats
        for agent in {agent for agent, _, _ in players}:
            games[agent] = games.get(agent, 0) + 1
        for role in roles:
            name = role or ""
            counts[name] = counts.get(name, 0) + 1

    def _two(
        self, gap: Mapping[int, int], seats: int, drawn: bool, draw_probability: float
    ) -> None:
        """One comparison: `gap` are the better team's effects less the other's."""
        if not gap:
            return
        at, weights = np.array([*gap]), np.array([*gap.values()], np.float64)
        covariances = self._joint.covariances_of(at, weights)
        variance = float(covariances.take(at).dot(weights)) + seats * NOISE
        deviation = sqrt(variance)
        t = self._joint.mean_of(at, weights) / deviation
        margin = draw_margin(draw_probability, seats) / deviation
        v, w, _ = draw(t, margin) if drawn else win(t - margin)
        self.evidence += log_drawn(t, margin) if drawn else log_won(t - margin, v)
        self._joint.move(covariances, v / deviation, w / variance)

    def _several(
        self,
        gaps: Sequence[Mapping[int, int]],
        sizes: Sequence[int],
        drawn: Sequence[bool],
        draw_probability: float,
    ) -> None:
        """A chain of comparisons, each team with the one that finished next."""
        size, n = self._joint.size, len(gaps)
        sums = [(np.array([*gap], np.intp), np.array([*gap.values()], np.float64)) for gap in gaps]
        covariances = np.zeros((n, size))
        mean = np.zeros(n)
        for i, (at, weights) in enumerate(sums):
            if len(at):
                covariances[i] = self._joint.covariances_of(at, weights)
                mean[i] = self._joint.mean_of(at, weights)
        joint = np.array([covariances.take(at, axis=1) @ weights for at, weights in sums])
        joint = (joint + joint.T) / 2.0
        for i, (upper, lower) in enumerate(pairwise(sizes)):
            joint[i, i] += (upper + lower) * NOISE
            if i + 1 < n:
                joint[i, i + 1] -= lower * NOISE
                joint[i + 1, i] -= lower * NOISE
        margins = [draw_margin(draw_probability, sum(pair)) for pair in pairwise(sizes)]
        gain, factor, evidence = observe(mean, joint, margins, drawn)
        self.evidence += evidence
        self._joint.move_all(gain @ covariances, factor @ covariances)

    def skills(self, agents: Sequence[int]) -> tuple[Floats, Floats]:
        """Mean (n,) and covariance (n, n) of the agents' skills, averaged over the roles as they
        come up, in units of mu around 0. An agent that has not played has the prior."""
        n = len(agents)
        prior = np.zeros(n)
        parts = []
        for weight, deviation, *term in self._skill_terms():
            found = [self._terms.get((term[0], str(agent), *term[1:]), -1) for agent in agents]
            at = np.array(found, np.intp)
            prior += np.where(at < 0, (weight * deviation) ** 2, 0.0)
            parts.append((np.maximum(at, 0), np.where(at < 0, 0.0, weight)))
        mean, covariance = self._joint.sums(parts)
        # An agent named twice is one agent.
        same = np.equal.outer(ids := np.asarray(agents), ids)
        return mean, covariance + same * np.sqrt(np.multiply.outer(prior, prior))

    def _skill_terms(self) -> list[tuple[float, float, *tuple[str, ...]]]:
        """(weight, prior deviation, family, role) of the effects that make up a skill."""
        shares = self._shares().items()
        return [
            (1.0, self._agent, "agent"),
            *((share, AGENT_ROLE, "agent:role", role) for role, share in shares if role),
        ]

    def _shares(self) -> dict[str, float]:
        total = sum(self._role_seats.values())
        return {role: seats / total for role, seats in self._role_seats.items()}

    def unseen(self) -> list[str]:
        """What to say where agents have not had every role."""
        roles = sum(1 for role in self._role_seats if role)
        had = Counter(agent for agent, role in self._seats if role)
        few = sum(1 for agent in self._games if had[agent] < roles)
        if roles < 2 or not few:
            return []
        return [
            f"{few} of {len(self._games)} agents have not had every role or environment: this "
            f"system assumes that skill differs by {AGENT_ROLE / BETA:.2f} beta between them, and "
            "intervals are too narrow where it differs by more; probit estimates it"
        ]

    def ratings(self, *, margin: float = 0.0, notes: Sequence[str] = ()) -> Ratings:
        """All effects as they stand."""
        return Ratings(
            NAME,
            dict(self._terms),
            self._joint.means(),
            self._joint.covariance(),
            noise=BETA,
            margin=margin,
            shares=self._shares(),
            prior={"agent": self._agent**2, "agent:role": AGENT_ROLE**2, "side": SIDE**2},
            games=dict(self._games),
            notes=notes,
        )


def _gap(seats: Sequence[tuple[int, tuple[int, ...]]], upper: int, lower: int) -> dict[int, int]:
    """The signed coefficients of the upper team less the lower one, without the effects that are
    on both sides alike. A seat is its team and where its effects are."""
    gap: dict[int, int] = {}
    for team, effects in seats:
        if team == upper:
            for at in effects:
                gap[at] = gap.get(at, 0) + 1
        elif team == lower:
            for at in effects:
                gap[at] = gap.get(at, 0) - 1
    return {at: seats for at, seats in gap.items() if seats} if 0 in gap.values() else gap
