"""Bradley-Terry over teams, by scikit-learn's logistic regression: no order, hardly a prior.

The log-odds of one team finishing before another are the difference of their sums of agents' and
sides' effects: Huang, Weng and Lin, "Generalized Bradley-Terry Models and Multi-class Probability
Estimates" (JMLR 7, 2006), fitted as Chatbot Arena does (Chiang et al., arXiv:2403.04132): a draw is
half a win for each, a game of more than two teams is all of its pairs. Where a game has several
pairs they are not independent, and the covariance is the sandwich clustered by game (Liang and
Zeger, Biometrika 73, 1986).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from arena.core import Games, Ratings, UsageError
from arena.core.arrays import Floats, Integers
from arena.core.ratings import BETA
from arena.ratings.fit.design import Seats, Term, seats, team_design

if TYPE_CHECKING:
    from scipy.sparse import csr_array

RIDGE = 100.0
"""Variance, in log-odds, that keeps an effect finite that was only ever on the winning side."""

NEAREST = 1.702
"""A normal deviation in log-odds: where logistic and normal curve are nearest (Camilli, Journal of
Educational and Behavioral Statistics 19, 1994)."""

_NAMED = 5


class BradleyTerry:
    """The rating system `bradley-terry`, of the extra `bradley-terry`.

    Log-odds are turned into units of mu so that a comparison of as many seats as usual is as noisy
    as TrueSkill has it: one log-odds is BETA·sqrt(seats)/1.702.
    """

    name = "bradley-terry"

    def fit(self, games: Games) -> Ratings:
        """The same for the games in any order. Raises UsageError where scikit-learn is missing and
        ValueError for columns that make no games."""
        played = seats(games)
        terms, columns = _terms(played)
        teams = team_design(played)[1][:, columns]
        pairs = _pairs(played)
        estimate, covariance = _fit(teams, pairs)
        unit = BETA * sqrt(_seats_of_a_pair(played, pairs)) / NEAREST
        together = np.unique(played.game * len(played.agents) + played.agent)
        counts = np.bincount(together % max(len(played.agents), 1), minlength=len(played.agents))
        return Ratings(
            self.name,
            terms,
            estimate * unit,
            covariance * (unit * unit),
            # The deviation of logistic noise with these odds: of a normal one with them, BETA.
            noise=BETA * pi / (sqrt(3.0) * NEAREST),
            link="logistic",
            shares=played.shares if len(played.role) else {},
            prior=dict.fromkeys(("agent", "side"), RIDGE * unit * unit),
            games=dict(zip(played.agents.tolist(), counts.tolist(), strict=True)),
            notes=_notes(played),
        )


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Two teams of one game each: positions of the `upper` and the `lower` one among all teams,
    the `game`, and `score`, what the upper one got: 1, or ½ for a draw."""

    upper: Integers
    lower: Integers
    game: Integers
    score: Floats


def _terms(played: Seats) -> tuple[dict[Term, int], Integers]:
    """The agents' and sides' terms, and their columns in the design of the teams."""
    kept = {term: at for term, at in team_design(played)[0].items() if term[0] != "agent:role"}
    return {term: at for at, term in enumerate(kept)}, np.array([*kept.values()], np.int64)


def _pairs(played: Seats) -> _Pairs:
    """All pairs of teams of all games, the better one first."""
    team_game, rank = played.team_game, played.team_rank
    counts = np.bincount(team_game, minlength=len(played.sizes))
    ends = np.cumsum(counts)
    teams = np.arange(len(team_game))
    later = ends[team_game] - teams - 1
    upper = np.repeat(teams, later)
    lower = upper + 1 + np.arange(len(upper)) - np.repeat(np.cumsum(later) - later, later)
    swap = rank[upper] > rank[lower]
    upper, lower = np.where(swap, lower, upper), np.where(swap, upper, lower)
    return _Pairs(upper, lower, team_game[upper], np.where(rank[upper] == rank[lower], 0.5, 1.0))


def _seats_of_a_pair(played: Seats, pairs: _Pairs) -> float:
    """How many seats two compared teams have together, on average."""
    if not len(pairs.game):
        return 2.0
    sizes = np.bincount(played.team, minlength=len(played.team_game))
    return float(np.mean(sizes[pairs.upper] + sizes[pairs.lower]))


def _fit(teams: csr_array, pairs: _Pairs) -> tuple[Floats, Floats]:
    """Estimate (k,) and covariance (k, k), in log-odds."""
    from scipy import sparse
    from scipy.special import expit

    k = teams.shape[1]
    regression = _regression()
    differences = (teams[pairs.upper] - teams[pairs.lower]).tocsr()
    rows, which, sign = _distinct(differences)
    if not rows.nnz:
        return np.zeros(k), np.eye(k) * RIDGE
    score = np.where(sign > 0, pairs.score, 1.0 - pairs.score)
    total = np.bincount(which, minlength=rows.shape[0]).astype(np.float64)
    won = np.bincount(which, score, minlength=rows.shape[0])
    lost = total - won
    row = np.concatenate([np.flatnonzero(won), np.flatnonzero(lost), [0]])
    outcomes = np.concatenate([np.ones(np.count_nonzero(won)), np.zeros(np.count_nonzero(lost))])
    weights = np.concatenate([won[won > 0.0], lost[lost > 0.0]])
    # Seen from the other end a row is of the other outcome: then neither is ever missing.
    outcomes, weights = np.append(outcomes, 1.0 - outcomes[0]), np.append(weights, weights[0])
    weights[[0, -1]] /= 2.0
    row[-1] = row[0]
    ends = np.ones(len(row))
    ends[-1] = -1.0
    seen = sparse.csr_matrix(sparse.diags_array(ends) @ rows[row])
    estimate: Floats = regression.fit(seen, outcomes, sample_weight=weights).coef_[0].copy()

    expected = expit(rows @ estimate)
    information = np.asarray((rows.T * (total * expected * (1.0 - expected))) @ rows.toarray())
    inverse = _inverse(information + np.eye(k) / RIDGE)
    if (np.diff(pairs.game) > 0).all():
        return estimate, inverse
    codes = which * 4 + 2 * (sign > 0) + (pairs.score < 1.0)
    middle = _scatter(rows, _distinct_games(codes, pairs.game), expected) + np.eye(k) / RIDGE
    sandwich = inverse @ middle @ inverse
    return estimate, (sandwich + sandwich.T) / 2.0


