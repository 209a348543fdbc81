"""What a set of games says, with the order of the games forgotten: the likelihood of strengths.

A *place* is an agent in a role; a strength is that of a place. Games that are alike (the same
places in the same teams with the same result) become one row with a weight, and the rows stand in
an order of their own: the same games in any order give the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import fsum, sqrt

import numpy as np
from scipy import sparse

from arena.core.arrays import Booleans, Floats, Integers
from arena.core.ratings import BETA
from arena.ratings.fit.curvature import Curvature, full
from arena.ratings.fit.design import Seats, tidy
from arena.ratings.fit.levels import Levels, first_levels
from arena.ratings.fit.luck import Lucky, lucky
from arena.ratings.fit.order_of_finish import orders
from arena.ratings.fit.ordered_probit import best_margin, first_margin, loglikelihood

DENSE = 128
"""The most columns for which plain products are faster than sparse ones."""

SPARSE = 1_000
"""So many places stay below 8 MB as a full matrix."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Games of two teams: `rows` (n, places) holds the winner's seats minus the loser's, `noise`
    (n,) the standard deviation of the difference, `weight` how many games are like that. A draw has
    its teams in a fixed order. `block` (n,) numbers the games that share a seed from 0, -1 for
    none; `side` (n,) is 1 where the winner is the game's first team, and -1 where it is the other.
    `level` (n,) is by how much the game was won, from 1; 0 where that is not known.
    `winner` and `loser` (n,) are the kinds of its teams.
    `known` (n,) is the covariate of the winner less that of the loser, over its root mean square in
    the environment: NaN where it is not known, and empty where none is.
    """

    rows: sparse.csr_array | Floats
    noise: Floats
    weight: Floats
    drawn: Booleans
    environment: Integers
    block: Integers
    side: Integers
    level: Integers
    winner: Integers
    loser: Integers
    known: Floats


@dataclass(frozen=True, slots=True)
class Chains:
    """Games of k teams, best first, of which the `last` share the last place: `teams` (n, k) are
    rows of `Matches.teams`, `sds` (n, k) their performances' standard deviations."""

    teams: Integers
    sds: Floats
    weight: Floats
    last: int


