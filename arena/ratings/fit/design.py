"""How effects enter a game: the terms of a set of games and their coefficients, team by team.

A seat's strength is the sum of the effects that bear on it, each once:

    ("agent", id) + ("agent:role", id, role) + ("side", role)

and a team's is the sum over its seats, so that a clone counts twice and a side is worth what the
roles of its seats are worth together. Of two teams, a game sees the first's sum minus the second's;
what stands on both sides cancels. In Secret Mafia's 2 against 4 that makes
2 ("side", "Mafia") − 4 ("side", "Villager"); where seats have no known role, the role is "", whose
side only matters between teams of different sizes.

Of several environments a role's name is "environment/role" (or "environment" alone where seats have
no role): the Doctor of one has nothing to do with the Doctor of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from arena.core import Games
from arena.core.arrays import Floats, Integers, whole

Term = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seats:
    """The columns of games, checked, with roles that stand for themselves.

    Per seat: `game`, `agent` (a position in `agents`), `team` (a position among all teams of all
    games) and `role` (a position in `roles`). Per team: `team_game`, `team_rank` and
    `team_covariate`, the sum over its seats, empty where none is known; the teams of a game stand
    together, in order of first seat. Per role: `role_environment`, a position in `environments`.
    Per game: `sizes`, its number of seats, `environment`, and `block`, the games that share its
    luck; -1 for none.
    """

    game: Integers
    agent: Integers
    team: Integers
    role: Integers
    team_game: Integers
    team_rank: Integers
    team_covariate: Floats
    sizes: Integers
    environment: Integers
    block: Integers
    agents: Integers
    roles: Sequence[str]
    role_environment: Integers
    environments: Sequence[str]

    @property
    def several(self) -> bool:
        """Whether the games are of several environments."""
        return bool((self.environment[1:] != self.environment[:-1]).any())

    @property
    def shares(self) -> Mapping[str, float]:
        """How often each role comes up among all seats."""
        counts = np.bincount(self.role, minlength=len(self.roles))
        return {
            role: float(count / len(self.role))
            for role, count in zip(self.roles, counts.tolist(), strict=True)
        }


@dataclass(frozen=True, slots=True)
class Design:
    """The signed coefficients of all terms: row i of the sparse matrix holds the coefficients
    values[indptr[i]:indptr[i+1]] of the columns indices[indptr[i]:indptr[i+1]], in their order;
    nothing that cancels is stored. `terms` gives every term's column."""

    terms: Mapping[Term, int]
    indptr: Integers
    indices: Integers
    values: Floats

    def row(self, at: int) -> tuple[Integers, Floats]:
        """Columns and coefficients of one row."""
        span = slice(int(self.indptr[at]), int(self.indptr[at + 1]))
        return self.indices[span], self.values[span]

    @property
    def matrix(self) -> sparse.csr_array:
        """(rows, terms)."""
        shape = (len(self.indptr) - 1, len(self.terms))
        return sparse.csr_array((self.values, self.indices, self.indptr), shape=shape)


def seats(games: Games) -> Seats:
    """The columns, checked. Raises ValueError for columns that do not fit together, numbers that
    are not whole, an empty game, a team with two ranks, or a role without a name."""
    sizes, agents, teams, ranks = (
        whole(column, name)
        for column, name in (
            (games.sizes, "size"),
            (games.agents, "agent"),
            (games.teams, "team"),
            (games.ranks, "rank"),
        )
    )
    if len(sizes) and sizes.min() < 1:
        raise ValueError(f"game {int(sizes.argmin())} has no seats: expected at least one")
    total = int(sizes.sum())
    if not len(agents) == len(teams) == len(ranks) == total:
        raise ValueError(
            f"{total} seats in all games, but {len(agents)} agents, {len(teams)} teams and "
            f"{len(ranks)} ranks: expected as many of each"
        )
    game = np.repeat(np.arange(len(sizes)), sizes)
    order, opens = _groups(game, teams)
    team = np.empty(total, np.int64)
    team[order] = np.cumsum(opens) - 1
    first = order[opens]
    odd = ranks != ranks[first][team]
    if odd.any():
        raise ValueError(f"game {game[odd.argmax()]}: the seats of one team have different ranks")
    names, agent = np.unique(agents, return_inverse=True)
    role, roles, role_environment = _roles(games, game, total)
    environment, environments = _environments(games, len(sizes))
    return Seats(
        game=game,
        agent=agent,
        team=team,
        role=role,
        team_game=game[first],
        team_rank=ranks[first],
        team_covariate=_covariates(games, team, total),
        sizes=sizes,
        environment=environment,
        block=_blocks(games),
        agents=names,
        roles=roles,
        role_environment=role_environment,
        environments=environments,
    )