def _regression() -> Any:
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise UsageError(
            "the rating system 'bradley-terry' needs scikit-learn, which is not installed: "
            "pip install 'llm-arena[bradley-terry]'"
        ) from error
    return LogisticRegression(
        C=RIDGE, fit_intercept=False, solver="newton-cholesky", tol=1e-9, max_iter=1000
    )


def _distinct(differences: csr_array) -> tuple[csr_array, Integers, Integers]:
    """The distinct rows in an order of their own, up to their sign; per row given, which of them it
    is and its sign. So the games' order does not matter, and a hundred thousand games between the
    same few teams are a few rows."""
    from scipy import sparse

    differences = sparse.csr_array(differences)
    differences.sum_duplicates()
    differences.eliminate_zeros()
    differences.sort_indices()
    lengths = np.diff(differences.indptr)
    row = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(row)) - np.repeat(differences.indptr[:-1], lengths)
    sign = np.ones(len(lengths), np.int64)
    filled = lengths > 0
    sign[filled] = np.sign(differences.data[differences.indptr[:-1][filled]]).astype(np.int64)
    values = np.rint(differences.data * sign[row]).astype(np.int64)
    span = int(np.abs(values).max(initial=0))
    width = int(lengths.max(initial=0))
    codes = np.full((len(lengths), width), -1, np.int64)
    codes[row, place] = differences.indices * (2 * span + 1) + values + span
    distinct, which = np.unique(codes, axis=0, return_inverse=True)
    at, place = np.nonzero(distinct >= 0)
    code = distinct[at, place]
    rows = sparse.csr_array(
        ((code % (2 * span + 1) - span).astype(np.float64), (at, code // (2 * span + 1))),
        shape=(len(distinct), differences.shape[1]),
    )
    return rows, which.ravel(), sign


def _distinct_games(codes: Integers, game: Integers) -> tuple[Integers, Integers]:
    """The distinct games in an order of their own, and how often each was played. A game is the
    codes of its pairs, filled up with −1."""
    sizes = np.bincount(game)
    sizes = sizes[sizes > 0]
    row = np.repeat(np.arange(len(sizes)), sizes)
    table = np.full((len(sizes), int(sizes.max())), -1, np.int64)
    table[row, np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)] = codes
    distinct, counts = np.unique(table, axis=0, return_counts=True)
    return distinct, counts


def _scatter(rows: csr_array, games: tuple[Integers, Integers], expected: Floats) -> Floats:
    """(k, k): the sum over games of the outer product of each one's gradient."""
    from scipy import sparse

    table, counts = games
    at, place = np.nonzero(table >= 0)
    code = table[at, place]
    pair, forward, drawn = code // 4, code // 2 % 2 > 0, code % 2 > 0
    score = np.where(drawn, 0.5, np.where(forward, 1.0, 0.0))
    residual = sparse.csr_array(
        (score - expected[pair], (at, pair)), shape=(len(table), rows.shape[0])
    )
    gradients = sparse.csr_array(residual @ rows)
    return np.asarray(
        (gradients.T @ sparse.diags_array(counts.astype(float)) @ gradients).todense()
    )


def _inverse(matrix: Floats) -> Floats:
    from scipy.linalg import cho_factor, cho_solve

    inverse = cho_solve(cho_factor(matrix), np.eye(len(matrix)))
    return np.asarray((inverse + inverse.T) / 2.0)


def _notes(played: Seats) -> list[str]:
    """Who only ever won, or only ever lost: nothing but the ridge keeps these finite."""
    if not len(played.team_game):
        return []
    best = np.full(len(played.sizes), np.iinfo(np.int64).max)
    worst = np.full(len(played.sizes), np.iinfo(np.int64).min)
    np.minimum.at(best, played.team_game, played.team_rank)
    np.maximum.at(worst, played.team_game, played.team_rank)
    rank, game = played.team_rank[played.team], played.team_game[played.team]
    decided = best[game] < worst[game]
    n = len(played.agents)
    count = np.bincount(played.agent, minlength=n)
    firsts = np.bincount(played.agent[decided & (rank == best[game])], minlength=n)
    lasts = np.bincount(played.agent[decided & (rank == worst[game])], minlength=n)
    notes = []
    for what, always in (("first", firsts == count), ("last", lasts == count)):
        agents = played.agents[always].tolist()
        if agents:
            notes.append(
                f"{_listed(agents)} finished {what} in every game: Bradley-Terry has no prior, so "
                "how far away such an agent is, nothing but a weak penalty says."
            )
    return notes


def _listed(agents: Sequence[int]) -> str:
    named = ", ".join(f"{{agent {agent}}}" for agent in agents[:_NAMED])
    more = len(agents) - _NAMED
    return f"{named} and {more} more" if more > 0 else named