@dataclass(frozen=True, slots=True)
class Matches:
    """A `Likelihood` of the strengths of the places. `margins` (environments,) are draw margins in
    units of the noise of a game's difference; chains have none. `levels` are, by environment, those
    of its wins where these have any. `kinds` (kinds, c) say which places are in each kind of team,
    in order.

    `luck` is the share of that noise's variance which the seed deals, the same to the first team
    of every game of a block: a normal effect of the block, at whose mode everything is taken
    (`lucky`). `explained` is the correlation of that noise with the games' covariate, where they
    have one: then its square is the share of the variance that is known. Chains know of neither.
    """

    places: int
    pairs: Pairs
    teams: sparse.csr_array
    chains: Sequence[Chains]
    margins: Floats
    kinds: Integers
    noise: float = BETA
    luck: float = 0.0
    explained: float = 0.0
    levels: Mapping[int, Levels] = field(default_factory=dict)

    @property
    def adjustable(self) -> bool:
        """Whether there are margins or levels that depend on the strengths."""
        return bool(self.levels) or bool(self.pairs.drawn.any())

    def at(self, strengths: Floats) -> tuple[float, Floats]:
        """The log-likelihood, and its gradient (places,)."""
        pairs = self.pairs
        found = self._pairs(strengths)
        total = float(pairs.weight @ found.value) - found.spent
        gradient = pairs.rows.T @ (pairs.weight * found.slope / pairs.noise)
        for chain in self.chains:
            order = orders((self.teams @ strengths)[chain.teams], chain.sds, chain.last)
            total += float(chain.weight @ order.value)
            along = np.bincount(
                chain.teams.ravel(),
                (chain.weight[:, None] * order.gradient).ravel(),
                minlength=self.teams.shape[0],
            )
            gradient = gradient + self.teams.T @ along
        return total, gradient

    def information(self, strengths: Floats) -> Floats | sparse.csr_array:
        """(places, places): minus the Hessian; sparse where places are many."""
        total = self.curvature(strengths).whole()
        return total if self.places > SPARSE else full(total)

    def curvature(self, strengths: Floats) -> Curvature:
        """Of (places, places): minus the Hessian in its parts."""
        pairs = self.pairs
        found = self._pairs(strengths)
        scale = pairs.weight * found.bend / pairs.noise**2
        sums, luck = None, None
        if self.luck:
            at = np.flatnonzero(pairs.block >= 0)
            shape = (len(found.curvature), len(pairs.weight))
            along = pairs.weight * found.bend * found.pull / pairs.noise
            sums = sparse.csr_array((along[at], (pairs.block[at], at)), shape=shape) @ pairs.rows
            luck = -1.0 / found.curvature
        chains = []
        for chain in self.chains:
            order = orders((self.teams @ strengths)[chain.teams], chain.sds, chain.last, True)
            blocks = -chain.weight[:, None, None] * order.hessian
            k = chain.teams.shape[1]
            across = sparse.coo_array(
                (
                    blocks.ravel(),
                    (np.repeat(chain.teams, k, axis=1).ravel(), np.tile(chain.teams, k).ravel()),
                ),
                shape=(self.teams.shape[0],) * 2,
            ).tocsr()
            chains.append(self.teams.T @ (across @ self.teams))
        return Curvature(pairs.rows, scale, sums, luck, chains)

    def evidence_of_luck(self, strengths: Floats) -> float:
        """What is to be added to a log-evidence at the mode because the blocks' luck is unknown."""
        return -0.5 * float(np.log(self._pairs(strengths).curvature).sum())

    def _pairs(self, strengths: Floats) -> Lucky:
        pairs = self.pairs
        t = (pairs.rows @ strengths) / pairs.noise
        margin = self.margins[pairs.environment]

        def said(t: Floats, scale: Floats) -> tuple[Floats, Floats, Floats]:
            found = loglikelihood(t, pairs.drawn, margin * scale)
            for e, levels in self.levels.items():
                here = self._graded(e)
                more = levels.loglikelihood(
                    t[here], pairs.level[here], float(self.margins[e]), scale[here]
                )
                for column, part in zip(found, more, strict=True):
                    column[here] += part
            return found

        return lucky(pairs, t, said, self.luck, self.explained)

    def _graded(self, environment: int) -> Booleans:
        """The rows of an environment whose wins have a level."""
        graded: Booleans = (self.pairs.environment == environment) & (self.pairs.level > 0)
        return graded

    def with_margins(self, strengths: Floats) -> Matches:
        """The same with the margins that are likeliest at these strengths."""
        pairs = self.pairs
        t = (pairs.rows @ strengths) / pairs.noise
        margins = [
            best_margin(t[here], pairs.drawn[here], pairs.weight[here])
            for here in (pairs.environment == e for e in range(len(self.margins)))
        ]
        levels = {}
        for e, before in self.levels.items():
            here = self._graded(e)
            levels[e] = before.best(t[here], pairs.level[here], pairs.weight[here], margins[e])
        return replace(self, margins=np.array(margins), levels=levels)


def plain(matrix: sparse.csr_array) -> sparse.csr_array | Floats:
    """The same, dense where that is faster."""
    dense: Floats = matrix.toarray() if matrix.shape[1] <= DENSE else matrix
    return dense


