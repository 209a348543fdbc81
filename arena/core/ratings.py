"""What games say about skill."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from arena.core.games import Games

    Floats = NDArray[np.float64]

MU, SIGMA = 25.0, 25.0 / 3.0
BETA = SIGMA / 2.0


class Rating(NamedTuple):
    """A skill as a normal distribution: the pair of floats that is stored."""

    mu: float = MU
    sigma: float = SIGMA


@dataclass(frozen=True, slots=True)
class Ratings:
    """What a rating system makes of a set of games: effects as one joint normal distribution.

    `terms` names every effect and gives its position in `mean` (k,) and `covariance` (k, k):
    ("agent", "7"), ("agent:role", "7", "Mafia"), ("side", "Mafia"), ("model", "gpt"), ... A seat's
    strength is the sum of the effects that bear on it; effects are in units of mu, around 0. A
    seat's performance has the standard deviation `noise`. `link` is how differences become
    probabilities: normal (probit) or logistic, for which `noise` is the standard deviation of the
    logistic noise; `margin` is the half-width of a draw for two single
    seats, in units of mu, and grows with the square root of the number of seats.

    `shares` is how often a role comes up among an environment's seats; an agent's skill, asked
    without a role, is its average over them. `prior` is the variance, by family ("agent",
    "agent:role", ...), of an effect that is not among the terms: nothing was seen of it, so its
    mean is 0; a family that is not there has no effects. `games` counts the games of each agent.
    `saved` is the share of the ratings' variance that the games' covariates saved, None where there
    were none, or the system knows of none.
    `notes` are sentences for people: what these numbers do not say; in them `{agent 7}` stands for
    the name of an agent (`noted`).
    """

    system: str
    terms: Mapping[tuple[str, ...], int]
    mean: Floats
    covariance: Floats
    noise: float = BETA
    margin: float = 0.0
    link: Literal["normal", "logistic"] = "normal"
    shares: Mapping[str, float] = field(default_factory=dict)
    prior: Mapping[str, float] = field(default_factory=lambda: {"agent": SIGMA**2})
    games: Mapping[int, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    saved: float | None = None

    def skills(self, agents: Sequence[int], role: str | None = None) -> tuple[Floats, Floats]:
        """Mean (n,) and covariance (n, n) of the agents' skills, in units of mu around 0: in one
        role, or averaged over the roles as they come up."""
        weights = self.weights(agents, role)
        covariance: Floats = weights @ self.covariance @ weights.T + self.unseen(agents, role)
        return weights @ self.mean, covariance

    def contrasts(self, agents: Sequence[int], role: str | None = None) -> tuple[Floats, Floats]:
        """The same relative to the mean of these agents: what a leaderboard shows. A rating alone
        means nothing, so its interval is that of its contrast to the pool."""
        import numpy as np

        weights = self.weights(agents, role)
        weights = weights - weights.mean(axis=0)
        unseen = self.unseen(agents, role)
        unseen = unseen - unseen.mean(axis=0)
        unseen = unseen - unseen.mean(axis=1, keepdims=True)
        mean: Floats = weights @ self.mean
        return mean, np.asarray(weights @ self.covariance @ weights.T + unseen)

    def noted(self, names: Mapping[int, str]) -> list[str]:
        """The notes with the agents' names in them; without one an agent is `agent 7`."""

        def named(found: re.Match[str]) -> str:
            return names.get(int(found[1]), f"agent {found[1]}")

        return [re.sub(r"\{agent (\d+)\}", named, note) for note in self.notes]

    def weights(self, agents: Sequence[int], role: str | None = None) -> Floats:
        """(n, k): how much of each effect is in each agent's skill. An effect that is not among
        the terms has no column: see `unseen`."""
        import numpy as np

        rows = np.zeros((len(agents), len(self.mean)))
        for row, agent in zip(rows, agents, strict=True):
            for term, share in self._effects(agent, role):
                if (at := self.terms.get(term)) is not None:
                    row[at] += share
        return rows

    def unseen(self, agents: Sequence[int], role: str | None = None) -> Floats:
        """(n, n): the covariance of what is in the agents' skills and not among the terms. Only an
        agent that is named twice shares it with another row."""
        import numpy as np

        variances = [
            sum(
                share**2 * self.prior.get(term[0], 0.0)
                for term, share in self._effects(agent, role)
                if term not in self.terms and all(term)  # to have no role is no role
            )
            for agent in agents
        ]
        same = np.equal.outer(ids := np.asarray(agents), ids)
        return np.where(same, np.array(variances, np.float64)[:, None], 0.0)

    def _effects(self, agent: int, role: str | None) -> list[tuple[tuple[str, ...], float]]:
        """The effects that make up a skill, with the share of each."""
        roles = {role: 1.0} if role is not None else self.shares
        key = str(agent)
        in_roles = ((("agent:role", key, name), share) for name, share in roles.items())
        return [(("agent", key), 1.0), *in_roles]


class RatingSystem(Protocol):
    """Rates any set of games. Pure: the same games in the same order give the same bits."""

    @property
    def name(self) -> str: ...

    def fit(self, games: Games) -> Ratings:
        """What the games say of every agent in them. No games give no terms; a set of games that
        says nothing gives the prior. Raises ValueError for columns that make no games."""
        ...


@runtime_checkable
class SequentialRatingSystem(RatingSystem, Protocol):
    """A rating system that takes games one after another and knows something before each."""

    def before(self, games: Games) -> Iterator[Ratings]:
        """For each game, what the games before it say, with the effects of its own seats among the
        terms, as they were before it. Raises ValueError for columns that make no games."""
        ...


@runtime_checkable
class OnlineRatingSystem(RatingSystem, Protocol):
    """A rating system that also moves stored ratings game by game, each agent on its own."""

    def initial(self) -> Rating:
        """The rating of an agent that has not played."""
        ...

    def rate(
        self,
        players: Sequence[tuple[int, int, int]],
        ratings: Mapping[int, tuple[float, float]],
        draw_probability: float,
    ) -> Mapping[int, Rating]:
        """The ratings after the game of every agent in it, keyed by agent_id.

        `players` are RatedPlayers or equal tuples; `ratings` holds every agent of the game;
        `draw_probability` is the pool's, in (0, 1)."""
        ...