def design(games: Games) -> Design:
    """One row a game, of two-team games: the first team's sum minus the second's.

    The first team is that of the first seat. The terms are those of all games: ("agent", id) in
    order of id, ("agent:role", id, role) as they come up, ("side", role). Raises ValueError for
    columns that make no games or a game without exactly two teams.
    """
    played = seats(games)
    teams = np.bincount(played.team_game, minlength=len(played.sizes))
    if (teams != 2).any():
        odd = int((teams != 2).argmax())
        raise ValueError(f"game {odd} has {teams[odd]} teams: expected two")
    terms, matrix = team_design(played)
    signs = sparse.csr_array(
        (
            np.tile([1.0, -1.0], len(played.sizes)),
            (played.team_game, np.arange(len(played.team_game))),
        ),
        shape=(len(played.sizes), len(played.team_game)),
    )
    rows = tidy(signs @ matrix)
    return Design(terms, rows.indptr.astype(np.int64), rows.indices.astype(np.int64), rows.data)


def team_design(played: Seats) -> tuple[dict[Term, int], sparse.csr_array]:
    """The terms, and (teams, terms): how much of each effect is in each team's sum. A single role
    is every agent's only one: then there is no ("agent:role", ...)."""
    n, roles = len(played.agents), len(played.roles)
    ids = [str(agent) for agent in played.agents.tolist()]
    terms: dict[Term, int] = {("agent", agent): at for at, agent in enumerate(ids)}
    columns = [played.agent]
    if roles > 1:
        pairs, at = np.unique(played.agent * roles + played.role, return_inverse=True)
        columns.append(n + at)
        for pair in pairs.tolist():
            terms["agent:role", ids[pair // roles], played.roles[pair % roles]] = len(terms)
    columns.append(len(terms) + played.role)
    for role in played.roles:
        terms["side", role] = len(terms)
    matrix = sparse.csr_array(
        (
            np.ones(len(columns) * len(played.team)),
            (np.tile(played.team, len(columns)), np.concatenate(columns)),
        ),
        shape=(len(played.team_game), len(terms)),
    )
    return terms, tidy(matrix)


def tidy(matrix: sparse.csr_array) -> sparse.csr_array:
    """The same matrix with its columns in order and nothing stored that is 0."""
    matrix = sparse.csr_array(matrix)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def _groups(game: Integers, label: Integers) -> tuple[Integers, NDArray[np.bool_]]:
    """Seats in an order in which those with the same label in a game stand together, the labels of
    a game in order of first seat; and where in that order each group begins."""
    order = np.lexsort((label, game))
    opens = np.ones(len(order), np.bool_)
    opens[1:] = (np.diff(game[order]) != 0) | (np.diff(label[order]) != 0)
    first = order[opens][np.cumsum(opens) - 1] if len(order) else order
    again = np.argsort(first, kind="stable")
    return order[again], opens[again]


def _roles(games: Games, game: Integers, total: int) -> tuple[Integers, list[str], Integers]:
    """Per seat its role, the roles' names, and the environment of each."""
    given = whole(games.roles, "role") if len(games.roles) else np.zeros(total, np.int64)
    names = list(games.role_names) if len(games.roles) else [""]
    if len(given) != total:
        raise ValueError(f"{total} seats, but {len(given)} roles: expected as many, or none")
    if total and not (given.min() >= 0 and given.max() < len(names)):
        raise ValueError(f"role {given.max()} has no name: role_names has {len(names)}")
    environment, labels = _environments(games, int(game[-1]) + 1 if total else 0)
    several = len(np.unique(environment)) > 1
    pairs, role = np.unique(environment[game] * len(names) + given, return_inverse=True)
    keys = []
    for pair in pairs.tolist():
        name, label = names[pair % len(names)], labels[pair // len(names)]
        keys.append((f"{label}/{name}" if name else label) if several else name)
    # Two positions with one name are one role.
    distinct = sorted(set(keys))
    places = np.array([distinct.index(key) for key in keys], np.int64)
    homes = np.zeros(len(distinct), np.int64)
    homes[places] = pairs // len(names)
    return places[role], distinct, homes


def _blocks(games: Games) -> Integers:
    count = len(games.sizes)
    if not len(games.blocks):
        return np.full(count, -1, np.int64)
    given = whole(games.blocks, "block")
    if len(given) != count:
        raise ValueError(f"{count} games, but {len(given)} blocks: expected as many, or none")
    # Numbered by what they are, not by where they stand, and alone if no other game is in it.
    _, block, times = np.unique(given, return_inverse=True, return_counts=True)
    return np.where((given >= 0) & (times[block] > 1), block, -1)


def _covariates(games: Games, team: Integers, total: int) -> Floats:
    """Summed by team; NaN where a seat's is."""
    if not len(games.covariates):
        return np.zeros(0)
    given = np.asarray(games.covariates, np.float64)
    if len(given) != total:
        raise ValueError(f"{total} seats, but {len(given)} covariates: expected as many, or none")
    if np.isinf(given).any():
        raise ValueError("a covariate is infinite: expected a number, or NaN for none")
    return np.asarray(np.bincount(team, given), np.float64)


def _environments(games: Games, count: int) -> tuple[Integers, list[str]]:
    if not len(games.environments):
        return np.zeros(count, np.int64), [""]
    given = whole(games.environments, "environment")
    names = list(games.environment_names)
    if len(given) != count:
        raise ValueError(f"{count} games, but {len(given)} environments: expected as many, or none")
    if count and not (given.min() >= 0 and given.max() < len(names)):
        raise ValueError(f"environment {given.max()} has no name: there are {len(names)}")
    return given, names