def matches(
    played: Seats, place: Integers, places: int, level: Integers | None = None, tell: float = 0.0
) -> Matches:
    """`place` is each seat's, `level` each game's (see `Pairs`) where wins have any, and `tell` how
    much these tell (`fit.levels`). Of games with more than two teams, those that share any but the
    last place take turns in standing for their set, each with its share of the weight; a game in
    which all do, and a game of one team, say nothing."""
    kind, contents, rows, sizes = _kinds(played, place, places)
    count = np.bincount(played.team_game, minlength=len(played.sizes))
    known = np.zeros(len(count), np.int64) if level is None else level
    pairs = _pairs(played, kind, rows, sizes, count, known)
    chains = _chains(played, kind, sizes, count)
    margins = first_margins(pairs, len(played.environments))
    levels = {}
    for e in range(len(margins)):
        here = (pairs.environment == e) & (pairs.level > 0)
        won: Floats = np.bincount(pairs.level[here], pairs.weight[here])[1:].astype(np.float64)
        if len(won) > 1:
            levels[e] = first_levels(won, tell)
    return Matches(places, pairs, rows, chains, margins, contents, levels=levels)


def first_margins(pairs: Pairs, environments: int) -> Floats:
    """Of each environment the margin at which equals draw as often as its games were drawn."""
    margins = [
        first_margin(float(pairs.weight[here].sum()), float(pairs.weight[here & pairs.drawn].sum()))
        for here in (pairs.environment == e for e in range(environments))
    ]
    return np.array(margins, np.float64)


def _kinds(
    played: Seats, place: Integers, places: int
) -> tuple[Integers, Integers, sparse.csr_array, Integers]:
    """Teams with the same places are of one kind: each team's kind, and per kind its places
    (`Matches.kinds`), its row (kinds, places) and its number of seats. Kinds are numbered by what
    is in them alone."""
    teams = len(played.team_game)
    order = np.lexsort((place, played.team))
    sizes = np.bincount(played.team, minlength=teams)
    nth = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    table = np.zeros((teams, int(sizes.max(initial=0))), np.int64)
    table[played.team[order], nth] = place[order] + 1
    contents = _packed(table, places + 1)
    kind, first = _alike(contents)
    table, sizes = table[first], sizes[first]
    at, column = np.nonzero(table)
    rows = sparse.csr_array(
        (np.ones(len(at)), (at, table[at, column] - 1)), shape=(len(first), places)
    )
    return kind, contents[first], tidy(rows), sizes


def _packed(table: Integers, base: int) -> Integers:
    """The same rows in fewer columns: as many digits as fit into 62 bits stand together."""
    digits = max(1, int(62 / np.log2(max(base, 2))))
    columns = []
    for at in range(0, table.shape[1], digits):
        packed = np.zeros(len(table), np.int64)
        for column in table[:, at : at + digits].T:
            packed = packed * base + column
        columns.append(packed)
    return np.array(columns, np.int64).reshape(len(columns), len(table)).T


def _alike(table: Integers) -> tuple[Integers, Integers]:
    """Of rows: the number of each among the different ones, sorted; and where each first is."""
    order = np.lexsort(table.T[::-1]) if table.shape[1] else np.arange(len(table))
    opens = np.ones(len(order), np.bool_)
    opens[1:] = (np.diff(table[order], axis=0) != 0).any(axis=1)
    kind = np.empty(len(order), np.int64)
    kind[order] = np.cumsum(opens) - 1
    return kind, order[opens]


