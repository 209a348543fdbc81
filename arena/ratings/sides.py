"""The live ratings, and the rating system `trueskill-sides`: TrueSkill with sides and roles, under
several widths of the pool at once.

How far skills lie apart is not known beforehand: agents of one laboratory differ by half a BETA,
others by several. A prior too wide takes early luck for skill, and a matchmaker that believes it
never looks again. So every game is folded under each width of a grid
(`arena.ratings.sides_fold.SidesState`), and what is reported is the mixture of the results, each
weighted by its evidence and a log-normal hyperprior: empirical Bayes without a point estimate, as
`probit` does it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from arena.core import Games, RatedPlayer, Ratings
from arena.core.arrays import Floats
from arena.core.ratings import BETA
from arena.ratings.online.columns import lay_out
from arena.ratings.online.live import draw_probability as drawn_before
from arena.ratings.sides_fold import NAME, SidesState
from arena.ratings.trueskill import draw_margin

WIDTHS: Mapping[float, float] = {
    0.25 * BETA: 0.45,
    0.5 * BETA: 0.92,
    1.0 * BETA: 0.91,
    2.0 * BETA: 0.43,
    4.0 * BETA: 0.10,
}
"""The standard deviations that agents' skills may have, in units of mu, with their prior weights:
those of `probit`, a log-normal around 0.7 BETA, on a grid half as fine."""


class LiveSides:
    """The live ratings: what the games so far say, averaged over the widths, moved game by game by
    `play`.

    The same games in the same order leave the same bits on one kind of processor, whether they came
    one by one or in a `TrueSkillSides.fit`; nothing that is asked changes anything.
    """

    __slots__ = ("_log_priors", "_states")

    def __init__(self, widths: Mapping[float, float] = WIDTHS) -> None:
        self._states = [SidesState(width) for width in widths]
        self._log_priors = np.log([*widths.values()])

    def copy(self) -> LiveSides:
        """The same state, to be moved on its own."""
        other = LiveSides()
        other._log_priors = self._log_priors
        other._states = [state.copy() for state in self._states]
        return other

    def stored(self) -> tuple[list[dict[str, Any]], list[Floats]]:
        """What it holds, as plain data that JSON can say and as flat arrays. `restored` of them
        goes on with the same bits."""
        found = [state.stored() for state in self._states]
        return [plain for plain, _ in found], [each for _, arrays in found for each in arrays]

    @classmethod
    def restored(cls, plain: Sequence[Mapping[str, Any]], arrays: Sequence[Floats]) -> LiveSides:
        """The inverse of `stored`. Raises KeyError, TypeError or ValueError for what is none."""
        live = cls()
        if [each["agent"] for each in plain] != [state.width for state in live._states]:
            raise ValueError("widths of another grid")
        each = len(arrays) // len(plain)
        live._states = [
            SidesState.restored(one, arrays[at * each : (at + 1) * each])
            for at, one in enumerate(plain)
        ]
        return live

    def play(
        self,
        players: Sequence[RatedPlayer] | Sequence[tuple[int, int, int]],
        roles: Sequence[str | None],
        draw_probability: float,
    ) -> None:
        """Take in one finished game; see `SidesState.play`."""
        for state in self._states:
            state.play(players, roles, draw_probability)

    def seat(self, players: Sequence[tuple[int, int, int]], roles: Sequence[str | None]) -> None:
        """Add the effects on these seats that nobody has had yet, as they are before any game."""
        for state in self._states:
            state.seat(players, roles)

    @property
    def weights(self) -> Floats:
        """(widths,): how much each width counts; 1 together."""
        score = self._log_priors + np.array([state.evidence for state in self._states])
        weights = np.exp(score - score.max())
        found: Floats = weights / weights.sum()
        return found

    def skills(self, agents: Sequence[int]) -> tuple[Floats, Floats]:
        """Mean (n,) and covariance (n, n) of the agents' skills, averaged over the roles as they
        come up, in units of mu around 0. An agent that has not played has the prior."""
        return self._mixed([state.skills(agents) for state in self._states])

    def unseen(self) -> list[str]:
        """What to say where agents have not had every role."""
        return self._states[0].unseen()

    def ratings(self, *, margin: float = 0.0, notes: Sequence[str] = ()) -> Ratings:
        """All effects as they stand."""
        found = [state.ratings(margin=margin, notes=notes) for state in self._states]
        mean, covariance = self._mixed([(one.mean, one.covariance) for one in found])
        priors = {
            family: float(self.weights @ [one.prior[family] for one in found])
            for family in found[0].prior
        }
        return replace(found[0], mean=mean, covariance=covariance, prior=priors)

    def _mixed(self, found: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
        """Mean and covariance of the mixture of normal distributions, width by width."""
        weights = self.weights
        means = np.array([mean for mean, _ in found])
        mean: Floats = weights @ means
        apart = np.sqrt(weights)[:, None] * (means - mean)
        covariance = apart.T @ apart
        for weight, (_, own) in zip(weights.tolist(), found, strict=True):
            covariance += weight * own
        return mean, covariance


class TrueSkillSides:
    """The rating system `trueskill-sides`: a fold over the games in schedule order."""

    name = NAME

    def fit(self, games: Games) -> Ratings:
        """What the games say, played through one after another; see `LiveSides`.

        Raises ValueError for columns that make no games.
        """
        state = LiveSides()
        for players, roles, drawn in _each(games):
            state.play(players, roles, drawn)
        rate = drawn_before(len(games), int(lay_out(games).drawn.sum()))
        return state.ratings(margin=draw_margin(rate, 2), notes=[*state.unseen(), *_shared(games)])

    def before(self, games: Games) -> Iterator[Ratings]:
        """What is known before each game.

        Raises ValueError for columns that make no games.
        """
        state = LiveSides()
        for players, roles, drawn in _each(games):
            state.seat(players, roles)
            yield state.ratings(margin=draw_margin(drawn, 2))
            state.play(players, roles, drawn)


def _shared(games: Games) -> list[str]:
    """What to say where games share a seed."""
    blocks = Counter(block for block in games.blocks if block >= 0)
    shared = sum(count for count in blocks.values() if count > 1)
    if not shared:
        return []
    return [
        f"{shared:,} games share their seed with another: this system takes the seed's luck for "
        "skill, and intervals are too narrow; probit estimates it"
    ]


def _each(
    games: Games,
) -> Iterator[tuple[Sequence[RatedPlayer], Sequence[str | None], float]]:
    """Of each game the players, their roles, and how likely a draw was before it."""
    # It needs scipy, which live ratings go without.
    from arena.ratings.fit.design import seats as checked

    seats = checked(games)
    roles = [seats.roles[role] for role in seats.role.tolist()]
    drawn = lay_out(games).drawn.tolist()
    pools = seats.environment.tolist()
    played, draws = dict.fromkeys(pools, 0), dict.fromkeys(pools, 0)
    at = 0
    for players, pool, draw_here in zip(games, pools, drawn, strict=True):
        end = at + len(players)
        yield players, roles[at:end], drawn_before(played[pool], draws[pool])
        played[pool] += 1
        draws[pool] += draw_here
        at = end
