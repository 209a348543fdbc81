"""Games as counts of equal ones, to which more can be added: what `probit` fits.

The counts of n games and those of m more make those of all n + m, bit for bit, at the price of the
m. That needs what is usual in a tournament under way: the new games are of two teams, of agents in
roles that were seen before, and no two games share a seed. Anything else is counted from the start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from arena.core import Games
from arena.core.arrays import Integers
from arena.ratings.fit.design import Seats, seats
from arena.ratings.fit.likelihood import Matches, Pairs, first_margins, matches, plain

_PER_SEAT = ("agents", "teams", "ranks", "roles")
_PER_GAME = ("sizes", "environments")


@dataclass(frozen=True, slots=True)
class Places:
    """Agents in roles: of each place the positions of its agent and role in `Seats`; `seat` gives
    the place of every seat."""

    agent: Integers
    role: Integers
    seat: Integers


@dataclass(frozen=True, slots=True)
class CountedGames:
    """`games` with their seats, the agents in roles of these, what they say, and how many each
    agent has, by its position in `played`."""

    games: Games
    played: Seats
    places: Places
    said: Matches
    each: Integers


def places_of(played: Seats) -> Places:
    """The agents in the roles they were seen in, in order of agent."""
    roles = len(played.roles)
    pairs, seat = np.unique(played.agent * roles + played.role, return_inverse=True)
    return Places(pairs // roles, pairs % roles, seat)


def counted(games: Games, before: CountedGames | None = None) -> CountedGames:
    """The games counted; `before` are counts of the first of them, which make it faster and nothing
    else.

    Raises ValueError for columns that make no games."""
    if before is not None and (more := _more(before, games)) is not None:
        return more
    played = seats(games)
    places = places_of(played)
    said = matches(played, places.seat, len(places.agent))
    return CountedGames(games, played, places, said, games_each(played))


def games_each(played: Seats) -> Integers:
    """(agents,): the games of each agent, each counted once."""
    pairs = np.sort(played.game * len(played.agents) + played.agent)
    first = np.diff(pairs, prepend=-1) > 0
    return np.bincount(pairs[first] % len(played.agents), minlength=len(played.agents))


def _more(before: CountedGames, games: Games) -> CountedGames | None:
    """None where the counts cannot be added to."""
    rest = _rest(before.games, games)
    if rest is None or not len(before.played.agents) or before.said.chains:
        return None
    new = seats(rest)
    if not len(new.sizes):
        return replace(before, games=games)
    known = before.played
    if not known.several and (new.several or new.environment[0] != known.environment[0]):
        return None  # Roles have other names then.
    role = _roles(new, known)
    agent = np.searchsorted(known.agents, new.agents)
    strange = (agent == len(known.agents)) | (known.agents[agent % len(known.agents)] != new.agents)
    if role is None or strange.any():
        return None
    new = replace(
        new,
        agent=agent[new.agent],
        role=role[new.role],
        agents=known.agents,
        roles=known.roles,
        role_environment=known.role_environment,
    )
    roles = len(known.roles)
    keys = before.places.agent * roles + before.places.role
    sought = new.agent * roles + new.role
    seat = np.searchsorted(keys, sought)
    if (keys[seat % len(keys)] != sought).any():
        return None
    said = matches(new, seat, len(keys))
    if (
        said.chains
        or said.kinds.shape[1] != before.said.kinds.shape[1]
        or _width(new) != _width(known)
    ):
        return None
    merged = _merged(before.said, said, len(known.environments))
    if merged is None:
        return None
    places = replace(before.places, seat=np.concatenate([before.places.seat, seat]))
    each = before.each + games_each(new)
    return CountedGames(games, _joined(known, new), places, merged, each)


def _rest(first: Games, games: Games) -> Games | None:
    """The games after the first; None where these are not the first of them, or where some share
    luck or have covariates."""
    if len(games.covariates) or list(games.role_names) != list(first.role_names):
        return None
    if list(games.environment_names) != list(first.environment_names):
        return None
    blocks = np.asarray(games.blocks, np.int64)
    shared = blocks[blocks >= 0]
    if len(np.unique(shared)) < len(shared):
        return None
    rest: dict[str, Any] = {}
    for name in (*_PER_SEAT, *_PER_GAME):
        before, now = np.asarray(getattr(first, name)), np.asarray(getattr(games, name))
        if not np.array_equal(before, now[: len(before)]) or bool(len(before)) != bool(len(now)):
            return None
        rest[name] = now[len(before) :]
    return replace(games, **rest, scores=(), blocks=())


def _roles(new: Seats, known: Seats) -> Integers | None:
    """The position of each role of the new games among those that are known; None where one is
    not."""
    positions = {role: at for at, role in enumerate(known.roles)}
    found = []
    for role, home in zip(new.roles, new.role_environment.tolist(), strict=True):
        name = role
        if known.several and not new.several:
            label = known.environments[home]
            name = f"{label}/{role}" if role else label
        found.append(positions.get(name, -1))
    return None if -1 in found else np.array(found, np.int64)


def _width(played: Seats) -> int:
    return int(np.bincount(played.team).max(initial=0))


def _joined(known: Seats, new: Seats) -> Seats:
    games, teams = len(known.sizes), len(known.team_game)
    return replace(
        known,
        game=np.concatenate([known.game, new.game + games]),
        agent=np.concatenate([known.agent, new.agent]),
        team=np.concatenate([known.team, new.team + teams]),
        role=np.concatenate([known.role, new.role]),
        team_game=np.concatenate([known.team_game, new.team_game + games]),
        team_rank=np.concatenate([known.team_rank, new.team_rank]),
        sizes=np.concatenate([known.sizes, new.sizes]),
        environment=np.concatenate([known.environment, new.environment]),
        block=np.concatenate([known.block, new.block]),
    )


def _merged(first: Matches, second: Matches, environments: int) -> Matches | None:
    """The games of both, in the order in which all of them would stand."""
    if first.kinds.shape[1] != 1 or not len(first.kinds):
        return None  # Larger teams than fit into one number.
    one, other = first.kinds[:, 0], second.kinds[:, 0]
    place = np.searchsorted(one, other)
    fresh = (place == len(one)) | (one[np.minimum(place, len(one) - 1)] != other)
    kinds = np.insert(one, place[fresh], other[fresh])
    a = _numbered(first.pairs, np.searchsorted(kinds, one))
    b = _numbered(second.pairs, np.searchsorted(kinds, other))
    keys, other_keys = _keys(a, len(kinds)), _keys(b, len(kinds))
    at = np.searchsorted(keys, other_keys)
    there = (
        keys[np.minimum(at, len(keys) - 1)] == other_keys
        if len(keys)
        else np.zeros(len(at), np.bool_)
    )
    weight = a.weight.copy()
    weight[at[there]] += b.weight[there]
    new, where = ~there, at[~there]

    def column(name: str) -> Integers:
        return np.asarray(np.insert(getattr(a, name), where, getattr(b, name)[new]))

    if isinstance(a.rows, np.ndarray):
        rows = np.insert(a.rows, where, np.asarray(b.rows)[new], axis=0)
    else:
        order = np.insert(np.arange(len(keys)), where, len(keys) + np.arange(int(new.sum())))
        both = sparse.vstack([a.rows, sparse.csr_array(b.rows)[new]], format="csr")
        rows = plain(sparse.csr_array(both[order]))
    pairs = Pairs(
        rows=rows,
        noise=np.insert(a.noise, where, b.noise[new]),
        weight=np.insert(weight, where, b.weight[new]),
        drawn=column("drawn") == 1,
        environment=column("environment"),
        block=column("block"),
        side=column("side"),
        level=column("level"),
        winner=column("winner"),
        loser=column("loser"),
        known=a.known,
    )
    margins = first_margins(pairs, environments)
    return replace(first, pairs=pairs, kinds=kinds[:, None], margins=margins)


def _numbered(pairs: Pairs, kind: Integers) -> Pairs:
    return replace(pairs, winner=kind[pairs.winner], loser=kind[pairs.loser])


def _keys(pairs: Pairs, kinds: int) -> Integers:
    """What the rows are sorted by, where none has a block or a level."""
    keys: Integers = pairs.environment * 2 + pairs.drawn
    return (keys * kinds + pairs.winner) * kinds + pairs.loser