def _pairs(
    played: Seats,
    kind: Integers,
    rows: sparse.csr_array,
    sizes: Integers,
    count: Integers,
    level: Integers,
) -> Pairs:
    game = np.flatnonzero(count == 2)
    first = np.searchsorted(played.team_game, game)
    a, b = kind[first], kind[first + 1]
    rank = played.team_rank
    lead = np.sign(rank[first + 1] - rank[first])
    lead = np.where(lead == 0, np.where(a <= b, 2, -2), lead)  # a draw: the lower kind first
    table = np.stack(
        [
            played.environment[game],
            (np.abs(lead) == 2).astype(np.int64),
            np.where(lead > 0, a, b),
            np.where(lead > 0, b, a),
            played.block[game] + 1,
            np.where((lead > 0) | (played.block[game] < 0), 1, 0),
            np.where(np.abs(lead) == 2, 0, level[game]),
        ],
        axis=1,
    )
    known = np.zeros(0)
    if len(played.team_covariate):
        known = _standard(played, first, game) * np.sign(lead)
        # Games that a covariate tells apart are not alike.
        _, which = np.unique(known, return_inverse=True)
        table = np.hstack([table, which[:, None]])
    number, at = _alike(_packed(table, max(int(table.max(initial=0)) + 1, 2)))
    weight = np.bincount(number, minlength=len(at)).astype(np.float64)
    environment, drawn, winner, loser, block, side, by = table[at].T[:7]
    difference = tidy(rows[winner] - rows[loser])
    tells = np.diff(difference.indptr) > 0  # an agent against itself cancels
    return Pairs(
        rows=plain(difference[tells]),
        noise=BETA * np.sqrt((sizes[winner] + sizes[loser])[tells].astype(np.float64)),
        weight=weight[tells],
        drawn=drawn[tells] == 1,
        environment=environment[tells],
        block=block[tells] - 1,
        side=2 * side[tells] - 1,
        level=by[tells],
        winner=winner[tells],
        loser=loser[tells],
        known=known[at][tells] if len(known) else known,
    )


def _standard(played: Seats, first: Integers, game: Integers) -> Floats:
    """Of two-team games, the first team's covariate less the other's, over its root mean square in
    the environment: around 0, because that is what it is expected to be."""
    difference = played.team_covariate[first] - played.team_covariate[first + 1]
    home = played.environment[game]
    found = np.full(len(home), np.nan)
    for environment in np.unique(home):
        told = (home == environment) & np.isfinite(difference)
        # Exactly: in any order of the games the same.
        if squares := fsum((difference[told] ** 2).tolist()):
            found[told] = difference[told] / sqrt(squares / int(told.sum()))
    return found


def _chains(played: Seats, kind: Integers, sizes: Integers, count: Integers) -> Sequence[Chains]:
    found: dict[tuple[int, int], list[tuple[tuple[int, ...], float]]] = {}
    many = count[played.team_game] > 2
    order = np.lexsort((kind, played.team_rank, played.team_game))
    order = order[many[order]]
    game, rank, kinds = played.team_game[order], played.team_rank[order], kind[order]
    for k in np.unique(count[count > 2]).tolist():
        here = count[game] == k
        teams = kinds[here].reshape(-1, k)
        tied = np.diff(rank[here].reshape(-1, k), axis=1) == 0
        number, at = _alike(_packed(np.hstack([tied.astype(np.int64), teams]), len(sizes) + 1))
        weights = np.bincount(number, minlength=len(at)).tolist()
        for row, ties, weight in zip(teams[at].tolist(), tied[at].tolist(), weights, strict=True):
            for chain, last, share in _stand_ins(row, ties):
                found.setdefault((len(chain), last), []).append((chain, weight * share))
    chains = []
    for (k, last), rows in sorted(found.items()):
        rows.sort()
        table = np.array([chain for chain, _ in rows], np.int64).reshape(-1, k)
        sds = BETA * np.sqrt(sizes[table].astype(np.float64))
        chains.append(Chains(table, sds, np.array([weight for _, weight in rows]), last))
    return chains


def _stand_ins(
    row: Sequence[int], ties: Sequence[bool]
) -> list[tuple[tuple[int, ...], int, float]]:
    """A game as chains without ties but in the last place: (kinds, size of the last set, share)."""
    sets = [[row[0]]]
    for team, tie in zip(row[1:], ties, strict=True):
        if tie:
            sets[-1].append(team)
        else:
            sets.append([team])
    if len(sets) == 1:
        return []
    *upper, last = sets
    stand_ins = [*product(*upper)]
    return [((*chosen, *last), len(last), 1.0 / len(stand_ins)) for chosen in stand_ins]
